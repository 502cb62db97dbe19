"""What becomes of a Sync Person request: each way to end it, stored in one transaction with its history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from syncadmin.connectors.contract import Outcome, Status
from syncadmin.engine.failures import Cause, describe, retry_after
from syncadmin.engine.plan import CreatePlan
from syncadmin.engine.records import Lane, Record, Ref, Side, Table
from syncadmin.services import answers, linking, reading
from syncadmin.services import sync_create as creating
from syncadmin.services.context import Context
from syncadmin.services.rulebook import Rulebook
from syncadmin.services.sync_look import Found, Verdict, faces
from syncadmin.services.sync_requests import Answer, settle
from syncadmin.store import ledger, mirror, pairing
from syncadmin.store.mirror import DynamicsRow, PersonRow
from syncadmin.store.models import Decision, Failure, Link, MarketoPerson, PendingWrite, SyncRequest

__all__ = ["Found", "Job"]


@dataclass(frozen=True, slots=True)
class Job:
    """One request being worked on, under one set of rules."""

    ctx: Context
    book: Rulebook
    request: SyncRequest


def remember_people(rows: Sequence[PersonRow], seen: datetime) -> None:
    with transaction.atomic():
        mirror.store_people(rows, seen=seen, lane=Lane.LIVE)


def record_gone(link: Link, now: datetime) -> None:
    """Dynamics said by id that the linked record does not exist; the pull tells the rest of it in its turn."""
    Link.objects.filter(pk=link.pk, dynamics=link.dynamics).update(dynamics_deleted=True, dirty=True)


def failed(job: Job, message: str) -> Answer:
    """The request itself makes no sense; nothing is wrong with a field."""
    answer = Answer("failed", message=message)
    creating.refuse(job.request, [], answer, job.ctx.now())
    return answer


def exists(job: Job, link: Link) -> Answer:
    answer = Answer("exists", link.table, str(link.dynamics), f"Already in Dynamics as a {link.table}.")
    with transaction.atomic():
        _give_up_claim(job.request.person)
        _say_so(job, answer, link)
    return answer


def _say_so(job: Job, answer: Answer, link: Link | None) -> None:
    now, person = job.ctx.now(), job.request.person
    with transaction.atomic():
        ledger.activities([creating.requested(job.request, answer, now, link=link.pk if link else None)])
        ledger.writes([creating.log("Already there", person, now, link=link, answer=answer)])
        creating.mend(person, now)
        settle(job.request, answer, now)


def met(job: Job, person: PersonRow, found: Found) -> Answer:
    """Somebody is there: one is linked, several are a question for a person."""
    if found.verdict is Verdict.ONE and found.chosen is not None:
        return _link(job, person, found, found.chosen)
    return _decide(job, person, found)


def _link(job: Job, person: PersonRow, found: Found, row: DynamicsRow) -> Answer:
    answer = Answer("exists", row.table, row.guid, f"Already in Dynamics as a {row.table}.")
    with transaction.atomic():
        _give_up_claim(person.person)
        if row.filtered:
            told = f"{answer.message} Its column {job.book.options.filter_column} says No, so it is not synced."
            answer, made = Answer("exists", row.table, row.guid, told), None
        else:
            made = _linked(job, person, found, row)
        _say_so(job, answer, made)
    return answer


def _linked(job: Job, person: PersonRow, found: Found, row: DynamicsRow) -> Link:
    now = job.ctx.now()
    mirror.store_dynamics([row], seen=found.seen, lane=Lane.LIVE)
    pairing.settle([(row.guid, "", "")])
    ledger.withdraw_decision("match", creating.subject(person.person), now=now)
    own = Link.objects.select_for_update().filter(marketo=person.person).exclude(dynamics=row.guid).first()
    if own is not None and not Link.objects.filter(dynamics=row.guid).exists():
        # The link of a record that is gone goes on with this one, and so does its history.
        own.dynamics = UUID(row.guid)
        own.save(update_fields=["dynamics"])
    elif own is not None:
        Link.objects.filter(pk=own.pk).update(marketo=None)
    ref = Ref(Table(row.table), row.guid)
    made = linking.link(ref, person.person, how="sync_person", lane=Lane.LIVE, run=None, now=now)
    if own is not None and own.pk == made.pk:
        Link.objects.filter(pk=made.pk).update(agreed={}, held={}, written={}, dynamics_deleted=False, stopped=False)
    return made


def _give_up_claim(person: int) -> None:
    """An earlier attempt at a create is pointless now: the person is there already."""
    write = creating.under_way(person)
    if write is not None:
        creating.drop(write)


def _decide(job: Job, person: PersonRow, found: Found) -> Answer:
    """Needs a decision: nothing is created, the candidates are listed."""
    message = "More than one record in Dynamics could be this person: see Needs a decision."
    if found.verdict is Verdict.TAKEN:
        message = "The record with this e-mail in Dynamics belongs to another person in Marketo: see Needs a decision."
    elif found.verdict is Verdict.DOUBLE:
        message = "Several people in Marketo have this e-mail address: see Needs a decision."
    elif not found.rows:
        message = "Dynamics' duplicate detection found a record like this one: see Needs a decision."
    answer, now = Answer("decision", message=message), job.ctx.now()
    rows = [row for row in found.rows if not row.filtered]
    reason = str(found.verdict) if found.rows else str(Cause.DUPLICATE_FOUND)
    with transaction.atomic():
        _give_up_claim(person.person)
        mirror.store_dynamics(rows, seen=found.seen, lane=Lane.LIVE)
        ledger.decision(_question(person, faces(rows), reason, now))
        ledger.activities([creating.requested(job.request, answer, now, link=None)])
        settle(job.request, answer, now)
    return answer


def _question(person: PersonRow, candidates: list[dict[str, str]], reason: str, now: datetime) -> Decision:
    record = {"table": "person", "id": str(person.person), "name": person.name, "email": person.email}
    taken = set(
        Link.objects.filter(dynamics__in=[face["id"] for face in candidates], marketo__isnull=False).values_list(
            "dynamics", flat=True
        )
    )
    free = [face for face in candidates if face["id"] not in {str(guid) for guid in taken}]
    return Decision(
        kind="match",
        subject=creating.subject(person.person),
        facts={"reason": reason, "record": record, "candidates": candidates},
        choices=[*(f"link:{face['table']}:{face['id']}" for face in free), "separate"],
        opened_at=now,
    )


def is_kept_apart(person: int) -> bool:
    """Whether somebody decided that this person gets a record of its own."""
    return bool(answers.kept_apart([creating.subject(person)]))


def impossible(job: Job, plan: CreatePlan) -> Answer:
    """What the metadata shows to be impossible is not sent."""
    now = job.ctx.now()
    table = Table(job.request.sync_as)
    keys = {bound.pair.dynamics: bound.pair.key for bound in job.book.bounds[table]}
    rows = [
        creating.problem(
            job.request,
            keys.get(found.column, f"{table}.{found.column}:"),
            found.code,
            found.column,
            value={"value": found.detail, "limit": found.limit, "hash": _person_hash(job.request.person)},
            now=now,
        )
        for found in plan.problems
        if found.code in (Cause.REQUIRED_MISSING, Cause.LAST_NAME_MISSING, Cause.MALFORMED_EMAIL)
    ]
    first = rows[0]
    text = describe(first.cause).cause_text.format(
        field=first.column, value=(first.value or {})["value"], limit="", message=""
    )
    answer = Answer("failed", message=text)
    write = creating.under_way(job.request.person)
    if write is not None:
        creating.drop(write)
    creating.refuse(job.request, rows, answer, now)
    return answer


def answered(
    job: Job,
    person: PersonRow,
    write: PendingWrite,
    outcome: Outcome,
    owner: creating.Owner,
    *,
    now_there: Callable[[], Record | None],
    look_again: Callable[[], Found],
) -> Answer:
    """What Dynamics said to the create. ``now_there`` asks for the record by our id, ``look_again`` by e-mail."""
    if outcome.status is Status.CREATED:
        return created(job, write, None, owner, outcome.version)
    if outcome.status is Status.LATER:
        creating.wait(write)
        return _again(job, outcome)
    # An earlier try of ours may have arrived, and be the very duplicate.
    record = now_there()
    if record is not None:
        return created(job, write, record, owner)
    if outcome.status is Status.DUPLICATE:
        found = look_again()
        creating.drop(write)
        return met(job, person, found) if found.rows else _decide(job, person, found)
    return _refused(job, write, outcome)


def _again(job: Job, outcome: Outcome) -> Answer:
    now = job.ctx.now()
    pause = min(retry_after(job.request.attempts), timedelta(minutes=15))
    answer = Answer("queued", message=f"Dynamics cannot take it now: {outcome.message}", not_before=now + pause)
    settle(job.request, answer, now)
    return answer


def _refused(job: Job, write: PendingWrite, outcome: Outcome) -> Answer:
    now = job.ctx.now()
    keys = {bound.pair.dynamics: bound.pair.key for bound in job.book.bounds[Table(write.table)]}
    row = creating.problem(
        job.request,
        keys.get(outcome.column, ""),
        outcome.cause or Cause.UNKNOWN,
        outcome.column,
        code=outcome.code,
        message=outcome.message[:4000],
        value={"value": "", "hash": _person_hash(job.request.person)},
        now=now,
    )
    answer = Answer("failed", message=f"Dynamics refused the {write.table}: {outcome.message}")
    if creating.drop(write):
        creating.refuse(job.request, [row], answer, now)
    return answer


def created(job: Job, write: PendingWrite, record: Record | None, owner: creating.Owner, version: str = "") -> Answer:
    """The record is there, as sent or as just read."""
    read = record or Record(Ref(Table(write.table), write.target), write.values, version)
    row = reading.dynamics_rows(job.book, [read])[0]
    message = ""
    if owner.problem is not None:
        message = describe(owner.problem.code).cause_text.format(value=owner.problem.detail)
    answer = Answer("created", write.table, write.target, message)
    creating.store(job.ctx, job.book, job.request, write, row, answer, owner)
    return answer


def _person_hash(person: int) -> str:
    return MarketoPerson.objects.filter(person=person).values_list("hash", flat=True).first() or ""


def take_up_failed(now: datetime) -> None:
    """Failed requests come back when the person changed, or when metadata or an administrator made them due."""
    waiting = Failure.objects.filter(
        subject__startswith="marketo:", side=Side.DYNAMICS, operation="create", closed_at=None, ignored=False
    )
    due: dict[int, list[Failure]] = {}
    hashes = {f"marketo:{row.person}": row.hash for row in _people(waiting)}
    for row in waiting:
        changed = (row.value or {}).get("hash") != hashes.get(row.subject, "")
        if changed or (row.next_try_at is not None and row.next_try_at <= now):
            due.setdefault(int(row.subject.partition(":")[2]), []).append(row)
    with transaction.atomic():
        answers.take_up_requests(sorted(due), ("failed",), now)
        Failure.objects.filter(pk__in=[row.pk for rows in due.values() for row in rows]).update(next_try_at=None)


def _people(waiting: Iterable[Failure]) -> list[MarketoPerson]:
    ids = [int(row.subject.partition(":")[2]) for row in waiting]
    return list(MarketoPerson.objects.filter(person__in=ids).only("person", "hash"))
