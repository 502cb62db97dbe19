"""One link between two systems, small enough to reach every branch, with an independent idea of what must happen.

Every field has a table of meanings: which raw values mean the same on which side. Edits pick a meaning and one of its
spellings; the expectation below knows meanings only, so it shares nothing with the engine's comparable forms.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from syncadmin.engine.fields import Bound, Direction, Winner
from syncadmin.engine.merge import Agreed, FieldResult, FieldState, FirstContact, Verdict, merge_field
from syncadmin.engine.records import Raw, Side, Table
from syncadmin.engine.schema import DateBehaviour, Kind
from tests.engine.cast import SOURCES, bind, column
from tests.engine.cast import field as person_field

D, M = Side.DYNAMICS, Side.MARKETO
EMPTY = 0

Meanings = tuple[tuple[tuple[Raw, ...], tuple[Raw, ...]], ...]
TEXTS: Meanings = (
    ((None, "", "  "), (None, "")),
    (("Kallas", " Kallas "), ("Kallas", "Kallas\n")),
    (("kallas",), ("kallas",)),
    (("Tamm 🎉",), ("Tamm 🎉",)),
)
# An address travels as typed, so either side may come to hold every spelling.
_IDA = ("Ida@x.example", "ida@X.example", "ida@x.example")
_ADA = ("ada@x.example", "Ada@x.example")
MAILS: Meanings = (((None, ""), (None,)), (_IDA, _IDA), (_ADA, _ADA))
MONEY: Meanings = (
    ((None,), (None,)),
    (("12.5000",), ("12.5", "12.50", "12.499")),
    (("7.0000",), ("7", 7)),
    (("0.0000",), ("0", 0)),
)
CHOICES: Meanings = (
    ((None,), (None, "")),
    ((1,), ("Web", "web ")),
    ((2,), ("Trade Show",)),
    ((3,), ("Word of Mouth",)),
)
DAYS: Meanings = (
    ((None,), (None,)),
    (("1984-11-29T23:00:00Z",), ("1984-11-30",)),
    (("1984-06-29T22:00:00Z",), ("1984-06-30",)),
)
FLAGS: Meanings = (((False, None), (False,)), ((True,), (True,)))


@dataclass(frozen=True)
class Cell:
    """A field of the world: its pair and what its values mean; the first row is the empty one."""

    bound: Bound
    meanings: Meanings

    def spell(self, side: Side, meaning: int, spelling: int) -> Raw:
        options = self.meanings[meaning % len(self.meanings)][side is M]
        return options[spelling % len(options)]

    def meaning(self, side: Side, raw: Raw) -> int:
        """Fails for a value that nobody wrote: nothing may be invented."""
        return next(
            n
            for n, row in enumerate(self.meanings)
            if any(raw is v or (raw == v and type(raw) is type(v)) for v in row[side is M])
        )


def cells(table: Table) -> list[Cell]:
    def named(name: str, kind: Kind, there: Kind, rules: dict[str, object], **facts: object) -> Bound:
        return bind(column(name, kind, table, **facts), person_field(name, there), **rules)

    day = {"behaviour": DateBehaviour.USER_LOCAL, "shows_date_only": True}
    return [
        Cell(named("text", Kind.TEXT, Kind.TEXT, {}), TEXTS),
        Cell(named("mail", Kind.EMAIL, Kind.EMAIL, {}), MAILS),
        Cell(named("money", Kind.MONEY, Kind.DECIMAL, {}, precision=2), MONEY),
        Cell(named("choice", Kind.CHOICE, Kind.TEXT, {"winner": Winner.DYNAMICS}, options=SOURCES), CHOICES),
        Cell(named("day", Kind.DATETIME, Kind.DATE, {"winner": Winner.MARKETO}, **day), DAYS),
        Cell(named("filled", Kind.TEXT, Kind.TEXT, {"blanks_travel": False}), TEXTS),
        Cell(named("out", Kind.TEXT, Kind.TEXT, {"direction": Direction.TO_MARKETO}), TEXTS),
        Cell(named("in", Kind.TEXT, Kind.TEXT, {"direction": Direction.TO_DYNAMICS}), TEXTS),
        Cell(named("flag", Kind.BOOLEAN, Kind.BOOLEAN, {}), FLAGS),
    ]


Merge = Callable[[FieldState, Table, FirstContact, frozenset[Side]], FieldResult]
Settle = Callable[[Agreed | None, FieldResult, bool], Agreed | None]


def real_merge(state: FieldState, table: Table, first: FirstContact, moved: frozenset[Side]) -> FieldResult:
    return merge_field(state, table=table, first=first)


def real_settle(before: Agreed | None, result: FieldResult, accepted: bool) -> Agreed | None:
    """What the services store: agreed now, or once the other side said yes."""
    done = result.verdict is Verdict.AGREE or (result.verdict is Verdict.WRITE and accepted)
    return result.agreed if done else before


@dataclass(frozen=True)
class Engine:
    """What the laws are asked about; planted bugs replace one of the two."""

    merge: Merge = real_merge
    settle: Settle = real_settle


@dataclass
class Place:
    """The current raw values of one cell, what is agreed, and which sides' versions moved since the last merge."""

    raw: dict[Side, Raw]
    agreed: Agreed | None = None
    moved: set[Side] = field(default_factory=lambda: {D, M})


class World:
    def __init__(self, engine: Engine, table: Table, seen: Counter[str] | None = None) -> None:
        self.engine, self.table, self.seen = engine, table, Counter() if seen is None else seen
        self.cells = cells(table)
        self.places = [Place({D: cell.spell(D, EMPTY, 0), M: cell.spell(M, EMPTY, 0)}) for cell in self.cells]
        self.base: list[int | None] = [None] * len(self.cells)
        # A Boolean knows no empty meaning, so its first contact has laws of its own and it starts agreed here.
        self.base[-1], self.places[-1].agreed = EMPTY, Agreed(False, False)

    def edit(self, at: int, side: Side, meaning: int, spelling: int) -> None:
        self.places[at].raw[side] = self.cells[at].spell(side, meaning, spelling)
        self.places[at].moved.add(side)

    def merge(self, lost: frozenset[int] = frozenset()) -> int:
        """One merge of all fields; writes of the fields in ``lost`` are refused. Returns how many were written."""
        return sum(self._merge_one(at, at in lost) for at in range(len(self.cells)))

    def _merge_one(self, at: int, lost: bool) -> int:
        cell, place = self.cells[at], self.places[at]
        meant = tuple(cell.meaning(side, place.raw[side]) for side in (D, M))
        state = FieldState(cell.bound, place.agreed, place.raw[D], place.raw[M])
        result = self.engine.merge(state, self.table, FirstContact.RULE, frozenset(place.moved))
        self.seen[result.verdict] += 1
        self.seen[result.rule or result.held or "-"] += 1
        place.moved.clear()
        if result.verdict is Verdict.WRITE and not lost:
            place.raw[result.to] = stored(cell, result.to, result.raw)
            place.moved.add(result.to)
        place.agreed = self.engine.settle(place.agreed, result, not lost)
        wanted = expected(cell.bound, self.base[at], *meant, self.table)
        if lost and wanted != meant:
            wanted = meant
        elif wanted[0] == wanted[1]:
            self.base[at] = wanted[0]
        now = tuple(cell.meaning(side, place.raw[side]) for side in (D, M))
        assert now == wanted, f"{cell.bound.pair.key}: {meant} became {now}, not {wanted}"
        return result.verdict is Verdict.WRITE


def stored(cell: Cell, side: Side, raw: Raw) -> Raw:
    """What the system over there keeps of a value: Dynamics answers money with four decimals."""
    if side is D and cell.bound.column.kind is Kind.MONEY and raw is not None:
        return f"{Decimal(str(raw)):.4f}"
    return raw


def expected(bound: Bound, base: int | None, d: int, m: int, table: Table) -> tuple[int, int]:
    """The two meanings after one merge, from the rules in plain words."""
    pair = bound.pair
    if d == m:
        return d, m
    if pair.direction is Direction.TO_MARKETO:
        return (d, d) if d != (base or EMPTY) else (d, m)
    if pair.direction is Direction.TO_DYNAMICS:
        return (m, m) if m != (base or EMPTY) else (d, m)
    wins = {Winner.DYNAMICS: d, Winner.MARKETO: m}.get(pair.winner, m if table is Table.LEAD else d)
    if base is None:
        wins = d if m == EMPTY else m if d == EMPTY else wins
    elif m == base:
        wins = d
    elif d == base:
        wins = m
    elif not pair.blanks_travel:
        wins = d or m if EMPTY in (d, m) else wins
    if wins == EMPTY and not pair.blanks_travel:
        return d, m
    return wins, wins
