"""How fast records are written: for the chart of the Overview, and to say how long a backlog may take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from syncadmin.engine.records import Side
from syncadmin.store import throughput
from syncadmin.store.queries.sql import select

# Long enough to hold some runs, short enough to be about now.
_LATELY = timedelta(minutes=10)


class Span(StrEnum):
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


# Seconds of one bar, number of bars, and the kept rows they are made of.
_SHAPE = {
    Span.HOUR: (60, 60, throughput.MINUTE),
    Span.DAY: (900, 96, throughput.MINUTE),
    Span.WEEK: (3600, 168, throughput.HOUR),
}
_BARS = """
SELECT floor(extract(epoch FROM at) / %(width)s)::bigint * %(width)s AS begin, side,
       sum(created)::int AS created, sum(updated)::int AS updated
FROM store_throughput WHERE seconds = %(kept)s AND at >= %(since)s GROUP BY 1, 2
"""
_LATEST = """
SELECT side, sum(created + updated)::int AS written
FROM store_throughput WHERE seconds = 60 AND at >= %s AND at < %s GROUP BY side
"""


@dataclass(frozen=True, slots=True)
class _Line:
    begin: int
    side: str
    created: int
    updated: int


@dataclass(frozen=True, slots=True)
class _Written:
    side: str
    written: int


@dataclass(frozen=True, slots=True)
class Written:
    """Records written to one side."""

    created: int = 0
    updated: int = 0

    @property
    def number(self) -> int:
        return self.created + self.updated


@dataclass(frozen=True, slots=True)
class Bar:
    begin: datetime
    end: datetime
    dynamics: Written
    marketo: Written


@dataclass(frozen=True, slots=True)
class Pace:
    """The bars of a span, oldest first; the last one is still growing."""

    span: Span
    seconds: int
    bars: tuple[Bar, ...]

    @property
    def dynamics(self) -> int:
        return sum(bar.dynamics.number for bar in self.bars)

    @property
    def marketo(self) -> int:
        return sum(bar.marketo.number for bar in self.bars)

    @property
    def most(self) -> int:
        return max(max(bar.dynamics.number, bar.marketo.number) for bar in self.bars)


def pace(span: Span, now: datetime) -> Pace:
    width, number, kept = _SHAPE[span]
    last = throughput.begin(now, width)
    first = last - timedelta(seconds=width * (number - 1))
    found = {
        (line.begin, line.side): Written(line.created, line.updated)
        for line in select(_Line, _BARS, {"width": width, "kept": kept, "since": first})
    }
    begins = [first + timedelta(seconds=width * place) for place in range(number)]
    none = Written()
    bars = tuple(
        Bar(
            begin,
            begin + timedelta(seconds=width),
            found.get((int(begin.timestamp()), Side.DYNAMICS), none),
            found.get((int(begin.timestamp()), Side.MARKETO), none),
        )
        for begin in begins
    )
    return Pace(span, width, bars)


def per_minute(now: datetime) -> dict[str, float]:
    """Records written a minute, by side, over the last whole minutes."""
    until = throughput.begin(now, 60)
    lines = select(_Written, _LATEST, [until - _LATELY, until])
    return {line.side: line.written / (_LATELY.total_seconds() / 60) for line in lines}
