"""Overview, Runs and what administrators keep, in headless Chromium: each action with and without script."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from syncadmin.services import notify_channels
from syncadmin.store import options, throughput
from syncadmin.store.models import Alarm, AuditEntry, Channel, PausedPair, Run
from tests.web import test_browser
from tests.web.people import CITY, TITLE, World
from tests.web.test_browser import CHROMIUM, NARROW, RULES, Axe, _enter, _troubles

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine"),
    pytest.mark.django_db(transaction=True),
]
browser = test_browser.browser
SCRIPT = pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
MOST_BYTES = 150_000


@pytest.fixture
def receiver() -> Iterator[str]:
    """A webhook's other end."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook"
    server.shutdown()
    server.server_close()


@pytest.fixture
def morning(transactional_db: None) -> World:
    """A sync with a week behind it and something of everything to show."""
    world = World()
    world.connected()
    world.fields()
    link = world.linked("Ada Byron")
    for number in range(60):
        world.run(minutes_ago=60 - number, counts={"read_dynamics": number} if number % 3 else {})
    told = {"code": "unavailable", "side": "dynamics", "step": "pull lead"}
    run = world.run(counts={"read_dynamics": 5, "marketo_updated": 3}, failures=1, complaint=told, message="503")
    for side, key in (("marketo", TITLE), ("dynamics", CITY)):
        world.line(link, "updated", side=side, changes=[[key, "a", "b" * 300, "one_sided"]], run=run)
    world.failure(link, key=TITLE, run=run)
    world.conflict(link, run=run)
    world.writing(link)
    for minutes in range(0, 3000, 7):
        counts = {"marketo_updated": minutes % 50, "dynamics_updated": minutes % 11, "create_created": minutes % 4}
        throughput.note(counts, world.now - timedelta(minutes=minutes))
    PausedPair.objects.create(key=CITY, code="gone", facts={"side": "dynamics", "name": "city"}, since=world.now)
    Alarm.objects.create(code="backlog", facts={"minutes": 75, "limit": 60}, since=world.now)
    notify_channels.add("slack", "https://hooks.example.org/T1", header="X-Key", secret="x", who="ada", now=world.now)
    AuditEntry.objects.create(at=world.now, who="ada", action="setting", subject="wait", before=300, after=60)
    return world


def _open(browser: Browser, server: LiveServer, who: str, script: bool) -> Page:
    page = _enter(browser, server, who, java_script_enabled=script).new_page()
    page.set_default_timeout(20_000)
    return page


@pytest.mark.parametrize(
    "settings",
    [
        {"color_scheme": "light"},
        {"color_scheme": "dark", "locale": "zh-TW", "timezone_id": "Asia/Taipei"},
        {"viewport": NARROW, "timezone_id": "America/Chicago"},
        {"viewport": NARROW, "color_scheme": "dark", "java_script_enabled": True, "reduced_motion": "reduce"},
    ],
    ids=["light", "dark-chinese", "narrow", "narrow-dark"],
)
def test_no_page_has_a_fault(
    browser: Browser, live_server: LiveServer, morning: World, settings: dict[str, Any]
) -> None:
    page = _enter(browser, live_server, "ada", **settings).new_page()
    told = _troubles(page)
    run, channel, user = Run.objects.latest("id").pk, Channel.objects.get().pk, User.objects.get(username="ada").pk
    faults = []
    for address in (
        "/",
        "/?span=hour",
        "/?span=week",
        "/runs/",
        "/runs/?show=troubled",
        f"/runs/{run}/",
        "/settings/users/",
        f"/settings/users/{user}/close/",
        "/settings/notifications/",
        f"/settings/notifications/{channel}/remove/",
        "/settings/audit/",
        "/you/",
        "/sign-in/",
    ):
        page.goto(address)
        found = Axe().run(page, options=RULES)
        faults += [(address, each["id"], each["nodes"][0]["html"]) for each in found.response["violations"]]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            faults.append((address, "sideways scroll", ""))
    assert faults == []
    assert told == []


def test_a_first_visit_loads_little(browser: Browser, live_server: LiveServer, morning: World) -> None:
    page = _enter(browser, live_server, "ada").new_page()
    sizes: dict[str, int] = {}
    page.on("response", lambda answer: sizes.update({answer.url: len(answer.body())}))
    page.goto("/?span=week", wait_until="networkidle")
    assert any("htmx" in url for url in sizes)
    assert any(url.endswith("app.css") for url in sizes)
    assert sum(sizes.values()) < MOST_BYTES, sizes


@SCRIPT
def test_the_sync_is_paused_and_resumed(
    browser: Browser, live_server: LiveServer, morning: World, script: bool
) -> None:
    page = _open(browser, live_server, "oscar", script)
    page.goto("/")
    page.get_by_role("button", name="Pause the sync").click()
    expect(page.get_by_text("Paused by oscar")).to_be_visible()
    assert options.read().paused
    page.get_by_role("button", name="Resume the sync").click()
    expect(page.get_by_role("button", name="Pause the sync")).to_be_visible()
    assert not options.read().paused


@SCRIPT
def test_the_chart_has_three_spans_and_a_table(
    browser: Browser, live_server: LiveServer, morning: World, script: bool
) -> None:
    page = _open(browser, live_server, "vic", script)
    page.goto("/")
    expect(page.get_by_role("link", name="Last day")).to_have_attribute("aria-current", "true")
    for name, span, bars in (("Last hour", "hour", 60), ("Last week", "week", 168), ("Last day", "day", 96)):
        page.get_by_role("link", name=name).click()
        expect(page).to_have_url(f"{live_server.url}/?span={span}")
        expect(page.locator(".chart g")).to_have_count(bars)
    page.get_by_text("As a table").click()
    expect(page.get_by_role("columnheader", name="Created in Marketo")).to_be_visible()
    title = page.locator(".chart g title").last.text_content()
    assert title
    assert "to Marketo" in title


def test_the_overview_renews_itself_in_place(browser: Browser, live_server: LiveServer, morning: World) -> None:
    page = _open(browser, live_server, "oscar", True)
    told = _troubles(page)
    page.goto("/")
    page.get_by_text("As a table").click()
    page.locator("#pause").focus()
    kept = page.evaluate_handle("document.getElementById('pause')")
    for number in (2, 3):
        morning.failure(cause="unknown")
        expect(page.locator(".figures").get_by_text(f"{number} open failures")).to_be_visible(timeout=9_000)
    # The same button, not one like it; the table is open still.
    assert page.evaluate("button => button === document.activeElement", kept)
    expect(page.get_by_role("columnheader", name="Created in Marketo")).to_be_visible()
    assert told == []


@SCRIPT
def test_runs_are_filtered_and_one_is_looked_through(
    browser: Browser,
    live_server: LiveServer,
    morning: World,
    script: bool,
) -> None:
    page = _open(browser, live_server, "vic", script)
    page.goto("/runs/")
    page.get_by_role("link", name="Next page").click()
    expect(page.get_by_role("rowheader")).to_have_count(11)
    page.goto("/runs/")
    page.get_by_label("Show").first.select_option("troubled")
    if not script:
        page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("rowheader")).to_have_count(1)
    page.get_by_role("rowheader").get_by_role("link").click()
    expect(page.locator(".timeline > li")).to_have_count(2)
    page.get_by_label("Side").select_option("dynamics")
    if not script:
        page.get_by_role("button", name="Show").click()
    expect(page.locator(".timeline > li")).to_have_count(1)
    assert "side=dynamics" in page.url
    page.get_by_role("link", name="The one before").click()
    expect(page.get_by_text("No line of anybody's history")).to_be_visible()


def test_a_run_is_live_while_it_goes(browser: Browser, live_server: LiveServer, morning: World) -> None:
    run = morning.run(finished_at=None, counts={})
    page = _open(browser, live_server, "vic", True)
    page.goto(f"/runs/{run.pk}/")
    expect(page.get_by_text("under way")).to_be_visible()
    link = morning.linked("Bo Lind")
    morning.line(link, "updated", side="marketo", run=run)
    expect(page.get_by_role("link", name="Bo Lind")).to_be_visible(timeout=6_000)
    Run.objects.filter(pk=run.pk).update(finished_at=morning.now, counts={"read_dynamics": 1})
    expect(page.get_by_text("under way")).to_have_count(0, timeout=6_000)
    assert page.locator("#live").get_attribute("hx-trigger") is None


@SCRIPT
def test_somebody_is_invited_raised_shut_out_and_let_in(
    browser: Browser,
    live_server: LiveServer,
    morning: World,
    script: bool,
) -> None:
    page = _open(browser, live_server, "ada", script)
    page.goto("/settings/users/")
    page.get_by_label("Name to sign in with").fill("zoe")
    page.get_by_label("Role", exact=True).select_option("viewer")
    page.get_by_role("button", name="Invite").click()
    link = page.get_by_label("Link").input_value()
    page.get_by_role("link", name="Done").click()

    theirs = browser.new_context(base_url=live_server.url, java_script_enabled=script).new_page()
    theirs.goto(link[link.index("/sign-in/") :])
    theirs.get_by_role("button", name="Sign in").click()
    theirs.goto("/you/")
    for label in ("New password", "New password confirmation"):
        theirs.get_by_label(label, exact=True).fill("correct horse battery")
    theirs.get_by_role("button", name="Save the password").click()
    expect(theirs.get_by_text("Your password is changed.")).to_be_visible()

    page.get_by_label("Role of zoe", exact=True).select_option("operator")
    page.get_by_role("button", name="Change the role of zoe").click()
    expect(page.get_by_text("zoe is now: Operator.")).to_be_visible()
    page.get_by_role("link", name="Close the account of zoe").click()
    page.get_by_role("button", name="Close the account").click()
    expect(page.get_by_text("zoe can no longer sign in.")).to_be_visible()
    theirs.goto("/")
    expect(theirs.get_by_role("button", name="Sign in")).to_be_visible()
    page.get_by_role("button", name="Open the account of zoe again").click()
    theirs.goto("/sign-in/")
    theirs.get_by_label("Username").fill("zoe")
    theirs.get_by_label("Password").fill("correct horse battery")
    theirs.get_by_role("button", name="Sign in").click()
    expect(theirs.get_by_role("heading", name="Overview")).to_be_visible()


@SCRIPT
def test_a_channel_is_added_tested_switched_and_taken_away(
    browser: Browser,
    live_server: LiveServer,
    morning: World,
    receiver: str,
    script: bool,
) -> None:
    page = _open(browser, live_server, "ada", script)
    page.goto("/settings/notifications/")
    expect(page.get_by_text("The oldest change has been waiting for 75 minutes")).to_be_visible()
    page.get_by_label("Kind").select_option("json")
    page.get_by_label("Address").fill(receiver)
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("lies inside a private network")).to_be_visible()
    page.get_by_label("The webhook may be inside a private network").check()
    page.get_by_role("button", name="Add").click()
    page.get_by_role("button", name="Send a test to http://127.0.0.1").click()
    expect(page.get_by_text("The test was delivered")).to_be_visible()
    page.get_by_role("button", name="Turn http://127.0.0.1").click()
    expect(page.get_by_text("is told nothing for now")).to_be_visible()
    page.get_by_role("link", name="Take http://127.0.0.1").click()
    page.get_by_role("button", name="Take away").click()
    expect(page.get_by_role("cell", name="Webhook, JSON")).to_have_count(0)
    page.get_by_label("Failures within an hour").fill("7")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The limits are saved.")).to_be_visible()
    assert options.read().alarm_failures == 7


@SCRIPT
def test_the_audit_log_is_filtered_and_exported(
    browser: Browser,
    live_server: LiveServer,
    morning: World,
    script: bool,
) -> None:
    page = _open(browser, live_server, "ada", script)
    page.goto("/settings/audit/")
    expect(page.get_by_role("rowheader")).to_have_count(2)
    page.get_by_label("Action").select_option("setting")
    if not script:
        page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("rowheader")).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as CSV").click()
    assert download.value.suggested_filename == "audit.csv"
    assert download.value.path().read_text(encoding="utf-8-sig").count("\n") == 2


@SCRIPT
def test_times_are_the_viewers_and_the_language_is_switched(
    browser: Browser,
    live_server: LiveServer,
    morning: World,
    script: bool,
) -> None:
    options.write("time_zone", "Europe/Vienna")
    context = _enter(browser, live_server, "vic", java_script_enabled=script, timezone_id="Asia/Taipei")
    page = context.new_page()
    page.goto("/runs/")
    page.goto("/runs/")
    expect(page.get_by_text("Times in")).to_contain_text("Asia/Taipei" if script else "Europe/Vienna")
    page.get_by_role("link", name="Change the time zone").click()
    page.get_by_label("Time zone").select_option("America/Chicago")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Times in")).to_contain_text("America/Chicago")
    page.get_by_role("button", name="繁體中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-hant")
