"""`python -m tests.web.pictures`: takes the pictures of docs/img anew, from what `make run` really shows.

It starts everything in a throw-away folder, goes through the wizard, works in both sandboxes for some minutes, and
takes each page light and dark. `--phone FOLDER` leaves every page at 360 px there as well, to be looked at.
"""

from __future__ import annotations

import argparse
import base64
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from syncadmin.proof.chaos.desk import Desk
from tests.web.wizard import Wizard

ROOT = Path(__file__).resolve().parents[2]
WIDTH, TALLEST = 1280, 1400
NARROW = {"width": 360, "height": 740}
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
READY = "syncadmin is ready: "
PAGES = {
    "overview": "/?span=hour",
    "people": "/people/",
    "failures": "/failures/",
    "decisions": "/decisions/",
    "conflicts": "/conflicts/",
    "runs": "/runs/",
    "fields": "/settings/fields/",
    "audit": "/settings/audit/",
    "users": "/settings/users/",
    "notifications": "/settings/notifications/",
    "you": "/you/",
}
# Fields both sides hold as text: (column in Dynamics, field in Marketo, what people put there).
WORK = (
    ("jobtitle", "title", ("Head of Purchasing", "Buyer", "Managing Director", "Plant Manager", "Fleet Manager")),
    ("address1_city", "city", ("Bergen", "Graz", "Porto", "Tartu", "Lyon")),
    ("telephone1", "phone", ("+47 55 12 34 56", "+43 316 4711", "+351 22 555 01", "+372 5123 4567")),
)
# 256 colours are enough for a page; they are counted where the picture is decoded anyway.
_FEWER_COLOURS = """async data => {
  const picture = await createImageBitmap(await (await fetch('data:image/png;base64,' + data)).blob());
  const canvas = new OffscreenCanvas(picture.width, picture.height), context = canvas.getContext('2d');
  context.drawImage(picture, 0, 0);
  const dots = new Uint32Array(context.getImageData(0, 0, picture.width, picture.height).data.buffer);
  const counted = new Map();
  for (const dot of dots) counted.set(dot, (counted.get(dot) || 0) + 1);
  const parts = dot => [dot & 255, (dot >> 8) & 255, (dot >> 16) & 255];
  // Badges are small and coloured, most shades are the grey edges of letters: colour weighs more.
  const weight = ([dot, times]) => times * (1 + (Math.max(...parts(dot)) - Math.min(...parts(dot))) / 4);
  const palette = [...counted].sort((a, b) => weight(b) - weight(a)).slice(0, 256).map(each => parts(each[0]));
  const nearest = new Map();
  for (const dot of counted.keys()) {
    const [r, g, b] = parts(dot);
    let best = 0, least = Infinity;
    palette.forEach((each, index) => {
      const far = (each[0] - r) ** 2 + (each[1] - g) ** 2 + (each[2] - b) ** 2;
      if (far < least) [best, least] = [index, far];
    });
    nearest.set(dot, best);
  }
  let text = '';
  for (const dot of dots) text += String.fromCharCode(nearest.get(dot));
  return {width: picture.width, height: picture.height, palette: palette.flat(), dots: btoa(text)};
}"""


def indexed(page: Page, picture: bytes) -> bytes:
    """The same picture with a palette: about a third of the bytes."""
    told = page.evaluate(_FEWER_COLOURS, base64.b64encode(picture).decode())
    width, height, dots = told["width"], told["height"], base64.b64decode(told["dots"])
    rows = b"".join(b"\0" + dots[line * width : (line + 1) * width] for line in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = ((b"IHDR", head), (b"PLTE", bytes(told["palette"])), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@contextmanager
def everything_running(folder: Path, port: int) -> Iterator[str]:
    """`make run FRESH=1`; the link that signs the first administrator in."""
    ours = {"FRESH": "1", "SYNCADMIN_DATA": str(folder), "PORT": str(port), "DYNAMICS_PORT": str(port + 1)}
    command = (sys.executable, "-m", "syncadmin.embedded", "run")
    environment = {**os.environ, **ours, "MARKETO_PORT": str(port + 2)}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        for line in process.stdout or ():
            if line.startswith(READY):
                yield line.removeprefix(READY).strip()
                return
        raise SystemExit("It did not start.")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


class Camera:
    def __init__(self, page: Page, folder: Path) -> None:
        self.page, self._folder = page, folder
        self._desk = page.context.browser.new_page()  # type: ignore[union-attr]

    def take(self, name: str) -> None:
        """The page as it stands, light and dark."""
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            self.page.evaluate("scrollTo(0, 0)")
            tall = self.page.evaluate("document.documentElement.scrollHeight")
            self.page.set_viewport_size({"width": WIDTH, "height": max(720, min(tall, TALLEST))})
            picture = indexed(self._desk, self.page.screenshot(animations="disabled"))
            (self._folder / f"{name}-{scheme}.png").write_bytes(picture)
            print(f"{name}-{scheme}.png: {len(picture) // 1000} kB")
            self.page.set_viewport_size({"width": WIDTH, "height": 720})


def set_up(page: Page, camera: Camera, dynamics: str) -> None:
    wizard = Wizard(page, dynamics, turn=lambda: None, look=lambda step: camera.take(f"setup-{step}"))
    wizard.connect_dynamics()
    wizard.connect_marketo()
    wizard.choose_scope()
    wizard.choose_fields()
    wizard.preview()
    wizard.start()


def work(desk: Desk, minutes: float, chance: random.Random) -> None:
    """Edits on either side, on both at once, and a few that cannot pass."""
    people = {row["dynPersonGuid"]: row for row in desk.rows("person") if row.get("dynPersonGuid")}
    pairs = [
        (table, row[f"{table}id"], str(people[row[f"{table}id"]]["id"]))
        for table in ("lead", "contact")
        for row in desk.rows(table)
        if row[f"{table}id"] in people
    ]
    until, turn = time.monotonic() + minutes * 60, 0
    while time.monotonic() < until:
        table, record, person = chance.choice(pairs)
        column, field, values = chance.choice(WORK)
        one, other = chance.sample(values, 2)
        if turn % 3 == 0:
            desk.edit(table, record, {column: one})
        if turn % 3 == 1 or turn % 4 == 0:
            desk.edit("person", person, {field: other})
        if turn % 9 == 5:
            desk.edit("person", person, {"title": "Vice President of everything that has to be bought " * 3})
        turn += 1
        time.sleep(chance.choice((0.5, 2, 4)))


def addresses(page: Page) -> dict[str, str]:
    """Every page, and one person, decision, conflict and run."""
    found = dict(PAGES)
    for name, where, start in (
        ("person", "/conflicts/", "/people/"),
        ("decision", "/decisions/", "/decisions/"),
        ("conflict", "/conflicts/", "/conflicts/"),
        ("run", "/runs/", "/runs/"),
    ):
        page.goto(where)
        hrefs = page.locator("main a").evaluate_all("all => all.map(each => each.getAttribute('href'))")
        one = [
            href
            for href in hrefs
            if href and href.startswith(start) and href.removeprefix(start).split("/")[0].isdigit()
        ]
        if one:
            found[name] = one[0]
    return found


def take_all(browser: Browser, link: str, port: int, folder: Path, phone: Path | None, minutes: float) -> None:
    home = f"http://127.0.0.1:{port}"
    context = browser.new_context(base_url=home, viewport={"width": WIDTH, "height": 720}, locale="en")
    page = context.new_page()
    camera = Camera(page, folder)
    page.goto(link)
    set_up(page, camera, f"http://127.0.0.1:{port + 1}")
    desk = Desk(f"http://127.0.0.1:{port + 1}", f"http://127.0.0.1:{port + 2}")
    work(desk, minutes, random.Random(1))
    desk.close()
    for name, address in addresses(page).items():
        page.goto(address)
        camera.take(name)
        if phone:
            page.set_viewport_size(NARROW)  # type: ignore[arg-type]
            page.screenshot(path=phone / f"{name}.png", full_page=True)
            page.set_viewport_size({"width": WIDTH, "height": 720})


def main() -> None:
    reader = argparse.ArgumentParser(prog="python -m tests.web.pictures", description=__doc__)
    reader.add_argument("--minutes", type=float, default=10, help="how long people work before the pictures")
    reader.add_argument("--port", type=int, default=8500, help="this one and the next two are used")
    reader.add_argument("--to", type=Path, default=ROOT / "docs" / "img", metavar="FOLDER")
    reader.add_argument("--phone", type=Path, metavar="FOLDER")
    given = reader.parse_args()
    for folder in filter(None, (given.to, given.phone)):
        folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as data,
        everything_running(Path(data), given.port) as link,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        take_all(browser, link, given.port, given.to, given.phone, given.minutes)
        browser.close()


if __name__ == "__main__":
    main()
