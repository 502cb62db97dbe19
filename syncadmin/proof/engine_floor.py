"""The engine floor: plan, merge and receipts over a small modelled world, thousands of schedules a second a core.

Checked after each: convergence and silence (1, 2), nothing lost (3), the collision rule (4), edits of different fields
(5), nothing blanked that nobody emptied (11), a paused pair left alone (13).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from syncadmin.engine.fields import Direction, Winner
from syncadmin.engine.records import Side, Table
from syncadmin.engine.schema import Kind
from syncadmin.proof.cells import KINDS, Cell, Value
from syncadmin.proof.model import PATIENCE, Link

D, M = Side.DYNAMICS, Side.MARKETO
_FIELDS = len(KINDS)


@dataclass(slots=True)
class Played:
    """What came of one schedule of the engine floor."""

    seed: int
    broken: list[str] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)


class _Schedule:
    def __init__(self, seed: int) -> None:
        self.chance = random.Random(f"engine/{seed}")
        self.number = 0
        self.emptied: set[tuple[int, Side]] = set()
        self.trace: list[str] = []
        table = self.chance.choice([Table.LEAD, Table.CONTACT])
        values = [(self.value(at, D, first=True), self.value(at, M)) for at in range(_FIELDS)]
        self.link = Link(table, values, marks=self.chance.random() < 0.6)
        self.link.slow = self.chance.choice([0.0, 0.0, 5.0, 40.0])
        for cell in self.link.cells:
            cell.frozen = self.chance.random() < 0.03
        self.emptied |= {
            (at, side) for at, pair in enumerate(values) for side, one in zip((D, M), pair, strict=True) if one is None
        }
        self.trace.append(f"{table} {values}")

    def value(self, at: int, side: Side, *, first: bool = False) -> Value:
        self.number += 1
        draw = self.chance.randrange(6)
        if KINDS[at] is Kind.BOOLEAN:
            # Marketo knows no third value; nobody takes a given answer back in Dynamics.
            return (None, False, True)[draw % 3] if side is D and first else draw % 2 == 0
        return None if draw == 0 else f"s{self.number % 3}" if draw == 1 else f"v{self.number}"

    def edit(self) -> tuple[int, Side, Value]:
        at, side = self.chance.randrange(_FIELDS), self.chance.choice([D, M])
        value = self.value(at, side)
        if value is None:
            self.emptied.add((at, side))
        return at, side, value

    def round(self) -> None:
        """Some edits, then a run in which anything may fail."""
        link, chance = self.link, self.chance
        for _ in range(chance.randrange(4)):
            at, side, value = self.edit()
            late = chance.choice([0.0, 0.0, 400.0])
            link.edit(at, side, value, late)
            self.trace.append(f"{side} {at} := {value} late {late}")
        field = chance.randrange(_FIELDS)
        rival = (field, self.value(field, M)) if chance.random() < 0.3 else None
        if rival is not None and rival[1] is None:
            self.emptied.add((rival[0], M))
        fate = [chance.random() < 0.2 for _ in range(4)]
        late = chance.choice([0.0, 5.0, 2000.0])
        self.trace.append(f"run rival {rival} fate {fate} late {late}")
        if fate[3]:
            cell = link.cells[chance.randrange(_FIELDS)]
            retyped = chance.random() < 0.5
            if cell.paused:
                cell.heal()
            else:
                cell.pause(retyped=retyped)
        link.left_out = {(chance.randrange(_FIELDS), chance.choice([D, M]))} if chance.random() < 0.2 else set()
        link.pull()
        link.settle()
        link.push_dynamics(fate[0])
        link.push_marketo(rival, fate[1], fate[2] and rival is None, late)
        link.now += timedelta(seconds=chance.choice([10, 60, 900]))


def play(seed: int) -> Played:
    """One schedule, its calm, a round of collisions, and the calm after it."""
    schedule = _Schedule(seed)
    played = Played(seed, trace=schedule.trace)
    for _ in range(schedule.chance.randrange(1, 5)):
        schedule.round()
    played.broken += _calm(schedule)
    if not played.broken:
        played.broken += _collide(schedule)
    return played


def attempt(seed: int) -> Played:
    """As ``play``; what the engine raises is a failure like any other, and no end of a long series."""
    try:
        return play(seed)
    except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError) as error:
        return Played(seed, [f"0: {type(error).__name__}: {error}"])


def simulate(first: int, count: int) -> Iterator[Played]:
    for seed in range(first, first + count):
        yield attempt(seed)


def _calm(schedule: _Schedule) -> list[str]:
    """Whatever is late comes; three runs; then all holds and the next run writes nothing."""
    link = schedule.link
    kept = any(cell.paused for cell in link.cells)
    link.now += timedelta(hours=1)
    link.left_out = set()
    for _ in range(3):
        _run(link)
    broken = link.wrongs
    for cell in link.cells:
        if cell.paused:
            cell.heal()
    if kept:
        for _ in range(3):
            _run(link)
    for at, cell in enumerate(link.cells):
        broken += _convergence(at, cell)
        if cell.owed is not None and (cell.real[D], cell.real[M]) != cell.owed * 2:
            broken.append(f"4: field {at} was {cell.owed[0]!r} before our write, which should have lost to it")
        broken += _losses(schedule, at, cell)
    before = link.writes
    _run(link)
    return broken + ([f"2: {link.writes - before} writes in the run after the calm"] if link.writes != before else [])


def _run(link: Link) -> None:
    link.pull()
    link.settle()
    link.settle(by_age=True)
    link.read(M)
    link.push_dynamics(False)
    link.push_marketo(None, False, False, 0.0)
    link.push_dynamics(False)
    link.now += PATIENCE + timedelta(minutes=1)


def _convergence(at: int, cell: Cell) -> Iterator[str]:
    pair, (d, m) = cell.bound.pair, (cell.real[D], cell.real[M])
    if d == m or {d, m} == {None, False} or pair.direction is not Direction.BOTH or cell.blocked:
        return
    if not pair.blanks_travel and None in (d, m):
        return
    if not cell.frozen:
        yield f"1: field {at} stays {d!r} / {m!r}"


def _losses(schedule: _Schedule, at: int, cell: Cell) -> Iterator[str]:
    for value in [*cell.replaced, *(one for one in cell.unanswered if one not in cell.real.values())]:
        if value not in (None, False) and value not in cell.noted:
            yield f"3: field {at} lost {value!r}, and no history tells of it"
    for value in sorted(cell.judged - cell.noted - {None, False, cell.real[D], cell.real[M]}, key=str):
        yield f"3: field {at} once was {value!r}, which stands nowhere now, and no history tells of it"
    if not cell.bound.pair.consent and None in (cell.real[D], cell.real[M]) and not _was_empty(schedule, at):
        yield f"11: field {at} is {cell.real[D]!r} / {cell.real[M]!r}, and nobody had emptied it"


def _was_empty(schedule: _Schedule, at: int) -> bool:
    """Somebody emptied it, or it began empty on a side."""
    return any(where == at for where, _ in schedule.emptied)


def _collide(schedule: _Schedule) -> list[str]:
    """Both sides edit one field, and each side one more: the outcome is known beforehand."""
    link = schedule.link
    healthy = [
        at
        for at, cell in enumerate(link.cells)
        if cell.real[D] == cell.real[M]
        and not cell.bound.pair.consent
        and cell.agreed is not None
        and cell.bound.pair.direction is Direction.BOTH
        and not (cell.blocked or cell.frozen)
    ]
    if len(healthy) < 3:
        return []
    both, here, there = healthy[:3]
    link.edit(both, D, "bet d")
    link.edit(both, M, "bet m", schedule.chance.choice([0.0, 50.0]))
    link.edit(here, D, "here")
    link.edit(there, M, "there")
    link.pull()
    link.push_marketo(None, schedule.chance.random() < 0.3, False, 0.0)
    link.push_dynamics(schedule.chance.random() < 0.3)
    broken = _calm(schedule)
    wins = _winner(link, both)
    for at, value, number in ((both, wins, 4), (here, "here", 5), (there, "there", 5)):
        cell = link.cells[at]
        if (cell.real[D], cell.real[M]) != (value, value):
            broken.append(f"{number}: field {at} is {cell.real[D]!r} / {cell.real[M]!r}, not {value!r}")
    return broken


def _winner(link: Link, at: int) -> str:
    chosen = link.cells[at].bound.pair.winner
    if chosen is Winner.TABLE:
        return "bet m" if link.table is Table.LEAD else "bet d"
    return "bet m" if chosen is Winner.MARKETO else "bet d"
