"""Creates people in Marketo for Dynamics records that have none: ``createOnly``, never the same e-mail twice at once.

A create without an answer is not repeated before the server's own limit is over and a look-up, by our Dynamics id and
then by e-mail, found nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from syncadmin.connectors.contract import Create, Outcome, Status
from syncadmin.connectors.errors import ConnectorError, NoAnswer
from syncadmin.engine.failures import Cause, retry_after
from syncadmin.engine.own_fields import own_values
from syncadmin.engine.pairing import fold_email
from syncadmin.engine.plan import CreatePlan, create_in_marketo
from syncadmin.engine.records import Lane, Record, Ref, Side, Table
from syncadmin.services import endings, failing, history, linking, trouble
from syncadmin.services.context import Context
from syncadmin.services.judge import write_hash
from syncadmin.services.pull_people import store_people
from syncadmin.services.push_marketo import SERVER_LIMIT
from syncadmin.services.rulebook import Rulebook
from syncadmin.services.step import NOTHING, Step, did
from syncadmin.store import cases, creates, ledger, links, mirror, work
from syncadmin.store.cases import Case
from syncadmin.store.kinds import Kind
from syncadmin.store.models import Activity, DynamicsRecord, Failure, PendingWrite, Run

_BATCH = 300


@dataclass(frozen=True, slots=True)
class Planned:
    """A create that can be sent: its row, its link's case and what it starts with."""

    write: PendingWrite
    case: Case
    plan: CreatePlan
    lookup: str


def batch(ctx: Context, book: Rulebook, run: Run) -> Step:
    """Sends one batch of creates."""
    now = ctx.now()
    claimed = work.claim_writes(Side.MARKETO, "create", worker=ctx.worker, now=now, limit=_BATCH)
    if not claimed:
        return NOTHING
    with transaction.atomic():
        planned = _plan(ctx, book, claimed, run, now)
        told = {one.write.pk: history.of_create(one.plan.agreed, Side.MARKETO, "create") for one in planned}
        creates.mark_sent(told, now)
    ctx.border("create.marketo.sent")
    counts: Counter[str] = Counter()
    for lookup in ("email", book.options.guid_field):
        some = [one for one in planned if one.lookup == lookup]
        if some:
            counts.update(_send(ctx, book, some, lookup, now, run))
    return did(len(claimed) == _BATCH, **counts)


def _plan(ctx: Context, book: Rulebook, claimed: Sequence[PendingWrite], run: Run, now: datetime) -> list[Planned]:
    """Values as of now. A create that nothing is left of, or that was refused just like this, is dropped."""
    locked = cases.lock([write.link_id for write in claimed if write.link_id])
    found = {case.id: case for case in cases.load(locked)}
    mine = set(work.still_mine([write.pk for write in claimed], ctx.worker))
    claimed = [write for write in claimed if write.link_id in mine]
    planned: list[Planned] = []
    dropped: list[PendingWrite] = []
    for write in claimed:
        case = found.get(write.link_id or 0)
        if (
            case is None
            or case.dynamics is None
            or case.marketo is not None
            or case.stopped
            or case.filtered
            or case.dynamics_deleted
        ):
            dropped.append(write)
            continue
        values = {**(case.d or {}), **own_values(Ref(case.table, case.dynamics))}
        plan = create_in_marketo(case.table, values, book.bounds[case.table])
        _fail_fields(case, plan, run, now)
        if case.held.get(f"*{Side.MARKETO}", {}).get("hash") == write_hash(plan.values):
            dropped.append(write)
            continue
        own = bool(write.values.get("by_id")) or not plan.values.get("email")
        planned.append(Planned(write, case, plan, book.options.guid_field if own else "email"))
    if dropped:
        _end(dropped, Lane.LIVE)
        endings.withdraw(["dynamics_merge"], _without_person(dropped, found), now)
    return planned


def _without_person(dropped: Sequence[PendingWrite], found: Mapping[int, Case]) -> list[int]:
    """Links that a merge was asked about while their person was still to come: nobody comes."""
    about = [found[write.link_id] for write in dropped if write.link_id and write.link_id in found]
    return [case.id for case in about if case.marketo is None]


def _fail_fields(case: Case, plan: CreatePlan, run: Run, now: datetime) -> None:
    """A value that cannot come along keeps only itself out; the merge after the create tells the failure."""
    if plan.problems:
        mirror.mark_links([case.id], case.lane)


def _send(
    ctx: Context, book: Rulebook, claimed: Sequence[Planned], lookup: str, sent: datetime, run: Run
) -> dict[str, int]:
    here = work.sendable([one.write for one in claimed], ctx.worker, ctx.now())
    planned = [one for one in claimed if one.write in here]
    if not here:
        work.give_back([one.write for one in claimed])
        return {}
    connector = ctx.marketo.for_work(Lane(planned[0].case.lane), "creates")
    items = [Create(Table.PERSON, one.plan.values) for one in planned]
    try:
        answers = connector.create(items, lookup=lookup, partition=book.options.partition)
    except NoAnswer:
        work.release(here)
        return {"creates_unanswered": len(here)}
    except ConnectorError as error:
        work.give_back(here, not_before=trouble.pause(error, ctx.now()))
        raise
    ctx.border("create.marketo.answered")
    with transaction.atomic():
        return _store(planned, answers, sent, run, ctx.now())


def _store(
    planned: Sequence[Planned], answers: Sequence[Outcome], sent: datetime, run: Run, now: datetime
) -> dict[str, int]:
    cases.lock([one.case.id for one in planned])
    # What somebody else has taken over meanwhile, or ended, is left to that one: a person who was made tells of itself.
    standing = work.standing([one.write for one in planned])
    lines: list[Activity] = []
    counts: Counter[str] = Counter()
    born: list[tuple[Planned, int]] = []
    for one, answer in zip(planned, answers, strict=True):
        if one.write.pk not in standing:
            continue
        counts[f"create_{answer.status}"] += 1
        if answer.status is Status.CREATED and answer.ref is not None:
            born.append((one, int(answer.ref.id)))
        elif answer.status is Status.EXISTS:
            lines += _somebody_was_faster(one, answer, run, now)
        elif answer.status is Status.LATER:
            work.give_back([one.write], not_before=now + retry_after(one.write.attempts + 1))
        else:
            lines += _refused(one, answer, run, now)
    if born:
        lines += _born(born, sent, run, now)
    ledger.activities(lines)
    return counts


def _born(born: Sequence[tuple[Planned, int]], sent: datetime, run: Run, now: datetime) -> list[Activity]:
    """The people exist: their links are whole, and what was sent is agreed."""
    lane, rows = born[0][0].case.lane, [_row(one, person) for one, person in born]
    stored = {change.id for change in mirror.store_people(rows, seen=sent, lane=lane)}
    # Of whom a later read had told already, nothing is stored that would wake who waited for the create.
    _end([one.write for one, _ in born], lane, [row.email for row in rows if str(row.person) in stored])
    links.complete(
        [
            (one.case.id, person, {key: [own.d, own.m, own.n] for key, own in one.plan.agreed.items()})
            for one, person in born
        ]
    )
    failed = failing.among([one.case.id for one, _ in born])
    for one, person in born:
        if one.case.id in failed:
            failing.mend(one.case.id, person, [Side.MARKETO], [""], run, now)
    ledger.writes([_log(one, person, run, now) for one, person in born])
    return [_line(one, person, run, now) for one, person in born]


def _row(one: Planned, person: int) -> mirror.PersonRow:
    """What was sent is known; what Marketo made of the other fields is not, until they are read."""
    return mirror.PersonRow(
        person=person,
        values={"id": person, **one.plan.values},
        email=fold_email(str(one.plan.values.get("email") or "")),
        name=_name(one.plan),
        dynamics_guid=one.case.dynamics,
    )


def _log(one: Planned, person: int, run: Run, now: datetime) -> PendingWrite:
    attributes = {"crmEntity": str(one.case.table), "crmRecordId": one.case.dynamics or ""}
    return history.log_entry("Created", now, person=person, link=one.case.id, run=run, attributes=attributes)


def _line(one: Planned, person: int, run: Run, now: datetime) -> Activity:
    changes = [[key, None, agreed.m, "create"] for key, agreed in sorted(one.plan.agreed.items())]
    details = {"table": "person", "id": str(person)}
    return history.line(
        Kind.CREATED, now, link=one.case.id, side=Side.MARKETO, changes=changes, details=details, run=run
    )


def _name(plan: CreatePlan) -> str:
    parts = (plan.values.get("firstName"), plan.values.get("lastName"))
    return " ".join(str(part).strip() for part in parts if part)


def _somebody_was_faster(one: Planned, answer: Outcome, run: Run, now: datetime) -> list[Activity]:
    """1005: the person is there. The record is looked up and paired anew; its half link waits for that.

    Said again of the same values it is a refusal: the look-up in between found nobody, so we can't see that person.
    """
    record, met = f"*{Side.MARKETO}", write_hash(one.plan.values)
    if one.case.held.get(record, {}).get("met") == met:
        return _refused(one, replace(answer, cause=Cause.PARTITION), run, now)
    _end([one.write], one.case.lane)
    one.case.held[record] = {"why": "exists", "met": met}
    cases.store_links([one.case], merged=False)
    DynamicsRecord.objects.filter(guid=one.write.target).update(due="look_up")
    return []


def _refused(one: Planned, answer: Outcome, run: Run, now: datetime) -> list[Activity]:
    case = one.case
    _end([one.write], case.lane)
    case.held[f"*{Side.MARKETO}"] = {"why": "refused", "hash": write_hash(one.plan.values)}
    cases.store_links([case], merged=False)
    row = Failure(
        subject=f"link:{case.id}",
        link_id=case.id,
        side=Side.MARKETO,
        operation="create",
        column=answer.column,
        cause=answer.cause or Cause.UNKNOWN,
        code=answer.code,
        message=answer.message[:4000],
        opened_at=now,
        last_at=now,
        run=run,
    )
    return failing.opened(row, person=None, table=case.table, guid=case.dynamics, now=now, run=run)


def recover(ctx: Context, book: Rulebook, run: Run) -> Step:
    """Takes over creates that were never answered: looked up by our id, then by e-mail; sent again if not found."""
    now = ctx.now()
    lost = work.lost_writes(
        Side.MARKETO, "create", now=now, sent_before=now - SERVER_LIMIT, worker=ctx.worker, limit=_BATCH
    )
    if not lost:
        return NOTHING
    connector, fields = ctx.marketo.for_work(Lane.RETRY, "take over"), book.person_fields()
    found: list[Record] = connector.find(
        Table.PERSON, book.options.guid_field, [write.target for write in lost], fields
    )
    emails = sorted({write.email for write in lost if write.email})
    if emails:
        found += connector.find(Table.PERSON, "email", emails, fields)
    with transaction.atomic():
        store_people(ctx, book, found, Lane.RETRY, now, run)
        there = _keys(book, found)
        arrived = [write for write in lost if {write.target, write.email} & there]
        named = _named(book, found)
        left = [
            write
            for write in arrived
            if not linking.complete(write, named.get(write.target, set()), lane=Lane.RETRY, run=run, now=now)
        ]
        # Whoever waited for these may know the people already, so that no change of theirs wakes it.
        _end(arrived, Lane.RETRY)
        DynamicsRecord.objects.filter(guid__in=[write.target for write in left]).update(due="pair")
        work.give_back([write for write in lost if write not in arrived])
    return did(True, creates_taken_over=len(lost))


def _end(writes: Sequence[PendingWrite], lane: Lane, woken: Sequence[str] = ()) -> None:
    creates.end(PendingWrite.objects.filter(pk__in=[write.pk for write in writes]), lane, woken)


def _named(book: Rulebook, found: Sequence[Record]) -> dict[str, set[int]]:
    """The people who name a record in our field, by that record."""
    people: dict[str, set[int]] = {}
    for person in found:
        guid = str(person.values.get(book.options.guid_field) or "").lower()
        people.setdefault(guid, set()).add(int(person.ref.id))
    return people


def _keys(book: Rulebook, found: Sequence[Record]) -> set[str]:
    keys: set[str] = set()
    for person in found:
        values: Mapping[str, object] = person.values
        keys |= {str(values.get(book.options.guid_field) or "").lower(), fold_email(str(values.get("email") or ""))}
    return keys - {""}
