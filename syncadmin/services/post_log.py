"""Posts ``dynSync`` lines to the people's Marketo activity logs. A line is posted at most once."""

from __future__ import annotations

from datetime import datetime

from syncadmin.connectors.contract import LogEntry, Status
from syncadmin.connectors.errors import ConnectorError, NoAnswer
from syncadmin.engine.failures import retry_after
from syncadmin.engine.records import Lane, Side
from syncadmin.services import trouble
from syncadmin.services.context import Context
from syncadmin.services.rulebook import Rulebook
from syncadmin.services.step import NOTHING, Step, did
from syncadmin.store import work
from syncadmin.store.models import PendingWrite, Run

_BATCH = 300


def batch(ctx: Context, book: Rulebook, run: Run) -> Step:
    """Posts up to 300 lines. What was sent and not answered is not sent again: twice would be worse than once less."""
    if not book.options.activity_type_id:
        return NOTHING
    now = ctx.now()
    lost = work.lost_writes(Side.MARKETO, "log", now=now, sent_before=now, worker=ctx.worker, limit=_BATCH)
    PendingWrite.objects.filter(pk__in=[row.pk for row in lost]).delete()
    rows = work.claim_writes(Side.MARKETO, "log", worker=ctx.worker, now=now, limit=_BATCH, send=True)
    if not rows:
        return NOTHING
    ctx.border("log.sent")
    try:
        answers = ctx.marketo.for_work(Lane.RETRY, "activity log").log([_entry(row, book) for row in rows])
    except NoAnswer:
        PendingWrite.objects.filter(pk__in=[row.pk for row in rows]).delete()
        return did(True, log_unanswered=len(rows))
    except ConnectorError as error:
        work.give_back(rows, not_before=trouble.pause(error, ctx.now()))
        raise
    later = [row for row, answer in zip(rows, answers, strict=True) if answer.status is Status.LATER]
    for row in later:
        work.give_back([row], not_before=ctx.now() + retry_after(row.attempts))
    PendingWrite.objects.filter(pk__in=[row.pk for row in rows if row not in later]).delete()
    return did(len(rows) == _BATCH, logged=len(rows) - len(later))


def _entry(row: PendingWrite, book: Rulebook) -> LogEntry:
    return LogEntry(
        person=row.target,
        at=datetime.fromisoformat(row.values["at"]),
        type_id=book.options.activity_type_id,
        primary=row.values["primary"],
        attributes=row.values["attributes"],
    )
