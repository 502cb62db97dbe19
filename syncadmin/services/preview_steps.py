"""The loop before the start: both systems are read, and everything is paired and merged by the sync's own steps.

What differs from a run of the sync: nothing is pushed, and what was planned for a link is forgotten before the link
is merged again, so that a plan always is what a first contact of today's values would bring.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from django.db import transaction

from syncadmin.connectors.errors import ConnectorError
from syncadmin.engine.records import Lane, Side
from syncadmin.services import carry_out, pair, preview_creates, record
from syncadmin.services.context import Context
from syncadmin.services.judge import judge_all
from syncadmin.services.rulebook import Rulebook
from syncadmin.services.step import NOTHING, Step, did
from syncadmin.store import cases, pairing, planned, planned_counts
from syncadmin.store.models import Run

log = logging.getLogger(__name__)
_LINKS = 500
_DISCARD = 5_000
# While there is work, numbers are this many seconds apart, and ten times as long as counting them takes.
_SUMMARY_EVERY = 10


def decide(ctx: Context, book: Rulebook, lane: Lane, run: Run) -> Iterator[tuple[str, Side, Callable[[], Step]]]:
    """Name, side and batch of each step that decides, in one lane."""
    yield f"look up {lane}", Side.MARKETO, partial(_telling, partial(pair.look_up, ctx, book, lane, run))
    yield f"pair {lane}", Side.DYNAMICS, partial(_telling, partial(_pair, ctx, book, lane, run))
    yield f"merge {lane}", Side.DYNAMICS, partial(_telling, partial(_merge, ctx, book, lane, run))


def prepare(ctx: Context, book: Rulebook, run: Run) -> Iterator[tuple[str, Side, Callable[[], Step]]]:
    """What comes before deciding: an older plan gives way."""
    yield "count records", Side.DYNAMICS, partial(_count_records, ctx, book)
    yield "answers", Side.DYNAMICS, partial(_telling, partial(carry_out.batch, ctx, run))
    yield "plan anew", Side.DYNAMICS, partial(_telling, partial(_anew, ctx, book))
    yield "dissolve", Side.DYNAMICS, partial(_telling, partial(_dissolve, ctx))


def finish(ctx: Context, book: Rulebook, run: Run) -> Iterator[tuple[str, Side, Callable[[], Step]]]:
    """What comes after deciding: the values of new records, and the numbers on the page."""
    yield "plan creates", Side.MARKETO, partial(_telling, partial(preview_creates.people, ctx, book, run))
    yield "plan requests", Side.MARKETO, partial(_telling, partial(preview_creates.requests, ctx, book, run))
    yield "sum up", Side.DYNAMICS, partial(_sum_up, ctx, book)


def _telling(step: Callable[[], Step]) -> Step:
    done = step()
    if done.worked:
        planned.changed()
    return done


def _count_records(ctx: Context, book: Rulebook) -> Step:
    """How many records there are to read, asked once: only to tell what share has been read."""
    known = planned_counts.totals()
    table = next((table for table in book.tables if table not in known), None)
    if table is None:
        return NOTHING
    try:
        connector = ctx.dynamics.for_work(Lane.BACKFILL, "preview")
        number = connector.count(table)
        number = max(number, connector.total(table)) if number > planned_counts.COUNTED_TO else number
    except ConnectorError as error:
        log.info("%s cannot be counted: %s", table, error.message)
        number = 0
    planned_counts.put_total(table, number)
    return did(True)


def _anew(ctx: Context, book: Rulebook) -> Step:
    """Other rules: all links are merged again. Other pairing: all links go, and everybody is paired again."""
    with transaction.atomic():
        planned.alone()
        found = planned.plan()
        if found is None or found.state not in ("replan", "discard") or book.options.started:
            return NOTHING
        if found.state == "discard":
            gone = planned.discard(_DISCARD)
            if gone == _DISCARD:
                return did(True, plan_discarded=gone)
            planned.pair_anew(book.tables)
        else:
            planned.replan()
        planned.put(replace(found, state="plan"))
    ctx.border("preview.anew")
    return did(True)


def _dissolve(ctx: Context) -> Step:
    with transaction.atomic():
        count = planned.dissolve() if planned.may_plan() else 0
    return did(True, plan_dissolved=count) if count else NOTHING


def _pair(ctx: Context, book: Rulebook, lane: Lane, run: Run) -> Step:
    with transaction.atomic():
        return pair.batch(ctx, book, lane, run) if planned.may_plan() else NOTHING


def _merge(ctx: Context, book: Rulebook, lane: Lane, run: Run) -> Step:
    """As ``merge.batch``, from the beginning: what was planned for these links before is forgotten."""
    with transaction.atomic():
        if not planned.may_plan():
            return NOTHING
        now = ctx.now()
        ids = cases.claim_dirty(lane, _LINKS, now)
        if not ids:
            return NOTHING
        leaving = pairing.wake_contacts(ids)
        planned.forget(ids)
        judged = judge_all(cases.load([id for id in ids if id not in leaving]), book, now)
        counts = record.judgements(book, judged, run, now)
    ctx.border("preview.merge")
    return did(len(ids) == _LINKS, planned_links=len(ids), **counts)


def _sum_up(ctx: Context, book: Rulebook) -> Step:
    """The numbers of the preview, kept with it: counted once in a while, not whenever somebody looks."""
    before, made_at = planned.summary()
    unread = any(not read.done for read in planned_counts.reads(book.tables))
    whole = not (unread or planned_counts.left().deciding)
    if not planned.summary_is_stale() and (not whole or before.get("whole")):
        return NOTHING
    pause = max(_SUMMARY_EVERY, _SUMMARY_EVERY * float(before.get("took", 0)))
    if not whole and made_at and (ctx.now() - made_at).total_seconds() < pause:
        return NOTHING
    planned.begin_summary()
    begun = ctx.now()
    counts = planned_counts.count()
    now = ctx.now()
    planned.put_summary({**counts, "whole": whole, "took": (now - begun).total_seconds()}, now)
    return did(False)
