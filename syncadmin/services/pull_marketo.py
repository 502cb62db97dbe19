"""Reads Marketo: the lead change feed, merges and list additions, deletes; and the bulk extract of everybody.

A page of the feed says who changed; what they look like now is then read by id. Lines that only echo our own writes
cost no read. Every stream is continued by its paging token, stored with what the page brought.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from syncadmin.connectors.contract import LeadChanges, Line
from syncadmin.connectors.errors import CursorExpired
from syncadmin.engine.records import Lane, Raw, Record, Ref, Table
from syncadmin.services import notices, own_lines, sweep_people, sync_person, sync_requests
from syncadmin.services.context import Context
from syncadmin.services.pull_people import store_people
from syncadmin.services.rulebook import Rulebook
from syncadmin.services.step import NOTHING, Step, did
from syncadmin.store import work
from syncadmin.store.models import Checkpoint, Run

CHANGES, EVENTS, DELETED = "marketo.changes", "marketo.events", "marketo.deleted"
# Without a usable token a stream is taken up again from its last stored line, less this; for the first time from now,
# less this, since our clock may be ahead of Marketo's.
_OVERLAP = timedelta(hours=1)
# Delete notices are kept so long over there; after a longer silence they are gone.
DELETES_KEPT = timedelta(days=14)


def take_tokens(ctx: Context) -> None:
    """The paging tokens, before anything is read for the first time: what changes from now on is in the feeds."""
    for found in work.checkpoints(CHANGES, EVENTS, DELETED):
        if not found.cursor:
            _renew(ctx, found)


def _renew(ctx: Context, found: Checkpoint) -> None:
    last = found.as_of or ctx.now()
    token = ctx.marketo.for_work(Lane.LIVE, "tokens").paging_token(last - _OVERLAP)
    work.move(found, token, as_of=last if found.as_of is None else None, run=None)


def changes(ctx: Context, book: Rulebook, run: Run) -> Step:
    """One page of the lead change feed."""
    found = work.checkpoint(CHANGES)
    if found.run >= run.pk:
        return NOTHING
    connector = ctx.marketo.for_work(Lane.LIVE, "changes")
    fields = book.person_fields()
    try:
        page = connector.lead_changes(found.cursor, fields)
    except CursorExpired:
        return _lost(ctx, found)
    echoes = own_lines.echoes(book, page.lines)
    people = sorted({line.person for line in page.lines if line.guid not in echoes} | set(page.created), key=int)
    seen = ctx.now()
    records = _fetch(ctx, people, fields)
    ctx.border("pull.page")
    with transaction.atomic():
        if not work.move(found, page.token, as_of=_last(page, found), run=None if page.more else run.pk):
            return did(True)
        store_people(ctx, book, _explicit_blanks(records, page.lines), Lane.LIVE, seen, run)
        confirmed = own_lines.note(book, page.lines, ctx.now(), last=not page.more)
    return did(page.more, read_marketo=len(records), lines=len(page.lines), receipts_a=confirmed)


def _fetch(ctx: Context, people: Sequence[str], fields: Sequence[str]) -> list[Record]:
    if not people:
        return []
    refs = [Ref(Table.PERSON, person) for person in people]
    return list(ctx.marketo.for_work(Lane.LIVE, "people").fetch(refs, fields).records)


def _explicit_blanks(records: Iterable[Record], lines: Iterable[Line]) -> list[Record]:
    """A field that the read left out is unknown, unless the newest line says that it was emptied."""
    newest = {(line.person, line.field): line for line in sorted(lines, key=lambda line: line.at)}
    emptied: dict[str, dict[str, Raw]] = {}
    for (person, field), line in newest.items():
        if line.new in (None, ""):
            emptied.setdefault(person, {})[field] = None
    return [
        Record(record.ref, {**emptied.get(record.ref.id, {}), **record.values}, record.version, record.modified_at)
        for record in records
    ]


def _last(page: LeadChanges, found: Checkpoint) -> datetime | None:
    times = [line.at for line in page.lines]
    return max([*times, *([found.as_of] if found.as_of else [])], default=None)


def _lost(ctx: Context, found: Checkpoint) -> Step:
    _renew(ctx, found)
    return did(True, expired=1)


def events(ctx: Context, book: Rulebook, run: Run) -> Step:
    """One page of merges and additions to the list that means "create in Dynamics"."""
    found = work.checkpoint(EVENTS)
    if found.run >= run.pk:
        return NOTHING
    list_id = book.options.list_id
    try:
        page = ctx.marketo.for_work(Lane.LIVE, "events").events(found.cursor, with_lists=bool(list_id))
    except CursorExpired:
        return _lost(ctx, found)
    asked = {int(listed.person): listed.at for listed in page.listed if listed.list_id == list_id}
    winners = sorted({merged.winner for merged in page.merged}, key=int)
    seen = ctx.now()
    records = _fetch(ctx, winners, book.person_fields())
    last = max([*(merged.at for merged in page.merged), *(listed.at for listed in page.listed)], default=None)
    with transaction.atomic():
        if not work.move(found, page.token, as_of=last, run=None if page.more else run.pk):
            return did(True)
        store_people(ctx, book, records, Lane.LIVE, seen, run)
        answered = {record.ref.id for record in records}
        notices.not_as_before([int(winner) for winner in winners if winner not in answered], seen)
        notices.people_merged(ctx, book, page.merged, run)
        sync_person.queue(sync_requests.not_asked(asked), sync_as="lead", source="list", now=ctx.now())
    return did(page.more, merged=len(page.merged), listed=len(asked))


def deleted(ctx: Context, book: Rulebook, run: Run) -> Step:
    """One page of deleted people."""
    found = work.checkpoint(DELETED)
    if found.run >= run.pk:
        return NOTHING
    seen = ctx.now()
    late = found.as_of is not None and seen - found.as_of > DELETES_KEPT
    try:
        page = ctx.marketo.for_work(Lane.LIVE, "deletes").deleted(found.cursor)
    except CursorExpired:
        return _lost(ctx, found)
    with transaction.atomic():
        if not work.move(found, page.cursor, as_of=seen, run=None if page.more else run.pk):
            return did(True)
        notices.people_gone(ctx, book, [int(ref.id) for ref in page.deleted], run)
        if late:
            sweep_people.start(seen)
    return did(page.more, deleted_marketo=len(page.deleted))
