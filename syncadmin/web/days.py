"""Days typed into a filter, as times: they are the viewer's, and the last one is included."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.utils import timezone


def between(first: str, last: str) -> tuple[datetime | None, datetime | None]:
    """From the beginning of the first day to the end of the last; None for what is no day."""
    until = _day(last)
    return _start(_day(first)), _start(until and until + timedelta(days=1))


def _day(word: str) -> date | None:
    try:
        day = date.fromisoformat(word)
    except ValueError:
        return None
    # Outside of these a zone's offset would lead over the edge of the calendar.
    return day if 1970 <= day.year < 9000 else None


def _start(day: date | None) -> datetime | None:
    return None if day is None else timezone.make_aware(datetime.combine(day, time()))
