"""Watches each run from outside: which values a merge cannot but have met, and which edits stood alone.

Believes only runs that nobody disturbed and that ended well: what stood there before such a run was read by it. What is
doubtful is never held against the product, so it says less than there is, and nothing wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from syncadmin.engine.fields import FieldPair
from syncadmin.proof.people import BY_COLUMN, FILTER, Field, plain
from syncadmin.proof.world import World, pairs_in_force
from syncadmin.sandbox.truth import Truth
from syncadmin.store import fieldsets, options
from syncadmin.store.models import Link, Run

OURS = "api:sandbox"
SIDES = ("dynamics", "marketo")
_NOTHING = (None, False)
_WELL = ("200", "201", "204")


@dataclass(frozen=True, slots=True)
class Couple:
    """A record and a person that are linked and alive."""

    link: int
    table: str
    guid: str
    person: str


@dataclass(frozen=True, slots=True)
class Met:
    """A value that differed from the other side's when a run began that read both."""

    couple: Couple
    column: str
    side: str
    value: Any


class Witness:
    """One for each schedule. ``met``: what a merge has met so far; ``undone``: one-sided edits that we replaced."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.couples: list[Couple] = []
        self.met: dict[Met, str] = {}
        self.undone: list[str] = []
        self._clean: list[datetime] = []
        # Where both sides were last known to agree: how far each truth log was then.
        self._agreed: dict[tuple[Couple, str], tuple[int, int]] = {}

    def run(self) -> None:
        """One run, watched."""
        world, before, calls, born = self._world, self._ends(), len(self._world.wire.calls), self._world.born
        pairs = [pair for pair in pairs_in_force() if not pair.paused]
        self._forget_paused({pair.dynamics for pair in pairs})
        stood = {couple: dict(self._standing(couple, pairs)) for couple in self.couples}
        calm, begun = self._undisturbed(), world.clock()
        done = world.run()
        self.couples = list(_couples(world))
        # One that a dead worker had begun need not read anew what that one had read.
        own = done is not None and done.started_at >= begun
        clean = calm and own and self._ended_well(done, calls, born) and not self._somebody_else(before)
        self.undone += self._replaced_alone()
        if not clean:
            return
        self._clean.append(begun)
        # Where a run has noticed that a type has changed, what was read is not what anybody wrote.
        stopped = fieldsets.paused()
        pairs = [pair for pair in pairs if pair.key not in stopped]
        for couple in [one for one in stood if one in self.couples]:
            found = [one for one in _apart(couple, stood[couple]) if any(one.column == pair.dynamics for pair in pairs)]
            self.met.update({one: f"{world.clock():%H:%M:%S}" for one in found})
        self._agree(pairs)

    def _forget_paused(self, going: set[str]) -> None:
        """A column that comes back after a pause begins anew with first contact, which knows of no edits."""
        self._agreed = {place: ends for place, ends in self._agreed.items() if place[1] in going}

    def _ends(self) -> tuple[int, int]:
        return self._world.dynamics.truth.last_id, self._world.marketo.truth.last_id

    def _undisturbed(self) -> bool:
        """No trouble is ordered, nothing of ours or of Marketo's is still under way, and the loop is not paused.

        A run of a paused loop ends well and reads nothing.
        """
        world = self._world
        ordered = world.dynamics.faults.waiting() or world.marketo.faults.waiting()
        return not (ordered or world.wire.late or self._lines_held_back() or options.read().paused)

    def has_read(self, since: datetime, until: datetime) -> bool:
        """Whether a run that nobody disturbed went by between the two."""
        return any(since <= begun < until for begun in self._clean)

    def stands(self, met: Met) -> bool:
        """Whether the value stands on either side now, or its record or person has gone its own way since."""
        if met.couple not in self.couples:
            return True
        row = self._world.dynamics.get(met.couple.table, met.couple.guid) or {}
        person = self._world.marketo.get("person", met.couple.person) or {}
        field, table = BY_COLUMN[met.column], met.couple.table
        here = plain(field, "dynamics", table, row.get(field.column))
        return met.value in (here, plain(field, "marketo", table, person.get(field.field)))

    def _lines_held_back(self) -> bool:
        return bool(self._world.marketo.state.store.table("late_activities"))

    def _ended_well(self, done: Run | None, calls: int, born: int) -> bool:
        if done is None or done.finished_at is None or done.complaint or done.message:
            return False
        world = self._world
        alone = world.born == born + 1
        return alone and self._undisturbed() and all(call.status in _WELL for call in world.wire.calls[calls:])

    def _somebody_else(self, before: tuple[int, int]) -> bool:
        logs = (self._world.dynamics.truth, self._world.marketo.truth)
        return any(entry.who != OURS for log, end in zip(logs, before, strict=True) for entry in log.since(end))

    def _standing(self, couple: Couple, pairs: list[FieldPair]) -> Iterator[tuple[str, tuple[Any, Any]]]:
        """What stands on both sides in each column that is known on both."""
        row = self._world.dynamics.get(couple.table, couple.guid)
        person = self._world.marketo.get("person", couple.person)
        if row is None or person is None:
            return
        for pair in [one for one in pairs if one.table == couple.table]:
            raw = person.get(pair.marketo)
            # What an account leaves out of its answers is not known to be empty.
            if raw is None and not self._world.marketo.state.knobs.empty_fields:
                continue
            field = BY_COLUMN[pair.dynamics]
            yield (
                pair.dynamics,
                (
                    plain(field, "dynamics", couple.table, row.get(pair.dynamics)),
                    plain(field, "marketo", couple.table, raw),
                ),
            )

    def _agree(self, pairs: list[FieldPair]) -> None:
        ends = self._ends()
        for couple in self.couples:
            for column, (d, m) in self._standing(couple, pairs):
                if d == m:
                    self._agreed[couple, column] = ends

    def _replaced_alone(self) -> Iterator[str]:
        """Edits of one side alone since both last agreed that a write of ours replaced on that side."""
        for (couple, column), ends in list(self._agreed.items()):
            since = self._since(couple, ends)
            if couple not in self.couples or any(_turns(entry) for one in since for entry in one):
                del self._agreed[couple, column]
                continue
            for position, side in enumerate(SIDES):
                mine, other = (_of(BY_COLUMN[column], since[place], SIDES[place]) for place in (position, 1 - position))
                if any(entry.who != OURS for entry in other):
                    continue
                for edit, write in pairwise(mine):
                    if edit.who != OURS and write.who == OURS and _differ(column, side, edit, write):
                        yield (
                            f"5: {side} {write.record} was edited alone, and our write at {write.at:%H:%M:%S} replaced"
                            f" {column} {write.old!r} by {write.new!r}"
                        )

    def _since(self, couple: Couple, ends: tuple[int, int]) -> tuple[list[Truth], list[Truth]]:
        d = self._world.dynamics.truth.of(couple.table, couple.guid)
        m = self._world.marketo.truth.of("person", couple.person)
        return _after(d, ends[0]), _after(m, ends[1])


def _couples(world: World) -> Iterator[Couple]:
    for link in Link.objects.filter(stopped=False, dynamics_deleted=False, marketo_deleted=False).order_by("id"):
        if link.dynamics is None or link.marketo is None:
            continue
        couple = Couple(link.pk, link.table, str(link.dynamics), str(link.marketo))
        row, person = world.dynamics.get(couple.table, couple.guid), world.marketo.get("person", couple.person)
        if row is not None and person is not None and not row.get("merged") and row.get(FILTER) is not False:
            yield couple


def _after(log: list[Truth], end: int) -> list[Truth]:
    """The newest entries of a log in order; most often there are none."""
    if not log or log[-1].id <= end:
        return []
    return [one for one in log if one.id > end]


def _apart(couple: Couple, standing: dict[str, tuple[Any, Any]]) -> Iterator[Met]:
    for column, values in standing.items():
        if values[0] != values[1]:
            found = zip(SIDES, values, strict=True)
            yield from (Met(couple, column, side, value) for side, value in found if value not in _NOTHING)


def _turns(entry: Truth) -> bool:
    """A life's turn: created anew, deleted, merged, qualified, let in or out; who edited what is another story then."""
    return entry.action not in ("update", "activity") or entry.field == FILTER


def _of(field: Field, entries: list[Truth], side: str) -> list[Truth]:
    name = field.column if side == "dynamics" else field.field
    return [entry for entry in entries if entry.field == name]


def _differ(column: str, side: str, edit: Truth, write: Truth) -> bool:
    field = BY_COLUMN[column]
    return bool(plain(field, side, edit.entity, write.old) != plain(field, side, edit.entity, write.new))
