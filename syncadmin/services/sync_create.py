"""Creates a person in Dynamics: planned, claimed with an id of our own, sent, and stored as one.

The claim (a link without a record yet, and the pending write that names the id) is committed before the call, so that
a call without an answer is repeated with the same id and can't make a second record.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from syncadmin.connectors.contract import Create, DynamicsConnector, Outcome
from syncadmin.engine.defaults import templates
from syncadmin.engine.failures import Cause
from syncadmin.engine.plan import CreatePlan, create_in_dynamics
from syncadmin.engine.records import Lane, Raw, Ref, Side, Table
from syncadmin.engine.schema import Kind, Problem
from syncadmin.services import failing, history, outcomes, reading, rulebook
from syncadmin.services.context import Context
from syncadmin.services.rulebook import Rulebook
from syncadmin.services.sync_requests import Answer, is_held, settle
from syncadmin.store import ledger, mirror, pairing
from syncadmin.store.kinds import Kind as Line
from syncadmin.store.mirror import PersonRow
from syncadmin.store.models import Failure, Link, PendingWrite, SyncRequest, WriteState

RULE = "sync_person"
# Dynamics gives up on a call of its own after this.
MAY_ARRIVE = timedelta(minutes=2)
_YES = "yes"


@dataclass(frozen=True, slots=True)
class Owner:
    """Who is to own the record; a problem when it will be the sync user instead."""

    value: Raw = None
    problem: Problem | None = None


def planned(book: Rulebook, table: Table, person: PersonRow) -> CreatePlan:
    """The values of the new record, what is agreed once it exists, and what is wrong with it."""
    plan = create_in_dynamics(table, person.values, book.bounds[table], book.schemas[table], templates(table))
    filter_value = _filter_value(book, table)
    if filter_value is None:
        return plan
    return replace(plan, values={**plan.values, book.options.filter_column: filter_value})


def _filter_value(book: Rulebook, table: Table) -> Raw:
    """Yes, in the form the filter column takes; None if there is no such column."""
    if not book.filters(table):
        return None
    column = book.schemas[table].columns[book.options.filter_column]
    if column.kind is Kind.BOOLEAN:
        return True
    return next((option.value for option in column.options if option.label.strip().casefold() == _YES), None)


def owner(dynamics: DynamicsConnector, assign_to: str) -> Owner:
    """The Dynamics user of this e-mail or id. Nobody asked for: nobody is set."""
    wanted = assign_to.strip()
    if not wanted:
        return Owner()
    as_guid = reading.guid(wanted)
    users = dynamics.users(id=as_guid) if as_guid else dynamics.users(email=wanted) if "@" in wanted else []
    if not users:
        return Owner(problem=Problem(Cause.OWNER_UNKNOWN, "ownerid", wanted))
    able = next((user for user in users if not user.disabled), None)
    if able is None:
        return Owner(problem=Problem(Cause.OWNER_DISABLED, "ownerid", wanted))
    return Owner({"id": able.id, "table": "systemuser", "name": able.name})


def under_way(person: int) -> PendingWrite | None:
    """The create in Dynamics that an earlier attempt claimed for this person."""
    found = PendingWrite.objects.filter(side=Side.DYNAMICS, op="create", link__marketo=person)
    return found.select_related("link").first()


def claim(ctx: Context, request: SyncRequest, table: Table, person: PersonRow, plan: CreatePlan) -> PendingWrite | None:
    """Commits link and pending write, marked as sent. None: a create for the same e-mail is under way already, or the
    person has a record by now, or somebody else works on the request."""
    now = ctx.now()
    with transaction.atomic():
        if not is_held(request):
            return None
        link, _ = Link.objects.select_for_update().get_or_create(
            marketo=person.person,
            defaults={"table": table, "name": person.name, "email": person.email, "linked_at": now},
        )
        if link.dynamics is not None and not link.dynamics_deleted:
            return None
        earlier = under_way(person.person)
        guid = earlier.target if earlier else str(ctx.new_guid())
        values, fields = _as_before(earlier, table, now) or (
            plan.values,
            history.of_create(plan.agreed, Side.DYNAMICS, RULE),
        )
        _make_room(link, now)
        write = PendingWrite(
            link=link,
            side=Side.DYNAMICS,
            op="create",
            table=table,
            target=guid,
            values=values,
            fields=fields,
            email=person.email,
            state=WriteState.SENT,
            owner=ctx.worker,
            sent_at=now,
            decided_at=now,
        )
        if not ledger.writes([write]):
            transaction.set_rollback(True)
            return None
    return write


def _as_before(
    earlier: PendingWrite | None, table: Table, now: datetime
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Values and fields of an attempt that may yet arrive; None if there is none.

    Its record would meet ours under the same id. With other values, what was edited since would count as agreed on, and
    the record as an edit of Dynamics' that undoes it.
    """
    if earlier is None or earlier.table != table or not may_arrive(earlier, now):
        return None
    return earlier.values, earlier.fields


def may_arrive(write: PendingWrite, now: datetime) -> bool:
    """Whether Dynamics may still carry out a create that it has not answered."""
    return write.sent_at is not None and now <= write.sent_at + MAY_ARRIVE


def _make_room(link: Link, now: datetime) -> None:
    """An attempt before this one, and updates of a record that is gone, give way to the new create.

    What a try of such an update that was not understood may have replaced is told, for nobody can look any more.
    """
    before = PendingWrite.objects.filter(link=link, side=Side.DYNAMICS).exclude(op="log")
    for write in before.filter(op="update", attempts__gt=0):
        outcomes.arrived(rulebook.load(), Side.DYNAMICS, write, None, None, now)
    before.delete()


def send(dynamics: DynamicsConnector, write: PendingWrite, *, detect_duplicates: bool) -> Outcome:
    item = Create(Table(write.table), write.values, Ref(Table(write.table), write.target))
    return dynamics.create([item], detect_duplicates=detect_duplicates)[0]


def wait(write: PendingWrite) -> None:
    """The call was not made, or its answer is missing: the claim stays and is taken up with the request."""
    PendingWrite.objects.filter(pk=write.pk).update(owner="")


def drop(write: PendingWrite) -> bool:
    """The create will not be made: the claim goes, and with it a link that was made for it. False: another process
    has taken it over meanwhile."""
    with transaction.atomic():
        ours, _ = PendingWrite.objects.filter(pk=write.pk).delete()
        if ours:
            Link.objects.filter(pk=_link_of(write), dynamics=None).delete()
    return bool(ours)


def _link_of(write: PendingWrite) -> int:
    assert write.link_id is not None
    return write.link_id


def store(
    ctx: Context,
    book: Rulebook,
    request: SyncRequest,
    write: PendingWrite,
    row: mirror.DynamicsRow,
    answer: Answer,
    asked_owner: Owner,
) -> None:
    """Stores a create that was carried out: mirror, link, agreed values, history and the request, all at once.

    What another process has stored while this one stood still is left as it is: its values may have changed since.
    """
    now, sent = ctx.now(), write.sent_at or ctx.now()
    guid = UUID(write.target)
    with transaction.atomic():
        mirror.store_dynamics([row], seen=sent, lane=Lane.LIVE)
        pairing.settle([(write.target, "", "")])
        link = Link.objects.select_for_update().filter(pk=_link_of(write)).first()
        if link is None or not PendingWrite.objects.filter(pk=write.pk).delete()[0]:
            transaction.set_rollback(True)
            return
        _become_partner(link, write, guid)
        changes = [[key, None, told["sent"], told["rule"]] for key, told in sorted(write.fields.items())]
        details = {"table": write.table, "id": write.target}
        ledger.activities(
            [
                history.line(Line.CREATED, now, link=link.pk, side=Side.DYNAMICS, changes=changes, details=details),
                requested(request, answer, now, link=link.pk),
            ]
        )
        mend(request.person, now)
        if asked_owner.problem is not None:
            _owner_failure(link, asked_owner.problem, request.person, now)
        ledger.writes([log("Created", request.person, now, link=link, answer=answer)])
        settle(request, answer, now)


def _become_partner(link: Link, write: PendingWrite, guid: UUID) -> None:
    """The new record takes the link; what was agreed with a record that is gone means nothing any more."""
    link.table, link.dynamics = write.table, guid
    link.dynamics_deleted, link.stopped = False, False
    link.agreed = {key: told["agreed"] for key, told in write.fields.items()}
    link.held, link.written = {}, {}
    link.dirty, link.lane = True, Lane.LIVE
    link.save()


def refuse(
    request: SyncRequest, problems: list[Failure], answer: Answer, now: datetime, link: int | None = None
) -> None:
    """Stores that the create is not possible, and why; it is tried again when the person changes."""
    with transaction.atomic():
        mend(request.person, now, but={row.key for row in problems})
        lines = [requested(request, answer, now, link=link)]
        for row in problems:
            lines += failing.opened(row, person=request.person, table=request.sync_as, guid=None, now=now, run=None)
        ledger.activities(lines)
        settle(request, answer, now)


def problem(request: SyncRequest, key: str, cause: str, column: str, **told: Any) -> Failure:
    """A failure that holds back this person's create. ``told``: code, message, value, now."""
    now = told.pop("now")
    return Failure(
        subject=subject(request.person),
        side=Side.DYNAMICS,
        operation="create",
        key=key,
        column=column,
        cause=cause,
        opened_at=now,
        last_at=now,
        **told,
    )


def subject(person: int) -> str:
    return f"marketo:{person}"


def mend(person: int, now: datetime, but: Collection[str] = ()) -> None:
    """What held back the create is over, ``but`` for these keys."""
    waiting = Failure.objects.filter(subject=subject(person), side=Side.DYNAMICS, closed_at=None)
    keys = list(waiting.exclude(key__in=but).values_list("key", flat=True))
    ledger.close_failures(subject(person), Side.DYNAMICS, keys, now=now)


def _owner_failure(link: Link, what: Problem, person: int, now: datetime) -> None:
    row = Failure(
        subject=f"link:{link.pk}",
        link=link,
        side=Side.DYNAMICS,
        operation="create",
        key=f"{link.table}.ownerid:",
        column="ownerid",
        cause=what.code,
        value={"value": what.detail},
        opened_at=now,
        last_at=now,
    )
    ledger.activities(failing.opened(row, person=person, table=link.table, guid=str(link.dynamics), now=now, run=None))


def requested(request: SyncRequest, answer: Answer, now: datetime, *, link: int | None) -> Any:
    """The line of history that tells of a request and what came of it."""
    details = {"source": request.source, "status": answer.status, "message": answer.message}
    return history.line(Line.REQUESTED, now, link=link, marketo=request.person, details=details)


def log(result: str, person: int, now: datetime, *, link: Link | None, answer: Answer) -> PendingWrite:
    """The entry in the person's activity log in Marketo."""
    named = {"crmEntity": answer.crm_entity, "crmRecordId": answer.crm_id, "errorMessage": ""}
    return history.log_entry(result, now, person=person, link=link.pk if link else None, run=None, attributes=named)
