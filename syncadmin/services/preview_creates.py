"""The values new records would start with, by the functions that make them when they are sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from syncadmin.engine.own_fields import own_values
from syncadmin.engine.plan import CreatePlan, create_in_marketo
from syncadmin.engine.records import Lane, Ref, Side, Table
from syncadmin.engine.schema import Problem
from syncadmin.services import preview_inputs, reading, sync_create, sync_outcomes
from syncadmin.services.context import Context
from syncadmin.services.rulebook import Rulebook
from syncadmin.services.step import NOTHING, Step, did
from syncadmin.store import cases, ledger, planned, planned_counts, text, work
from syncadmin.store.cases import Case
from syncadmin.store.mirror import PersonRow
from syncadmin.store.models import DynamicsRecord, Failure, Link, MarketoPerson, PendingWrite, Run

_BATCH = 300


def people(ctx: Context, book: Rulebook, run: Run) -> Step:
    """People to be created in Marketo, up to 300."""
    with transaction.atomic():
        if not planned.may_plan():
            return NOTHING
        writes = {write.link_id or 0: write for write in planned.creates(_BATCH)}
        found = cases.load(cases.lock(list(writes)))
        planned.store_creates([_person(book, case, writes[case.id], run, ctx.now()) for case in found])
    ctx.border("preview.creates")
    return did(len(writes) == _BATCH, planned_creates=len(writes)) if writes else NOTHING


def _person(book: Rulebook, case: Case, write: PendingWrite, run: Run, now: datetime) -> tuple[int, Any, str]:
    values = {**(case.d or {}), **own_values(Ref(case.table, case.dynamics or ""))}
    plan = create_in_marketo(case.table, values, book.bounds[case.table])
    keys = {bound.pair.marketo: bound.pair.key for bound in book.bounds[case.table]}
    for problem in plan.problems:
        row = _failure(problem, keys, Side.MARKETO, run, now)
        row.subject, row.link_id, row.table = f"link:{case.id}", case.id, case.table
        planned.expect(row)
    return write.pk, _fields(book, case.table, plan, Side.MARKETO), preview_inputs.of(case, book)


def requests(ctx: Context, book: Rulebook, run: Run) -> Step:
    """Records to be created in Dynamics for people somebody asked for; once everybody has been paired."""
    wanted = planned.requests(_BATCH)
    if not wanted or planned_counts.left().deciding:
        return NOTHING
    rows = _read(ctx, book, [person for _, person, _ in wanted])
    there = _there(rows)
    now = ctx.now()
    with transaction.atomic():
        found = work.checkpoint(planned.REQUESTS)
        moved = work.move(found, "", as_of=None, run=None, position={"after": wanted[-1][0]})
        if not moved or not planned.may_plan():
            transaction.set_rollback(True)
            return NOTHING
        for _, person, table in wanted:
            if person in rows and person not in there and Table(table) in book.tables:
                _record(book, rows[person], Table(table), run, now)
    ctx.border("preview.requests")
    return did(len(wanted) == _BATCH, planned_requests=len(wanted))


def _read(ctx: Context, book: Rulebook, people: Sequence[int]) -> dict[int, PersonRow]:
    """As Marketo knows them now, stored in the mirror as ever."""
    seen = ctx.now()
    refs = [Ref(Table.PERSON, str(person)) for person in people]
    records = ctx.marketo.for_work(Lane.BACKFILL, "preview").fetch(refs, book.person_fields()).records
    rows = reading.person_rows(book, records)
    sync_outcomes.remember_people(rows, seen)
    return {row.person: row for row in rows}


def _there(rows: Mapping[int, PersonRow]) -> set[int]:
    """People who have a record in Dynamics, or one with their e-mail that they would be linked to or asked about."""
    linked = set(Link.objects.filter(marketo__in=rows, dynamics__isnull=False).values_list("marketo", flat=True))
    emails = {row.email for row in rows.values() if row.email}
    # Of more than a hundred addresses PostgreSQL does not find out that none is empty, as the index wants it.
    alive = DynamicsRecord.objects.filter(email__in=emails, deleted_at__isnull=True, filtered=False).exclude(email="")
    known = set(alive.values_list("email", flat=True))
    gone = MarketoPerson.objects.filter(person__in=rows, deleted_at__isnull=False).values_list("person", flat=True)
    return {person for person, row in rows.items() if person in linked or row.email in known} | set(gone)


def _record(book: Rulebook, person: PersonRow, table: Table, run: Run, now: datetime) -> None:
    plan = sync_create.planned(book, table, person)
    keys = {bound.pair.dynamics: bound.pair.key for bound in book.bounds[table]}
    for problem in plan.problems:
        row = _failure(problem, keys, Side.DYNAMICS, run, now)
        row.subject, row.table = f"marketo:{person.person}", table
        planned.expect(row)
    if plan.blocked:
        return
    # Without a link: the request itself is looked up and planned again when its turn comes.
    write = PendingWrite(
        side=Side.DYNAMICS,
        op="create",
        table=table,
        target=str(person.person),
        values=plan.values,
        fields=_fields(book, table, plan, Side.DYNAMICS),
        email=person.email,
        state="planned",
        inputs=text.digest(text.dump(dict(person.values))),
        decided_at=now,
        run=run,
    )
    ledger.writes([write])


def _fields(book: Rulebook, table: Table, plan: CreatePlan, to: Side) -> dict[str, Any]:
    """The values of a new record as a pending write tells them, and as they will be sent."""
    bounds = {bound.pair.key: bound for bound in book.bounds[table]}
    told: dict[str, Any] = {}
    for key, agreed in plan.agreed.items():
        sent, source = (agreed.m, agreed.d) if to is Side.MARKETO else (agreed.d, agreed.m)
        raw = plan.values[bounds[key].target(to).name]
        told[key] = {"sent": sent, "source": source, "replaced": None, "rule": "create", "raw": raw}
    filled = {bounds[key].target(to).name for key in plan.agreed}
    for name in sorted(set(plan.values) - filled):  # a default, and the filter column set to Yes
        told[f"{table}.{name}:"] = {"sent": plan.values[name], "source": None, "replaced": None, "rule": "default"}
        told[f"{table}.{name}:"]["raw"] = plan.values[name]
    storable: dict[str, Any] = text.storable(told)
    return storable


def _failure(problem: Problem, keys: Mapping[str, str], side: Side, run: Run, now: datetime) -> Failure:
    detail = text.storable(problem.detail)[:2000]
    return Failure(
        side=side,
        operation=planned.EXPECTED,
        key=keys.get(problem.column, ""),
        column=problem.column,
        cause=problem.code,
        message=detail,
        value={"value": detail, "limit": problem.limit},
        opened_at=now,
        last_at=now,
        run=run,
    )
