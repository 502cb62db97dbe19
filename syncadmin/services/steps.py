"""The steps of a run in the order of their urgency. Each does one batch and says whether it found work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from syncadmin.engine.records import Lane, Side
from syncadmin.services import (
    apply_fields,
    carry_out,
    create_people,
    extract,
    merge,
    pair,
    post_log,
    preview_steps,
    pull_dynamics,
    pull_list,
    pull_marketo,
    push_dynamics,
    push_marketo,
    receipts,
    retries,
    start,
    sweep_people,
    sync_person,
)
from syncadmin.services.context import Context
from syncadmin.services.rulebook import Rulebook
from syncadmin.services.step import Step
from syncadmin.store.models import Run


@dataclass(frozen=True, slots=True)
class Doing:
    """A named step, bound to its run. ``side`` is the system whose trouble would stop it.

    A step that reads a stream is done by one worker at a time; the others go on with what there is to decide and write.
    """

    name: str
    side: Side
    once: Callable[[], Step]

    @property
    def alone(self) -> int | None:
        """The number of the lock that keeps others out; None if any number of workers may do it at once."""
        return _ALONE.index(self.name) if self.name in _ALONE else None

    @property
    def stream(self) -> str:
        """The pull of a table that rests when it has found nothing, until the table's full read goes on; or nothing."""
        return self.name.replace("read ", "pull ") if self.name in _TABLES else ""

    @property
    def in_a_row(self) -> int:
        """How many batches are taken before the next step has its turn.

        A feed may have hundreds of empty pages to walk through, each a call that waits for its own turn; what was read
        already is decided and sent meanwhile.
        """
        return 2 if self.name in _FEEDS else 20

    @property
    def once_a_run(self) -> bool:
        """Whether nothing that a run does can give this step new work: a stream at its end, an age, a date."""
        return self.name in _ONCE


_FEEDS = frozenset({"pull lead", "pull contact", "pull changes", "pull events", "pull deletes"})
_TABLES = frozenset({"pull lead", "pull contact", "read lead", "read contact"})
_ONCE = frozenset(
    {
        "pull changes",
        "pull events",
        "pull deletes",
        "settle old",
        "take over updates",
        "take over creates",
        "retry",
        "read list",
    }
)
# A place in this list is a lock's number: names are only ever added at its end.
_ALONE = (
    "pull lead",
    "pull contact",
    "pull changes",
    "pull events",
    "pull deletes",
    "settle old",
    "read list",
    "read lead",
    "read contact",
    "read people",
    "sweep people",
    "apply fields",
    "plan anew",
    "dissolve",
    "plan creates",
    "plan requests",
    "sum up",
)


def live(ctx: Context, book: Rulebook, run: Run) -> Iterator[Doing]:
    """What every run does until nothing of it is left."""
    if not book.options.started:
        yield from _before_the_start(ctx, book, run)
        return
    yield from _pull(ctx, book, run)
    yield Doing("release", Side.DYNAMICS, partial(start.release, ctx, book))
    yield Doing("answers", Side.DYNAMICS, partial(carry_out.batch, ctx, run))
    yield Doing("settle", Side.MARKETO, partial(receipts.settle_by_lines, ctx, book, run))
    yield Doing("settle old", Side.MARKETO, partial(receipts.settle_by_age, ctx, book, run))
    yield Doing("take over updates", Side.MARKETO, partial(push_marketo.recover, ctx, book, run))
    yield Doing("take over creates", Side.MARKETO, partial(create_people.recover, ctx, book, run))
    yield Doing("retry", Side.DYNAMICS, partial(retries.due, ctx, run))
    for lane in (Lane.LIVE, Lane.RETRY):
        yield from _decide(ctx, book, lane, run)
    yield from _push(ctx, book, run)
    if book.options.list_id:
        yield Doing("read list", Side.MARKETO, partial(pull_list.batch, ctx, book))
    # Both write over there, which a sync that only observes must not.
    if not book.options.observe_only:
        yield Doing("sync person", Side.DYNAMICS, partial(sync_person.finish_requests, ctx))
        yield Doing("log", Side.MARKETO, partial(post_log.batch, ctx, book, run))


def _before_the_start(ctx: Context, book: Rulebook, run: Run) -> Iterator[Doing]:
    """A preview: reads, and decides what would be written. No step of these writes anything over there."""
    yield from _pull(ctx, book, run)
    yield from _planning(preview_steps.prepare(ctx, book, run))
    for lane in (Lane.LIVE, Lane.RETRY):
        yield from _decide(ctx, book, lane, run)
    yield from _planning(preview_steps.finish(ctx, book, run))
    if book.options.list_id:
        yield Doing("read list", Side.MARKETO, partial(pull_list.batch, ctx, book))


def _planning(named: Iterator[tuple[str, Side, Callable[[], Step]]]) -> Iterator[Doing]:
    for name, side, once in named:
        yield Doing(name, side, once)


def _pull(ctx: Context, book: Rulebook, run: Run) -> Iterator[Doing]:
    for table in book.tables:
        yield Doing(f"pull {table}", Side.DYNAMICS, partial(pull_dynamics.live, ctx, book, table, run))
    for name, pull in (
        ("changes", pull_marketo.changes),
        ("events", pull_marketo.events),
        ("deletes", pull_marketo.deleted),
    ):
        yield Doing(f"pull {name}", Side.MARKETO, partial(pull, ctx, book, run))


def backfill(ctx: Context, book: Rulebook, run: Run) -> Iterator[Doing]:
    """The initial read and later full reads, a batch at a time, behind everything live."""
    yield Doing("apply fields", Side.DYNAMICS, partial(apply_fields.batch, ctx, book, run))
    yield from _decide(ctx, book, Lane.BACKFILL, run)
    yield from _push(ctx, book, run)
    for table in book.tables:
        yield Doing(f"read {table}", Side.DYNAMICS, partial(pull_dynamics.backfill, ctx, book, table, run))
    yield Doing("read people", Side.MARKETO, partial(extract.batch, ctx, book, run))
    yield Doing("sweep people", Side.MARKETO, partial(sweep_people.batch, ctx, book, run))


def _decide(ctx: Context, book: Rulebook, lane: Lane, run: Run) -> Iterator[Doing]:
    if not book.options.started:
        yield from _planning(preview_steps.decide(ctx, book, lane, run))
        return
    yield Doing(f"look up {lane}", Side.MARKETO, partial(pair.look_up, ctx, book, lane, run))
    yield Doing(f"pair {lane}", Side.DYNAMICS, partial(pair.batch, ctx, book, lane, run))
    yield Doing(f"merge {lane}", Side.DYNAMICS, partial(merge.batch, ctx, book, lane, run))


def _push(ctx: Context, book: Rulebook, run: Run) -> Iterator[Doing]:
    if book.options.observe_only or not book.options.started:
        return
    yield Doing("write dynamics", Side.DYNAMICS, partial(push_dynamics.updates, ctx, book, run))
    yield Doing("create people", Side.MARKETO, partial(create_people.batch, ctx, book, run))
    yield Doing("write marketo", Side.MARKETO, partial(push_marketo.updates, ctx, book, run))
