"""One field of the engine floor's world: what stands on both sides, what was read of it, and what is remembered."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from syncadmin.engine.fields import Bound, Direction, FieldPair, Winner, pair_key
from syncadmin.engine.merge import Agreed, FieldResult, FieldState, OpenReceipt
from syncadmin.engine.receipts import LineSeen, SentReceipt, left_ours
from syncadmin.engine.records import Side, Table
from syncadmin.engine.schema import Column, Kind

D, M = Side.DYNAMICS, Side.MARKETO
_RULES: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"winner": Winner.DYNAMICS},
    {"winner": Winner.MARKETO},
    {"blanks_travel": False},
    {"direction": Direction.TO_MARKETO},
    {"consent": True},
)
# The last one is a consent; all others are texts.
KINDS = (*[Kind.TEXT] * (len(_RULES) - 1), Kind.BOOLEAN)
Value = str | bool | None


def bounds(table: Table) -> tuple[Bound, ...]:
    """One pair for each set of rules."""
    found = []
    for number, (rules, kind) in enumerate(zip(_RULES, KINDS, strict=True)):
        here = Column(D, table, f"c{number}", f"Column {number}", kind)
        there = Column(M, Table.PERSON, f"f{number}", f"Field {number}", kind)
        pair = FieldPair(pair_key(table, here.name, there.name), table, here.name, there.name, **rules)
        found.append(Bound(pair, here, there, UTC))
    return tuple(found)


BOUNDS = {table: bounds(table) for table in (Table.LEAD, Table.CONTACT)}


@dataclass(slots=True, eq=False)
class Sent:
    """A write to Marketo that no line has confirmed yet."""

    told: SentReceipt
    before: Agreed | None
    lines: list[LineSeen] = field(default_factory=list)
    done: bool = False
    over: bool = False
    dropped: bool = False
    # Closed, and nobody knows whether Marketo ever carried it out.
    doubted: bool = False
    guid: str = ""


@dataclass(slots=True)
class Cell:
    """One field: what stands on both sides, what we last read of it, and what we remember."""

    bound: Bound
    real: dict[Side, Value]
    seen: dict[Side, Value]
    agreed: Agreed | None = None
    receipts: list[Sent] = field(default_factory=list)
    back: tuple[Value] | None = None
    blocked: dict[Side, Any] = field(default_factory=dict)
    paused: bool = False
    noted: set[Value] = field(default_factory=set)
    replaced: list[Value] = field(default_factory=list)
    # What writes without an answer replaced: where it stands again, nobody can know that they were carried out.
    unanswered: list[Value] = field(default_factory=list)
    judged: set[Value] = field(default_factory=set)
    decided: tuple[Side, Value] | None = None
    lost_writes: list[FieldResult] = field(default_factory=list)
    # What stood on both sides while something quietly held it apart.
    kept: dict[Side, Value] | None = None
    # Sides whose last answer left this field out; sides that people edited since both were last equal.
    absent: set[Side] = field(default_factory=set)
    edited: set[Side] = field(default_factory=set)
    touched: set[Side] = field(default_factory=set)
    # The column has another type while it is paused; Marketo lets nobody write the field.
    retyped: bool = False
    frozen: bool = False
    # What Marketo really dropped, and what our write overwrote unseen though its rule says that it wins.
    refused: set[Value] = field(default_factory=set)
    owed: tuple[Value] | None = None
    # An answer got lost: from then on we cannot know who was first, and nobody can hold us to it.
    clouded: bool = False
    # Marketo may answer a value from before our write for a few seconds.
    stale: tuple[datetime, Value] | None = None

    def open_receipt(self) -> OpenReceipt | None:
        waiting = [one for one in self.receipts if not one.done]
        if not waiting:
            return None
        last = waiting[-1]
        earlier = tuple(one.told.replaced for one in waiting[:-1])
        return OpenReceipt(last.told.replaced, last.told.sent, left_ours(last.told, last.lines), earlier)

    def state(self) -> FieldState:
        bound = self.bound
        if self.paused:
            bound = replace(bound, pair=replace(bound.pair, paused="the column is gone"))
        d, m = (None if side in self.absent else self.seen[side] for side in (D, M))
        return FieldState(
            bound, self.agreed, d, m, receipt=self.open_receipt(), blocked=self.blocked,
            d_known=self.known(D), m_known=self.known(M),
        )  # fmt: skip

    def known(self, side: Side) -> bool:
        """Whether the last answer of that side had this field."""
        return (self.retyped or not self.paused) and side not in self.absent

    def pause(self, *, retyped: bool) -> None:
        """The column goes, or comes back as another type."""
        self.paused, self.retyped = True, retyped

    def heal(self) -> None:
        """It is as it was; what stands there now has yet to be read."""
        self.paused = self.retyped = False
        self.absent = {D, M}

    def marketo_wins(self, table: Table, value: Value) -> bool:
        """By the rules as they are told to people."""
        pair = self.bound.pair
        if pair.direction is not Direction.BOTH or pair.consent or (value is None and not pair.blanks_travel):
            return False
        return pair.winner is Winner.MARKETO or (pair.winner is Winner.TABLE and table is Table.LEAD)

    def stands(self, side: Side, value: Value) -> None:
        """From now on this value stands there."""
        self.real[side] = value

    def meet(self) -> None:
        """Both sides are known to be equal: what is edited from now on is news."""
        if self.real[D] == self.real[M] and self.real == self.seen:
            self.edited.clear()

    def answers(self, side: Side, now: datetime) -> Value:
        """What a read says."""
        if side is M and self.stale is not None and now < self.stale[0]:
            return self.stale[1]
        return self.real[side]


def wrong(cell: Cell, side: Side, result: FieldResult) -> str:
    """What no write may ever do, whatever happened before; empty if this one does none of it."""
    pair, raw, there = cell.bound.pair, result.raw, cell.real[side]
    if cell.paused:
        return f"13: {pair.key} was written while its column was gone"
    if side is D and pair.direction is Direction.TO_MARKETO:
        return f"1: {pair.key} travels to Marketo only, and was written to Dynamics"
    if raw is None and there is not None and not pair.blanks_travel:
        return f"11: {pair.key} was emptied, and only filled values may travel"
    if raw is False and there is None and cell.seen[side] is None:
        return f"11: a false of {pair.key} filled what nobody had ever answered"
    if pair.consent and cell.agreed is None and cell.seen[side] is True and raw is not True:
        return f"4: {pair.key} lost a yes to a no on first contact"
    alone = cell.edited == {side} and not (cell.refused and side.other in cell.touched)
    if alone and cell.agreed is not None and not cell.clouded and result.rule is not None:
        return f"5: {pair.key} was edited in {side} alone, and {cell.real[side]!r} gave way to {raw!r}"
    return ""
