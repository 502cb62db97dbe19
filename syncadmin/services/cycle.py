"""The loop: run, wait, run. A run takes its steps until none finds work; any number of workers may take them.

The only way updates travel. A step that a system's trouble stops is left for the next run; the others go on.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, OperationalError

from syncadmin.connectors.errors import ConnectorError
from syncadmin.engine.records import Side
from syncadmin.services import listing, metadata, pull_marketo, retention, rulebook, steps, sweep_people, trouble
from syncadmin.services.context import Context
from syncadmin.services.preview import wanted as previewing
from syncadmin.services.rulebook import Rulebook
from syncadmin.services.step import NOTHING, Step, did
from syncadmin.services.steps import Doing
from syncadmin.store import backlog, locks, options, planned, runs, work
from syncadmin.store.models import Run

log = logging.getLogger(__name__)
# Two workers that meet in one row: the loser tries again, a few times, then leaves it to the next run.
_CLASHES = 5
_LEAST_WAIT = 10
# A run goes on with the backfill no longer than this, and if it did so long the next one follows at once: what is edited
# meanwhile waits for the feeds.
_FILLED_AFTER = timedelta(seconds=5)
_FLUSH_EVERY = timedelta(seconds=2)
# The rest of a very long list is for the next run; a page of it looks again at a few hundred by itself.
_LISTING = timedelta(seconds=10)


def due(now: datetime) -> bool:
    """Whether a run is to be opened or gone on with."""
    chosen = options.read()
    if chosen.paused or not (chosen.started or previewing()):
        return False
    if runs.current() is not None:
        return True
    last = runs.last()
    if not last or last[0].finished_at is None or (chosen.started and planned.left()):
        return True
    return now >= last[0].started_at + waiting(chosen, last) or now >= last[0].finished_at + timedelta(
        seconds=chosen.longest_wait
    )


def waiting(chosen: options.Options, last: Sequence[Run]) -> timedelta:
    """How long after its start the last run is followed by the next: longer while nothing changes."""
    idle = 0
    for run in last:
        if run.counts:
            break
        idle += 1
    wait = max(chosen.wait, min(chosen.wait * (1 + idle // 2), chosen.longest_wait))
    if backlog.backfilling():
        # One that ended sooner had to stop: an extract is being made, or the day's share of calls is used up. Runs that
        # follow at once would then only use up what is left for live changes.
        if last and last[0].finished_at and last[0].finished_at - last[0].started_at >= _FILLED_AFTER:
            return min(timedelta(seconds=chosen.wait), _FILLED_AFTER)
        # An extract is looked after once a minute, not once a run.
        wait = min(chosen.wait, max(_LEAST_WAIT, chosen.extract_poll))
    return timedelta(seconds=wait)


def once(ctx: Context) -> Run:
    """One whole run in this process: the open one, or a new one."""
    run = runs.open_one(ctx.now()) or runs.current()
    if run is None:  # closed by somebody else between the two questions
        return once(ctx)
    work_on(ctx, run, until=None)
    run.refresh_from_db()
    return run


def work_on(ctx: Context, run: Run, until: datetime | None) -> bool:
    """Takes steps of a run until nothing is left, then closes it; or until that time. True if nothing is left."""
    stopped: set[str] = set()
    shift = _Shift(ctx, run)
    try:
        if not _prepare(ctx, run, stopped):
            runs.close(run, ctx.now())
            return True
        while until is None or ctx.now() < until:
            shift.renew()
            book = rulebook.load()
            if book.options.paused:
                break
            if _pass(ctx, book, run, stopped, shift, until):
                continue
            shift.places.leave()
            if work.others_at_work(ctx.worker, ctx.now()):
                return False  # the last to find nothing closes the run
            return _close(ctx, run, shift)
    finally:
        shift.places.leave()
        shift.flush()
        work.leave(ctx.worker)
    if options.read().paused:
        return _close(ctx, run, shift)
    return False


def _prepare(ctx: Context, run: Run, stopped: set[str]) -> bool:
    """Metadata once an hour, paging tokens before the first read, old receipts forgotten."""
    try:
        if metadata.is_due(ctx.now()):
            metadata.refresh_schema(ctx)
        pull_marketo.take_tokens(ctx)
        retention.forget(ctx.now())
        sweep_people.read_new_fields(rulebook.load(), ctx.now())
    except ConnectorError as error:
        log.warning("run %s cannot prepare: %s", run.pk, error.message)
        if rulebook.load().tables and work.checkpoint(pull_marketo.CHANGES).cursor:
            return True
        runs.complain(run, trouble.code_of(error), step="prepare", said=error.message)
        trouble.note(error, Side.MARKETO, "prepare", run, ctx.now())
        return False
    return True


def _pass(ctx: Context, book: Rulebook, run: Run, stopped: set[str], shift: _Shift, until: datetime | None) -> bool:
    """Every live step until it finds nothing, but for its turn; if none did, one batch of a backfill step. Whether
    anything was done."""
    worked = False
    for doing in steps.live(ctx, book, run):
        for _ in range(doing.in_a_row):
            late = until is not None and ctx.now() >= until
            if late or not _take(ctx, doing, run, stopped, shift):
                break
            worked = True
    if worked:
        return True
    # At least one batch a run, or people who never stop editing would keep the backfill from ever going on.
    if not shift.filled or _waits_for_backfill(ctx, book, run):
        shift.filled = any(_take(ctx, doing, run, stopped, shift) for doing in steps.backfill(ctx, book, run))
        return shift.filled
    return False


def _waits_for_backfill(ctx: Context, book: Rulebook, run: Run) -> bool:
    """A run does not go on with the backfill past the time the next run is due: live changes wait for that one."""
    return ctx.now() < run.started_at + min(timedelta(seconds=book.options.wait), _FILLED_AFTER)


def _take(ctx: Context, doing: Doing, run: Run, stopped: set[str], shift: _Shift) -> bool:
    """One batch of a step. Trouble with a system stops this step for this run, and only it."""
    if doing.name in stopped or shift.idle(doing.name) or shift.rests(doing.name):
        return False
    shift.renew()
    for _ in range(_CLASHES):
        try:
            step = doing.once() if shift.may(doing) else NOTHING
        except ConnectorError as error:
            log.warning("run %s, %s: %s", run.pk, doing.name, error.message)
            _stop(ctx, doing, run, stopped, shift, error)
            return False
        except (IntegrityError, OperationalError) as clash:
            log.info("run %s, %s: %s", run.pk, doing.name, clash)
            shift.places.doubt()
            continue
        except Exception as fault:  # ours, or nobody's yet: told with its traceback, and the other steps go on
            log.exception("run %s, %s", run.pk, doing.name)
            _stop(ctx, doing, run, stopped, shift, trouble.ours(fault))
            return False
        shift.after(step, doing)
        if doing.once_a_run and not step.more:
            stopped.add(doing.name)
        if step.worked and shift.was_ill(doing.name):
            trouble.over(doing.side, doing.name, ctx.now())
        shift.add(step.counts)
        return step.worked
    log.error("run %s, %s: gave way %s times, left to the next run", run.pk, doing.name, _CLASHES)
    stopped.add(doing.name)
    return False


def _stop(ctx: Context, doing: Doing, run: Run, stopped: set[str], shift: _Shift, error: ConnectorError) -> None:
    runs.complain(run, trouble.code_of(error), side=doing.side, step=doing.name, said=error.message)
    stopped.add(doing.name)
    shift.after(did(True))
    trouble.note(error, doing.side, doing.name, run, ctx.now())
    shift.add({"stopped_steps": 1})


def _close(ctx: Context, run: Run, shift: _Shift) -> bool:
    shift.flush()
    listing.catch_up(ctx.now, _LISTING)
    runs.close(run, ctx.now())
    work.forget_workers(ctx.now() - timedelta(hours=1))
    return True


class _Shift:
    """One worker's part in a run: its lease, and the counts of its steps, both written every few seconds."""

    def __init__(self, ctx: Context, run: Run) -> None:
        self._ctx, self._run = ctx, run
        self._counts: Counter[str] = Counter()
        self._flushed = ctx.now()
        self._renewed: datetime | None = None
        self._there: frozenset[str] | None = None
        self._more = ""
        self.filled = False
        self._resting: set[str] = set()
        self._ill: set[str] | None = None
        self.places = locks.OneAfterAnother(locks.Lock.STREAM)

    def idle(self, step: str) -> bool:
        """Whether no row waits for this step; asked of the tables once until some step has worked."""
        if not backlog.fed_by_rows(step) or step == self._more:
            return False
        if self._there is None:
            self._there = backlog.there()
        return step not in self._there

    def was_ill(self, step: str) -> bool:
        """Whether a trouble of this step still stands open: true once. One that fails now is not taken again here."""
        if self._ill is None:
            self._ill = set(trouble.stopped())
        known = step[:55] in self._ill
        self._ill.discard(step[:55])
        return known

    def rests(self, step: str) -> bool:
        """Whether a stream was read to its end, and nothing this worker did has opened it again."""
        return step in self._resting

    def may(self, doing: Doing) -> bool:
        """The right to do a step now; always, where any number of workers may do it at once."""
        if doing.alone is None:
            self.places.leave()
            return True
        return self.places.take(doing.alone)

    def after(self, step: Step, doing: Doing | None = None) -> None:
        """A step was taken: what it did, if only in part, may be work for others."""
        if step.worked:
            self._there = None
        # A step that says itself that there is more need not be asked about.
        self._more = doing.name if doing is not None and step.worked and step.more else ""
        if doing is not None and doing.name == doing.stream and not step.more:
            self._resting.add(doing.stream)
        elif doing is not None and step.worked:
            self._resting.discard(doing.stream)

    def renew(self) -> None:
        """Keeps the lease running where no heartbeat does: a step takes far less than a lease."""
        now = self._ctx.now()
        if self._renewed is None or now - self._renewed >= _FLUSH_EVERY:
            work.renew(self._ctx.worker, now)
            self._renewed = now

    def add(self, counts: Mapping[str, int]) -> None:
        self._counts.update(counts)
        if self._ctx.now() - self._flushed > _FLUSH_EVERY:
            self.flush()

    def flush(self) -> None:
        if self._counts:
            runs.count(self._run, self._counts, self._ctx.now())
            self._counts.clear()
        self._flushed = self._ctx.now()
