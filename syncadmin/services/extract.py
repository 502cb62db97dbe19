"""Reads the people who are only in Marketo: bulk extracts of everybody created in windows of at most 31 days.

Behind everything else, as the daily quota of the account allows. The file is read in ranges; where it stands is stored
with what was read, so it resumes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from django.db import transaction

from syncadmin.connectors.contract import Extract, ExtractState
from syncadmin.engine.records import Lane
from syncadmin.services.context import Context
from syncadmin.services.pull_people import store_people
from syncadmin.services.rulebook import Rulebook
from syncadmin.services.step import NOTHING, Step, did
from syncadmin.store import work
from syncadmin.store.models import Checkpoint, Run

NAME = "marketo.extract"
# Marketo's own limit is 31 days, both ends included.
_WINDOW = timedelta(days=31) - timedelta(seconds=1)
_ROWS = 1_000


def batch(ctx: Context, book: Rulebook, run: Run) -> Step:
    """The next small piece: start a window, look whether it is ready, or store a thousand of its people."""
    found = work.checkpoint(NAME)
    match found.position.get("state"):
        case None:
            return _plan(ctx, book, found)
        case "idle":
            return _start(ctx, book, found)
        case "waiting":
            return _look(ctx, book, found)
        case "reading":
            return _read(ctx, book, found, run)
        case _:
            return NOTHING


def _to(found: Checkpoint, **position: Any) -> bool:
    return work.move(found, found.cursor, as_of=None, run=None, position={**found.position, **position})


def _plan(ctx: Context, book: Rulebook, found: Checkpoint) -> Step:
    since = datetime.fromisoformat(book.options.marketo_since).replace(tzinfo=UTC)
    _to(found, state="idle", next=since.isoformat(), until=ctx.now().isoformat(), since=since.isoformat())
    return did(True)


def _start(ctx: Context, book: Rulebook, found: Checkpoint) -> Step:
    since, until = (datetime.fromisoformat(found.position[name]) for name in ("next", "until"))
    if since >= until:
        _to(found, state="done")
        return did(True)
    end = min(since + _WINDOW, until)
    begun = ctx.now()
    started = ctx.marketo.for_work(Lane.BACKFILL, "extract").start_extract(book.person_fields(), since, end)
    _to(
        found,
        state="waiting",
        export=started.id,
        end=end.isoformat(),
        begun=begun.isoformat(),
        looked=begun.isoformat(),
    )
    return did(True, extracts=1)


def _look(ctx: Context, book: Rulebook, found: Checkpoint) -> Step:
    now = ctx.now()
    if now < datetime.fromisoformat(found.position["looked"]) + timedelta(seconds=book.options.extract_poll):
        return NOTHING
    connector = ctx.marketo.for_work(Lane.BACKFILL, "extract")
    job = connector.extract(found.position["export"])
    if job.state is ExtractState.CREATED:
        job = connector.enqueue(job.id)
    if job.state is ExtractState.COMPLETED:
        _to(found, state="reading", offset=0, size=job.size, checksum=job.checksum)
    elif job.state in (ExtractState.FAILED, ExtractState.CANCELLED):
        _to(found, state="idle")
    else:
        _to(found, looked=now.isoformat())
        return NOTHING
    return did(True)


def _read(ctx: Context, book: Rulebook, found: Checkpoint, run: Run) -> Step:
    position: Mapping[str, Any] = found.position
    job = Extract(
        position["export"], ExtractState.COMPLETED, size=position["size"], checksum=position.get("checksum", "")
    )
    rows = ctx.marketo.for_work(Lane.BACKFILL, "extract").read_extract(job, book.person_fields(), position["offset"])
    read = list(islice(rows, _ROWS))
    # The file shows people as they were when the job ran: whatever was read since is newer.
    seen = datetime.fromisoformat(position["begun"])
    with transaction.atomic():
        over = len(read) < _ROWS
        after: dict[str, Any] = {"state": "idle", "next": position["end"]} if over else {"offset": read[-1][1]}
        if not _to(found, **after):
            return did(True)
        store_people(ctx, book, [record for record, _ in read], Lane.BACKFILL, seen, run)
    return did(True, read_marketo=len(read))
