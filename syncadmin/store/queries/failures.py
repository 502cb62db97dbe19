"""Failures: a card for each cause, and the records behind, open, put aside or closed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from syncadmin.engine.causes import Cause
from syncadmin.store.models import Failure
from syncadmin.store.queries import keys
from syncadmin.store.queries.sql import MOST, Count, bounded, select

PAGE = 25
EXPORT = 1_000
STATES = ("open", "ignored", "closed")
SORTS = ("newest", "oldest")
# Today and the seven days before; more fields than these fill a card without telling more.
DAYS = 8
FIELDS = 3

# One walk of the index failure_cause for each cause, none longer than the limit, and one of failure_opened a day.
_CAUSES = f"""
SELECT cause.code AS cause, seen.number, seen.ignored, seen.newest, seen.keys, days.opened
FROM unnest(%(causes)s::text[]) AS cause(code)
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE NOT f.ignored) AS number, count(*) FILTER (WHERE f.ignored) AS ignored,
           max(f.opened_at) FILTER (WHERE NOT f.ignored) AS newest,
           array_agg(f.key) FILTER (WHERE NOT f.ignored AND f.key <> '') AS keys
    FROM (SELECT ignored, opened_at, key FROM store_failure
          -- As a range and ordered by the cause as well, or the planner would walk over everything, newest first.
          WHERE store_failure.cause BETWEEN cause.code AND cause.code AND closed_at IS NULL
          ORDER BY store_failure.cause DESC, id DESC LIMIT {MOST + 1}) f
) seen
CROSS JOIN LATERAL (
    SELECT array_agg(d.number ORDER BY d.back DESC) AS opened
    FROM (SELECT back, (SELECT count(*) FROM (
              SELECT 1 FROM store_failure f WHERE f.cause = cause.code
              AND f.opened_at >= %(today)s - make_interval(days => back)
              AND f.opened_at < %(today)s - make_interval(days => back - 1) LIMIT {MOST + 1}) x) AS number
          FROM generate_series(0, {DAYS - 1}) AS back) d
) days
WHERE seen.number > 0 OR seen.ignored > 0
"""


@dataclass(frozen=True, slots=True)
class _CauseLine:
    cause: str
    number: int
    ignored: int
    newest: datetime | None
    keys: list[str] | None
    opened: list[int]


@dataclass(frozen=True, slots=True)
class CauseCard:
    """One cause: how many records it holds back, how many of those somebody has put aside (of the newest thousand),
    the fields it is about most often, and how many were opened on each of the last days, today last.
    """

    cause: str
    number: Count
    ignored: Count
    newest: datetime | None
    keys: tuple[str, ...]
    opened: tuple[int, ...]

    @property
    def today(self) -> int:
        return self.opened[-1]

    @property
    def before(self) -> float:
        """A day's average of the week before."""
        return sum(self.opened[:-1]) / (DAYS - 1)


@dataclass(frozen=True, slots=True)
class FailureFilter:
    """What the list is narrowed to; empty parts narrow nothing. An empty ``state`` is open ones, put aside or not."""

    cause: str = ""
    key: str = ""
    side: str = ""
    table: str = ""
    state: str = "open"
    value: Any = None
    column: str = ""

    def __bool__(self) -> bool:
        return any(getattr(self, part.name) not in ("", None) for part in fields(self) if part.name != "state")


@dataclass(frozen=True, slots=True)
class FailureRow:
    """``link`` and ``name`` are None and empty where the subject is no link."""

    id: int
    subject: str
    link: int | None
    name: str
    side: str
    table: str
    operation: str
    key: str
    column: str
    cause: str
    code: str
    message: str
    value: Any
    attempts: int
    opened_at: datetime
    last_at: datetime
    next_try_at: datetime | None
    closed_at: datetime | None
    closed_by: str
    ignored: bool
    run: int | None

    @property
    def record(self) -> str:
        """The record's id where the subject is a record without a link."""
        return self.subject.partition(":")[2]


@dataclass(frozen=True, slots=True)
class FailurePage:
    """``following`` is the id of the last row, where the next page goes on; empty on the last one."""

    rows: tuple[FailureRow, ...]
    following: str


def causes(today: datetime) -> tuple[CauseCard, ...]:
    """The causes that hold something back, the most frequent first. ``today`` is the day's first instant."""
    lines = select(_CauseLine, _CAUSES, {"causes": [cause.value for cause in Cause], "today": today})
    return tuple(sorted(map(_card, lines), key=lambda card: (-card.number.number, card.cause)))


def _card(line: _CauseLine) -> CauseCard:
    most = Counter(line.keys or ()).most_common(FIELDS)
    # What is counted together stops at the limit together.
    over = line.number + line.ignored > MOST
    return CauseCard(
        cause=line.cause,
        number=Count(min(line.number, MOST), over and line.number > 0),
        ignored=Count(line.ignored, over and line.ignored > 0),
        newest=line.newest,
        keys=tuple(key for key, _number in most),
        opened=tuple(line.opened),
    )


def chosen_by(wanted: FailureFilter) -> QuerySet[Failure]:
    """The failures a filter lets through, in no order."""
    found = Failure.objects.filter(closed_at__isnull=wanted.state != "closed")
    if wanted.state in ("open", "ignored"):
        found = found.filter(ignored=wanted.state == "ignored")
    # A list over all causes names them, so that it goes by the same index.
    given = {"cause": wanted.cause, "key": wanted.key, "side": wanted.side, "table": wanted.table}
    given["column"] = wanted.column
    found = found.filter(**{name: value for name, value in given.items() if value})
    return found if wanted.value is None else found.filter(value__value=wanted.value)


def page(wanted: FailureFilter, sort: str, after: int | None) -> FailurePage:
    """``sort`` is one of ``SORTS``; ``after`` is where the page before ended."""
    return FailurePage(*keys.page_by_id(chosen_by(wanted).select_related("link"), sort, after, rows, PAGE))


def count(wanted: FailureFilter) -> Count:
    return bounded(chosen_by(wanted).order_by()[: MOST + 1].count())


def every(wanted: FailureFilter, sort: str) -> Iterator[FailureRow]:
    """All that the filter lets through, read a thousand at a time."""
    return keys.every_by_id(chosen_by(wanted).select_related("link"), sort, rows, EXPORT)


def one(pk: int) -> FailureRow | None:
    found = rows(Failure.objects.select_related("link").filter(pk=pk))
    return found[0] if found else None


def rows(found: Iterable[Failure]) -> tuple[FailureRow, ...]:
    """Read with ``select_related("link")``."""
    return tuple(_row(failure) for failure in found)


def _row(failure: Failure) -> FailureRow:
    link = failure.link
    return FailureRow(
        id=failure.pk,
        subject=failure.subject,
        link=failure.link_id,
        name=(link.name or link.email) if link else "",
        side=failure.side,
        table=failure.table,
        operation=failure.operation,
        key=failure.key,
        column=failure.column,
        cause=failure.cause,
        code=failure.code,
        message=failure.message,
        value=failure.value,
        attempts=failure.attempts,
        opened_at=failure.opened_at,
        last_at=failure.last_at,
        next_try_at=failure.next_try_at,
        closed_at=failure.closed_at,
        closed_by=failure.closed_by,
        ignored=failure.ignored,
        run=failure.run_id,
    )
