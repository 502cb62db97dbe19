"""The screens in headless Chromium: found fault with by axe, narrow, dark, with and without script."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from syncadmin.services import roles
from syncadmin.store.models import Link
from tests.web.conftest import CAST
from tests.web.people import CITY, TITLE, World

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine"),
    pytest.mark.django_db(transaction=True),
]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
NARROW = {"width": 360, "height": 740}
# Playwright's own five seconds are short where two cores also run another browser, a database and a worker.
expect.set_options(timeout=20_000)


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> Iterator[Browser]:
    # Playwright's loop runs in this thread, and Django takes that for asynchronous code.
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()
        # While that loop runs this thread has a session of its own, which nobody else would close.
        connection.close()
    _wait_for_silence()


def _wait_for_silence() -> None:
    """The server's threads give their sessions back when they notice that the browser has hung up."""
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute(others)
            if cursor.fetchone() == (0,):
                return
        time.sleep(0.05)


@pytest.fixture
def filled(transactional_db: None) -> World:
    """A little of everything a screen can show."""
    world = World()
    world.connected()
    world.fields()
    run = world.run(counts={"read_dynamics": 5})
    link = world.linked("Ada Byron")
    Link.objects.filter(pk=link.pk).update(held={TITLE: {"why": "direction"}})
    world.line(link, "updated", side="marketo", changes=[[TITLE, "a", "b" * 600, "one_sided"]], run=run)
    world.failure(link, key=TITLE, message="too long " * 40, value="x" * 400, run=run)
    conflict = world.conflict(link, key=CITY, state="open", winner="", run=run)
    facts = {"conflict": conflict.pk, "key": CITY, "agreed": ["a", "a"], "dynamics": "Paris", "marketo": "Rome"}
    world.decision("ask", link=link, facts=facts, choices=["dynamics", "marketo"])
    for number in range(60):
        world.in_dynamics(f"Person {number:02}")
    world.writing(world.linked("Bo Lind"))
    return world


def _enter(browser: Browser, server: LiveServer, who: str = "oscar", **settings: Any) -> BrowserContext:
    """A window of somebody who is signed in."""
    from django.contrib.auth.models import Group, User

    roles.ensure_groups()
    user, created = User.objects.get_or_create(username=who)
    if created:
        user.groups.add(Group.objects.get(name=CAST[who]))
    client = Client()
    client.force_login(user)
    context = browser.new_context(base_url=server.url, **settings)
    cookies = [{"name": name, "value": morsel.value, "url": server.url} for name, morsel in client.cookies.items()]
    context.add_cookies(cookies)  # type: ignore[arg-type]
    return context


def _troubles(page: Page) -> list[str]:
    """What the browser complains about from now on; a broken content policy is among it."""
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: told.append(str(error)))
    return told


def _addresses() -> list[str]:
    link = Link.objects.order_by("pk").first()
    assert link
    return [
        "/",
        "/people/",
        f"/people/{link.pk}/",
        "/failures/",
        "/failures/records/?cause=too_long",
        "/decisions/",
        "/conflicts/",
        "/runs/",
        "/nowhere/",
    ]


@pytest.mark.parametrize(
    "settings",
    [{"color_scheme": "light"}, {"color_scheme": "dark", "locale": "zh-TW"}, {"viewport": NARROW}],
    ids=["light", "dark-chinese", "narrow"],
)
def test_no_page_has_a_fault(
    browser: Browser, live_server: LiveServer, filled: World, settings: dict[str, Any]
) -> None:
    page = _enter(browser, live_server, **settings).new_page()
    told = _troubles(page)
    faults = []
    for address in _addresses():
        page.goto(address)
        found = Axe().run(page, options=RULES)
        faults += [(address, each["id"], each["nodes"][0]["html"]) for each in found.response["violations"]]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            faults.append((address, "sideways scroll", ""))
    assert faults == []
    assert [text for text in told if "404" not in text] == []


def test_the_list_follows_what_is_typed_and_the_back_button(
    browser: Browser, live_server: LiveServer, filled: World
) -> None:
    page = _enter(browser, live_server).new_page()
    told = _troubles(page)
    page.goto("/people/")
    page.get_by_role("link", name="Next page").click()
    expect(page.get_by_role("link", name="Person 59")).to_be_visible()
    page.get_by_label("Name, e-mail or id").press_sequentially("ada", delay=20)
    expect(page.get_by_role("rowheader")).to_have_count(1)
    assert "/people/?q=ada&state=" in page.url
    page.get_by_role("link", name="Ada Byron").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ada Byron")
    page.go_back()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    expect(page.get_by_role("rowheader")).to_have_count(1)
    page.go_back()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    expect(page.get_by_role("link", name="Person 59")).to_be_visible()
    assert told == []


def test_the_overview_renews_itself_and_keeps_the_focus(
    browser: Browser, live_server: LiveServer, filled: World
) -> None:
    page = _enter(browser, live_server).new_page()
    page.goto("/")
    page.locator("#pause").focus()
    filled.failure(cause="unknown")
    expect(page.get_by_text("2 failures need a look")).to_be_visible(timeout=9_000)
    assert page.evaluate("document.activeElement.id") == "pause"


def test_everything_works_without_script(browser: Browser, live_server: LiveServer, filled: World) -> None:
    page = _enter(browser, live_server, java_script_enabled=False).new_page()
    page.goto("/")
    page.get_by_role("button", name="Pause the sync").click()
    expect(page.get_by_text("What is under way is finished.")).to_be_visible()
    page.get_by_role("link", name="People").first.click()
    page.get_by_role("link", name="Next page").click()
    expect(page.get_by_role("link", name="Person 59")).to_be_visible()
    page.get_by_label("State").select_option("failed")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Ada Byron").click()
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="Answer").click()
    expect(page.get_by_text("Your answer is recorded")).to_be_visible()
    page.get_by_role("link", name="Failures").first.click()
    page.get_by_role("button", name="Release 1").click()
    page.get_by_role("button", name="Release them").click()
    expect(page.get_by_text("1 failure is released")).to_be_visible()


def test_a_keyboard_reaches_the_content_past_the_navigation(
    browser: Browser, live_server: LiveServer, filled: World
) -> None:
    page = _enter(browser, live_server, "vic").new_page()
    page.goto("/people/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "q"
