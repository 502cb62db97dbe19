"""May a call be repeated, and after how long? One pure question; the loop that asks it is in ``http.py``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from syncadmin.connectors.errors import (
    BudgetSpent,
    ConnectorError,
    DeadlineOver,
    Malformed,
    NoAnswer,
    QuotaSpent,
)

MAX_TRIES = 5
MAX_SECONDS = 60.0
# Longer waits are not slept by a worker: the work goes back with the time at which it may go on.
LONGEST_SLEEP = 20.0
# Advice beyond a day is a broken header or a clock gone wrong.
LONGEST_ADVICE = timedelta(days=1)


def pause(
    attempt: int,
    error: ConnectorError,
    *,
    safe_to_repeat: bool,
    retry_after: float | None,
    elapsed: float,
    rnd: float,
) -> float | None:
    """Seconds to wait before the next try, or None if the error stands.

    ``attempt`` counts from 1; ``retry_after`` is the server's advice in seconds from now; ``elapsed`` are the
    seconds spent on the call so far; ``rnd`` in [0, 1) spreads the crowd.
    """
    if attempt >= MAX_TRIES or not _may_repeat(error, safe_to_repeat):
        return None
    if retry_after is not None:
        wait = max(0.0, retry_after) + rnd  # never earlier than advised
    else:
        wait = min(LONGEST_SLEEP, 0.5 * 2.0**attempt) * (0.5 + rnd / 2)
    if wait > LONGEST_SLEEP or elapsed + wait > MAX_SECONDS:
        return None
    return wait


def _may_repeat(error: ConnectorError, safe_to_repeat: bool) -> bool:
    if isinstance(error, BudgetSpent | DeadlineOver | QuotaSpent):
        return False  # only the clock mends these
    if isinstance(error, NoAnswer | Malformed):
        return safe_to_repeat  # it may have been executed
    return error.again


def advised(header: str | None, now: datetime) -> datetime | None:
    """The time a ``Retry-After`` names, in seconds or as a date; None if there is none or it is unreadable."""
    text = (header or "").strip()
    if not text:
        return None
    try:
        seconds = float(text.replace(",", ""))
    except ValueError:
        return _advised_date(text, now)
    if not 0 <= seconds <= LONGEST_ADVICE.total_seconds():
        seconds = LONGEST_ADVICE.total_seconds() if seconds > 0 else 0
    return now + timedelta(seconds=seconds)


def _advised_date(text: str, now: datetime) -> datetime | None:
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return min(max(when, now), now + LONGEST_ADVICE)
