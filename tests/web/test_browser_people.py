"""People and one person in headless Chromium: instant search, timeline, print; narrow, dark, Chinese, without script."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from syncadmin.store.models import Connection, Link
from tests.web.people import CITY, RATING, TITLE, World
from tests.web.test_browser import CHROMIUM, NARROW, RULES, Axe, _enter, _troubles, browser  # noqa: F401

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def peopled(transactional_db: None) -> World:
    """Somebody to whom everything has happened, among sixty others."""
    world = World()
    world.connected()
    world.fields()
    run = world.run()
    link = world.linked("Ada Byron")
    world.line(link, "linked", details={"how": "email"}, at=world.now - timedelta(days=3))
    world.line(link, "updated", side="marketo", changes=[[TITLE, "Poet", "long " * 60, "one_sided"]], run=run)
    world.line(link, "updated", side="dynamics", changes=[[RATING, "warm", "hot", "collision_lead"]], run=run)
    world.line(link, "failed", side="dynamics", details={"cause": "too_long", "key": TITLE})
    world.failure(link, key=TITLE, value={"value": "long " * 60, "limit": 100}, run=run)
    world.conflict(link, key=CITY, state="open", winner="", run=run)
    world.conflict(link, key=CITY)
    for number in range(60):
        world.in_dynamics(f"Person {number:02}")
    world.linked("王小明")
    return world


def _ada() -> str:
    return f"/people/{Link.objects.get(name='Ada Byron').pk}/"


@pytest.mark.parametrize(
    "settings",
    [
        {"color_scheme": "light"},
        {"color_scheme": "dark", "locale": "zh-TW"},
        {"viewport": NARROW},
        {"viewport": NARROW, "color_scheme": "dark", "locale": "zh-TW", "java_script_enabled": True},
    ],
    ids=["light", "dark-chinese", "narrow", "narrow-dark-chinese"],
)
def test_no_fault_is_found(browser: Browser, live_server: LiveServer, peopled: World, settings: dict[str, Any]) -> None:  # noqa: F811
    page = _enter(browser, live_server, **settings).new_page()
    told = _troubles(page)
    faults = []
    for address in (
        "/people/",
        "/people/?q=person&state=only_dynamics",
        "/people/?q=zz",
        _ada(),
        f"{_ada()}?kind=held",
    ):
        page.goto(address)
        found = Axe().run(page, options=RULES)
        faults += [(address, each["id"], each["nodes"][0]["html"]) for each in found.response["violations"]]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            faults.append((address, "sideways scroll", ""))
    assert faults == []
    assert told == []


def test_the_search_answers_while_one_types_and_keeps_the_cursor(
    browser: Browser,  # noqa: F811
    live_server: LiveServer,
    peopled: World,
) -> None:
    page = _enter(browser, live_server, "vic").new_page()
    told = _troubles(page)
    page.goto("/people/")
    box = page.get_by_label("Name, e-mail or id")
    box.press_sequentially("王", delay=10)
    expect(page.get_by_role("rowheader")).to_have_text(["王小明"])
    assert page.evaluate("document.activeElement.id") == "q"
    box.fill("")
    expect(page.get_by_role("rowheader")).to_have_count(50)
    page.get_by_label("State").select_option("failed")
    expect(page.get_by_role("rowheader")).to_have_text(["Ada Byron"])
    page.reload()
    expect(page.get_by_role("rowheader")).to_have_text(["Ada Byron"])
    assert told == []


def test_pages_turn_both_ways(browser: Browser, live_server: LiveServer, peopled: World) -> None:  # noqa: F811
    page = _enter(browser, live_server, "vic").new_page()
    page.goto("/people/")
    page.get_by_role("link", name="Last page").click()
    expect(page.get_by_role("link", name="王小明")).to_be_visible()
    expect(page.get_by_role("link", name="Next page")).to_have_count(0)
    page.get_by_role("link", name="Previous page").click()
    expect(page.get_by_role("link", name="Ada Byron")).to_be_visible()


def test_the_history_narrows_and_a_long_value_unfolds(
    browser: Browser,  # noqa: F811
    live_server: LiveServer,
    peopled: World,
) -> None:
    page = _enter(browser, live_server).new_page()
    told = _troubles(page)
    page.goto(_ada())
    history = page.locator("#history")
    history.get_by_label("Kind").select_option("updated")
    expect(history.locator(".timeline > li")).to_have_count(2)
    history.get_by_label("Field").select_option(TITLE)
    expect(history.locator(".timeline > li")).to_have_count(1)
    assert "field=lead.jobtitle" in page.url
    history.locator("summary").click()
    expect(history.locator(".whole")).to_be_visible()
    page.get_by_role("link", name="Overview").click()
    page.go_back()
    expect(page.locator("#history .timeline > li")).to_have_count(1)
    assert told == []


def test_all_of_it_without_script(browser: Browser, live_server: LiveServer, peopled: World) -> None:  # noqa: F811
    page = _enter(browser, live_server, java_script_enabled=False).new_page()
    page.goto("/people/")
    page.get_by_label("Name, e-mail or id").fill("byr")
    page.get_by_label("Sort by").select_option("recent")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Ada Byron").click()
    page.locator("#history").get_by_label("Kind").select_option("linked")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#history .timeline > li")).to_have_count(1)
    page.get_by_role("link", name="JSON").focus()
    with page.expect_download() as told:
        page.get_by_role("link", name="CSV", exact=True).click()
    assert told.value.suggested_filename.startswith("history-")


def test_on_paper_the_history_is_whole_and_has_its_times(
    browser: Browser,  # noqa: F811
    live_server: LiveServer,
    peopled: World,
) -> None:
    page = _enter(browser, live_server).new_page()
    page.goto(_ada())
    page.emulate_media(media="print")
    told = "[...document.querySelectorAll('#history time')].map(e => getComputedStyle(e, '::after').content)"
    assert all("20" in moment and ":" in moment for moment in page.evaluate(told))
    assert page.evaluate("getComputedStyle(document.querySelector('#history time')).fontSize") == "0px"
    assert not page.locator("#history form").is_visible()
    assert not page.locator("header.bar").is_visible()
    assert page.locator("#history .whole").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_records_over_there_are_a_click_away(
    browser: Browser,  # noqa: F811
    live_server: LiveServer,
    peopled: World,
) -> None:
    Connection.objects.filter(side="dynamics").update(base_url="https://norvik.crm.example")
    page = _enter(browser, live_server, "vic").new_page()
    page.goto(_ada())
    address = page.get_by_role("link", name="Open in Dynamics").get_attribute("href")
    assert address is not None
    assert address.startswith("https://norvik.crm.example/main.aspx?etn=lead&id=")
