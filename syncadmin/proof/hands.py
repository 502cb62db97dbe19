"""Carries out what people do in the two systems, and what an administrator does here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from syncadmin.engine.fields import Direction, Winner
from syncadmin.proof import people
from syncadmin.proof.events import Event
from syncadmin.proof.people import EDITED, Field
from syncadmin.proof.world import World, pairs_in_force
from syncadmin.sandbox.dynamics.errors import ApiError as DynamicsRefusal
from syncadmin.sandbox.dynamics.seed import user_id
from syncadmin.sandbox.marketo.answers import ApiError as MarketoRefusal
from syncadmin.sandbox.marketo.answers import RowError
from syncadmin.services import choose_fields, resolve, sync_person
from syncadmin.store import options
from syncadmin.store.models import Decision, Failure

SYNC_LIST = "1207"
_REFUSALS = (DynamicsRefusal, MarketoRefusal, RowError, KeyError, ValueError)


class Hands:
    """Everybody but the sync."""

    def __init__(self, world: World) -> None:
        self.world, self.dynamics, self.marketo = world, world.dynamics, world.marketo
        self.deleted: list[tuple[str, str, dict[str, Any]]] = []
        self._deeds: dict[str, Callable[[Event], Any]] = {
            "birth": self._birth,
            "edit dynamics": lambda event: self._edit("dynamics", event, "person"),
            "edit marketo": lambda event: self._edit("marketo", event, "person"),
            "campaign": lambda event: self._edit("marketo", event, "campaign"),
            "blank": self._blank,
            "clash": lambda event: self._both(event, same_field=True),
            "apart": lambda event: self._both(event, same_field=False),
            "agree": self._agree,
            "delete dynamics": self._delete_record,
            "delete marketo": self._delete_person,
            "restore": self._restore,
            "merge dynamics": self._merge_records,
            "merge marketo": self._merge_people,
            "qualify": self._qualify,
            "close": lambda event: self._on_record(event, self.dynamics.deactivate),
            "reopen": lambda event: self._on_record(event, self.dynamics.reactivate),
            "assign": lambda event: self._on_record(event, self._assign),
            "filter": self._filter,
            "sync person": self._sync_person,
            "list": self._list,
            "pair rules": self._pair_rules,
            "pause": self._pause,
            "answer": self._answer,
            "release": self._release,
            "wait": lambda event: self.world.clock.sleep((1, 30, 200, 1000, 4000)[event.draws[0] % 5]),
        }

    def knows(self, kind: str) -> bool:
        return kind in self._deeds

    def do(self, event: Event) -> None:
        """What a system refuses to a person simply does not happen."""
        before = self.dynamics.truth.last_id, self.marketo.truth.last_id
        try:
            self._deeds[event.kind](event)
            self.world.trace.append(f"{event.kind} {event.number} {event.name}: {self._done(before)}")
        except _REFUSALS as refusal:
            self.world.trace.append(f"{event.kind} {event.number} refused: {refusal}")

    def _done(self, before: tuple[int, int]) -> str:
        """What the truth logs say of it."""
        entries = [*self.dynamics.truth.since(before[0]), *self.marketo.truth.since(before[1])]
        told = [
            f"{one.entity} {one.record} {one.action} {one.field or ''} {one.old!r} -> {one.new!r}"
            for one in entries
            if one.field is None or one.field in people.BY_COLUMN or one.field in people.BY_FIELD
        ]
        return "; ".join(text[:200] for text in told[:6])

    # -- whom

    def records(self) -> list[tuple[str, dict[str, Any]]]:
        found = [("lead", row) for row in self.dynamics.rows("lead")]
        return found + [("contact", row) for row in self.dynamics.rows("contact")]

    def _record(self, draw: int) -> tuple[str, str, dict[str, Any]]:
        found = self.records()
        if not found:
            raise KeyError("nobody is left in Dynamics")
        table, row = found[draw % len(found)]
        return table, str(row[f"{table}id"]), row

    def _person(self, draw: int) -> str:
        found = sorted(int(row["id"]) for row in self.marketo.rows("person"))
        if not found:
            raise KeyError("nobody is left in Marketo")
        return str(found[draw % len(found)])

    def partners(self) -> list[tuple[str, str, str]]:
        """Table, record and person that Marketo's own field says belong together."""
        ids = {str(row[f"{table}id"]): table for table, row in self.records()}
        return [
            (ids[guid], guid, str(row["id"]))
            for row in self.marketo.rows("person")
            if (guid := str(row.get("dynPersonGuid") or "").lower()) in ids
        ]

    def _couple(self, draw: int) -> tuple[str, str, str]:
        found = self.partners()
        if not found:
            raise KeyError("nobody is linked")
        return found[draw % len(found)]

    # -- births

    def _birth(self, event: Event) -> None:
        tag, mail = f"tag{event.number}", f"born{event.number}@sim.example"
        kind = event.name
        table = "contact" if kind == "contact" or event.draws[0] % 3 == 0 else "lead"
        there = {"lastname": f"Last {event.number}", "emailaddress1": mail, **self._values("dynamics", event, table)}
        here = {"lastName": f"Last {event.number}", "email": mail, **self._values("marketo", event, "lead")}
        there["middlename"] = here["middleName"] = tag
        if kind == "blank":
            there.pop("emailaddress1"), there.pop("firstname", None)
        if kind == "filtered":
            there[people.FILTER] = False
        if kind in ("person", "doubles"):
            self.marketo.create("person", here)
        if kind == "doubles":
            self.marketo.create("person", {**here, "middleName": f"{tag}b"})
        if kind == "both":
            self.marketo.create("person", here)
        if kind in ("person", "doubles"):
            return
        self.dynamics.create(table, there)
        if kind == "twins":
            self.dynamics.create("contact", {**_known(there, "contact"), "middlename": f"{tag}b"})

    def _values(self, side: str, event: Event, table: str) -> dict[str, Any]:
        """A few filled fields."""
        found: dict[str, Any] = {}
        for position, draw in enumerate(event.draws[1:5]):
            field = EDITED[draw % len(EDITED)]
            if table in field.tables and field.column not in ("lastname", "emailaddress1"):
                own = people.value(field, side, draw // 16, event.number * 10 + position)
                found[field.column if side == "dynamics" else field.field] = own
        return found

    # -- edits

    def _edit(self, side: str, event: Event, by: str) -> None:
        for position in range(1 + event.draws[0] % 2):
            whom, what, draw = event.draws[1], event.draws[2 + position], event.draws[4 + position]
            self._put(side, whom, _field(what), draw, event.number * 10 + position, by)

    def _put(self, side: str, whom: int, field: Field, draw: int, number: int, by: str = "person") -> None:
        value = people.value(field, side, draw, number)
        if side == "marketo":
            self.marketo.edit("person", self._person(whom), {field.field: value}, by=by)
            return
        table, id, _ = self._record(whom)
        if table in field.tables:
            self.dynamics.edit(table, id, {field.column: value}, by=by)

    def _blank(self, event: Event) -> None:
        field = people.TEXTS[event.draws[0] % len(people.TEXTS)]
        if event.draws[1] % 2:
            self.marketo.edit("person", self._person(event.draws[2]), {field.field: None})
            return
        table, id, _ = self._record(event.draws[2])
        if table in field.tables:
            self.dynamics.edit(table, id, {field.column: None})

    def _both(self, event: Event, *, same_field: bool) -> None:
        table, guid, person = self._couple(event.draws[0])
        here = _field(event.draws[1])
        there = here if same_field else _field(event.draws[2])
        if table in here.tables:
            value = people.value(here, "dynamics", event.draws[3], event.number * 10)
            self.dynamics.edit(table, guid, {here.column: value})
        value = people.value(there, "marketo", event.draws[4], event.number * 10 + 1)
        self.marketo.edit("person", person, {there.field: value})

    def _agree(self, event: Event) -> None:
        """Both sides come to the same value by themselves."""
        table, guid, person = self._couple(event.draws[0])
        field = people.TEXTS[event.draws[1] % len(people.TEXTS)]
        if table in field.tables:
            self.dynamics.edit(table, guid, {field.column: f"Same {event.number}"})
            self.marketo.edit("person", person, {field.field: f"Same {event.number}"})

    # -- lives

    def _on_record(self, event: Event, deed: Callable[[str, str], Any]) -> None:
        table, id, _ = self._record(event.draws[0])
        deed(table, id)

    def _assign(self, table: str, id: str) -> None:
        self.dynamics.assign(table, id, user_id("Sørensen"))

    def _delete_record(self, event: Event) -> None:
        table, id, row = self._record(event.draws[0])
        self.dynamics.delete(table, id)
        self.deleted.append((table, id, row))

    def _restore(self, event: Event) -> None:
        if self.deleted:
            table, id, row = self.deleted.pop(event.draws[0] % len(self.deleted))
            self.dynamics.restore(table, id, row)

    def _delete_person(self, event: Event) -> None:
        self.marketo.delete("person", self._person(event.draws[0]))

    def _merge_records(self, event: Event) -> None:
        table = "contact" if event.draws[0] % 2 else "lead"
        ids = [str(row[f"{table}id"]) for row in self.dynamics.rows(table)]
        if len(ids) > 1:
            master, loser = event.draws[1] % len(ids), event.draws[2] % (len(ids) - 1)
            self.dynamics.merge(table, ids[master], [id for id in ids if id != ids[master]][loser])

    def _merge_people(self, event: Event) -> None:
        winner = self._person(event.draws[0])
        loser = self._person(event.draws[1])
        if winner != loser:
            self.marketo.merge(winner, [loser])

    def _qualify(self, event: Event) -> None:
        open_ones = [str(row["leadid"]) for row in self.dynamics.rows("lead") if row.get("statecode") == 0]
        if open_ones:
            contact = event.draws[1] % 8 > 0
            self.dynamics.qualify(open_ones[event.draws[0] % len(open_ones)], contact=contact, account=False)

    def _filter(self, event: Event) -> None:
        table, id, row = self._record(event.draws[0])
        self.dynamics.edit(table, id, {people.FILTER: row.get(people.FILTER) is False})

    # -- here

    def _sync_person(self, event: Event) -> None:
        person = int(self._person(event.draws[0]))
        table = "contact" if event.draws[1] % 4 == 0 else "lead"
        assigned = ("", "", "ada.sorensen@sandbox.example", "gone.hansen@sandbox.example")[event.draws[2] % 4]
        asked = sync_person.Asked(person=person, sync_as=table, assign_to=assigned)  # type: ignore[arg-type]
        answer = self.world.ask(lambda ctx: sync_person.ask(ctx, asked))
        self.world.trace.append(f"sync person {person}: {answer and answer.status}")

    def _list(self, event: Event) -> None:
        self.marketo.add_to_list(SYNC_LIST, [self._person(event.draws[0])])

    def _pair_rules(self, event: Event) -> None:
        pairs = pairs_in_force()
        at = event.draws[0] % len(pairs)
        chosen = pairs[at]
        if chosen.dynamics in ("statecode", *people.TAG):
            return
        changed = replace(
            chosen,
            direction=list(Direction)[event.draws[1] % 3] if event.draws[1] % 2 else Direction.BOTH,
            winner=list(Winner)[event.draws[2] % 4],
            blanks_travel=event.draws[3] % 4 > 0,
        )
        choose_fields.save_fields([*pairs[:at], changed, *pairs[at + 1 :]], who="administrator", now=self.world.clock())

    def _pause(self, event: Event) -> None:
        now = self.world.clock()
        if options.read().paused:
            resolve.resume("administrator", now)
        else:
            resolve.pause("administrator", now)

    def _answer(self, event: Event) -> None:
        waiting = list(Decision.objects.filter(answered_at=None).order_by("id"))
        if waiting:
            asked = waiting[event.draws[0] % len(waiting)]
            choice = asked.choices[event.draws[1] % len(asked.choices)]
            try:
                resolve.answer(asked.pk, choice, "administrator", self.world.clock())
                self.world.trace.append(f"answered {asked.kind} with {choice}")
            except resolve.Refused as refused:
                self.world.trace.append(f"answer refused: {refused}")

    def _release(self, event: Event) -> None:
        waiting = list(Failure.objects.filter(closed_at=None).order_by("id").values_list("pk", flat=True))
        if waiting:
            resolve.release([waiting[event.draws[0] % len(waiting)]], "administrator", self.world.clock())


def _field(draw: int) -> Field:
    return EDITED[draw % len(EDITED)]


def _known(values: dict[str, Any], table: str) -> dict[str, Any]:
    """Without the columns the other table does not have."""
    return {
        name: value
        for name, value in values.items()
        if name not in people.BY_COLUMN or table in people.BY_COLUMN[name].tables
    }
