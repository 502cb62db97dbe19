"""Makes a failing schedule short: drops events as long as what is left fails in the same way."""

from __future__ import annotations

from collections.abc import Callable

from syncadmin.proof.events import Schedule


def shrink(schedule: Schedule, fails: Callable[[Schedule], bool], budget: int = 150) -> Schedule:
    """The shortest found with at most ``budget`` tries: halves first, then quarters, down to single events."""
    length = len(schedule.events) // 2
    while length >= 1:
        start, dropped = 0, False
        while start < len(schedule.events):
            if budget <= 0:
                return schedule
            budget -= 1
            shorter = schedule.without(start, length)
            if len(shorter.events) < len(schedule.events) and fails(shorter):
                schedule, dropped = shorter, True
            else:
                start += length
        length = length if dropped and length == 1 else length // 2
    return schedule
