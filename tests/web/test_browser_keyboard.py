"""What is done by the keyboard alone in headless Chromium, and what stands beside a part that changes."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from syncadmin.engine.records import Table
from syncadmin.services import field_drafts
from syncadmin.store import schemas
from tests.web import people, test_fields_browser
from tests.web.test_browser import ARGUMENTS, _enter, _troubles, browser
from tests.web.test_browser import pytestmark as browser_marks
from tests.web.test_fields_browser import LIST, row
from tests.world import World

__all__ = ["ARGUMENTS", "browser"]
pytestmark = browser_marks
synced = test_fields_browser.synced


def test_the_focus_stays_where_it_was_when_a_row_or_a_page_changes(
    browser: Browser, live_server: LiveServer, synced: World
) -> None:
    page = _enter(browser, live_server, "ada").new_page()
    told = _troubles(page)
    page.goto(f"{LIST}?table=lead&q=website")
    tables = page.get_by_role("navigation", name="Tables")
    chosen = sum(pair.table is Table.LEAD for pair in field_drafts.read().pairs)
    expect(tables).to_contain_text(f"Leads {chosen} chosen")
    pick = row(page, "websiteurl").get_by_role("button")
    pick.press("Enter")
    expect(page.locator("#row-websiteurl.chosen")).to_be_visible()
    expect(pick).to_be_focused()
    expect(tables).to_contain_text(f"Leads {chosen + 1} chosen")
    row(page, "websiteurl").get_by_role("link").press("Enter")
    expect(page.locator("#row-websiteurl.open")).to_be_focused()
    assert told == []


def test_return_in_a_text_of_a_pair_keeps_it_and_makes_no_field(
    browser: Browser, live_server: LiveServer, synced: World
) -> None:
    page = _enter(browser, live_server, "ada").new_page()
    before = schemas.load(Table.PERSON)
    page.goto(f"{LIST}?table=lead&q=subject")
    row(page, "subject").get_by_role("link").click()
    page.get_by_label("Marketo field").select_option("title")
    page.get_by_label("Default for new records in Dynamics").fill("{company}")
    page.get_by_label("Default for new records in Dynamics").press("Enter")
    expect(page.locator("#row-subject .problem")).to_contain_text("in another pair")
    assert before is not None
    assert schemas.load(Table.PERSON).columns.keys() == before.columns.keys()  # type: ignore[union-attr]


def test_what_is_refused_behind_a_button_is_told(browser: Browser, live_server: LiveServer, synced: World) -> None:
    page = _enter(browser, live_server, "ada").new_page()
    page.goto(f"{LIST}?table=lead&q=website")
    User.objects.get(username="ada").groups.clear()
    row(page, "websiteurl").get_by_role("button").click()
    expect(page.get_by_role("heading", name="You have no role yet")).to_be_visible()
    expect(page.locator("#main")).to_be_focused()


@pytest.mark.django_db(transaction=True)
def test_the_navigation_counts_what_the_overview_counts(browser: Browser, live_server: LiveServer) -> None:
    world = people.World()
    world.connected()
    world.fields()
    world.run()
    page = _enter(browser, live_server, "oscar").new_page()
    told = _troubles(page)
    page.goto("/")
    tally = page.get_by_role("navigation", name="Main").locator(".tally")
    expect(tally).to_have_count(0)
    world.failure()
    expect(page.locator(".figures .bad b")).to_have_text("1", timeout=15_000)
    expect(tally).to_have_text("1")
    week = page.get_by_role("link", name="Last week")
    week.press("Enter")
    expect(week).to_have_attribute("aria-current", "true")
    expect(week).to_be_focused()
    expect(tally).to_have_text("1")
    assert told == []
