"""Open failures: by cause, and the records behind a cause."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from syncadmin.engine.causes import Cause
from syncadmin.store.models import Failure
from syncadmin.store.queries.sql import MOST, Count, bounded, select

PAGE = 50

# One walk of the index failure_cause for each cause there can be, none longer than the limit.
_CAUSES = f"""
SELECT cause.code AS cause,
       (SELECT count(*) FROM (SELECT 1 FROM store_failure f WHERE f.cause = cause.code AND f.closed_at IS NULL
                              AND NOT f.ignored LIMIT {MOST + 1}) x) AS number,
       (SELECT count(*) FROM (SELECT 1 FROM store_failure f WHERE f.cause = cause.code AND f.closed_at IS NULL
                              AND f.ignored LIMIT {MOST + 1}) x) AS ignored,
       (SELECT f.opened_at FROM store_failure f WHERE f.cause = cause.code AND f.closed_at IS NULL
        AND NOT f.ignored ORDER BY f.id DESC LIMIT 1) AS newest
FROM unnest(%s::text[]) AS cause(code)
"""


@dataclass(frozen=True, slots=True)
class _CauseLine:
    cause: str
    number: int
    ignored: int
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class CauseCard:
    """One cause with how many records it holds back, and how many of those somebody has put aside."""

    cause: str
    number: Count
    ignored: Count
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class FailureRow:
    """``link`` and ``name`` are None and empty where the subject is no link."""

    id: int
    subject: str
    link: int | None
    name: str
    side: str
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
    ignored: bool
    run: int | None

    @property
    def record(self) -> str:
        """The record's id where the subject is a record without a link."""
        return self.subject.partition(":")[2]


@dataclass(frozen=True, slots=True)
class FailurePage:
    rows: tuple[FailureRow, ...]
    older: int | None


def causes() -> tuple[CauseCard, ...]:
    """The causes that hold something back, the most frequent first."""
    lines = select(_CauseLine, _CAUSES, [[cause.value for cause in Cause]])
    cards = [CauseCard(line.cause, bounded(line.number), bounded(line.ignored), line.newest) for line in lines]
    return tuple(sorted((c for c in cards if c.number or c.ignored), key=lambda c: (-c.number.number, c.cause)))


def page(cause: str, before: int | None) -> FailurePage:
    chosen = Failure.objects.select_related("link").filter(cause=cause, closed_at__isnull=True).order_by("-id")
    if before is not None:
        chosen = chosen.filter(id__lt=before)
    found = rows(chosen[: PAGE + 1])
    return FailurePage(found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None)


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
        ignored=failure.ignored,
        run=failure.run_id,
    )
