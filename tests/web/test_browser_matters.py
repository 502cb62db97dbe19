"""Conflicts, failures and decisions in headless Chromium: faults, width, and every action with and without script."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from syncadmin.engine.shapes import shape_of
from syncadmin.store.models import Conflict, Decision, Failure
from tests.web.people import CITY, RATING, TITLE, World
from tests.web.test_browser import CHROMIUM, NARROW, RULES, _enter, _troubles, browser  # noqa: F401

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine"),
    pytest.mark.django_db(transaction=True),
]
WITH_AND_WITHOUT = pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])


@pytest.fixture
def matters(transactional_db: None) -> World:
    """Something of everything these pages can show, more than a page of it."""
    world = World()
    world.connected()
    world.fields()
    run = world.run()
    link = world.linked("Ada Byron")
    world.conflict(link, dynamics_value="Vice President, Sales", marketo_value="Vice-President Sales", run=run)
    world.conflict(link, key=CITY, state="open", winner="", dynamics_value="Paris", marketo_value=None, run=run)
    world.conflict(link, key=RATING, state="applied", chosen="dynamics", decided_by="oscar", run=run)
    for number in range(52):
        world.conflict(world.linked(f"Person {number:02}"), run=run)
    _failures(world)
    _questions(world)
    return world


def _failures(world: World) -> None:
    told = {"value": "Countess of Lovelace " * 9, "limit": "100"}
    world.failure(world.linked("Bo Lind"), key=TITLE, table="lead", value=told, code="0x80044331", message="no " * 90)
    scorching = {"value": "Scorching", "limit": ""}
    world.failure(world.linked("Cy Ode"), key=RATING, table="lead", cause="unknown_option", value=scorching)
    world.failure(world.linked("Di Poe"), cause="throttled", ignored=True)
    world.failure(world.linked("Ed Roe"), closed_at=world.now, closed_by="oscar")


def _questions(world: World) -> None:
    for number in range(22):
        record, person = world.in_dynamics(f"Fay Gil {number}", due="decision"), world.in_marketo(f"Fay Gill {number}")
        facts = {
            "reason": "several_people",
            "record": {"table": "lead", "id": str(record.guid), "name": record.name, "email": record.email},
            "candidates": [{"table": "person", "id": str(person.person), "name": person.name, "company": "Fjord"}],
        }
        choices = [f"link:person:{person.person}", "separate"]
        shape = shape_of("match", facts, choices)
        world.decision(facts=facts, choices=choices, shape=shape)
    world.decision("deletes_held", facts={"side": "dynamics", "ids": ["1"], "count": 70}, choices=["apply", "refuse"])


def _addresses() -> list[str]:
    conflict, failure = Conflict.objects.order_by("pk").first(), Failure.objects.get(cause="unknown_option")
    question = Decision.objects.order_by("pk").first()
    assert conflict
    assert question
    return [
        "/conflicts/",
        f"/conflicts/{conflict.pk}/",
        f"/conflicts/{conflict.pk}/rule/",
        "/failures/",
        "/failures/records/",
        "/failures/records/?state=closed",
        f"/failures/{failure.pk}/fix/",
        "/failures/causes/",
        "/decisions/",
        "/decisions/?state=answered",
        f"/decisions/{question.pk}/",
    ]


@pytest.mark.parametrize(
    "settings",
    [{"color_scheme": "light"}, {"color_scheme": "dark", "locale": "zh-TW"}, {"viewport": NARROW}],
    ids=["light", "dark-chinese", "narrow"],
)
def test_no_page_has_a_fault(
    browser: Browser,  # noqa: F811
    live_server: LiveServer,
    matters: World,
    settings: dict[str, Any],
) -> None:
    page = _enter(browser, live_server, "ada", **settings).new_page()
    told = _troubles(page)
    faults = []
    for address in _addresses():
        page.goto(address)
        found = Axe().run(page, options=RULES)
        faults += [(address, each["id"], each["nodes"][0]["html"]) for each in found.response["violations"]]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            faults.append((address, "sideways scroll", ""))
    assert faults == []
    assert told == []


def test_the_pages_that_ask_have_no_fault_either(browser: Browser, live_server: LiveServer, matters: World) -> None:  # noqa: F811
    page = _enter(browser, live_server, viewport=NARROW).new_page()
    asking = (
        ("/conflicts/", lambda: _press_for_all(page, "Use the other value")),
        ("/failures/records/", lambda: _press_for_all(page, "Release")),
        ("/decisions/?kind=match", lambda: _press_for_all(page, "Answer together")),
    )
    for address, press in asking:
        page.goto(address)
        press()
        expect(page.get_by_role("link", name="Change nothing")).to_be_visible()
        found = Axe().run(page, options=RULES)
        assert [(address, each["id"]) for each in found.response["violations"]] == []
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), address


def _press_for_all(page: Page, button: str) -> None:
    page.get_by_role("radio", name="All that fit").check()
    page.get_by_role("button", name=button, exact=True).click()


@WITH_AND_WITHOUT
def test_conflicts_are_narrowed_used_and_taken_back(
    browser: Browser,  # noqa: F811
    live_server: LiveServer,
    matters: World,
    script: bool,
) -> None:
    page = _enter(browser, live_server, java_script_enabled=script).new_page()
    page.goto("/conflicts/")
    page.get_by_role("link", name="Next page").click()
    expect(page.get_by_role("link", name="First page")).to_be_visible()
    page.get_by_label("Outcome").select_option("open")
    if not script:
        page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("1 conflict", exact=True)).to_be_visible()
    page.get_by_role("checkbox", name="Conflict", exact=False).last.check()
    page.get_by_role("button", name="Use Dynamics' value").click()
    expect(page.get_by_role("heading", name="Use another value in 1 conflict?")).to_be_visible()
    page.get_by_role("button", name="Use these values").click()
    expect(page.get_by_text("1 conflict gets the other value with the next run")).to_be_visible()
    assert "state=open" in page.url
    page.goto(f"/conflicts/{Conflict.objects.get(state='chosen').pk}/")
    page.get_by_role("button", name="Take the choice back").click()
    expect(page.get_by_text("1 choice is taken back")).to_be_visible()
    page.goto("/conflicts/?state=decided")
    _press_for_all(page, "Use the other value")
    expect(page.get_by_role("heading", name="Use another value in 53 conflicts?")).to_be_visible()
    page.get_by_role("link", name="Change nothing").click()
    assert not Conflict.objects.filter(state="chosen").exists()


@WITH_AND_WITHOUT
def test_the_rule_of_a_field_is_changed(
    browser: Browser,  # noqa: F811
    live_server: LiveServer,
    matters: World,
    script: bool,
) -> None:
    page = _enter(browser, live_server, "ada", java_script_enabled=script).new_page()
    page.goto(f"/conflicts/{Conflict.objects.filter(key=TITLE).earliest('pk').pk}/")
    page.get_by_role("link", name="Make this the rule for this field").click()
    page.get_by_label("Dynamics wins a collision").check()
    page.get_by_role("button", name="Make this the rule").click()
    expect(page.get_by_text("this is the rule of the field")).to_be_visible()


@WITH_AND_WITHOUT
def test_failures_are_released_put_aside_and_mended(
    browser: Browser,  # noqa: F811
    live_server: LiveServer,
    matters: World,
    script: bool,
) -> None:
    page = _enter(browser, live_server, "ada", java_script_enabled=script).new_page()
    page.goto("/failures/")
    page.get_by_role("link", name="Value too long", exact=True).click()
    page.get_by_role("checkbox", name="Failure").last.check()
    page.get_by_role("button", name="Put aside until it changes").click()
    expect(page.get_by_text("1 failure is put aside")).to_be_visible()
    page.get_by_role("link", name="Put aside", exact=True).click()
    page.get_by_role("checkbox", name="Failure").first.check()
    page.get_by_role("button", name="Count again").click()
    expect(page.get_by_text("1 failure counts again")).to_be_visible()
    page.goto("/failures/")
    page.get_by_role("link", name="Unknown option", exact=True).click()
    page.get_by_role("link", name="Map it to an option").click()
    page.get_by_label("“Scorching” from Marketo stands for").select_option("1")
    page.get_by_role("button", name="Change the field and release 1").click()
    expect(page.get_by_text("The field is changed, and 1 failure is released")).to_be_visible()
    page.goto("/failures/")
    page.get_by_role("button", name="Release 1").last.click()
    page.get_by_role("button", name="Release them").click()
    expect(page.get_by_text("is released; the next run tries again")).to_be_visible()


@WITH_AND_WITHOUT
def test_questions_are_answered_one_by_one_and_together(
    browser: Browser,  # noqa: F811
    live_server: LiveServer,
    matters: World,
    script: bool,
) -> None:
    page = _enter(browser, live_server, java_script_enabled=script).new_page()
    page.goto("/decisions/")
    page.get_by_label("No, leave the links as they are").check()
    page.get_by_role("button", name="Answer", exact=True).first.click()
    expect(page.get_by_text("Your answer is recorded")).to_be_visible()
    page.get_by_role("link", name="Which of these is the same person? several people").click()
    if script:
        page.get_by_label("Choose all on this page").check()
    else:
        page.get_by_role("checkbox", name="Which of these is the same person?").nth(1).check()
    page.get_by_role("button", name="Answer together").click()
    number = 20 if script else 1
    expect(page.get_by_role("heading", level=1)).to_have_text(f"One answer for {number} question{'s' * script}")
    page.get_by_label("Link each with the one candidate").check()
    page.get_by_role("button", name=f"Answer {number} question").click()
    expect(page.get_by_text("until then").or_(page.get_by_text("Until then"))).to_be_visible()
    assert Decision.objects.filter(due=True, kind="match").count() == number
    page.goto("/decisions/?state=waiting")
    _press_for_all(page, "Take answers back")
    expect(page.get_by_text(f"{number + 1} answers are taken back")).to_be_visible()
