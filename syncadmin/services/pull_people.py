"""Stores people read from Marketo, whoever asked for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from syncadmin.engine.records import Lane, Record
from syncadmin.services import notices, reading
from syncadmin.services.context import Context
from syncadmin.services.rulebook import Rulebook
from syncadmin.store import mirror
from syncadmin.store.models import Run


def store_people(
    ctx: Context, book: Rulebook, records: Sequence[Record], lane: Lane, seen: datetime, run: Run | None
) -> list[mirror.Change]:
    """Stores people of any read and follows what they tell. Runs in the caller's transaction."""
    rows = reading.person_rows(book, records)
    changed = mirror.store_people(rows, seen=seen, lane=lane)
    notices.people_changed(ctx, book, changed, rows, run)
    return changed
