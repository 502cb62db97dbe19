"""The engine floor's world: one link of a few fields, both sides, a change feed that may be late, writes that get lost.

The engine decides every merge and settles every receipt. What carries its decisions out is modelled here in plain
words; the truth (what stood where, who put it there, what our writes replaced) is kept beside it, for the oracle.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from syncadmin.engine.fields import Bound, Direction, FieldPair, Winner, pair_key
from syncadmin.engine.merge import Agreed, FieldResult, FieldState, FirstContact, Held, OpenReceipt, Verdict, merge_link
from syncadmin.engine.plan import plan_link
from syncadmin.engine.receipts import LineSeen, SentReceipt, Settled, left_ours, overtaken, settle
from syncadmin.engine.records import Side, Table
from syncadmin.engine.schema import Column, Kind

D, M = Side.DYNAMICS, Side.MARKETO
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PATIENCE = timedelta(minutes=15)
# What stays where it is gets a line with both its values, but for these: they pass by themselves or have a failure.
_UNTOLD = frozenset({Held.RECEIPT, Held.FIRST_BLANKS, Held.FAILURE, Held.SHARED_COLUMN})
_RULES: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"winner": Winner.DYNAMICS},
    {"winner": Winner.MARKETO},
    {"blanks_travel": False},
    {"direction": Direction.TO_MARKETO},
)


def bounds(table: Table) -> tuple[Bound, ...]:
    """One pair for each set of rules."""
    found = []
    for number, rules in enumerate(_RULES):
        here = Column(D, table, f"c{number}", f"Column {number}", Kind.TEXT)
        there = Column(M, Table.PERSON, f"f{number}", f"Field {number}", Kind.TEXT)
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
    guid: str = ""


@dataclass(slots=True)
class Cell:
    """One field: what stands on both sides, what we last read of it, and what we remember."""

    bound: Bound
    real: dict[Side, str | None]
    seen: dict[Side, str | None]
    agreed: Agreed | None = None
    receipts: list[Sent] = field(default_factory=list)
    back: tuple[str | None] | None = None
    blocked: dict[Side, Any] = field(default_factory=dict)
    paused: bool = False
    noted: set[str | None] = field(default_factory=set)
    replaced: list[str | None] = field(default_factory=list)
    judged: set[str | None] = field(default_factory=set)
    decided: tuple[Side, str | None] | None = None
    lost_write: FieldResult | None = None

    def open_receipt(self) -> OpenReceipt | None:
        waiting = [one for one in self.receipts if not one.done]
        if not waiting:
            return None
        last = waiting[-1]
        return OpenReceipt(last.told.replaced, last.told.sent, left_ours(last.told, last.lines))

    def state(self) -> FieldState:
        bound = self.bound
        if self.paused:
            bound = replace(bound, pair=replace(bound.pair, paused="the column is gone"))
        d, m = self.seen[D], self.seen[M]
        return FieldState(
            bound, self.agreed, d, m, receipt=self.open_receipt(), blocked=self.blocked,
            d_known=not self.paused, m_known=not self.paused,
        )  # fmt: skip


class Link:
    """A linked pair and the sync's memory of it."""

    def __init__(self, table: Table, values: list[tuple[str | None, str | None]], marks: bool = True) -> None:
        self.table, self.now, self.guid, self.marks = table, START, 0, marks
        self.cells = [
            Cell(bound, {D: d, M: m}, {D: d, M: m}) for bound, (d, m) in zip(BOUNDS[table], values, strict=True)
        ]
        self.fresh = {D: True, M: True}
        self.feed: list[tuple[datetime, int, LineSeen]] = []
        self.writes = 0

    # -- everybody else

    def edit(self, at: int, side: Side, value: str | None, late: float = 0.0) -> None:
        cell = self.cells[at]
        if side is M:
            self._line(at, cell.real[M], value, ours=False, late=late)
        cell.real[side] = value
        self.fresh[side] = False

    def _line(self, at: int, old: str | None, new: str | None, *, ours: bool, late: float) -> None:
        self.guid += 1
        line = LineSeen(str(self.guid), self.now, old, new, ours)
        self.feed.append((self.now + timedelta(seconds=late), at, line))

    # -- reading

    def read(self, side: Side) -> None:
        for cell in self.cells:
            if not cell.paused:
                cell.seen[side] = cell.real[side]
        self.fresh[side] = True

    def pull(self) -> None:
        """Dynamics by its change feed; Marketo by the lines that have come, whose people are then read."""
        self.read(D)
        come = [entry for entry in self.feed if entry[0] <= self.now]
        self.feed = [entry for entry in self.feed if entry[0] > self.now]
        for _, at, line in come:
            wrote = self._written_by(self.cells[at].receipts, line)
            for receipt in self.cells[at].receipts:
                mine = receipt is wrote
                # What came too late for the settlement is judged all the same, if it is our own line.
                if not receipt.over and (mine or not receipt.done):
                    receipt.lines.append(replace(line, ours=mine))
                    receipt.done = False
        if any(not line.ours for _, _, line in come):
            self.read(M)

    def _written_by(self, receipts: list[Sent], line: LineSeen) -> Sent | None:
        """By the request's id where the account tells it, else the nearest in time that sent this value."""
        if not line.ours:
            return None
        if self.marks:
            return next((one for one in receipts if one.guid == line.guid), None)
        before = [one for one in receipts if line.new == one.told.sent and line.at >= one.told.at]
        return min(before, key=lambda one: line.at - one.told.at, default=None)

    def settle(self, *, by_age: bool = False) -> None:
        """Every receipt that its lines, or with ``by_age`` its age, can settle."""
        if by_age and any(not one.done for cell in self.cells for one in cell.receipts):
            self.read(M)
        for cell in self.cells:
            for receipt in cell.receipts:
                looked = by_age or any(not line.ours for line in receipt.lines)
                if receipt.done:
                    continue
                self._settle(cell, receipt, looked)
            cell.receipts = [one for one in cell.receipts if not one.done or self.now - one.told.at < PATIENCE * 8]

    def _settle(self, cell: Cell, receipt: Sent, looked: bool) -> None:
        # Only what was sent before it: a value of ours that came later may be somebody's, too, when this one replaces it.
        sent_before = cell.receipts[: cell.receipts.index(receipt)]
        earlier = [value for one in sent_before for value in (one.told.sent, one.told.replaced)]
        how = settle(
            receipt.told, receipt.lines, cell.seen[M], self.now, PATIENCE, known=looked, earlier=tuple(earlier)
        )
        if how.kind is Settled.OPEN:
            return
        was_done, receipt.done = receipt.done, True
        receipt.over = how.kind in (Settled.CONFIRMED, Settled.OVERTAKEN)
        if how.kind is Settled.OVERTAKEN:
            self._overtaken(cell, receipt, how.value)
        elif how.kind is Settled.DROPPED and not was_done:
            cell.agreed, cell.blocked = receipt.before, {M: receipt.told.sent}

    def _overtaken(self, cell: Cell, receipt: Sent, value: Any) -> None:
        cell.noted |= {_text(value), _text(receipt.told.sent)}
        agreed = cell.agreed or Agreed(receipt.told.sent, receipt.told.sent)
        stands = cell.seen[M] == receipt.told.sent
        found = overtaken(cell.bound, receipt.told, agreed, value, stands=stands, table=self.table)
        if found.to is M:
            cell.back = (_text(found.sent),)

    # -- merging and writing

    def merge(self, side: Side) -> dict[str, FieldResult]:
        """One merge of everything seen; what agrees is agreed, what is to be written to ``side`` is answered."""
        results = merge_link([cell.state() for cell in self.cells], table=self.table, first=FirstContact.RULE)
        plan = plan_link([cell.bound for cell in self.cells], results)
        for cell, result in zip(self.cells, results, strict=True):
            self._remember(cell, result)
        return dict(plan.writes[side])

    def _remember(self, cell: Cell, result: FieldResult) -> None:
        self._supersede(cell, result)
        lost = cell.lost_write
        if lost is not None and lost.to is not None and cell.seen[lost.to] != lost.replaced:
            # It arrived, or somebody edited after it or instead of it: told in any case.
            cell.noted |= {_text(lost.replaced), _text(lost.sent)}
            cell.lost_write = None
        if result.verdict is Verdict.AGREE:
            cell.agreed = result.agreed
        if result.held is not None and result.held not in _UNTOLD:
            cell.noted |= {cell.seen[D], cell.seen[M]}
        if result.collision is not None:
            told = result.collision
            cell.noted |= {_text(value) for value in (told.d, told.m, told.agreed_d, told.agreed_m)}

    def _supersede(self, cell: Cell, result: FieldResult) -> None:
        """What was decided and never got there is told when its source has moved on."""
        if cell.decided is not None and cell.seen[cell.decided[0]] != cell.decided[1]:
            cell.noted.add(cell.decided[1])
            cell.decided = None
        if result.verdict is Verdict.WRITE and result.to is not None:
            cell.decided = (result.to.other, _text(result.source))
            cell.judged.add(_text(result.source))
        if result.collision is not None or result.held is not None:
            cell.judged |= {cell.seen[D], cell.seen[M]}

    def push_dynamics(self, lost: bool) -> None:
        """With the version that was read: whoever was faster is read and merged first."""
        writes = self.merge(D)
        if writes and not self.fresh[D]:
            self.read(D)
            writes = self.merge(D)
        self.fresh[D] = self.fresh[D] and not (writes and lost)
        for cell in self.cells:
            result = writes.get(cell.bound.column.name)
            if result is not None:
                self._put(cell, D, result, lost)

    def push_marketo(self, rival: tuple[int, str | None] | None, lost: bool, dropped: bool, late: float) -> None:
        """Read, merged again, written; a rival may act in between, Marketo may ignore the call, its answer be lost."""
        if not (self.merge(M) or any(cell.back for cell in self.cells)):
            return
        self.read(M)
        writes = self.merge(M)
        self._restore(writes)
        if rival is not None:
            self.edit(rival[0], M, rival[1], late)
        for at, cell in enumerate(self.cells):
            result = writes.get(cell.bound.field.name)
            if result is not None:
                self._send(at, cell, result, lost=lost, dropped=dropped, late=late)

    def _restore(self, writes: dict[str, FieldResult]) -> None:
        """What our write replaced unseen, and the rule lets win, goes back first."""
        for cell in self.cells:
            if cell.back is None:
                continue
            (value,), cell.back = cell.back, None
            name = cell.bound.field.name
            if name not in writes and cell.seen[M] != value and not cell.paused:
                replaced = cell.seen[M]
                writes[name] = FieldResult(
                    cell.bound.pair.key, Verdict.WRITE, None, M, value, value, value, replaced, cell.agreed
                )

    def _send(self, at: int, cell: Cell, result: FieldResult, *, lost: bool, dropped: bool, late: float) -> None:
        told = SentReceipt(result.sent, result.replaced, self.now)
        if dropped:
            self._accept(cell, M, result)
            cell.receipts.append(Sent(told, cell.agreed))
            return
        before, guid = cell.agreed, str(self.guid + 1)
        self._line(at, cell.real[M], _text(result.raw), ours=True, late=late)
        self._put(cell, M, result, lost)
        cell.receipts.append(Sent(told, before, guid=guid))

    def _put(self, cell: Cell, side: Side, result: FieldResult, lost: bool) -> None:
        self.writes += 1
        if cell.real[side] != result.raw:
            cell.replaced.append(cell.real[side])
        cell.real[side] = _text(result.raw)
        if lost:
            cell.lost_write = result
            if side is M:
                self.read(M)
        else:
            self._accept(cell, side, result)

    def _accept(self, cell: Cell, side: Side, result: FieldResult) -> None:
        cell.noted |= {_text(result.replaced), _text(result.sent)}
        cell.decided = None
        cell.seen[side] = _text(result.raw)
        if result.agreed is not None:
            cell.agreed = result.agreed


def _text(value: object) -> str | None:
    """All fields of this world are texts."""
    return None if value is None else str(value)
