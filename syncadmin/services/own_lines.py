"""Which of Marketo's change lines tell of our own writes, and the receipts they are noted on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from syncadmin.connectors.contract import Line
from syncadmin.engine.fields import Bound
from syncadmin.engine.receipts import is_ours
from syncadmin.engine.records import Side
from syncadmin.services.rulebook import Rulebook
from syncadmin.services.values import shown
from syncadmin.store import cases, ledger
from syncadmin.store.models import Receipt

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
            if shown(bound, Side.MARKETO, stands) == shown(bound, Side.MARKETO, line.new):
                found.add(line.guid)
    return found


def note(book: Rulebook, lines: Sequence[Line]) -> None:
    """Writes change lines on the receipts they belong to, each once. Runs in the caller's transaction."""
    wanted = _receipts_of(lines)
    touched: dict[int, Receipt] = {}
    for line in lines:
        receipts = wanted.get((int(line.person), line.field), [])
        mine = _written_by(book, line, receipts)
        # Our own line concerns its own receipt alone: for the others it would look like somebody's edit.
        for receipt in receipts if mine is None else [mine]:
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
            receipt.how, receipt.settled_at = "", None
            touched[receipt.pk] = receipt
    ledger.note_lines(list(touched.values()))


def _noted(receipt: Receipt, line: Line) -> bool:
    return any(known[0] == line.guid for known in receipt.lines)


def _written_by(book: Rulebook, line: Line, receipts: Sequence[Receipt]) -> Receipt | None:
    """The one receipt whose write this line tells of; of several that sent the same value, the nearest in time."""
    found = [one for one in receipts if (bound := book.bound(one.key)) is not None and _ours(bound, line, one)]
    return min(found, key=lambda receipt: abs(line.at - receipt.at), default=None)


def _receipts_of(lines: Sequence[Line]) -> dict[tuple[int, str], list[Receipt]]:
    people = {int(line.person) for line in lines}
    found: dict[tuple[int, str], list[Receipt]] = {}
    for receipt in Receipt.objects.filter(person__among=people).order_by("id") if people else ():
        found.setdefault((receipt.person, receipt.field), []).append(receipt)
    return found


def _ours(bound: Bound, line: Line, receipt: Receipt) -> bool:
    # Without a request id a write of the same value by another program looks like ours: it is not, outside the time
    # in which Marketo could still carry out our call.
    if not (line.request_id and receipt.request_id) and not -_SKEW <= line.at - receipt.at <= _LATEST:
        return False
    return is_ours(line, receipt.sent, receipt.request_id, shown(bound, Side.MARKETO, line.new))
