"""Samples the stack's own tables while it is attacked: who moves, how long nobody does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg

from syncadmin.proof.chaos.stack import Stack

LANES = ("live", "retry", "backfill")
_EVERY = 0.25
# What is open in each lane and may be taken now. A write that was sent waits for its answer, or its two minutes.
_WORK = """
    SELECT lane, count(*) AS number, coalesce(sum(hashtext(what)::bigint), 0) AS which FROM (
        SELECT lane, 'link' || id AS what FROM store_link WHERE dirty
        UNION ALL
        SELECT lane, 'write' || id FROM store_pendingwrite
        WHERE state = 'waiting' AND op <> 'log' AND (not_before IS NULL OR not_before < now())
        UNION ALL
        SELECT lane, 'record' || id FROM store_dynamicsrecord WHERE due IN ('look_up', 'pair')
    ) AS work GROUP BY lane
"""
_MOVED = """
    SELECT (SELECT max(id) FROM store_activity) AS history, (SELECT max(id) FROM store_run) AS run,
           (SELECT max(heartbeat_at) FROM store_run) AS beat, (SELECT max(lease_until) FROM store_worker) AS lease
"""
_TAKEN_OVER = """
    SELECT name, owner FROM (
        SELECT 'write ' || id AS name, owner FROM store_pendingwrite WHERE owner <> ''
        UNION ALL SELECT 'stream ' || name, owner FROM store_checkpoint WHERE owner <> ''
    ) AS owned
"""


class Watch:
    """``pauses``: the longest time, in seconds, in which a lane had work and none of it moved."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._still: dict[str, tuple[Any, float]] = {}
        self._owners: dict[str, str] = {}
        self.pauses = dict.fromkeys(LANES, 0.0)
        self.takeovers = 0
        self.moved_at = time.monotonic()
        self._mark: Any = None

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join(90)

    def until_moved(self, since: float, limit: float) -> float | None:
        """Seconds from ``since`` (monotonic) until somebody worked again; None if nobody did in time."""
        while time.monotonic() < since + limit:
            if self.moved_at > since:
                return self.moved_at - since
            time.sleep(_EVERY / 2)
        return None

    def _look(self) -> None:
        while not self._over.wait(_EVERY):
            try:
                self._sample(time.monotonic())
            except psycopg.Error:
                # It was restarted under the question; the next one is asked in a moment.
                continue

    def _sample(self, now: float) -> None:
        mark = tuple(self._stack.ask(_MOVED)[0].values())
        if mark != self._mark:
            self._mark, self.moved_at = mark, now
        work = {row["lane"]: (row["number"], row["which"]) for row in self._stack.ask(_WORK)}
        for lane in LANES:
            self._measure(lane, work.get(lane), now)
        owners = {row["name"]: row["owner"] for row in self._stack.ask(_TAKEN_OVER)}
        self.takeovers += sum(1 for name, owner in owners.items() if self._owners.get(name, owner) != owner)
        self._owners = owners

    def _measure(self, lane: str, work: Any, now: float) -> None:
        before, since = self._still.get(lane, (None, now))
        if work is None or work != before:
            since = now
        self._still[lane] = (work, since)
        self.pauses[lane] = max(self.pauses[lane], now - since)


def wait_for(question: Callable[[], bool], limit: float, every: float = 0.5) -> bool:
    """Whether the answer was yes within ``limit`` seconds."""
    deadline = time.monotonic() + limit
    while not question():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True
