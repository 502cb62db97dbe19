"""When the next call may go. Pure arithmetic on the calls of the last seconds and of the day.

Marketo takes 100 calls in any 20 seconds from everybody; ours are half of them. Sync Person may have two of them a
second, and what it leaves unused goes to the others: they may use nearly all of our share, but paced, so that places
become free at two a second and more, and Sync Person, who needs fewer of them, takes each before they do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

# A second more than Marketo's window: a call may take that long to arrive, and the one before it no time at all.
WINDOW = 21.0
SHARE = 50


class Kind(StrEnum):
    """Who calls: Sync Person, the loop, or its backfill lane."""

    SYNC_PERSON = "s"
    LOOP = "l"
    BACKFILL = "b"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the window, in epoch seconds."""

    at: float
    kind: Kind


def within(calls: Sequence[Call], now: float) -> list[Call]:
    """The calls that still count, oldest first. One far ahead was stamped by a clock that has been put right since."""
    return sorted((call for call in calls if -WINDOW < call.at - now < WINDOW), key=lambda call: call.at)


@dataclass(frozen=True, slots=True)
class _Pace:
    """At most ``at_once`` calls and ``a_second`` more for each second, in any stretch of the window; ``most`` in all."""

    at_once: int
    a_second: float
    most: int


# Three places are always free for Sync Person, and three more beside a backfill for the calls of a live change.
_PACES = {Kind.LOOP: _Pace(10, 1.85, 47), Kind.BACKFILL: _Pace(7, 1.85, 44)}


def next_turn(calls: Sequence[Call], kind: Kind, now: float) -> float:
    """When this call may go: ``now``, or the first time at which it is worth asking again."""
    window = within(calls, now)
    pace = _PACES.get(kind)
    if pace is None:
        return max(now, _free_at(window, SHARE, WINDOW))
    return max(now, _free_at(window, pace.most, WINDOW), _paced(window, pace))


def _paced(calls: Sequence[Call], pace: _Pace) -> float:
    """The first time at which one more call, with those of any last seconds, are no more than the pace allows."""
    held = range(pace.at_once, min(len(calls) + 1, pace.most))
    return max((calls[-number].at + (number + 1 - pace.at_once) / pace.a_second for number in held), default=0.0)


def _free_at(calls: Sequence[Call], allowed: int, seconds: float) -> float:
    """When fewer than ``allowed`` of these calls, oldest first, are younger than ``seconds``."""
    if len(calls) < allowed:
        return 0.0
    return calls[len(calls) - allowed].at + seconds
