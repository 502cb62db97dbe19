"""A worker stands still for longer than its lease and then goes on: what others did meanwhile stays as they did it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from syncadmin.sandbox.faults import Fault
from syncadmin.services import push_marketo
from syncadmin.store import work
from syncadmin.store.models import Activity, Conflict, Failure, Link, PendingWrite, Receipt
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)
# Longer than a lease; longer than Marketo can still carry out a call.
LAPSED, OVER = 20, 150


@pytest.fixture
def world():
    return World()


def stalls_at(world: World, border: str, seconds: int, meanwhile: Callable[[], None], *, beats: bool = True) -> None:
    """The next worker that comes to this border stands still there, while others do what is given.

    When it goes on its heartbeat may be the first to wake up, so that its lease runs again.
    """
    worker = ""

    def stall(name: str) -> None:
        nonlocal worker
        if name != border or worker:
            return
        worker = PendingWrite.objects.exclude(owner="").values_list("owner", flat=True).first() or "?"
        world.clock.forward(seconds=seconds)
        meanwhile()
        if beats:
            work.renew(worker, world.clock())

    world.border = stall
    world.sync()
    assert worker.startswith("worker-"), "nobody came to that border with a write of its own"
    world.border = lambda name: None
    world.settle()


def jobtitle(world: World, guid: str) -> str | None:
    return world.dynamics.get("contact", guid)["jobtitle"]


def title(world: World, person: str) -> str | None:
    return world.marketo.get("person", person)["title"]


def told_once(world: World, guid: str, value: str) -> bool:
    changes = [change for line in world.told(guid, "updated") for change in line.changes]
    return [change[2] for change in changes].count(value) == 1


@pytest.mark.parametrize(("side", "seconds"), [("dynamics", LAPSED), ("marketo", OVER)])
@pytest.mark.parametrize("beats", [True, False])
def test_an_answer_that_comes_back_late_does_not_undo_what_was_agreed_since(world, side, seconds, beats):
    guid, person = world.linked("contact", jobtitle="Mate")

    def meanwhile():
        world.sync(2)
        world.dynamics.edit("contact", guid, {"jobtitle": "Captain"})
        world.sync(2)
        assert title(world, person) == "Captain"
        # Nobody has read this one when the stalled worker goes on.
        world.marketo.edit("person", person, {"title": "Admiral"})

    if side == "dynamics":
        world.marketo.edit("person", person, {"title": "Boatswain"})
    else:
        world.dynamics.edit("contact", guid, {"jobtitle": "Boatswain"})
    stalls_at(world, f"push.{side}.answered", seconds, meanwhile, beats=beats)

    assert (jobtitle(world, guid), title(world, person)) == ("Admiral", "Admiral")
    assert told_once(world, guid, "Boatswain")
    assert world.quiet()


@pytest.mark.parametrize("beats", [True, False])
def test_what_others_took_over_is_not_sent_to_marketo_any_more(world, beats):
    guid, person = world.linked("contact", jobtitle="Mate")

    def meanwhile():
        world.sync(2)
        world.marketo.edit("person", person, {"title": "Admiral"})
        world.sync(2)
        assert jobtitle(world, guid) == "Admiral"

    world.dynamics.edit("contact", guid, {"jobtitle": "Boatswain"})
    stalls_at(world, "push.marketo.sent", OVER, meanwhile, beats=beats)

    assert (jobtitle(world, guid), title(world, person)) == ("Admiral", "Admiral")
    written = [entry.new for entry in world.marketo.truth.since(0) if entry.field == "title"]
    assert written.count("Boatswain") == 1
    assert world.quiet()


def stalls_at_the_call(world: World, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], None]) -> None:
    """The next worker that writes to Marketo stands still in the one moment after it was told that it may."""
    send, calls = push_marketo._send, []

    def stall(*args):
        calls.append(args)
        if len(calls) == 1:
            world.clock.forward(seconds=OVER)
            meanwhile()
        return send(*args)

    monkeypatch.setattr(push_marketo, "_send", stall)
    world.sync()
    assert calls
    world.settle()


@pytest.mark.parametrize("marks", [True, False], ids=["request id", "no request id"])
@pytest.mark.parametrize("table", ["lead", "contact"])
def test_an_edit_that_a_late_call_replaced_unseen_is_told_and_comes_back(world, monkeypatch, table, marks):
    world.marketo.set_knobs(write_marks=marks)
    guid, person = world.linked(table, jobtitle="Mate")
    world.dynamics.edit(table, guid, {"jobtitle": "Boatswain"})

    def meanwhile():
        world.sync(2)
        assert title(world, person) == "Boatswain"
        world.dynamics.edit(table, guid, {"jobtitle": "Captain"})
        world.sync(2)
        assert title(world, person) == "Captain"
        world.marketo.edit("person", person, {"title": "Admiral"})

    stalls_at_the_call(world, monkeypatch, meanwhile)

    assert (world.dynamics.get(table, guid)["jobtitle"], title(world, person)) == ("Admiral", "Admiral")
    (told,) = world.told(guid, "overtaken")
    assert told.changes == [[f"{table}.jobtitle:title", "Admiral", "Boatswain", "overtaken"]]
    assert [entry.new for entry in world.dynamics.truth.since(0) if entry.field == "jobtitle"].count("Boatswain") == 1
    assert not Conflict.objects.exists()
    assert world.quiet()


def test_an_old_value_that_a_late_call_put_back_does_not_travel(world, monkeypatch):
    guid, person = world.linked("contact", jobtitle="Mate")
    world.dynamics.edit("contact", guid, {"jobtitle": "Boatswain"})

    def meanwhile():
        world.sync(2)
        world.dynamics.edit("contact", guid, {"jobtitle": "Captain"})
        world.sync(2)

    stalls_at_the_call(world, monkeypatch, meanwhile)

    assert (jobtitle(world, guid), title(world, person)) == ("Captain", "Captain")
    assert [entry.new for entry in world.dynamics.truth.since(0) if entry.field == "jobtitle"].count("Boatswain") == 1
    assert world.quiet()


def test_a_write_that_a_late_call_stands_over_is_not_called_dropped(world, monkeypatch):
    """Its own line had not come either, and the value it replaced stood there again: the edit was not put back."""
    guid, person = world.linked("lead", jobtitle="Mate")
    world.dynamics.edit("lead", guid, {"jobtitle": "Boatswain"})

    def meanwhile():
        world.sync(2)
        lines = Fault("late_events", path="/rest/v1/activities/leadchanges.json*", times=-1, value=3600)
        world.marketo.faults.add(lines)
        world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
        world.sync()
        assert title(world, person) == "Captain"
        world.marketo.edit("person", person, {"title": "Admiral"})

    stalls_at_the_call(world, monkeypatch, meanwhile)
    assert title(world, person) == "Boatswain"
    world.clock.forward(minutes=20)
    world.sync()
    world.marketo.faults.clear()
    world.clock.forward(hours=1)
    world.settle()

    assert (world.dynamics.get("lead", guid)["jobtitle"], title(world, person)) == ("Admiral", "Admiral")
    assert not Failure.objects.filter(closed_at=None).exists()
    assert world.quiet()


def test_a_late_call_that_changed_nothing_holds_nothing_up(world, monkeypatch):
    guid, person = world.linked("contact", jobtitle="Mate")
    world.dynamics.edit("contact", guid, {"jobtitle": "Boatswain"})
    stalls_at_the_call(world, monkeypatch, lambda: world.sync(2) and None)
    world.clock.forward(hours=1)
    world.settle()

    assert not Receipt.objects.filter(how="").exists()
    assert not Failure.objects.exists()
    world.marketo.edit("person", person, {"title": "Admiral"})
    world.settle()
    assert (jobtitle(world, guid), title(world, person)) == ("Admiral", "Admiral")
    assert world.quiet()


@pytest.mark.parametrize("newest", ["Boatswain", "Captain"])
def test_a_late_call_that_went_out_before_its_repetition_is_as_good_as_in_time(world, monkeypatch, newest):
    """What it replaced is known and comes back to nobody; nor does Dynamics' next edit collide with it."""
    guid, person = world.linked("lead", jobtitle="Mate")
    world.dynamics.edit("lead", guid, {"jobtitle": "Boatswain"})

    def meanwhile():
        world.marketo.faults.add(Fault("unavailable", method="POST", path="/rest/v1/leads.json", times=-1))
        world.sync(2)
        world.marketo.faults.clear()
        assert title(world, person) == "Mate"
        world.dynamics.edit("lead", guid, {"jobtitle": newest})

    stalls_at_the_call(world, monkeypatch, meanwhile)

    assert (world.dynamics.get("lead", guid)["jobtitle"], title(world, person)) == (newest, newest)
    assert "Mate" not in [entry.new for entry in world.marketo.truth.since(0) if entry.field == "title"]
    assert not world.told(guid, "overtaken")
    assert not Conflict.objects.exists()
    assert not Failure.objects.filter(closed_at=None).exists()
    assert world.quiet()


@pytest.mark.parametrize("border", ["create.marketo.sent", "create.marketo.answered"])
@pytest.mark.parametrize("beats", [True, False])
def test_a_create_that_comes_back_late_makes_nobody_twice_and_undoes_nothing(world, border, beats):
    guid = world.dynamics.create(
        "contact", {"lastname": "Vik", "emailaddress1": "vik@fjord.example", "jobtitle": "Mate"}
    )

    def meanwhile():
        world.sync(3)
        person = str(world.link_of(guid).marketo)
        world.dynamics.edit("contact", guid, {"jobtitle": "Captain"})
        world.sync(2)
        assert title(world, person) == "Captain"
        world.marketo.edit("person", person, {"title": "Admiral"})

    stalls_at(world, border, OVER, meanwhile, beats=beats)

    (person,) = [str(row["id"]) for row in world.marketo.rows("person")]
    assert Link.objects.count() == 1
    assert (jobtitle(world, guid), title(world, person)) == ("Admiral", "Admiral")
    assert Activity.objects.filter(kind__in=["created", "linked"]).count() == 1
    assert not PendingWrite.objects.exists()
    assert world.quiet()
