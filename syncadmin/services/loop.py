"""What the tasks call: is a run due, and take part in one. Knows the real clock through the real context."""

from __future__ import annotations

import logging
import os
import secrets
import socket
from datetime import timedelta

from django.conf import settings

from syncadmin.engine.records import Lane
from syncadmin.services import connect, cycle, heartbeat, listing
from syncadmin.store import backlog, clock, runs, work
from syncadmin.store.models import Run

log = logging.getLogger(__name__)
# Well under the broker's visibility timeout and the tasks' time limits.
_STINT = timedelta(seconds=60)
_LISTING = timedelta(seconds=5)


def wanted() -> list[int]:
    """The open run's id, once for each worker that may still join; opens a run when one is due."""
    now = clock.now()
    if not cycle.due(now):
        return []
    run = runs.current() or runs.open_one(now)
    if run is None:
        return []
    there = work.at_work(now)
    # The first worker finds out what there is to do; further ones are called for what can be shared.
    wanted = settings.SYNC_WORKERS if there and backlog.left(now, Lane) else 1
    return [run.pk] * max(0, wanted - there)


def take_part(run_id: int) -> bool:
    """Works on a run for a minute at most. True if nothing of it was left."""
    run = Run.objects.filter(pk=run_id, finished_at__isnull=True).first()
    if run is None:
        return True
    name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"[-100:]
    try:
        ctx = connect.context(worker=name)
    except connect.NotConnected as missing:
        log.warning("%s", missing)
        runs.complain(run, "not_connected", side=missing.side)
        runs.close(run, clock.now())
        return True
    with heartbeat.beating(name, ctx.now):
        finished = cycle.work_on(ctx, run, ctx.now() + _STINT)
        if not finished:
            listing.catch_up(ctx.now, _LISTING)
        return finished
