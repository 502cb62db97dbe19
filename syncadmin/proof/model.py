"""The engine floor's world: one link of a few fields, both sides, a change feed that may be late, writes that get lost.

The engine decides every merge and settles every receipt. What carries its decisions out is modelled here in plain
words; the truth (what stood where, who put it there, what our writes replaced) is kept beside it, for the oracle.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from syncadmin.engine.merge import Agreed, FieldResult, FirstContact, Held, Verdict, merge_link
from syncadmin.engine.plan import plan_link
from syncadmin.engine.receipts import LineSeen, SentReceipt, Settled, left_ours, overtaken, settle
from syncadmin.engine.records import Side, Table
from syncadmin.proof.cells import BOUNDS, Cell, D, M, Sent, Value, wrong

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PATIENCE = timedelta(minutes=15)
# What stays where it is gets a line with both its values, but for these: they pass by themselves or have a failure.
_UNTOLD = frozenset({Held.RECEIPT, Held.FIRST_BLANKS, Held.FAILURE, Held.SHARED_COLUMN})
# Of these it is told what stood there once it changes.
_PASSING = _UNTOLD - {Held.RECEIPT}


class Link:
    """A linked pair and the sync's memory of it."""

    def __init__(self, table: Table, values: list[tuple[Value, Value]], marks: bool = True) -> None:
        self.table, self.now, self.guid, self.marks = table, START, 0, marks
        self.cells = [
            Cell(bound, {D: d, M: m}, {D: d, M: m}) for bound, (d, m) in zip(BOUNDS[table], values, strict=True)
        ]
        self.fresh = {D: True, M: True}
        self.feed: list[tuple[datetime, int, LineSeen]] = []
        self.writes = 0
        # Fields that the answers to the next reads leave out, and what a write did that none may do.
        self.left_out: set[tuple[int, Side]] = set()
        self.wrongs: list[str] = []
        self.slow = 0.0

    # -- everybody else

    def edit(self, at: int, side: Side, value: Value, late: float = 0.0) -> None:
        cell = self.cells[at]
        if side is M:
            self._line(at, cell.real[M], value, ours=False, late=late)
        cell.edited.add(side)
        cell.touched.add(side)
        cell.stands(side, value)
        cell.owed = None
        if side is M:
            cell.stale = None
        self.fresh[side] = False

    def _line(self, at: int, old: Value, new: Value, *, ours: bool, late: float) -> None:
        self.guid += 1
        if old == new:
            return
        line = LineSeen(str(self.guid), self.now, old, new, ours)
        self.feed.append((self.now + timedelta(seconds=late), at, line))

    # -- reading

    def read(self, side: Side) -> None:
        for at, cell in enumerate(self.cells):
            if (at, side) in self.left_out:
                cell.absent.add(side)
            elif cell.retyped or not cell.paused:
                cell.absent.discard(side)
                cell.seen[side] = cell.answers(side, self.now)
        self.fresh[side] = True

    def pull(self) -> None:
        """Dynamics by its change feed; Marketo by the lines that have come, whose people are then read."""
        self.read(D)
        come = [entry for entry in self.feed if entry[0] <= self.now]
        self.feed = [entry for entry in self.feed if entry[0] > self.now]
        for _, at, line in come:
            wrote = self._written_by(self.cells[at].receipts, line)
            self.cells[at].stale = None
            # Our own line concerns its own receipt alone; what came too late for a settlement is judged all the same.
            for receipt in self.cells[at].receipts if wrote is None else [wrote]:
                if not receipt.over and (receipt is wrote or not receipt.done):
                    receipt.lines.append(replace(line, ours=receipt is wrote))
                    receipt.done = False
        # An echo of what we believe to stand there tells nothing new; whatever else moved, the person is read.
        if any(not line.ours or line.new != self.cells[at].seen[M] for _, at, line in come):
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
                self._settle(cell, receipt, looked and cell.known(M))
            cell.receipts = [one for one in cell.receipts if not one.done or self.now - one.told.at < PATIENCE * 8]

    def _settle(self, cell: Cell, receipt: Sent, looked: bool) -> None:
        # Only what was sent before it: a value of ours that came later may be somebody's, too, when this one replaces it.
        position = cell.receipts.index(receipt)
        sent_before, sent_after = cell.receipts[:position], cell.receipts[position + 1 :]
        sent_before = [one for one in sent_before if not one.done or one.doubted]
        earlier = [value for one in sent_before for value in (one.told.sent, one.told.replaced)]
        how = settle(
            receipt.told, receipt.lines, cell.seen[M], self.now, PATIENCE, known=looked, earlier=tuple(earlier),
            earlier_open=not all(one.done for one in sent_before),
        )  # fmt: skip
        if how.kind is Settled.OPEN:
            return
        was_done, receipt.done = receipt.done, True
        receipt.doubted = how.kind is Settled.CHANGED and not left_ours(receipt.told, receipt.lines)
        receipt.over = how.kind in (Settled.CONFIRMED, Settled.OVERTAKEN)
        if how.kind is Settled.OVERTAKEN:
            self._overtaken(cell, receipt, how.value)
        elif how.kind is Settled.DROPPED and not was_done:
            self._dropped(cell, receipt, sent_after)

    def _dropped(self, cell: Cell, receipt: Sent, later: list[Sent]) -> None:
        if any(one.done and not one.dropped for one in later):
            return
        later = [one for one in later if not one.done]
        if later:
            later[0].before = receipt.before
            later[0].told = replace(later[0].told, replaced=receipt.told.replaced)
            return
        receipt.dropped = True
        cell.agreed, cell.blocked = receipt.before, {M: receipt.told.sent}
        # Whoever edited that field in Marketo may have put the old value back, and the line is still to come.
        if receipt.told.sent not in cell.refused and M not in cell.touched:
            self.wrongs.append(f"1: {cell.bound.pair.key} is held as dropped by Marketo, which took it")

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
        self._give_way(cell, result)
        for lost in [one for one in cell.lost_writes if one.to and cell.seen[one.to] != one.replaced]:
            # It arrived, or somebody edited after it or instead of it: told in any case.
            cell.noted |= {_text(lost.replaced), _text(lost.sent)}
            cell.lost_writes.remove(lost)
        if result.verdict is Verdict.AGREE:
            cell.agreed = result.agreed
            cell.meet()
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

    def _give_way(self, cell: Cell, result: FieldResult) -> None:
        """What was quietly held is told once its own side has replaced it; an answer that leaves it out says nothing."""
        if result.verdict is Verdict.NOTHING and not (cell.known(D) and cell.known(M)):
            return
        if cell.kept is not None:
            cell.noted |= {held for side, held in cell.kept.items() if cell.known(side) and held != cell.seen[side]}
        cell.kept = dict(cell.seen) if result.held in _PASSING or result.verdict is Verdict.FAILED else None

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

    def push_marketo(self, rival: tuple[int, Value] | None, lost: bool, dropped: bool, late: float) -> None:
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
            if cell.back is None or cell.paused:
                continue
            (value,), cell.back = cell.back, None
            name = cell.bound.field.name
            if name not in writes and cell.seen[M] != value:
                replaced = cell.seen[M]
                writes[name] = FieldResult(
                    cell.bound.pair.key, Verdict.WRITE, None, M, value, value, value, replaced, cell.agreed
                )

    def _send(self, at: int, cell: Cell, result: FieldResult, *, lost: bool, dropped: bool, late: float) -> None:
        told = SentReceipt(result.sent, result.replaced, self.now)
        before = cell.agreed
        if dropped or cell.frozen:
            self.writes += 1
            cell.refused.add(told.sent)
            cell.owed = None
            self._accept(cell, M, result)
            cell.receipts.append(Sent(told, before))
            return
        guid, there = str(self.guid + 1), cell.real[M]
        self._line(at, there, _text(result.raw), ours=True, late=late)
        self._put(cell, M, result, lost)
        cell.receipts.append(Sent(told, before, guid=guid))
        unseen = there != _text(result.replaced) and not (cell.clouded or cell.refused or self.slow)
        cell.owed = (there,) if unseen and cell.marketo_wins(self.table, there) else None
        if result.rule is None:
            # Put back for whoever was overwritten: their change, which has yet to travel.
            cell.edited.add(M)

    def _put(self, cell: Cell, side: Side, result: FieldResult, lost: bool) -> None:
        self.writes += 1
        self.wrongs += filter(None, [wrong(cell, side, result)])
        if cell.real[side] != result.raw:
            (cell.unanswered if lost else cell.replaced).append(cell.real[side])
        # An old read of a value that nobody ever saw cannot be told from an edit, by anyone.
        if side is M and self.slow and cell.real[M] == _text(result.replaced):
            cell.stale = (self.now + timedelta(seconds=self.slow), cell.real[M])
        cell.stands(side, _text(result.raw))
        if lost:
            cell.lost_writes.append(result)
            cell.clouded = True
            if side is M:
                self.read(M)
        else:
            self._accept(cell, side, result)

    def _accept(self, cell: Cell, side: Side, result: FieldResult) -> None:
        cell.noted |= {_text(result.replaced), _text(result.sent)}
        cell.decided = None
        cell.seen[side] = _text(result.raw)
        cell.meet()
        if result.agreed is not None:
            cell.agreed = result.agreed


def _text(value: object) -> Value:
    """All fields of this world are texts or truths."""
    return value if value is None or isinstance(value, bool) else str(value)
