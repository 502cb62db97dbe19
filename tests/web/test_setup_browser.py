"""The wizard's first three steps in headless Chromium, with and without script, against both sandboxes."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.cache import cache
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from syncadmin.services import connect
from syncadmin.store import options
from syncadmin.store.models import AuditEntry, Connection
from tests.web.test_browser import NARROW, RULES, _enter, _troubles, browser, pytestmark
from tests.world import DYNAMICS_URL, World

__all__ = ["browser", "pytestmark"]


@pytest.fixture
def systems(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> World:
    """Both sandboxes as this computer runs them, with a record each to try rights on; the server's threads reach them."""
    cache.clear()
    world = World(started=False)
    monkeypatch.setattr(connect, "real_world", lambda: world.outside)
    for table in ("lead", "contact"):
        world.dynamics.create(table, {"lastname": "Vik"})
    return world


def _type_access(page: Page, secret: str) -> None:
    page.get_by_label("Address of the organisation").fill(f"{DYNAMICS_URL}/main.aspx?appid=1")
    page.get_by_label("Tenant", exact=True).fill("sandbox")
    page.get_by_label("Client id").fill("sandbox")
    page.get_by_label("Client secret").fill(secret)
    page.get_by_role("button", name="Check and save").click()


def _through(page: Page) -> None:
    """A wrong secret first, then all the way to the fields."""
    page.goto("/")
    assert page.url.endswith("/setup/dynamics/")
    _type_access(page, "expired-secret")
    expect(page.get_by_text("The client secret has expired.")).to_be_visible()
    expect(page.get_by_text("Not saved: see what is marked.")).to_be_visible()
    assert not Connection.objects.exists()
    _type_access(page, "sandbox-secret")
    expect(page.get_by_text("The connection is saved.")).to_be_visible(timeout=20_000)
    page.get_by_role("link", name="On: Connect Marketo").click()
    page.get_by_role("button", name="Use the sandbox").click()
    expect(page.get_by_text("The connection is saved.")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Create what is missing in Marketo").click()
    expect(page.get_by_text("all there")).to_be_visible(timeout=20_000)
    page.go_back()
    page.go_forward()
    page.get_by_role("link", name="On: What to sync").click()
    page.get_by_label("Contact first").check()
    page.get_by_label("Time zone of the organisation").fill("Europe/Vienna")


def test_the_way_through_with_script(browser: Browser, live_server: LiveServer, systems: World) -> None:
    page = _enter(browser, live_server, "ada").new_page()
    told = _troubles(page)
    _through(page)
    expect(page.locator("#counts table")).to_be_visible()
    page.get_by_label("Search lists by name").fill("dynamics")
    page.get_by_role("button", name="Save and go on").click()
    page.wait_for_url("**/setup/fields/")
    assert (options.read().several, options.read().time_zone) == ("contact_first", "Europe/Vienna")
    assert told == []


def test_the_way_through_without_script(browser: Browser, live_server: LiveServer, systems: World) -> None:
    page = _enter(browser, live_server, "ada", java_script_enabled=False).new_page()
    _through(page)
    page.get_by_role("button", name="Save and go on").click()
    page.wait_for_url("**/setup/fields/")
    assert options.read().several == "contact_first"


def test_back_reload_and_a_second_administrator_are_harmless(
    browser: Browser, live_server: LiveServer, systems: World
) -> None:
    first, second = (_enter(browser, live_server, "ada").new_page() for _ in range(2))
    second.goto("/setup/dynamics/")
    first.goto("/setup/dynamics/")
    first.get_by_role("button", name="Use the sandbox").click()
    expect(first.get_by_text("The connection is saved.")).to_be_visible()
    first.get_by_role("link", name="On: Connect Marketo").click()
    # The other's page is older than the connection; saving the same again changes nothing.
    second.get_by_role("button", name="Use the sandbox").click()
    expect(second.get_by_text("The connection is saved.")).to_be_visible()
    second.goto("/")
    assert second.url.endswith("/setup/marketo/")
    first.get_by_role("button", name="Use the sandbox").click()
    # A reload while the answer still leads elsewhere is broken off.
    expect(first.get_by_role("button", name="Create what is missing in Marketo")).to_be_visible()
    first.reload()
    expect(first.get_by_role("button", name="Create what is missing in Marketo")).to_be_visible()
    first.go_back()
    expect(first.get_by_text("connected", exact=True)).to_be_visible()
    first.go_forward()
    for page in (first, second):
        page.goto("/setup/marketo/")
    for page in (first, second):
        page.get_by_role("button", name="Create what is missing in Marketo").click()
        expect(page.get_by_text("Our fields and the activity type are there.")).to_be_visible()
    assert sorted(Connection.objects.values_list("side", flat=True)) == ["dynamics", "marketo"]
    equipped = AuditEntry.objects.filter(action="equip").values_list("after", flat=True)
    assert list(equipped) == [{"missing": []}] * 2
    second.goto("/")
    assert second.url.endswith("/setup/scope/")


@pytest.mark.parametrize("settings_of", [{"color_scheme": "dark"}, {"viewport": NARROW}], ids=["dark", "narrow-light"])
def test_no_step_has_a_fault(
    browser: Browser, live_server: LiveServer, systems: World, settings_of: dict[str, Any]
) -> None:
    page = _enter(browser, live_server, "ada", **settings_of).new_page()
    faults = []

    def look() -> None:
        found = Axe().run(page, options=RULES)
        faults.extend((page.url, each["id"], each["nodes"][0]["html"]) for each in found.response["violations"])
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            faults.append((page.url, "sideways scroll", ""))

    page.goto("/setup/dynamics/")
    look()
    systems.dynamics.configure(missing=["prvCreateLead"])
    page.get_by_role("button", name="Use the sandbox").click()
    expect(page.get_by_text("Go on without creating records in Dynamics")).to_be_visible(timeout=20_000)
    look()
    page.get_by_label("Go on without creating records in Dynamics").check()
    page.get_by_role("button", name="Save the connection so").click()
    expect(page.get_by_text("The connection is saved.")).to_be_visible(timeout=20_000)
    look()
    page.goto("/setup/marketo/")
    page.get_by_role("button", name="Use the sandbox").click()
    expect(page.get_by_text("The connection is saved.")).to_be_visible(timeout=20_000)
    look()
    page.get_by_role("button", name="Create what is missing in Marketo").click()
    expect(page.get_by_text("all there")).to_be_visible(timeout=20_000)
    for address in (
        "/setup/scope/",
        "/settings/",
        "/settings/connections/",
        "/settings/connections/dynamics/",
        "/settings/connections/marketo/?change=1",
        "/settings/sync/",
    ):
        page.goto(address)
        look()
    assert faults == []
