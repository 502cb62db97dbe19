"""Writes id and type of a record that Sync Person just created to the person in Marketo, at once.

The campaign that asked may branch on them in its next step. Whatever does not work here is left to the loop: the link
stays dirty, and a write without an answer is taken over like any other.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from syncadmin.connectors.contract import MarketoConnector, Status, Update
from syncadmin.connectors.errors import ConnectorError, NoAnswer
from syncadmin.engine.records import Ref, Side, Table
from syncadmin.services import history, record
from syncadmin.services.context import Context
from syncadmin.services.judge import judge
from syncadmin.services.rulebook import Rulebook
from syncadmin.store import cases, ledger, own_writes, receipts, work
from syncadmin.store.kinds import Kind
from syncadmin.store.models import PendingWrite, Receipt


def tell(ctx: Context, book: Rulebook, marketo: MarketoConnector, link: int) -> bool:
    """Whether Marketo has them now."""
    write = _plan(ctx, book, link)
    if write is None:
        return False
    try:
        outcome = marketo.update([Update(Ref(Table.PERSON, write.target), write.values)])[0]
    except NoAnswer:
        work.release([write])
        return False
    except ConnectorError:
        _forget(write)
        return False
    if outcome.status is not Status.UPDATED:
        _forget(write)
        return False
    _store(write, outcome.request_id, ctx.now())
    return True


def _plan(ctx: Context, book: Rulebook, link: int) -> PendingWrite | None:
    """The write of our own fields, with its receipts, marked as sent; None if there is nothing to write."""
    now = ctx.now()
    with transaction.atomic():
        if not cases.lock([link]):
            return None
        case = cases.load([link])[0]
        judged = judge(case, book, now)
        own = [result for result in judged.writes.get(Side.MARKETO, []) if result.key.partition(".")[2][:1] == "@"]
        if not own or Side.MARKETO in case.waiting:
            return None
        judged.writes[Side.MARKETO] = own
        write = record.pending(judged, Side.MARKETO, book, None, now)
        # To the merge an unset boolean is false already; a campaign's filter tells the two apart.
        write.values.setdefault(book.options.deleted_field, False)
        write.state, write.owner, write.sent_at = "sent", ctx.worker, now
        write.save()
        receipts.leave(history.receipts(write, now, None))
    return write


def _forget(write: PendingWrite) -> None:
    """Nothing was applied; the next run decides anew."""
    assert write.sent_at is not None and write.link_id is not None
    with transaction.atomic():
        Receipt.objects.filter(link_id=write.link_id, at=write.sent_at, how="").delete()
        PendingWrite.objects.filter(pk=write.pk).delete()


def _store(write: PendingWrite, request_id: str, now: datetime) -> None:
    assert write.sent_at is not None and write.link_id is not None
    with transaction.atomic():
        own_writes.overwrite_people([(int(write.target), write.values)], write.sent_at)
        if not cases.lock([write.link_id]) or not work.standing([write]):
            return
        case = cases.load([write.link_id])[0]
        case.agreed |= {key: told["agreed"] for key, told in write.fields.items() if told["agreed"]}
        cases.store_links([case], merged=False)
        Receipt.objects.filter(link_id=write.link_id, at=write.sent_at).update(request_id=request_id)
        PendingWrite.objects.filter(pk=write.pk).delete()
        changes = history.changes(write.fields)
        details = {"id": write.target, "table": Table.PERSON}
        ledger.activities(
            [history.line(Kind.UPDATED, now, link=write.link_id, side=Side.MARKETO, changes=changes, details=details)]
        )
