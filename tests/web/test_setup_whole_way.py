"""From the first sign-in of an empty installation to a sync that runs: the whole wizard in headless Chromium."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.cache import cache
from django.core.management import call_command
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from syncadmin.services import connect
from syncadmin.store.models import Failure, Link
from syncadmin.store.queries.preview import going, standing
from tests.services.rehearsal import Rehearsal, field_writes, people, planned_fields
from tests.web.test_browser import _troubles, browser, pytestmark
from tests.web.wizard import Wizard
from tests.world import DYNAMICS_URL

__all__ = ["browser", "pytestmark"]

# (custom columns of each table and custom fields, records in Dynamics, most turns of the loop for each wait)
SMALL, LARGE = (40, 300, 60), (500, 50_000, 3_000)


@pytest.fixture
def empty(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Rehearsal:
    """Nothing is connected and nobody has an account; both sandboxes answer the server's threads as well."""
    cache.clear()
    world = Rehearsal(started=False)
    # The screens go by this machine's clock; the loop stays behind it however often it turns.
    world.clock.now = datetime.now(UTC) - timedelta(days=1)
    monkeypatch.setattr(connect, "real_world", lambda: world.outside)
    return world


def first_sign_in(browser: Browser, server: LiveServer, script: bool) -> Page:
    """By the link that `make run` prints."""
    told = StringIO()
    call_command("signin_link", stdout=told)
    page = browser.new_context(base_url=server.url, java_script_enabled=script).new_page()
    page.goto(told.getvalue().strip())
    return page


def turns(world: Rehearsal, most: int) -> Callable[[], None]:
    """The loop works until the preview is whole, or after the start until all of it is carried out."""

    def over() -> bool:
        now = going(datetime.now(UTC))
        return now.left == 0 if now else not standing().at_work

    def turn() -> None:
        for _ in range(most):
            world.sync()
            if over():
                return
        raise AssertionError(f"{most} turns of the loop were not enough")

    return turn


def whole_way(wizard: Wizard) -> None:
    wizard.connect_dynamics()
    wizard.connect_marketo()
    wizard.choose_scope()
    wizard.choose_fields()
    wizard.preview()


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_the_whole_way(browser: Browser, live_server: LiveServer, empty: Rehearsal, script: bool) -> None:
    made = people(empty)
    page = first_sign_in(browser, live_server, script)
    told = _troubles(page)
    wizard = Wizard(page, DYNAMICS_URL, turn=turns(empty, SMALL[2]), script=script)
    whole_way(wizard)
    assert (empty.ours("dynamics"), empty.ours("marketo")) == (0, 0)
    shown, planned = wizard.shown(), planned_fields()
    assert ("dynamics", "Head") in shown and len(shown) >= 4

    mark = empty.mark()
    wizard.start()
    written = field_writes(empty, mark)
    assert written == planned
    assert shown <= {(side, str(value)) for (side, _, _), value in written.items()}

    empty.dynamics.edit("lead", made["new"], {"websiteurl": "https://fjord.example"})
    empty.marketo.edit("person", made["vik"], {"city": "Bergen"})
    empty.sync(2)
    assert empty.person_of(made["new"])["website"] == "https://fjord.example"
    assert empty.record_of(made["vik"])["address1_city"] == "Bergen"
    page.goto(f"/people/{empty.link_of(made['match']).pk}/")
    expect(page.get_by_text("Bergen").first).to_be_visible()
    assert told == []


def widen(world: Rehearsal, columns: int) -> None:
    """Custom columns of several types on both tables, and as many custom fields."""
    for number in range(columns):
        name = f"new_custom{number:03}"
        facts = {"type": "Integer", "min": 0, "max": 99} if number % 5 == 4 else {"type": "String", "length": 100}
        for table in ("lead", "contact"):
            world.dynamics.add_column(table, name, label=f"Custom {number:03}", ops="cru", **facts)
        world.marketo.add_field(f"custom{number:03}", f"Custom {number:03}", "string")


def crowd(world: Rehearsal, number: int) -> None:
    """Every second one stands on both sides with another title, every tenth of them is a contact."""
    for table, picked in (("lead", lambda n: n % 10), ("contact", lambda n: not n % 10)):
        rows = [
            {"lastname": f"N{n}", "emailaddress1": f"n{n}@crowd.example", "jobtitle": f"Boss {n}"}
            for n in range(number)
            if picked(n)
        ]
        for begin in range(0, len(rows), 2_000):
            assert world.dynamics.load(table, rows[begin : begin + 2_000]) == []
    known = [
        {"lastName": f"N{n}", "email": f"n{n}@crowd.example", "title": f"Head {n}", "city": "Oslo"}
        for n in range(0, number, 2)
    ]
    for begin in range(0, len(known), 2_000):
        world.marketo.load("person", known[begin : begin + 2_000])


@pytest.mark.parametrize(
    "size", [pytest.param(SMALL, id="small"), pytest.param(LARGE, id="large", marks=pytest.mark.long)]
)
def test_the_way_with_many_columns_and_people(
    browser: Browser, live_server: LiveServer, empty: Rehearsal, size: tuple[int, int, int]
) -> None:
    columns, number, most = size
    widen(empty, columns)
    crowd(empty, number)
    page = first_sign_in(browser, live_server, script=True)
    told = _troubles(page)
    wizard = Wizard(page, DYNAMICS_URL, turn=turns(empty, most), script=True)
    whole_way(wizard)
    assert (empty.ours("dynamics"), empty.ours("marketo")) == (0, 0)
    expect(page.get_by_text(f"{number:,} records of Dynamics and {number // 2:,} people of Marketo")).to_be_visible()
    expect(page.get_by_role("link", name=f"{number // 2:,} people to be created in Marketo")).to_be_visible()

    wizard.start()
    assert Link.objects.filter(marketo__isnull=False).count() == number
    assert not Failure.objects.filter(closed_at=None).exists()
    titles = {row["email"]: row["title"] for row in empty.marketo.rows("person")}
    # A lead's title is Marketo's where both hold one, a contact's is Dynamics'.
    assert titles["n2@crowd.example"] == "Head 2" and titles["n10@crowd.example"] == "Boss 10"
    assert {row["jobtitle"] for row in empty.dynamics.rows("lead") if row["emailaddress1"] == "n2@crowd.example"} == {
        "Head 2"
    }
    assert told == []
