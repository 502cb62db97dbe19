"""Sends decided updates to Marketo, which knows no versions: people are read and merged again right before.

Every value sent leaves a receipt, stored with the write before the call; the change feed settles it later. A write
without an answer is not repeated before the server's own limit is over and the person was read again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from syncadmin.connectors.contract import Outcome, Status, Update
from syncadmin.connectors.errors import ConnectorError, NoAnswer
from syncadmin.engine.records import Lane, Record, Ref, Side, Table
from syncadmin.services import history, notices, outcomes, record, trouble
from syncadmin.services.context import Context
from syncadmin.services.judge import agreed_on_arrival, judge_all
from syncadmin.services.outcomes import Answered
from syncadmin.services.pull_people import store_people
from syncadmin.services.rulebook import Rulebook
from syncadmin.services.step import NOTHING, Step, did
from syncadmin.services.values import shown
from syncadmin.store import cases, mirror, receipts, work
from syncadmin.store.cases import Case
from syncadmin.store.models import PendingWrite, Receipt, Run

_BATCH = 300
# Marketo gives up on a write after 90 seconds, and the call may wait 20 for its turn after it was marked as sent.
SERVER_LIMIT = timedelta(seconds=120)


def updates(ctx: Context, book: Rulebook, run: Run) -> Step:
    """Sends one batch of updates: read, merge again, mark as sent with receipts, call, store the answers."""
    claimed = work.claim_writes(Side.MARKETO, "update", worker=ctx.worker, now=ctx.now(), limit=_BATCH)
    if not claimed:
        return NOTHING
    lane = Lane(claimed[0].lane)
    writes: list[PendingWrite] = []
    try:
        writes, sent = _freshly(ctx, book, claimed, lane, run)
        if not writes:
            return did(True)
        ctx.border("push.marketo.sent")
        writes = work.sendable(writes, ctx.worker, ctx.now())
        if not writes:
            # Somebody else may be about to take these over; they were not sent, and say so.
            raise LeaseLost("the lease ran out before the call")
        answers = _send(ctx, writes, lane)
    except NoAnswer as error:
        if not writes:  # the read had no answer: nothing was sent
            _take_back(ctx, claimed, error)
            raise
        work.release(writes)
        return did(True, marketo_unanswered=len(writes))
    except ConnectorError as error:
        _take_back(ctx, claimed, error)
        raise
    ctx.border("push.marketo.answered")
    with transaction.atomic():
        counts = _store(ctx, book, writes, answers, sent, run)
    ctx.border("push.marketo.stored")
    return did(True, **counts)


def _freshly(
    ctx: Context, book: Rulebook, claimed: Sequence[PendingWrite], lane: Lane, run: Run
) -> tuple[list[PendingWrite], datetime]:
    """Reads the people, merges their links anew and marks what is then to be written as sent."""
    seen = ctx.now()
    refs = [Ref(Table.PERSON, write.target) for write in claimed]
    found = ctx.marketo.for_work(lane, "read before write").fetch(refs, book.person_fields()).records
    ctx.border("push.marketo.read")
    with transaction.atomic():
        sent = ctx.now()
        writes = _decide_again(ctx, book, claimed, found, seen, sent, run)
        receipts.leave(receipt for write in writes for receipt in history.receipts(write, sent, run))
    return writes, sent


def _decide_again(
    ctx: Context,
    book: Rulebook,
    claimed: Sequence[PendingWrite],
    found: Sequence[Record],
    seen: datetime,
    sent: datetime,
    run: Run,
) -> list[PendingWrite]:
    """Merges again the links of people who changed since, and marks what is then to be written as sent."""
    store_people(ctx, book, found, Lane(claimed[0].lane), seen, run)
    dirty = cases.lock_undecided(work.still_mine([write.pk for write in claimed], ctx.worker))
    # The same values by the same rules are the same decision; so are those of a write that was never tried.
    stands = {
        write.link_id
        for write in claimed
        if dirty.get(write.link_id or 0) is False and write.inputs == book.digest and not write.attempts
    }
    anew = [link for link in dirty if link not in stands]
    if anew:
        record.judgements(book, judge_all(cases.load(anew), book, sent), run, sent)
    return work.mark_sent(Side.MARKETO, list(dirty), claimed, worker=ctx.worker, now=sent)


def _send(ctx: Context, writes: Sequence[PendingWrite], lane: Lane) -> list[Outcome]:
    connector = ctx.marketo.for_work(lane, "updates")
    return connector.update([Update(Ref(Table.PERSON, write.target), write.values) for write in writes])


class LeaseLost(ConnectorError):
    """This worker stalled: what it claimed is no longer its own."""

    again = True


def _take_back(ctx: Context, claimed: Sequence[PendingWrite], error: ConnectorError) -> None:
    """The call was not made or refused as a whole: nothing was applied, so the receipts go and the writes wait."""
    links = _links(claimed)
    with transaction.atomic():
        unsent = PendingWrite.objects.filter(link_id__among=links, side=Side.MARKETO, op="update", owner=ctx.worker)
        rows = list(unsent.select_for_update())
        for write in rows:
            if write.sent_at and write.link_id:
                Receipt.objects.filter(link_id=write.link_id, at=write.sent_at, how="").delete()
        work.give_back(rows, not_before=trouble.pause(error, ctx.now()))


def _store(
    ctx: Context,
    book: Rulebook,
    writes: Sequence[PendingWrite],
    answers: Sequence[Outcome],
    sent: datetime,
    run: Run,
) -> dict[str, int]:
    answered = [Answered(write, answer) for write, answer in zip(writes, answers, strict=True)]
    missed = _links([answer.write for answer in answered if answer.outcome.status is not Status.UPDATED])
    if missed:
        Receipt.objects.filter(link_id__among=missed, at=sent, how="").delete()
    for request in {answer.request_id for answer in answers if answer.request_id}:
        ids = set(_links([answer.write for answer in answered if answer.outcome.request_id == request]))
        Receipt.objects.filter(link_id__among=ids, at=sent).update(request_id=request)
    counts = outcomes.updates(book, Side.MARKETO, answered, sent, run, ctx.now())
    gone = [answer.write for answer in answered if answer.outcome.status is Status.GONE]
    notices.people_gone(ctx, book, [int(write.target) for write in gone], run)
    # What was to be written is a change of Dynamics': it makes a new person.
    mirror.mark_links(_links(gone), Lane.LIVE)
    return counts


def recover(ctx: Context, book: Rulebook, run: Run) -> Step:
    """Takes over updates that were sent and never answered: reads the people again and lets the merge decide."""
    now = ctx.now()
    lost = work.lost_writes(
        Side.MARKETO, "update", now=now, sent_before=now - SERVER_LIMIT, worker=ctx.worker, limit=_BATCH
    )
    if not lost:
        return NOTHING
    refs = [Ref(Table.PERSON, write.target) for write in lost]
    found = ctx.marketo.for_work(Lane.RETRY, "take over").fetch(refs, book.person_fields()).records
    with transaction.atomic():
        store_people(ctx, book, found, Lane.RETRY, now, run)
        links = {case.id: case for case in cases.lock_bare(_links(lost))}
        people = {record.ref.id: record for record in found}
        moved = work.standing(lost)
        for write in lost:
            if write.pk in moved:
                link = None if moved[write.pk] else links.get(write.link_id or 0)
                _keep_what_arrived(book, write, link, people, run, now)
        cases.store_answers(list(links.values()))
        PendingWrite.objects.filter(pk__in=list(moved)).delete()
        mirror.mark_links([write.link_id for write in lost if write.link_id], Lane.RETRY)
    return did(len(lost) == _BATCH, taken_over=len(lost))


def _keep_what_arrived(
    book: Rulebook, write: PendingWrite, link: Case | None, found: dict[str, Record], run: Run, now: datetime
) -> None:
    """Receipts of fields that still hold the value replaced never happened; the others go on waiting for their line."""
    person = found.get(write.target)
    values = person.values if person is not None else {}
    outcomes.arrived(book, Side.MARKETO, write, values, run, now)
    if link is not None and str(link.marketo) == write.target:
        link.agreed.update(agreed_on_arrival(book, Side.MARKETO, write, values))
    missed = []
    for key, told in write.fields.items():
        bound = book.bound(key)
        if (
            bound is None
            or bound.pair.marketo not in values
            or told["sent"] != told["replaced"] == shown(bound, Side.MARKETO, values[bound.pair.marketo])
        ):
            missed.append(key)
    if write.link_id and write.sent_at:
        Receipt.objects.filter(link_id=write.link_id, at=write.sent_at, how="", key__in=missed).delete()


def _links(writes: Sequence[PendingWrite]) -> list[int]:
    return [write.link_id for write in writes if write.link_id]
