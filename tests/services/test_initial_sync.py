"""The initial sync (design 3.1): full read page by page, live changes ahead of it, everybody in Marketo by extract."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from syncadmin.connectors.dynamics.connector import Dynamics
from syncadmin.connectors.marketo.connector import Marketo
from syncadmin.sandbox.faults import Fault
from syncadmin.services import extract, metadata, pull_dynamics
from syncadmin.store import work
from syncadmin.store.models import DynamicsRecord, Link, MarketoPerson
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)

MORE_PAGES = "/api/data/v9.2/leads?*skiptoken*"


def stuck_after_one_page(world, leads=5, page=2):
    """A full read of leads that stops after its first page; the ids in the order they are read."""
    world.dynamics.configure(page_rows=page)
    world.dynamics.load("lead", [{"lastname": f"L{n}", "emailaddress1": f"{n}@x.example"} for n in range(leads)])
    world.dynamics.faults.add(Fault("unavailable", path=MORE_PAGES, times=-1))
    world.clock.forward(minutes=10)  # older than what every run asks for beside the full read
    world.sync()
    read = [str(guid) for guid in DynamicsRecord.objects.values_list("guid", flat=True)]
    assert len(read) == page
    return read


def full(table="lead"):
    return work.checkpoint(pull_dynamics.full_name(table))


def test_what_stands_on_both_sides_is_joined_and_the_rest_created():
    world = World()
    known = world.marketo.create("person", {"lastName": "Vik", "email": "vik@x.example", "city": "Bergen"})
    alone = world.marketo.create("person", {"lastName": "Only", "email": "only@x.example"})
    lead = world.dynamics.create("lead", {"lastname": "Vik", "emailaddress1": "VIK@x.example", "jobtitle": "Boss"})
    contact = world.dynamics.create("contact", {"lastname": "Holm", "emailaddress1": "holm@x.example"})
    world.settle()

    assert str(world.link_of(lead).marketo) == known
    assert world.dynamics.get("lead", lead)["address1_city"] == "Bergen"
    assert world.marketo.get("person", known)["title"] == "Boss"
    assert world.person_of(contact)["dynPersonType"] == "Contact"
    assert MarketoPerson.objects.get(person=alone).name == "Only"
    assert len(list(world.dynamics.rows("lead"))) == 1
    assert world.quiet()


def test_a_full_read_goes_on_where_it_stopped():
    world = World()
    stuck_after_one_page(world)
    assert full().cursor != ""
    world.dynamics.faults.clear()
    world.settle()

    # Five rows in all: the first page was not asked for again.
    assert full().position["rows"] == 5
    assert Link.objects.filter(marketo__isnull=False).count() == 5
    assert work.checkpoint(pull_dynamics.delta_name("lead")).cursor != ""


def test_live_changes_go_ahead_of_a_full_read_under_way():
    world = World()
    read = stuck_after_one_page(world)
    world.sync()
    world.dynamics.edit("lead", read[0], {"jobtitle": "Boss"})
    new = world.dynamics.create("lead", {"lastname": "New", "emailaddress1": "new@x.example"})
    world.sync(2)

    assert world.person_of(read[0])["title"] == "Boss"
    assert world.person_of(new)["email"] == "new@x.example"
    assert work.checkpoint(pull_dynamics.delta_name("lead")).cursor == ""


def test_marketos_changes_travel_during_a_full_read():
    world = World()
    read = stuck_after_one_page(world)
    world.sync()
    world.marketo.edit("person", world.link_of(read[0]).marketo, {"city": "Bergen"})
    world.sync(2)

    assert world.dynamics.get("lead", read[0])["address1_city"] == "Bergen"


def test_what_changed_while_the_last_page_was_read_is_not_missed():
    world = World()
    read = stuck_after_one_page(world)
    world.dynamics.faults.clear()
    edit = Fault("rival", path=MORE_PAGES, skip=1)
    edit.value = lambda: world.dynamics.edit("lead", read[0], {"jobtitle": "Boss"})
    world.dynamics.faults.add(edit)
    world.settle()

    assert world.person_of(read[0])["title"] == "Boss"


def test_what_was_deleted_during_the_full_read_is_followed():
    world = World()
    read = stuck_after_one_page(world)
    world.sync()
    world.dynamics.delete("lead", read[0])
    world.dynamics.faults.clear()
    world.settle()

    assert world.link_of(read[0]).dynamics_deleted is True
    assert Link.objects.filter(dynamics_deleted=True).count() == 1


def test_other_columns_mean_another_full_read_with_the_old_link_in_use_meanwhile():
    world = World()
    world.marketo.add_field("homePhone2", "Home Phone 2")
    world.dynamics.load("lead", [{"lastname": f"L{n}", "emailaddress1": f"{n}@x.example"} for n in range(4)])
    guids = [row["leadid"] for row in world.dynamics.rows("lead")]
    for guid in guids:
        world.dynamics.edit("lead", guid, {"telephone2": "555"})
    world.settle()
    link = work.checkpoint(pull_dynamics.delta_name("lead")).cursor
    world.dynamics.configure(page_rows=2)
    world.dynamics.faults.add(Fault("unavailable", path=MORE_PAGES, times=-1))

    metadata.refresh_schema(world.context())
    world.pair("lead", "telephone2", "homePhone2")
    world.sync(2)
    world.dynamics.edit("lead", guids[3], {"jobtitle": "Boss"})
    world.sync(2)

    assert world.person_of(guids[3])["title"] == "Boss"
    assert full().position["state"] == "reading"
    assert work.checkpoint(pull_dynamics.delta_name("lead")).cursor != ""
    world.dynamics.faults.clear()
    world.settle()
    assert [world.person_of(guid).get("homePhone2") for guid in guids] == ["555"] * 4
    assert work.checkpoint(pull_dynamics.delta_name("lead")).cursor != link
    assert world.quiet()


def test_everybody_in_marketo_is_read_window_by_window():
    world = World(started=False)
    old = world.marketo.create("person", {"lastName": "Old", "email": "old@x.example"})
    world.clock.forward(days=40)
    young = world.marketo.create("person", {"lastName": "Young", "email": "young@x.example"})
    world.clock.forward(days=5)
    world.set_up(marketo_since=datetime(2026, 3, 1, tzinfo=UTC).date().isoformat())
    world.sync(6)

    assert set(MarketoPerson.objects.values_list("person", flat=True)) == {int(old), int(young)}
    assert work.checkpoint(extract.NAME).position["state"] == "done"
    assert list(world.dynamics.rows("lead")) == []


def test_the_daily_quota_of_extracts_delays_only_the_extract():
    world = World(started=False)
    world.marketo.set_limits(True, bulk_bytes=0)
    alone = world.marketo.create("person", {"lastName": "Only", "email": "only@x.example"})
    world.clock.forward(hours=2)  # or the change feed, asked for the last hour as well, would tell of it
    world.set_up()
    lead = world.dynamics.create("lead", {"lastname": "Vik", "emailaddress1": "vik@x.example"})
    world.sync(3)
    assert world.person_of(lead)["email"] == "vik@x.example"
    assert not MarketoPerson.objects.filter(person=alone).exists()

    world.marketo.set_limits(True, bulk_bytes=10_000_000)
    world.clock.forward(days=1)
    world.sync(4)
    assert MarketoPerson.objects.filter(person=alone).exists()


@pytest.mark.parametrize(("kind", "method"), [(Dynamics, "modified_since"), (Marketo, "paging_token")])
def test_the_first_read_reaches_back_far_enough_for_a_clock_that_is_ahead(kind, method, monkeypatch):
    """Asked for what happens from our now on, a system whose clock is behind keeps to itself what happens until it shows
    that time; whether a delta link tells what happened while the rows were read is not said anywhere."""
    world = World(started=False)
    world.dynamics.create("lead", {"lastname": "Vik", "emailaddress1": "vik@x.example"})
    world.set_up()
    ask, asked = getattr(kind, method), []

    def listen(self, *wanted):
        asked.extend(one for one in wanted if isinstance(one, datetime))
        return ask(self, *wanted)

    monkeypatch.setattr(kind, method, listen)
    begun = world.clock()
    world.sync(2)

    assert begun - min(asked) > timedelta(minutes=50)


def test_who_appears_in_marketo_during_the_initial_read_is_not_missed():
    world = World()
    world.marketo.faults.add(Fault("unavailable", path="/bulk/*", times=-1))
    world.sync()
    person = world.marketo.create("person", {"lastName": "Vik", "email": "vik@x.example"})
    world.sync()

    assert MarketoPerson.objects.filter(person=person).exists()


def test_an_older_page_of_an_extract_does_not_overwrite_what_is_known_since():
    world = World(started=False)
    person = world.marketo.create("person", {"lastName": "Vik", "email": "vik@x.example", "city": "Oslo"})
    world.clock.forward(hours=1)
    world.set_up()
    lead = world.dynamics.create("lead", {"lastname": "Vik", "emailaddress1": "vik@x.example"})
    world.sync()
    world.marketo.edit("person", person, {"city": "Bergen"})
    world.settle()

    assert world.dynamics.get("lead", lead)["address1_city"] == "Bergen"
    assert world.marketo.get("person", person)["city"] == "Bergen"
