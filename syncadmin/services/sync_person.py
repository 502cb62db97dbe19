"""Sync Person to Microsoft: creates one Marketo person in Dynamics, at once if it can be, else with the next run.

It never updates: whoever has a live record in Dynamics already, lead or contact, is answered with that record.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, OperationalError, transaction

from syncadmin.connectors.contract import DynamicsConnector, MarketoConnector
from syncadmin.connectors.errors import ConnectorError, Refused
from syncadmin.engine.records import Lane, Record, Ref, Table
from syncadmin.services import linking, reading, rulebook, suppression, sync_outcomes, sync_requests, trouble
from syncadmin.services import sync_create as creating
from syncadmin.services.context import Context
from syncadmin.services.step import NOTHING, Step, did
from syncadmin.services.sync_look import Found, Verdict, among_doubles, by_id, look
from syncadmin.services.sync_outcomes import Job
from syncadmin.services.sync_requests import Answer, Asked
from syncadmin.services.sync_tell import tell
from syncadmin.store import options, throughput
from syncadmin.store.mirror import PersonRow
from syncadmin.store.models import Link, PendingWrite, SyncRequest

__all__ = ["Answer", "Asked", "ask", "finish_requests", "queue"]

log = logging.getLogger(__name__)

PURPOSE = "sync_person"
# A webhook's caller is answered within five seconds, whatever happens.
AT_ONCE_FOR = timedelta(seconds=4)
# In the loop one person may take this long; Dynamics gives up on a call of its own after two minutes.
IN_A_RUN_FOR = timedelta(seconds=30)
# Below this no further call is begun: its answer could not be waited for.
TIME_TO_TELL = timedelta(milliseconds=700)
_PLACES = threading.BoundedSemaphore(8)
_QUEUED = "Queued: it will be created as soon as Dynamics can take it."


def ask(ctx: Context, asked: Asked) -> Answer:
    """One request, now. Answers within four seconds and a bit; never raises for trouble over there."""
    now = ctx.now()
    request = sync_requests.receive(asked, worker=ctx.worker, now=now, until=now + AT_ONCE_FOR)
    if request is None:
        return Answer("queued", message="This person is being worked on already.")
    set_to = options.read()
    if set_to.paused or set_to.observe_only or not set_to.started:
        return _put_off(request, "Queued: the sync is paused or has not been started.", now, now)
    if not _PLACES.acquire(blocking=False):
        return _put_off(request, _QUEUED, now, now)
    try:
        answer = _work(ctx, request, now + AT_ONCE_FOR)
    except (IntegrityError, OperationalError) as clash:
        # Gave way to a run that was at the same rows; the loop tries its steps again, and takes this up as well.
        log.info("Sync Person of %s: %s", request.person, clash)
        return _put_off(request, _QUEUED, ctx.now(), ctx.now())
    finally:
        _PLACES.release()
    if answer.status == "created":  # what a run creates is counted with the run
        throughput.note({"requests_created": 1}, ctx.now())
    return answer


def queue(people: Iterable[int], *, sync_as: str, source: str, now: datetime, again: bool = True) -> int:
    """Asks for many people; the next run creates them. See ``sync_requests.queue``."""
    return sync_requests.queue(people, sync_as=sync_as, source=source, now=now, again=again)


def finish_requests(ctx: Context, limit: int = 20) -> Step:
    """Works on up to ``limit`` open requests; ``more`` says that others are due. Stops when a system is away."""
    counts: dict[str, int] = {}
    if options.read().observe_only:
        return NOTHING
    sync_outcomes.take_up_failed(ctx.now())
    people = _read_together(ctx, sync_requests.due(ctx.now(), limit))
    for _ in range(limit):
        now = ctx.now()
        request = sync_requests.claim(worker=ctx.worker, now=now, until=now + IN_A_RUN_FOR)
        if request is None:
            return did(False, **counts) if counts else NOTHING
        answer = _work(ctx, request, now + IN_A_RUN_FOR, people)
        ctx.border("sync_person.request")
        counts[f"requests_{answer.status}"] = counts.get(f"requests_{answer.status}", 0) + 1
        if answer.status == "queued":
            return did(False, **counts)
    return did(True, **counts)


def _read_together(ctx: Context, people: Sequence[int]) -> dict[int, PersonRow]:
    """People as Marketo knows them now, in one call. Raises the connector's errors: the run then goes on without."""
    if len(people) < 2:
        return {}
    book, seen = rulebook.load(), ctx.now()
    refs = [Ref(Table.PERSON, str(person)) for person in people]
    records = ctx.marketo.for_work(Lane.LIVE, "list people").fetch(refs, book.person_fields()).records
    rows = reading.person_rows(book, records)
    sync_outcomes.remember_people(rows, seen)
    return {row.person: row for row in rows}


@dataclass(frozen=True, slots=True)
class _Desk:
    """Both connections for the work on one request, with its deadline; and people read a moment ago."""

    dynamics: DynamicsConnector
    marketo: MarketoConnector
    people: Mapping[int, PersonRow]


def _work(
    ctx: Context, request: SyncRequest, deadline: datetime, people: Mapping[int, PersonRow] | None = None
) -> Answer:
    """Does what can be done before the deadline and stores the answer."""
    desk = _Desk(
        ctx.dynamics.for_work(Lane.LIVE, PURPOSE, deadline),
        ctx.marketo.for_work(Lane.LIVE, PURPOSE, deadline),
        people or {},
    )
    book = rulebook.load()
    try:
        return _settle(Job(ctx, book, request), desk, deadline)
    except Refused as error:
        log.warning("Sync Person of %s was refused as a call: %s", request.person, error.message)
        return sync_outcomes.failed(Job(ctx, book, request), error.message)
    except ConnectorError as error:
        return _put_off(request, f"{_QUEUED} ({error.message})", ctx.now(), trouble.pause(error, ctx.now()))


def _put_off(request: SyncRequest, message: str, now: datetime, not_before: datetime) -> Answer:
    answer = Answer("queued", message=message, not_before=not_before)
    sync_requests.settle(request, answer, now)
    return answer


def _settle(job: Job, desk: _Desk, deadline: datetime) -> Answer:
    table = Table(job.request.sync_as)
    if table not in job.book.tables:
        return sync_outcomes.failed(job, f"{table.capitalize()}s are not synced (Settings).")
    person = _read(job, desk)
    if person is None:
        return _without_person(job, desk)
    key = str(person.person)
    if suppression.erased([(key, person.email)]):
        return sync_outcomes.failed(job, "This person was erased and is not synced again.")
    return _already(job, desk, person) or _new(job, desk, person, table, deadline)


def _without_person(job: Job, desk: _Desk) -> Answer:
    """Marketo has nobody of this id. Who was deleted while a create was under way has a record if that was carried out."""
    write, now = creating.under_way(job.request.person), job.ctx.now()
    if write is not None:
        record = by_id(desk.dynamics, job.book, Ref(Table(write.table), write.target))
        if record is not None:
            return sync_outcomes.created(job, write, record, creating.Owner())
        if creating.may_arrive(write, now):
            return _put_off(
                job.request, "Dynamics has not said yet whether it made the record.", now, now + timedelta(seconds=30)
            )
        creating.drop(write)
    return sync_outcomes.failed(job, "Marketo has no person with this id.")


def _read(job: Job, desk: _Desk) -> PersonRow | None:
    """The person as Marketo knows it now, stored in the mirror."""
    if job.request.person in desk.people:
        return desk.people[job.request.person]
    seen = job.ctx.now()
    ref = Ref(Table.PERSON, str(job.request.person))
    records = desk.marketo.fetch([ref], job.book.person_fields()).records
    if not records:
        return None
    row = reading.person_rows(job.book, records)[0]
    sync_outcomes.remember_people([row], seen)
    return row


def _already(job: Job, desk: _Desk, person: PersonRow) -> Answer | None:
    """The linked record, if Dynamics still has it; and a create of ours that was carried out without our knowing."""
    now = job.ctx.now()
    with transaction.atomic():
        being_stored = linking.complete_lost(person.person, None, now)
    if being_stored:
        return _put_off(job.request, "The sync is linking this person right now.", now, now + timedelta(seconds=5))
    link = Link.objects.filter(marketo=person.person).first()
    if link is None:
        return None
    if link.dynamics is not None and not link.dynamics_deleted:
        if by_id(desk.dynamics, job.book, Ref(Table(link.table), str(link.dynamics))) is not None:
            return sync_outcomes.exists(job, link)
        sync_outcomes.record_gone(link, job.ctx.now())
    write = creating.under_way(person.person)
    if write is None:
        return None
    record = by_id(desk.dynamics, job.book, Ref(Table(write.table), write.target))
    return None if record is None else sync_outcomes.created(job, write, record, creating.Owner())


def _new(job: Job, desk: _Desk, person: PersonRow, table: Table, deadline: datetime) -> Answer:
    """Looks the person up in Dynamics; creates if nobody is there or a person decided so."""
    apart = sync_outcomes.is_kept_apart(person.person)
    if not apart:
        found = look(desk.dynamics, job.book, person, job.ctx.now())
        found = among_doubles(desk.marketo, job.book, person, found)
        if found.verdict is not Verdict.NOBODY:
            return sync_outcomes.met(job, person, found)
    plan = creating.planned(job.book, table, person)
    if plan.blocked:
        return sync_outcomes.impossible(job, plan)
    owner = creating.owner(desk.dynamics, job.request.assign_to)
    if owner.value is not None:
        plan.values["ownerid"] = owner.value
    write = creating.claim(job.ctx, job.request, table, person, plan)
    if write is None:
        now = job.ctx.now()
        message = "This person, or another one with the same e-mail, is being created; this one follows."
        return _put_off(job.request, message, now, now + timedelta(seconds=5))
    job.ctx.border("sync_person.claimed")
    answer = _send(job, desk, person, write, owner, apart)
    # Only a campaign waits for the ids; people from a list are told in bulk by the run that created them.
    in_time = deadline - job.ctx.now() > TIME_TO_TELL
    if answer.status == "created" and job.request.source == "webhook" and in_time:
        tell(job.ctx, job.book, desk.marketo, write.link_id or 0)
    return answer


def _send(
    job: Job,
    desk: _Desk,
    person: PersonRow,
    write: PendingWrite,
    owner: creating.Owner,
    apart: bool,
) -> Answer:
    detect = job.book.options.detect_duplicates and not apart
    try:
        outcome = creating.send(desk.dynamics, write, detect_duplicates=detect)
    except ConnectorError:
        creating.wait(write)
        raise
    job.ctx.border("sync_person.answered")

    def now_there() -> Record | None:
        return by_id(desk.dynamics, job.book, Ref(Table(write.table), write.target))

    def look_again() -> Found:
        return look(desk.dynamics, job.book, person, job.ctx.now())

    return sync_outcomes.answered(job, person, write, outcome, owner, now_there=now_there, look_again=look_again)
