"""A worker dies at any step: the next one loses nothing, repeats nothing and doubles nobody."""

from __future__ import annotations

from collections import Counter

import pytest

from syncadmin.sandbox.faults import Fault
from syncadmin.store.models import Activity, Failure, Link, PendingWrite
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)
PAIRS = {"jobtitle": "title", "address1_city": "city", "lastname": "lastName", "emailaddress1": "email"}
BORDERS = [
    "pull.page",
    "pair.look_up",
    "pair.batch",
    "merge.batch",
    "push.dynamics.sent",
    "push.dynamics.answered",
    "push.dynamics.stored",
    "create.marketo.sent",
    "create.marketo.answered",
    "push.marketo.read",
    "push.marketo.sent",
    "push.marketo.answered",
    "push.marketo.stored",
    "log.sent",
]


class Killed(BaseException):
    """kill -9, as far as Python can: nothing of ours catches it."""


def die_at(world, border, nth=1, wait=120):
    """The next worker dies when it comes to this border for the nth time; what it held stays locked until it lapses."""
    seen = Counter()

    def stop(name):
        seen[name] += 1
        if name == border and seen[name] == nth:
            raise Killed(name)

    world.border = stop
    with pytest.raises(Killed):
        world.sync(2)
    world.border = lambda name: None
    # Longer than a lease, and than Marketo can still carry out the dead worker's call.
    world.clock.forward(seconds=wait)


def busy():
    """Work for every step: edits on both sides, a collision, a new record, a failure that opens."""
    world = World()
    guid, person = world.linked(jobtitle="Mate", address1_city="Bergen")
    other, second = world.linked("contact", jobtitle="Cook", address1_city="Voss")
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    world.marketo.edit("person", person, {"city": "Oslo"})
    world.dynamics.edit("contact", other, {"jobtitle": "Chef"})
    world.marketo.edit("person", second, {"title": "Boss", "city": "x" * 200})
    world.dynamics.create("lead", {"lastname": "Lie", "emailaddress1": "lie@fjord.example", "jobtitle": "Agent"})
    return world, guid, other


@pytest.mark.parametrize("border", BORDERS)
def test_whatever_was_lost_is_made_good(border):
    world, guid, other = busy()

    die_at(world, border)
    world.settle()

    for table in ("lead", "contact"):
        for record in world.dynamics.rows(table):
            person = world.person_of(record[f"{table}id"])
            wanted = {
                column: record.get(column) for column in PAIRS if not (table == "contact" and column == "address1_city")
            }
            assert {column: person.get(PAIRS[column]) for column in wanted} == wanted
    assert world.dynamics.get("lead", guid)["jobtitle"] == "Captain"
    assert world.dynamics.get("lead", guid)["address1_city"] == "Oslo"
    assert world.dynamics.get("contact", other)["jobtitle"] == "Chef"
    assert len(list(world.marketo.rows("person"))) == 3
    assert (len(list(world.dynamics.rows("lead"))), len(list(world.dynamics.rows("contact")))) == (2, 1)
    assert Link.objects.filter(marketo__isnull=False, dynamics__isnull=False).count() == 3
    assert not PendingWrite.objects.exists()
    assert world.failure().cause == "too_long"
    assert world.quiet(2)


def test_a_value_emptied_by_a_dead_worker_is_told_where_marketo_leaves_emptied_fields_out():
    world = World()
    guid, _person = world.linked(jobtitle="Mate")
    world.marketo.set_knobs(empty_fields=False)
    world.dynamics.edit("lead", guid, {"jobtitle": None})
    die_at(world, "push.marketo.answered", wait=10)
    world.sync()
    world.clock.forward(seconds=120)
    world.settle()

    changes = [change for line in world.told(guid, "updated") for change in line.changes]
    assert ["lead.jobtitle:title", "Mate", None, "one_sided"] in changes


def test_a_first_value_that_a_dead_worker_never_sent_is_told_once_where_marketo_leaves_empty_fields_out():
    world = World()
    guid, _person = world.linked()
    world.marketo.set_knobs(empty_fields=False)
    world.dynamics.edit("lead", guid, {"jobtitle": "Mate"})
    die_at(world, "push.marketo.sent")
    world.settle()

    changes = [change for line in world.told(guid, "updated") for change in line.changes]
    assert changes.count(["lead.jobtitle:title", None, "Mate", "one_sided"]) == 1


def test_what_a_dead_workers_update_replaced_is_told_though_its_repetition_is_refused():
    world = World()
    guid, person = world.linked(jobtitle="Mate")
    world.marketo.edit("person", person, {"title": "Boss"})
    die_at(world, "push.dynamics.answered", wait=10)
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    world.marketo.edit("person", person, {"title": "Chief"})
    world.dynamics.faults.add(Fault("partial_batch", path="/api/data/v9.2/$batch", times=1, value=1))
    world.settle()

    changes = [change for line in world.told(guid, "updated") for change in line.changes]
    assert ["lead.jobtitle:title", "Mate", "Boss", "one_sided"] in changes


@pytest.mark.parametrize("border", ["push.dynamics.answered", "push.marketo.answered"])
def test_what_a_lost_answer_replaced_is_in_the_history_once(border):
    world = World()
    guid, person = world.linked(jobtitle="Mate")
    if border == "push.dynamics.answered":
        world.marketo.edit("person", person, {"title": "Captain"})
    else:
        world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})

    die_at(world, border)
    world.settle()

    lines = [change for line in world.told(guid, "updated") for change in line.changes]
    assert lines == [["lead.jobtitle:title", "Mate", "Captain", "one_sided"]]


def test_a_line_of_history_and_a_conflict_are_told_once_however_often_workers_die():
    world, _guid, other = busy()
    for border in ("merge.batch", "push.marketo.read", "push.marketo.sent", "push.marketo.answered"):
        try:
            die_at(world, border)
        except pytest.fail.Exception:  # nothing left to do at that border
            world.border = lambda name: None
    world.settle()

    assert Activity.objects.filter(kind="conflict", link=world.link_of(other)).count() == 1
    assert world.quiet()


def test_marketo_is_not_said_to_have_dropped_a_value_that_never_left_us():
    """The worker dies right before the call; then comes the line of what somebody had written before it."""
    world = World(receipt_patience=60)
    guid, person = world.linked("contact", jobtitle="Mate")
    world.sync(2)
    world.marketo.faults.add(Fault("late_events", path="/rest/v1/activities/leadchanges.json*", times=1, value=30))
    world.dynamics.edit("contact", guid, {"jobtitle": "Chef"})
    world.marketo.edit("person", person, {"title": "Boss"})
    # Longer than a receipt waits for its line, and shorter than Marketo may still carry out the call.
    die_at(world, "push.marketo.sent", wait=70)

    world.settle()
    world.clock.forward(seconds=60)
    world.settle()

    assert world.marketo.get("person", person)["title"] == world.dynamics.get("contact", guid)["jobtitle"] == "Chef"
    assert not Failure.objects.exists()
