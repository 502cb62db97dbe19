"""Choosing fields in headless Chromium: with and without script, narrow, dark, and no fault found by axe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.cache import cache
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from syncadmin.engine.records import Table
from syncadmin.engine.schema import Kind
from syncadmin.services import field_drafts
from syncadmin.store import fieldsets, options, schemas
from syncadmin.store.fieldsets import Pause
from tests.web.test_browser import ARGUMENTS, NARROW, RULES, _enter, _troubles, browser
from tests.web.test_browser import pytestmark as browser_marks
from tests.world import World

__all__ = ["ARGUMENTS", "browser"]
pytestmark = browser_marks

LIST = "/settings/fields/"


@pytest.fixture
def synced(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A sync that runs, with one linked lead; its sandboxes answer the server's threads as well."""
    cache.clear()
    world = World()
    _, person = world.linked(firstname="Ann", jobtitle="Boss", leadqualitycode=1)
    world.marketo.edit("person", person, {"rating": "hot!"})
    world.sync(1)
    monkeypatch.setattr("syncadmin.services.connect.context", lambda *_: world.context())
    yield world
    cache.clear()


def pair(column: str) -> Any:
    return field_drafts.read().by_place.get((Table.LEAD, column))


def row(page: Page, column: str) -> Any:
    return page.locator(f"#row-{column}")


def test_a_field_is_found_chosen_ruled_and_saved(browser: Browser, live_server: LiveServer, synced: World) -> None:
    page = _enter(browser, live_server, "ada").new_page()
    told = _troubles(page)
    page.goto(LIST)
    page.get_by_label("Search columns and fields").press_sequentially("website", delay=15)
    expect(page.get_by_text("1 column", exact=True)).to_be_visible()
    assert page.url.endswith("q=website&show=all")
    row(page, "websiteurl").get_by_role("button", name="Website", exact=True).click()
    expect(row(page, "websiteurl").locator("button.pick")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text("1 edit is not saved yet")).to_be_visible()

    row(page, "websiteurl").get_by_role("link", name="Rules Website").click()
    expect(page.locator("tr.open")).to_be_visible()
    page.get_by_label("Direction").select_option("to_marketo")
    page.get_by_label("When both sides changed").select_option("ask")
    page.get_by_role("button", name="Keep in the draft").click()
    expect(row(page, "websiteurl").get_by_role("img", name="Dynamics to Marketo only")).to_be_visible()
    page.reload()
    expect(page.get_by_text("1 edit is not saved yet")).to_be_visible()

    page.get_by_role("link", name="Look at the edits and save").click()
    expect(page.get_by_text("1 new field: filled back for 1 linked people")).to_be_visible()
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.get_by_text("The fields are in force as version 2.")).to_be_visible()
    assert pair("websiteurl").winner == "ask"
    assert told == []


def test_an_option_map_is_made_in_the_row(browser: Browser, live_server: LiveServer, synced: World) -> None:
    page = _enter(browser, live_server, "ada").new_page()
    told = _troubles(page)
    page.goto(f"{LIST}?table=lead&q=leadqualitycode")
    row(page, "leadqualitycode").get_by_role("link").click()
    expect(page.get_by_text("Seen in Marketo, and no option of this column:")).to_be_visible()
    expect(page.locator(".samples").get_by_role("rowheader", name="Ann Vik")).to_be_visible()
    page.get_by_role("button", name="Match by label").click()
    expect(page.get_by_label("Hot 1")).to_have_value("hot!")
    # htmx hears the new elements a moment after it shows them.
    expect(page.locator(".htmx-added")).to_have_count(0)
    page.get_by_label("Marketo field").select_option("leadScore")
    expect(page.locator(".look").get_by_text("needs an option map: 3 options are unmatched")).to_be_visible()
    page.get_by_role("button", name="Keep in the draft").click()
    expect(page.locator(".map .problem")).to_contain_text("give each option of leadqualitycode a value it can hold")
    for option, text in (("Hot 1", "30"), ("Warm 2", "20"), ("Cold 3", "10")):
        page.get_by_label(option).fill(text)
    page.get_by_role("button", name="Keep in the draft").click()
    expect(row(page, "leadqualitycode").get_by_text("Lead Score")).to_be_visible()
    assert pair("leadqualitycode").options == {"1": "30", "2": "20", "3": "10"}
    assert told == []


def test_problems_are_found_and_an_opened_row_is_closed_again(
    browser: Browser, live_server: LiveServer, synced: World
) -> None:
    known = schemas.load(Table.LEAD)
    assert known is not None
    changed = replace(known.columns["jobtitle"], kind=Kind.GUID)
    schemas.save(replace(known, columns={**known.columns, "jobtitle": changed}), synced.clock())
    people = schemas.load(Table.PERSON)
    assert people is not None
    number = replace(people.columns["title"], kind=Kind.BOOLEAN)
    schemas.save(replace(people, columns={**people.columns, "title": number}), synced.clock())
    page = _enter(browser, live_server, "ada").new_page()
    page.goto(LIST)
    page.get_by_label("Show").select_option("problems")
    expect(row(page, "jobtitle").locator(".badge.bad")).to_contain_text("neither can hold the other's values")
    expect(page.get_by_text("1 column", exact=True)).to_be_visible()
    row(page, "jobtitle").get_by_role("link").click()
    expect(page.locator("tr.open")).to_be_visible()
    page.get_by_role("link", name="Cancel").click()
    expect(page.locator("tr.open")).to_have_count(0)


def test_everything_works_without_script(browser: Browser, live_server: LiveServer, synced: World) -> None:
    page = _enter(browser, live_server, "ada", java_script_enabled=False).new_page()
    page.goto(LIST)
    page.get_by_label("Search columns and fields").fill("website")
    page.get_by_role("button", name="Search").click()
    row(page, "websiteurl").get_by_role("button", name="Website", exact=True).click()
    expect(row(page, "websiteurl").locator("button.pick")).to_have_attribute("aria-pressed", "true")
    row(page, "websiteurl").get_by_role("link").click()
    page.get_by_role("link", name="Values of a few real people").click()
    expect(page.get_by_role("rowheader", name="Ann Vik")).to_be_visible()
    page.go_back()
    page.get_by_label("Marketo field").select_option("unsubscribed")
    page.get_by_role("button", name="Keep in the draft").click()
    expect(page.locator("#websiteurl-marketo-problem")).to_contain_text("neither can hold the other's values")
    page.get_by_label("Marketo field").select_option("website")
    page.get_by_label("Cut what is too long").check()
    page.get_by_role("button", name="Keep in the draft").click()
    expect(page.get_by_text("Website is kept in the draft.")).to_be_visible()
    page.get_by_role("link", name="Look at the edits and save").click()
    page.get_by_role("button", name="Save as a new version").click()
    page.get_by_role("link", name="Saved versions").click()
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("rowheader", name="Website")).to_be_visible()
    page.get_by_role("link", name="Saved versions").click()
    page.get_by_role("button", name="Return to it 1").click()
    expect(page.get_by_text("1 field taken out: nothing is blanked")).to_be_visible()
    page.get_by_role("button", name="Save as a new version").click()
    assert pair("websiteurl") is None
    assert options.read().field_version == 3


@pytest.mark.parametrize(
    "settings",
    [{"color_scheme": "light"}, {"color_scheme": "dark"}, {"viewport": NARROW}],
    ids=["light", "dark", "narrow"],
)
def test_no_field_page_has_a_fault(
    browser: Browser, live_server: LiveServer, synced: World, settings: dict[str, Any]
) -> None:
    edited = replace(pair("jobtitle"), winner="ask")
    taken = replace(pair("fax"), key="lead.fax:email", marketo="email")
    field_drafts.put({(Table.LEAD, "jobtitle"): edited, (Table.LEAD, "fax"): taken}, who="bo", now=synced.clock())
    pause = Pause("retyped", {"side": "marketo", "name": "city", "was": "text", "now": "integer"})
    fieldsets.pause({"lead.address1_city:city": pause}, synced.clock())
    page = _enter(browser, live_server, "ada", **settings).new_page()
    told = _troubles(page)
    faults = []
    for address in (
        LIST,
        f"{LIST}?show=problems",
        f"{LIST}marketo/",
        f"{LIST}lead/leadqualitycode/",
        f"{LIST}lead/subject/",
        f"{LIST}lead/jobtitle/samples/?marketo=title",
        f"{LIST}review/",
        f"{LIST}versions/",
        f"{LIST}versions/1/",
        f"{LIST}versions/compare/?from=1&to=1",
        "/setup/fields/",
    ):
        page.goto(address)
        page.wait_for_load_state("networkidle")
        faults += _faults(page, address)
    page.goto(f"{LIST}?table=lead&q=rating")
    row(page, "leadqualitycode").get_by_role("link").click()
    expect(page.locator(".samples table")).to_be_visible()
    faults += _faults(page, "the opened row")
    assert faults == []
    assert told == []


def _faults(page: Page, address: str) -> list[tuple[str, str, str]]:
    found = Axe().run(page, options=RULES)
    faults = [(address, each["id"], each["nodes"][0]["html"]) for each in found.response["violations"]]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        faults.append((address, "sideways scroll", ""))
    return faults
