"""Which of Marketo's change lines tell of our own writes, and the receipts they are noted on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from syncadmin.connectors.contract import Line
from syncadmin.engine.fields import Bound
from syncadmin.engine.receipts import LineSeen, SentReceipt, Settled, confirmed, is_ours
from syncadmin.engine.records import Side
from syncadmin.services.rulebook import Rulebook
from syncadmin.services.values import shown
from syncadmin.store import cases, receipts
from syncadmin.store.receipts import Found

# How far Marketo's clock may be from ours, and how long after our call it may still write.
_SKEW, _LATEST = timedelta(minutes=1), timedelta(minutes=3)


def echoes(book: Rulebook, lines: Sequence[Line]) -> set[str]:
    """GUIDs of lines that only tell what we wrote ourselves: nothing needs to be read for them.

    Only where the value written stands in the mirror; otherwise the person is read like any other.
    """
    wanted = _receipts_of(lines)
    mirrored = cases.person_values([person for person, _field in wanted])
    found: set[str] = set()
    for line in lines:
        for receipt in wanted.get((int(line.person), line.field), ()):
            bound = book.bound(receipt.key)
            if bound is None or not _ours(bound, line, receipt):
                continue
            stands = mirrored.get(receipt.person, {}).get(line.field)
            # A read that ran beside our write may have stored the value from before it.
            if stands == line.new or shown(bound, Side.MARKETO, stands) == shown(bound, Side.MARKETO, line.new):
                found.add(line.guid)
    return found


def note(book: Rulebook, lines: Sequence[Line], now: datetime, *, last: bool) -> int:
    """Writes change lines on the receipts they belong to, each once. Runs in the caller's transaction.

    A receipt that its own line confirms is settled with it; how many were. Where only the value says whose line it is, that
    waits for the ``last`` page, since a later one may hold a line that fits better.
    """
    wanted = _receipts_of(lines)
    touched: dict[int, Found] = {}
    named: set[int] = set()
    for line in lines:
        open_ones = wanted.get((int(line.person), line.field), [])
        mine = _written_by(book, line, open_ones)
        if mine is not None and line.request_id and mine.request_id:
            named.add(mine.id)
        # Our own line concerns its own receipt alone: for the others it would look like somebody's edit.
        for receipt in open_ones if mine is None else [mine]:
            bound = book.bound(receipt.key)
            if (
                bound is None
                or _noted(receipt, line)
                or receipt.how in ("a", "b")
                or (receipt.how and receipt is not mine)
            ):
                continue
            old, new = shown(bound, Side.MARKETO, line.old), shown(bound, Side.MARKETO, line.new)
            receipt.lines.append([line.guid, line.at.isoformat(), old, new, receipt is mine])
            # What came too late for the settlement is judged all the same.
            receipt.how = ""
            touched[receipt.id] = receipt
    for receipt in touched.values():
        if (last or receipt.id in named) and _is_confirmed(receipt):
            receipt.how = Settled.CONFIRMED
    return receipts.note(list(touched.values()), now)


def _is_confirmed(receipt: Found) -> bool:
    seen = [LineSeen(guid, datetime.fromisoformat(at), old, new, ours) for guid, at, old, new, ours in receipt.lines]
    return confirmed(SentReceipt(receipt.sent, receipt.replaced, receipt.at, receipt.request_id), seen)


def _noted(receipt: Found, line: Line) -> bool:
    return any(known[0] == line.guid for known in receipt.lines)


def _written_by(book: Rulebook, line: Line, known: Sequence[Found]) -> Found | None:
    """The one receipt whose write this line tells of; of several that sent the same value, the nearest in time."""
    found = [one for one in known if (bound := book.bound(one.key)) is not None and _ours(bound, line, one)]
    return min(found, key=lambda receipt: abs(line.at - receipt.at), default=None)


def _receipts_of(lines: Sequence[Line]) -> dict[tuple[int, str], list[Found]]:
    people = {int(line.person) for line in lines}
    found: dict[tuple[int, str], list[Found]] = {}
    for receipt in receipts.of_people(people) if people else ():
        found.setdefault((receipt.person, receipt.field), []).append(receipt)
    return found


def _ours(bound: Bound, line: Line, receipt: Found) -> bool:
    # Without a request id a write of the same value by another program looks like ours: it is not, outside the time
    # in which Marketo could still carry out our call.
    if not (line.request_id and receipt.request_id) and not -_SKEW <= line.at - receipt.at <= _LATEST:
        return False
    return is_ours(line, receipt.sent, receipt.request_id, shown(bound, Side.MARKETO, line.new))
