"""A worker stands still for longer than its lease and then goes on: what others did meanwhile stays as they did it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from syncadmin.store import work
from syncadmin.store.models import Activity, Link, PendingWrite
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
