"""When the next call may go. Pure arithmetic on the calls of the last seconds and of the day.

Marketo takes 100 calls in any 20 seconds from everybody; ours are half of them. Sync Person has two of them a second
for itself. What it leaves unused goes to the others, in such portions that its two a second are there again at once:
a dozen places stay free, and no five seconds let in more than a dozen of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

# A second more than Marketo's window: a call may take that long to arrive, and the one before it no time at all.
WINDOW = 21.0
SHARE = 50
RESERVE = 40
KEPT_FREE = 12
SLICE = 5.0
# The first reading of a large account must not stand in the way of a live change.
BACKFILL_SHARE = 26


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


def next_turn(calls: Sequence[Call], kind: Kind, now: float) -> float:
    """When this call may go: ``now``, or the first time at which it is worth asking again."""
    window = within(calls, now)
    asked_for = [call for call in window if call.kind is Kind.SYNC_PERSON]
    others = [call for call in window if call.kind is not Kind.SYNC_PERSON]
    if kind is Kind.SYNC_PERSON:
        return max(now, _free_at(window, SHARE, WINDOW))
    kept_free = max(0, min(KEPT_FREE, RESERVE - len(asked_for)))
    turn = max(now, _free_at(window, SHARE - kept_free, WINDOW), _free_at(_last(others, now), KEPT_FREE, SLICE))
    if kind is Kind.BACKFILL:
        turn = max(turn, _free_at([call for call in others if call.kind is Kind.BACKFILL], BACKFILL_SHARE, WINDOW))
    return turn


def _last(calls: Sequence[Call], now: float) -> list[Call]:
    return [call for call in calls if call.at > now - SLICE]


def _free_at(calls: Sequence[Call], allowed: int, seconds: float) -> float:
    """When fewer than ``allowed`` of these calls, oldest first, are younger than ``seconds``."""
    if len(calls) < allowed:
        return 0.0
    return calls[len(calls) - allowed].at + seconds
