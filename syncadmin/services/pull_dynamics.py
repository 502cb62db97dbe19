"""Reads Dynamics: the delta feed of each table, and the tracked full read that gives it its first delta link.

A full read runs page by page in the backfill lane; each page is stored with the link to the next, so it resumes. Until
its last page has brought a delta link, every run also asks for what was modified since it last asked (the *recent*
stream, live lane), and once more, from the start of the read, after the last page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction

from syncadmin.connectors.contract import Page
from syncadmin.connectors.errors import CursorExpired
from syncadmin.engine.records import Lane, Record, Ref, Table
from syncadmin.services import notices, reading
from syncadmin.services.context import Context
from syncadmin.services.rulebook import Rulebook
from syncadmin.services.step import NOTHING, Step, did
from syncadmin.store import mirror, sweeps, work
from syncadmin.store.mirror import DynamicsRow
from syncadmin.store.models import Checkpoint, Run

# A transaction over there may commit later than the modifiedon it shows.
_OVERLAP = timedelta(minutes=2)
# The last of these questions decides what is never asked for again; our clock may be ahead of Dynamics'.
_LAST_OVERLAP = timedelta(hours=1)


def delta_name(table: Table) -> str:
    return f"dynamics.{table}"


def full_name(table: Table) -> str:
    return f"dynamics.{table}.full"


def recent_name(table: Table) -> str:
    return f"dynamics.{table}.recent"


def live(ctx: Context, book: Rulebook, table: Table, run: Run) -> Step:
    """One page of what changed in a table; ``more`` until the run has read the stream to its end."""
    names = delta_name(table), full_name(table), recent_name(table)
    delta, full, recent = work.checkpoints(*names)
    if _plan_full_read(ctx, book, table, delta, full):
        delta, full, recent = work.checkpoints(*names)
    if delta.cursor:
        if delta.run < run.pk:
            step = _changes(ctx, book, table, delta, run)
            # At its end there is no more, unless the last page of a full read asks for what was modified meanwhile.
            return replace(step, more=step.more or full.position.get("state") == "tail")
        if full.position.get("state") == "reading":
            return NOTHING  # other columns are being read; the old link tells what changes meanwhile
    return _recent(ctx, book, table, run, full, recent)


def backfill(ctx: Context, book: Rulebook, table: Table, run: Run) -> Step:
    """One page of a full read, if one is under way."""
    full = work.checkpoint(full_name(table))
    if full.position.get("state") == "reading":
        return _full_page(ctx, book, table, full, run)
    if full.position.get("state") == "sweep":
        return _sweep(ctx, book, table, full, run)
    return NOTHING


def ask_again(table: Table, now: datetime) -> None:
    """Starts a full read of the table with the next run, from its first page."""
    full = work.checkpoint(full_name(table))
    number = int(full.position.get("number", 0)) + 1
    position = {"state": "reading", "number": number, "begun": now.isoformat(), "columns": ""}
    work.move(full, "", as_of=None, run=None, position=position)


def _plan_full_read(ctx: Context, book: Rulebook, table: Table, delta: Checkpoint, full: Checkpoint) -> bool:
    """A table never read, or asked for other columns than its delta link was made for, is read in full: from now on?"""
    wanted = book.columns_digest(table)
    under_way = full.position.get("state") in ("reading", "tail", "sweep")
    if under_way and full.position.get("columns") in ("", wanted):
        return False
    if delta.cursor and delta.position.get("columns") == wanted and not under_way:
        return False
    number = int(full.position.get("number", 0)) + 1
    position = {
        "state": "reading",
        "number": number,
        "begun": ctx.now().isoformat(),
        "columns": wanted,
    }
    work.move(full, "", as_of=None, run=None, position=position)
    return True


def _changes(ctx: Context, book: Rulebook, table: Table, delta: Checkpoint, run: Run) -> Step:
    # The columns of the link, not today's: the link stays in use until another full read has made a new one.
    seen = ctx.now()
    try:
        page = ctx.dynamics.for_work(Lane.LIVE, "changes").changes(table, book.dynamics_columns(table), delta.cursor)
    except CursorExpired:
        with transaction.atomic():
            if work.move(delta, "", as_of=None, run=None):
                ask_again(table, seen)
        return did(True, expired=1)
    return _store(ctx, book, table, page, Lane.LIVE, seen, run, delta)


def _recent(ctx: Context, book: Rulebook, table: Table, run: Run, full: Checkpoint, recent: Checkpoint) -> Step:
    if full.position.get("state") not in ("reading", "tail"):
        return NOTHING
    if recent.run >= run.pk and not recent.cursor:
        return NOTHING
    seen = ctx.now()
    since = _since(full, recent)
    columns = book.dynamics_columns(table)
    page = ctx.dynamics.for_work(Lane.LIVE, "changes").modified_since(table, columns, since, recent.cursor)
    pass_begun = recent.position["pass"] if recent.cursor else seen.isoformat()
    position = {"asked": recent.position.get("asked") if page.more else pass_begun, "pass": pass_begun}
    tail = full.position.get("state") == "tail" and not page.more
    records = _with_companions(ctx, book, page.records)
    with transaction.atomic():
        if not work.move(
            recent,
            page.cursor if page.more else "",
            as_of=seen,
            run=None if page.more else run.pk,
            position=position,
        ):
            return did(True)
        if tail:
            # Who was deleted while no delta link told of it is missing from the read, and is asked for by id.
            work.move(full, "", as_of=None, run=None, position={**full.position, "state": "sweep"})
        _store_records(ctx, book, records, Lane.LIVE, seen, run)
    return did(page.more, read_dynamics=len(page.records))


def _since(full: Checkpoint, recent: Checkpoint) -> datetime:
    begun = datetime.fromisoformat(full.position["begun"])
    asked = recent.position.get("asked")
    if full.position.get("state") == "tail":
        return begun - _LAST_OVERLAP
    if not asked:
        return begun - _OVERLAP
    return max(datetime.fromisoformat(asked), begun) - _OVERLAP


def _full_page(ctx: Context, book: Rulebook, table: Table, full: Checkpoint, run: Run) -> Step:
    seen = ctx.now()
    connector = ctx.dynamics.for_work(Lane.BACKFILL, "full read")
    try:
        page = connector.full_read(table, book.dynamics_columns(table), full.cursor)
    except CursorExpired:  # the link to the next page grew old: from the first page again
        ask_again(table, seen)
        return did(True, expired=1)
    columns = full.position.get("columns") or book.columns_digest(table)
    position = {**full.position, "columns": columns, "rows": int(full.position.get("rows", 0)) + len(page.records)}
    records = _with_companions(ctx, book, _without_the_dead(ctx, book, page.records))
    with transaction.atomic():
        if page.more:
            if not work.move(full, page.cursor, as_of=seen, run=None, position=position):
                return did(True)
        else:
            if not work.move(full, "", as_of=seen, run=None, position={**position, "state": "tail"}):
                return did(True)
            delta = work.checkpoint(delta_name(table), lock=True)
            work.move(delta, page.cursor, as_of=seen, run=None, position={"columns": columns})
        number = int(full.position["number"])
        _store_records(ctx, book, records, Lane.BACKFILL, seen, run, full_read=number)
    return did(True, read_dynamics=len(page.records))


def _store(
    ctx: Context,
    book: Rulebook,
    table: Table,
    page: Page,
    lane: Lane,
    seen: datetime,
    run: Run,
    checkpoint: Checkpoint,
) -> Step:
    """Stores a page of the delta feed and moves the cursor, in one transaction."""
    records = _with_companions(ctx, book, page.records)
    ctx.border("pull.page")
    with transaction.atomic():
        done = None if page.more else run.pk
        if not work.move(checkpoint, page.cursor, as_of=seen, run=done):
            return did(True)
        _store_records(ctx, book, records, lane, seen, run)
        notices.dynamics_gone(ctx, book, [ref.id for ref in page.deleted], run, seen)
    return did(page.more, read_dynamics=len(page.records), deleted_dynamics=len(page.deleted))


def _store_records(
    ctx: Context,
    book: Rulebook,
    records: Sequence[Record],
    lane: Lane,
    seen: datetime,
    run: Run,
    *,
    full_read: int = 0,
) -> None:
    """Stores records of any read and follows what they tell: filter, merge, qualification, restore."""
    rows = reading.dynamics_rows(book, records)
    changes = mirror.store_dynamics(rows, seen=seen, lane=lane, full_read=full_read)
    notices.dynamics_changed(ctx, book, changes, rows, run)


def _without_the_dead(ctx: Context, book: Rulebook, records: Sequence[Record]) -> list[Record]:
    """A page of a full read may be older than a delete notice: such records are asked for again, by id."""
    dead = sweeps.deleted_among([record.ref.id for record in records])
    if not dead:
        return list(records)
    refs = [record.ref for record in records if record.ref.id in dead]
    columns = book.dynamics_columns(refs[0].table)
    alive = ctx.dynamics.for_work(Lane.LIVE, "by id").fetch(refs, columns).records
    return [record for record in records if record.ref.id not in dead] + list(alive)


def _with_companions(
    ctx: Context, book: Rulebook, records: Sequence[Record], known: Sequence[Record] = ()
) -> list[Record]:
    """With the contact of each qualified lead and the lead of each such contact, so that both are handled together.

    ``known`` are in hand already, and not asked for once more.
    """
    here = {record.ref.id for record in (*records, *known)}
    rows = reading.dynamics_rows(book, records)
    wanted = {Ref(Table.CONTACT, row.parent_contact) for row in rows if row.qualified and row.parent_contact}
    wanted |= {Ref(Table.LEAD, row.originating_lead) for row in rows if row.table == "contact" and row.originating_lead}
    # The master of a merge as well: the loser's link is about to follow it.
    wanted |= {Ref(Table(row.table), row.merged_into) for row in rows if row.merged_into}
    unknown = {ref for ref in wanted if ref.id not in here}
    stale = sweeps.unready_companions([ref.id for ref in unknown])
    found = list(records)
    for table in book.tables:
        refs = sorted(ref for ref in unknown if ref.table is table and ref.id in stale)
        if refs:
            found += ctx.dynamics.for_work(Lane.LIVE, "by id").fetch(refs, book.dynamics_columns(table)).records
    former = _former_leads(ctx, book, rows, found)
    return [*found, *_with_companions(ctx, book, former, found)] if former else found


def _former_leads(ctx: Context, book: Rulebook, rows: Sequence[DynamicsRow], found: Sequence[Record]) -> list[Record]:
    """The leads that new contacts were, where these name another one, which does not name them.

    After a merge of leads a contact names the master. The loser still names the contact, and the link that the two are
    to share is on its way from the loser to the master.
    """
    if Table.LEAD not in book.tables:
        return []
    named = {row.guid: row.originating_lead for row in rows if row.table == "contact" and not row.filtered}
    parents = {row.guid: row.parent_contact for row in reading.dynamics_rows(book, found) if row.table == "lead"}
    doubtful = {guid: lead for guid, lead in named.items() if lead and parents.get(lead) != guid}
    contacts = sweeps.not_named_back(doubtful) if doubtful else []
    if not contacts:
        return []
    columns = book.dynamics_columns(Table.LEAD)
    return ctx.dynamics.for_work(Lane.LIVE, "by contact").find(Table.LEAD, "parentcontactid", contacts, columns)


# One question by id each, 100 to a batch.
_SWEEP = 100


def _sweep(ctx: Context, book: Rulebook, table: Table, full: Checkpoint, run: Run) -> Step:
    """Known ids that the full read did not meet are asked for by id; only a direct "does not exist" is a delete."""
    number = int(full.position["number"])
    missing = sweeps.not_met(table, number, limit=_SWEEP)
    if not missing:
        work.move(full, "", as_of=None, run=None, position={**full.position, "state": "done"})
        return did(True)
    seen = ctx.now()
    refs = [Ref(table, guid) for guid in missing]
    answer = ctx.dynamics.for_work(Lane.BACKFILL, "sweep").fetch(refs, book.dynamics_columns(table))
    with transaction.atomic():
        _store_records(ctx, book, answer.records, Lane.BACKFILL, seen, run)
        sweeps.met(missing, number)
        notices.dynamics_gone(ctx, book, [ref.id for ref in answer.gone], run, seen)
    return did(True, swept=len(missing))
