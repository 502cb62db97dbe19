"""A world whose sync is set up but not started, and what is planned and written in it, field by field."""

from __future__ import annotations

from typing import Any

from syncadmin.services import preview, start, sync_person
from syncadmin.store import planned
from syncadmin.store.models import BudgetUse, FieldPair, PendingWrite, Setting
from tests.world import World

Place = tuple[str, str, str]
# Read for other reasons than a first reading: keeping up with changes, metadata, tokens.
_FIRST = ("full read", "look up", "extract")
# Dynamics puts these together itself from what is written.
_MADE_THERE = frozenset({"address1_composite", "fullname"})
_OURS = frozenset({"dynPersonGuid", "dynPersonType", "dynDeleted"})


class Rehearsal(World):
    """Everything but the start has been done."""

    def set_up(self, **chosen: Any) -> None:
        super().set_up(**chosen)
        Setting.objects.filter(name="started").delete()
        self.began = self.mark()

    def preview(self, runs: int = 3) -> None:
        """Asks, and lets the loop work until nothing is left."""
        preview.ask(who="ada", now=self.clock())
        for _ in range(runs):
            self.sync()

    def start(self) -> None:
        plan = planned.plan()
        start.as_shown(plan.rules if plan else "", who="ada", now=self.clock())

    def request(self, person: str) -> None:
        """Somebody puts a person on the list that asks for a record in Dynamics."""
        sync_person.queue([int(person)], sync_as="lead", source="list", now=self.clock())

    def made_in_dynamics(self, mark: tuple[int, int]) -> str:
        """The record we created there since a mark; empty if none."""
        made = [entry.record for entry in self.dynamics.truth.since(mark[0]) if entry.action == "create"]
        return made[0] if made else ""

    def reads(self) -> int:
        """Calls made for a first reading."""
        return sum(BudgetUse.objects.filter(purpose__in=_FIRST).values_list("calls", flat=True))


def people(world: World) -> dict[str, Any]:
    """Somebody of every sort: in step, to be created, filled in, colliding, ambiguous, failing, only in Marketo."""
    made = {
        "new": world.dynamics.create("lead", {"lastname": "New", "emailaddress1": "new@fjord.example"}),
        "match": world.dynamics.create(
            "lead", {"lastname": "Vik", "emailaddress1": "vik@fjord.example", "jobtitle": "Boss", "telephone1": "1"}
        ),
        "contact": world.dynamics.create(
            "contact", {"lastname": "Moe", "emailaddress1": "moe@fjord.example", "jobtitle": "Chief"}
        ),
        "twice": world.dynamics.create("lead", {"lastname": "Two", "emailaddress1": "two@fjord.example"}),
        "twin": world.dynamics.create("lead", {"lastname": "Two", "emailaddress1": "two@fjord.example"}),
    }
    made["vik"] = world.marketo.create(
        "person", {"email": "vik@fjord.example", "lastName": "Vik", "title": "Head", "city": "Oslo"}
    )
    made["moe"] = world.marketo.create(
        "person", {"email": "moe@fjord.example", "lastName": "Moe", "title": "Lead", "phone": "9" * 200}
    )
    made["alone"] = world.marketo.create("person", {"email": "alone@fjord.example", "lastName": "Alone"})
    return made


def planned_fields() -> dict[Place, Any]:
    """Every planned value, as (side, target record, column): a new person by the id of the record it is made for."""
    found: dict[Place, Any] = {}
    for write in PendingWrite.objects.filter(state="planned", op="update"):
        found |= {(write.side, write.target, column): value for column, value in write.values.items()}
    for write in PendingWrite.objects.filter(state="planned", op="create"):
        for key, told in write.fields.items():
            column = key.partition(".")[2].partition(":")[0 if write.side == "dynamics" else 2]
            if told["raw"] is not False:  # what a new person is without our saying so
                found[write.side, write.target, column] = told["raw"]
    return found


def field_writes(world: World, mark: tuple[int, int]) -> dict[Place, Any]:
    """Every value that really changed over there since a mark, through our interfaces, in the same words."""
    found: dict[Place, Any] = {}
    ours = _OURS | set(FieldPair.objects.values_list("marketo", flat=True))
    for side, sandbox, since in (("dynamics", world.dynamics, mark[0]), ("marketo", world.marketo, mark[1])):
        for entry in sandbox.truth.since(since):
            if not entry.who.startswith("api:"):
                continue
            if entry.action == "create":
                asked = entry.new["dynPersonGuid"] if side == "marketo" else entry.record
                given = {name: value for name, value in entry.new.items() if name in ours and value}
                found |= {(side, asked, name): value for name, value in given.items()}
            elif entry.action == "update" and entry.field and entry.field not in _MADE_THERE:
                found[side, entry.record, entry.field] = entry.new
    return found
