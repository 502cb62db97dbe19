"""Sends decided updates to Dynamics: in batches, each with the version it was decided for.

A write is marked as sent before the call. One without an answer may be repeated at once: with ``If-Match`` the second
time finds another version, and the record is read and merged again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from syncadmin.connectors.contract import Status, Update
from syncadmin.connectors.errors import ConnectorError, NoAnswer
from syncadmin.engine.records import Lane, Record, Ref, Side, Table
from syncadmin.services import notices, outcomes, reading, trouble
from syncadmin.services.context import Context
from syncadmin.services.outcomes import Answered
from syncadmin.services.rulebook import Rulebook
from syncadmin.services.step import NOTHING, Step, did
from syncadmin.store import mirror, work
from syncadmin.store.models import PendingWrite, Run

# The connector cuts this into batches of the size that answers well.
BATCH = 200
UNANSWERED = timedelta(seconds=5)


def updates(ctx: Context, book: Rulebook, run: Run) -> Step:
    """Sends one batch of updates."""
    sent = ctx.now()
    work.give_back(
        work.lost_writes(Side.DYNAMICS, "update", now=sent, sent_before=sent, worker=ctx.worker, limit=BATCH)
    )
    claimed = work.claim_writes(Side.DYNAMICS, "update", worker=ctx.worker, now=sent, limit=BATCH, send=True)
    if not claimed:
        return NOTHING
    ctx.border("push.dynamics.sent")
    writes = work.sendable(claimed, ctx.worker, ctx.now())
    if not writes:
        work.give_back(claimed)
        return NOTHING
    try:
        connector = ctx.dynamics.for_work(Lane(writes[0].lane), "updates")
        answers = connector.update([_update(write) for write in writes])
    except NoAnswer:
        # Once more at once, for a cut line; after that with a pause, so that a dead system does not hold the run.
        again = [write for write in writes if write.attempts == 1]
        work.give_back(again)
        work.give_back([write for write in writes if write not in again], not_before=ctx.now() + UNANSWERED)
        return did(bool(again), dynamics_unanswered=len(writes))
    except ConnectorError as error:
        work.give_back(writes, not_before=trouble.pause(error, ctx.now()))
        raise
    ctx.border("push.dynamics.answered")
    answered = [Answered(write, answer) for write, answer in zip(writes, answers, strict=True)]
    seen = ctx.now()
    stale = _read_again(ctx, book, answered)
    with transaction.atomic():
        counts = _store(ctx, book, answered, stale, seen, sent, run)
    ctx.border("push.dynamics.stored")
    return did(len(claimed) == BATCH or bool(stale), **counts)


def _update(write: PendingWrite) -> Update:
    return Update(Ref(Table(write.table), write.target), write.values, write.version)


def _read_again(ctx: Context, book: Rulebook, answered: Sequence[Answered]) -> list[Record]:
    """The records that changed since they were read, and those that refuse what an earlier try may have brought: read now,
    merged again in this very run."""
    found: list[Record] = []
    for table in book.tables:
        refs = [
            Ref(table, answer.write.target)
            for answer in answered
            if answer.write.table == table and _has_to_be_looked_at(answer)
        ]
        if refs:
            found += ctx.dynamics.for_work(Lane.LIVE, "by id").fetch(refs, book.dynamics_columns(table)).records
    return found


def _has_to_be_looked_at(answer: Answered) -> bool:
    status = answer.outcome.status
    return status is Status.STALE or (status in outcomes.REFUSALS and _is_repeated(answer))


def _is_repeated(answer: Answered) -> bool:
    """Whether an earlier try, whose answer was lost, may have been applied."""
    return answer.write.attempts > 1 or answer.outcome.repeated


def _store(
    ctx: Context,
    book: Rulebook,
    answered: Sequence[Answered],
    stale: Sequence[Record],
    seen: datetime,
    sent: datetime,
    run: Run,
) -> dict[str, int]:
    now = ctx.now()
    if stale:
        rows = reading.dynamics_rows(book, stale)
        changes = mirror.store_dynamics(rows, seen=seen, lane=Lane.LIVE)
        notices.dynamics_changed(ctx, book, changes, rows, run)
    current = {record.ref.id: record.values for record in stale}
    # Repeated after a lost answer: if the first try was applied, that is what changed the version, or what is gone now.
    over = [answer for answer in answered if answer.outcome.status not in (Status.UPDATED, Status.LATER)]
    repeated = {answer.write.target: current.get(answer.write.target) for answer in over if _is_repeated(answer)}
    counts = outcomes.updates(book, Side.DYNAMICS, answered, sent, run, now, repeated)
    gone = [answer.write.target for answer in answered if answer.outcome.status is Status.GONE]
    notices.dynamics_gone(ctx, book, gone, run, sent)
    return counts
