"""Merges the links whose records changed: the engine decides, ``record`` carries the decisions into the tables.

What may be written becomes a pending write per side, replacing one that was decided before and not yet sent. What
stays where it is, is noted on the link once, with the two values it was decided for, so that it is told once.
"""

from __future__ import annotations

from django.db import transaction

from syncadmin.engine.records import Lane
from syncadmin.services import record
from syncadmin.services.context import Context
from syncadmin.services.judge import judge_all
from syncadmin.services.rulebook import Rulebook
from syncadmin.services.step import NOTHING, Step, did
from syncadmin.store import cases, pairing
from syncadmin.store.models import Run

# A thousand links of 20 fields are decided and stored in well under a lease.
_BATCH = 1_000


def batch(ctx: Context, book: Rulebook, lane: Lane, run: Run) -> Step:
    """Decides for the dirty links of one lane, in one transaction."""
    with transaction.atomic():
        now = ctx.now()
        ids = cases.claim_dirty(lane, _BATCH, now)
        if not ids:
            return NOTHING
        leaving = pairing.wake_contacts(ids)
        judged = judge_all(cases.load([id for id in ids if id not in leaving]), book, now)
        counts = record.judgements(book, judged, run, now)
    ctx.border("merge.batch")
    return did(len(ids) == _BATCH, merged_links=len(ids), **counts)
