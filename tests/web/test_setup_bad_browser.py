"""What people type wrongly, and what other servers answer, in headless Chromium: a sentence in time, nothing saved."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from syncadmin.engine.records import Side
from syncadmin.store import options
from syncadmin.store.models import AuditEntry, Connection
from tests.web.test_browser import _enter, browser, pytestmark

__all__ = ["browser", "pytestmark"]

FIRST = {Side.DYNAMICS: "Address reachable", Side.MARKETO: "Address"}
ANSWERS = {
    "html": b"<!DOCTYPE html><title>Welcome</title><h1>It works</h1>",
    "nonsense": b'{"value":[{"@odata.etag":',
    "other": b'["nothing","we","know"]',
    "nothing": b"",
}
REMEDIES = {Side.DYNAMICS: "Check the environment's address", Side.MARKETO: "Copy the endpoint of the REST API anew"}
INSIDE = ("https://169.254.169.254", "https://10.0.0.7", "https://[::ffff:192.168.1.1]", "https://localhost:9")
OTHER = re.compile("Something else answers at this address|does not know the interface we speak")


class Strange(BaseHTTPRequestHandler):
    """Answers the same to everything, in the manner its server is told: or never."""

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.server.manner == "silent":  # type: ignore[attr-defined]
            self.server.over.wait(30)  # type: ignore[attr-defined]
            return
        body = ANSWERS[self.server.manner]  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _answer

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def changed(settings: Any) -> Any:
    """The settings of Django, to be changed for one test."""
    return settings


@pytest.fixture
def strange(transactional_db: None, changed: Any) -> Iterator[ThreadingHTTPServer]:
    """A server on this machine that is neither system, in the place of both sandboxes: so the real socket is used."""
    cache.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Strange)
    server.daemon_threads = True
    server.over = threading.Event()  # type: ignore[attr-defined]
    server.manner = "html"  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    changed.SANDBOX_ADDRESSES = {"dynamics": address, "marketo": address}
    yield server
    server.over.set()  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


def connect(page: Page, side: Side, address: str) -> None:
    page.goto(f"/settings/connections/{side}/")
    if side is Side.DYNAMICS:
        page.get_by_label("Address of the organisation").fill(address)
        page.get_by_label("Tenant", exact=True).fill("sandbox")
    else:
        page.get_by_label("Endpoint, identity address or Munchkin id").fill(address)
    page.get_by_label("Client id").fill("sandbox")
    page.get_by_label("Client secret").fill("sandbox-secret")
    page.get_by_role("button", name="Check and save").click()


def told(page: Page, side: Side, *says: str | re.Pattern[str], within: float = 15) -> None:
    """The step is named with sentence and remedy, in time, and nothing was saved."""
    row = page.locator("#checks li").filter(has=page.locator("b", has_text=re.compile(f"^{FIRST[side]}$")))
    expect(row.locator(".badge")).to_have_text(re.compile("wrong|not checked"), timeout=within * 1_000)
    for words in says:
        expect(row).to_contain_text(words)
    expect(row.locator("p").first).to_be_visible()
    expect(page.get_by_text("Not saved: see what is marked.")).to_be_visible()
    nothing_saved()


def nothing_saved() -> None:
    assert not Connection.objects.exists()
    assert not AuditEntry.objects.exists()
    assert options.read().dynamics_account == options.read().marketo_account == ""


@pytest.fixture
def windows(browser: Browser, live_server: LiveServer) -> Iterator[Callable[..., Page]]:
    """Windows of one administrator, each with a session of its own."""

    def opened(**settings: Any) -> Page:
        return _enter(browser, live_server, "ada", **settings).new_page()

    yield opened


SCRIPT = pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])


@pytest.mark.long
@SCRIPT
def test_another_server_is_told_from_the_system(
    windows: Callable[..., Page], strange: ThreadingHTTPServer, script: bool
) -> None:
    for manner in ANSWERS:
        strange.manner = manner  # type: ignore[attr-defined]
        pages = {side: windows(java_script_enabled=script) for side in Side}
        for side, page in pages.items():
            connect(page, side, settings.SANDBOX_ADDRESSES[side])
        for side, page in pages.items():
            told(page, side, OTHER, REMEDIES[side])


@pytest.mark.long
@SCRIPT
def test_a_server_that_says_nothing_is_given_up_in_time(
    windows: Callable[..., Page], strange: ThreadingHTTPServer, script: bool
) -> None:
    strange.manner = "silent"  # type: ignore[attr-defined]
    # Without script a click waits for the answer, so one is asked after the other.
    for sides in (list(Side),) if script else ([side] for side in Side):
        pages, began = {side: windows(java_script_enabled=script) for side in sides}, time.monotonic()
        for side, page in pages.items():
            connect(page, side, settings.SANDBOX_ADDRESSES[side])
        for side, page in pages.items():
            told(page, side, re.compile("did not answer in time|no time left"), REMEDIES[side])
        assert time.monotonic() - began < 15


@pytest.mark.long
def test_where_nobody_listens_there_is_no_connection(
    windows: Callable[..., Page], strange: ThreadingHTTPServer
) -> None:
    strange.shutdown()
    strange.server_close()
    tries = [(side, at) for side in Side for at in (settings.SANDBOX_ADDRESSES[side], "https://nobody.invalid")]
    pages = [windows() for _ in tries]
    for page, (side, address) in zip(pages, tries, strict=True):
        connect(page, side, address)
    for page, (side, _) in zip(pages, tries, strict=True):
        told(page, side, "There is no connection to this address.", REMEDIES[side])


@SCRIPT
def test_private_and_metadata_addresses_are_refused_with_the_way_out(
    windows: Callable[..., Page], strange: ThreadingHTTPServer, script: bool
) -> None:
    for side in Side:
        for address in INSIDE:
            page = windows(java_script_enabled=script)
            connect(page, side, address)
            told(page, side, "This address lies inside a private network.", "manage.py connect with --allow-private")


def test_what_is_no_address_is_told_before_anybody_is_asked(
    windows: Callable[..., Page], strange: ThreadingHTTPServer
) -> None:
    for address in ("two words", "https://me:secret@name.example", "https://["):
        page = windows()
        connect(page, Side.DYNAMICS, address)
        expect(page.get_by_text("Nothing was checked yet: see below.")).to_be_visible()
        expect(page.locator("#id_url_error")).not_to_be_empty()
        nothing_saved()
        page = windows()
        connect(page, Side.MARKETO, address)
        expect(page.locator("#id_url_error").or_(page.get_by_text("Not saved: see what is marked."))).to_be_visible()
        nothing_saved()
