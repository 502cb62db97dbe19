"""Trouble on the wire: when it ends, both sides agree, nobody is there twice, and nothing more is written."""

from __future__ import annotations

import pytest

from syncadmin.sandbox.faults import Fault
from syncadmin.store.models import Link, PendingWrite
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)
CALLS = ["rate_limit", "concurrency", "unavailable", "error", "cut", "timeout_before", "timeout_after", "expired_token"]
SHAPES = ["html", "garbage", "empty"]


def edited():
    """An edit on each side and a new lead are on their way."""
    world = World()
    guid, person = world.linked(jobtitle="Mate", address1_city="Bergen")
    other, another = world.linked("contact", jobtitle="Cook")
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    world.marketo.edit("person", person, {"city": "Oslo"})
    world.marketo.edit("person", another, {"title": "Chef"})
    world.dynamics.create("lead", {"lastname": "Lie", "emailaddress1": "lie@fjord.example"})
    return world, guid, person, other


def converges(world, guid, person, other):
    """After the trouble: three runs, then quiet."""
    world.dynamics.faults.clear()
    world.marketo.faults.clear()
    world.clock.forward(minutes=6)
    world.settle()
    assert (world.dynamics.get("lead", guid)["jobtitle"], world.marketo.get("person", person)["title"]) == (
        "Captain",
    ) * 2
    assert world.dynamics.get("lead", guid)["address1_city"] == "Oslo"
    assert world.dynamics.get("contact", other)["jobtitle"] == "Chef"
    assert (len(list(world.dynamics.rows("lead"))), len(list(world.marketo.rows("person")))) == (2, 3)
    assert Link.objects.filter(dynamics__isnull=False, marketo__isnull=False).count() == 3
    assert not PendingWrite.objects.exists()
    assert world.quiet(2)


@pytest.mark.parametrize("times", [1, 8])
@pytest.mark.parametrize("kind", [*CALLS, *SHAPES, "expired_delta"])
def test_trouble_with_every_call_to_dynamics(kind, times):
    world, *people = edited()
    world.dynamics.faults.add(Fault(kind, path="/api/*", times=times))
    world.sync(2)

    converges(world, *people)


@pytest.mark.parametrize("times", [1, 8])
@pytest.mark.parametrize("kind", [*CALLS, *SHAPES, "daily_limit"])
def test_trouble_with_every_call_to_marketo(kind, times):
    world, *people = edited()
    world.marketo.faults.add(Fault(kind, path="/rest/*", times=times))
    world.sync(2)

    # Midnight over there ends a spent day.
    if kind == "daily_limit":
        world.clock.forward(days=1)
    converges(world, *people)


@pytest.mark.parametrize("kind", [*CALLS, *SHAPES])
def test_trouble_with_writes_to_dynamics(kind):
    world, *people = edited()
    world.dynamics.faults.add(Fault(kind, method="PATCH", path="/api/*", times=2))
    world.dynamics.faults.add(Fault(kind, method="POST", path="/api/data/v9.2/$batch", times=2))
    world.sync(2)

    converges(world, *people)


@pytest.mark.parametrize("kind", [*CALLS, *SHAPES])
def test_trouble_with_writes_to_marketo(kind):
    world, *people = edited()
    world.marketo.faults.add(Fault(kind, method="POST", path="/rest/v1/leads.json", times=2))
    world.sync(2)

    converges(world, *people)


def test_an_update_that_arrived_in_marketo_without_an_answer_is_told_once():
    world, guid, _person, _other = edited()
    world.marketo.faults.add(Fault("timeout_after", method="POST", path="/rest/v1/leads.json", times=2))
    world.sync(2)
    world.clock.forward(seconds=120)
    world.settle()

    changes = [change for line in world.told(guid, "updated") for change in line.changes]
    assert changes.count(["lead.jobtitle:title", "Mate", "Captain", "one_sided"]) == 1


def test_an_edit_after_an_update_whose_answer_was_lost_survives():
    world, guid, person, _other = edited()
    world.marketo.faults.add(Fault("timeout_after", method="POST", path="/rest/v1/leads.json", times=2))
    world.sync()
    world.marketo.edit("person", person, {"title": "Boss"})
    world.clock.forward(seconds=120)
    world.settle()

    assert world.marketo.get("person", person)["title"] == "Boss"
    assert world.dynamics.get("lead", guid)["jobtitle"] == "Boss"


def test_dead_systems_do_not_hold_a_run_for_ever():
    world, *people = edited()
    world.dynamics.faults.add(Fault("timeout_before", path="/api/*", times=-1))
    world.marketo.faults.add(Fault("timeout_before", path="/rest/*", times=-1))
    before = world.clock()
    world.sync()

    assert (world.clock() - before).total_seconds() < 600
    converges(world, *people)


@pytest.mark.parametrize("kind", ["duplicate_events", "late_events", "empty"])
def test_change_lines_that_come_twice_late_or_not_at_once(kind):
    world, *people = edited()
    world.marketo.faults.add(Fault(kind, path="/rest/v1/activities*", times=6, value=30))
    world.sync(2)

    converges(world, *people)


def test_what_a_lost_delta_token_missed_is_read_again():
    world, guid, person, other = edited()
    world.dynamics.expire_delta_tokens()
    world.sync(3)

    converges(world, guid, person, other)
