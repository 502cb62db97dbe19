"""Several worker processes at one run: how the work scales, and that nobody is done twice."""

from __future__ import annotations

import multiprocessing
import time
from typing import Any

from django.db import connections

from syncadmin.proof.bench.initial import manners, median_of
from syncadmin.proof.bench.options import NotMeasured, Options, Result
from syncadmin.proof.bench.stage import Stage, later, stage
from syncadmin.services import cycle, heartbeat
from syncadmin.store import runs
from syncadmin.store.models import Activity, Link

_STINT = 20.0
_PATIENCE = 3_600.0


def workers(wanted: Options) -> Result:
    """The first sync by so many processes; how often people were linked or told twice."""
    with stage(wanted) as found:
        return median_of([shared(found, wanted.workers) for _ in range(wanted.repeat)])


def shared(found: Stage, number: int) -> dict[str, Any]:
    """The first sync, from an empty mirror, by so many processes."""
    found.forget_people()
    refused = found.refused()
    begun = time.perf_counter()
    run_together(found, number)
    seconds = time.perf_counter() - begun
    linked = Link.objects.filter(dynamics__isnull=False, marketo__isnull=False).count()
    if linked != found.wanted.people:
        raise NotMeasured(f"{linked} of {found.wanted.people} people were linked")
    told = {"people": linked, "workers": number, "seconds": round(seconds, 3)}
    return {**told, "rate": round(linked / seconds, 1), "doubled": doubled(), **manners(found, seconds, refused)}


def doubled() -> int:
    """How many lines of history say once more that somebody was linked, or given the same value."""
    rows = Activity.objects.filter(kind__in=["linked", "updated"]).values_list("link_id", "kind", "side", "changes")
    seen: set[str] = set()
    twice = 0
    for row in rows.iterator():
        known = repr(row)
        twice += known in seen
        seen.add(known)
    return twice


def run_together(found: Stage, number: int) -> None:
    """Forks so many workers and waits until each has found nothing left to do."""
    # A session belongs to one process; each child opens its own.
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    children = [fork.Process(target=_work, args=(found, place)) for place in range(number)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    broken = [child.exitcode for child in children if child.exitcode]
    if broken:
        raise NotMeasured(f"{len(broken)} of {number} workers failed")


def _work(found: Stage, place: int) -> None:
    """One child: takes part in run after run until everything is done."""
    found.workers = (place + 1) * 1_000_000
    deadline = time.monotonic() + _PATIENCE
    while not found.done() and time.monotonic() < deadline:
        _take_part(found)
    connections.close_all()


def _take_part(found: Stage) -> None:
    ctx = found.context()
    run = runs.current() or runs.open_one(ctx.now())
    if run is None:
        return
    with heartbeat.beating(ctx.worker, ctx.now):
        cycle.work_on(ctx, run, later(_STINT))
