"""A worker dies while it plans or releases: the plan is the same as without it, and so is what starts."""

from __future__ import annotations

from collections import Counter

import pytest

from syncadmin.services import preview, setup
from syncadmin.store.models import Conflict, Decision, Failure, PendingWrite
from tests.services.rehearsal import Place, Rehearsal, field_writes, people, planned_fields

pytestmark = pytest.mark.django_db(transaction=True)

PLANNING = [
    "pull.page",
    "pair.look_up",
    "pair.batch",
    "preview.merge",
    "preview.creates",
    "preview.requests",
    "preview.anew",
]
STARTING = ["start.release", "push.dynamics.sent", "push.marketo.sent", "create.marketo.sent"]


class Killed(BaseException):
    """kill -9, as far as Python can: nothing of ours catches it."""


def die_at(world: Rehearsal, border: str) -> None:
    """The next worker dies at this border; its lease lapses before anybody goes on."""
    seen: Counter[str] = Counter()

    def stop(name: str) -> None:
        seen[name] += 1
        if name == border and seen[name] == 1:
            raise Killed(name)

    world.border = stop
    with pytest.raises(Killed):
        world.sync(3)
    world.border = lambda name: None
    world.clock.forward(seconds=120)


def busy() -> Rehearsal:
    """Somebody of every sort, one of them asked for in Dynamics."""
    world = Rehearsal()
    made = people(world)
    world.request(made["alone"])
    return world


def told() -> tuple[int, int, int]:
    """What else a plan leaves: collisions, failures to expect, questions."""
    return Conflict.objects.count(), Failure.objects.count(), Decision.objects.filter(answered_at=None).count()


def asked_again(world: Rehearsal) -> tuple[dict[Place, object], tuple[int, int, int]]:
    """Planned by one set of rules, then by another."""
    world.preview()
    setup.change("several", "contact_first", who="ada", now=world.clock())
    preview.ask(who="ada", now=world.clock())
    return planned_fields(), told()


@pytest.mark.parametrize("border", PLANNING)
def test_a_plan_is_the_same_after_a_kill(border: str) -> None:
    world = busy()
    before = world.mark()
    if border == "preview.anew":
        shown, rest = asked_again(world)
    else:
        preview.ask(who="ada", now=world.clock())
        shown, rest = {}, (0, 0, 0)

    die_at(world, border)
    world.sync(4)

    assert world.mark() == before
    assert not PendingWrite.objects.exclude(state="planned").exists()
    plan, told_now = planned_fields(), told()
    preview.planned.clear()
    preview.planned.pair_anew(("lead", "contact"))
    world.sync(3)
    assert (plan, told_now) == (planned_fields(), told())
    assert not shown or (shown, rest) == (plan, told_now)


@pytest.mark.parametrize("border", STARTING)
def test_what_starts_is_what_was_shown_after_a_kill(border: str) -> None:
    world = Rehearsal()
    people(world)
    world.preview()
    shown = planned_fields()
    mark = world.mark()
    world.start()

    die_at(world, border)
    world.sync(4)

    people_there = Counter(person["email"] for person in world.marketo.rows("person"))
    assert max(people_there.values()) == 1
    assert field_writes(world, mark) == shown
    assert not PendingWrite.objects.filter(state="planned").exists()
    assert world.quiet()


def test_a_record_asked_for_is_shown_and_then_made() -> None:
    world = busy()
    world.preview()
    planned = {name: value for (side, target, name), value in planned_fields().items() if target.isdigit()}
    assert planned["lastname"] == "Alone"
    write = PendingWrite.objects.get(side="dynamics", op="create")
    mark = world.mark()

    world.start()
    world.sync(2)

    made = world.dynamics.get("lead", world.made_in_dynamics(mark))
    assert made is not None
    assert {name: made[name] for name in write.values} == write.values
    assert world.ours("dynamics") > 0


def test_a_record_that_could_not_be_made_is_expected_to_fail() -> None:
    world = Rehearsal()
    person = world.marketo.create("person", {"email": "nameless@fjord.example"})
    world.request(person)
    world.preview()

    row = Failure.objects.get(closed_at=None)
    assert (row.cause, row.side, row.subject) == ("last_name_missing", "dynamics", f"marketo:{person}")
    assert not PendingWrite.objects.filter(op="create").exists()
