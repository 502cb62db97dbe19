"""The passes of the loop, newest first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from syncadmin.store.models import Activity, Conflict, Failure, Run
from syncadmin.store.queries.sql import MOST, Count, bounded

PAGE = 50


@dataclass(frozen=True, slots=True)
class RunRow:
    """``counts`` and ``calls`` as the run stored them; ``took`` is None while it is under way."""

    id: int
    started_at: datetime
    finished_at: datetime | None
    counts: Mapping[str, Any]
    calls: Mapping[str, Any]
    complaint: Mapping[str, Any]
    message: str
    failures: int
    # Not shown, and no reason to show the rest anew.
    heartbeat_at: datetime = field(repr=False)

    @property
    def took(self) -> timedelta | None:
        return self.finished_at - self.started_at if self.finished_at else None

    @property
    def used(self) -> Mapping[str, int]:
        """Calls by side and purpose. An open run knows only what stood there before it."""
        return {name: number for name, number in _flat("", self.calls) if number} if self.finished_at else {}

    @property
    def calls_made(self) -> int:
        return sum(self.used.values())

    @property
    def did(self) -> Mapping[str, int]:
        """The counts that are not zero, nested ones by their path."""
        return {name: number for name, number in _flat("", self.counts) if number}


@dataclass(frozen=True, slots=True)
class RunPage:
    rows: tuple[RunRow, ...]
    older: int | None


@dataclass(frozen=True, slots=True)
class RunDetail:
    run: RunRow
    by_kind: tuple[tuple[str, int], ...]
    all_counted: bool
    conflicts: Count
    failures: Count


def _flat(path: str, values: Mapping[str, Any]) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    for name, value in values.items():
        place = f"{path}.{name}" if path else str(name)
        if isinstance(value, Mapping):
            found += _flat(place, value)
        elif isinstance(value, int):
            found.append((place, value))
    return found


def _row(run: Run) -> RunRow:
    return RunRow(
        run.pk,
        run.started_at,
        run.finished_at,
        run.counts,
        run.calls,
        run.complaint,
        run.message,
        run.failures,
        run.heartbeat_at,
    )


def last(number: int) -> tuple[RunRow, ...]:
    return tuple(_row(run) for run in Run.objects.order_by("-id")[:number])


def page(before: int | None) -> RunPage:
    """``before`` is the id of the oldest run already shown."""
    chosen = Run.objects.order_by("-id")
    if before is not None:
        chosen = chosen.filter(id__lt=before)
    found = [_row(run) for run in chosen[: PAGE + 1]]
    return RunPage(tuple(found[:PAGE]), found[PAGE - 1].id if len(found) > PAGE else None)


def detail(pk: int) -> RunDetail | None:
    """What one run left in the histories, counted over at most its first lines."""
    run = Run.objects.filter(pk=pk).first()
    if run is None:
        return None
    lines = list(Activity.objects.filter(run=run).order_by().values_list("kind", flat=True)[: MOST + 1])
    return RunDetail(
        run=_row(run),
        by_kind=tuple((kind, number) for kind, number in Counter(lines).most_common()),
        all_counted=len(lines) <= MOST,
        conflicts=bounded(Conflict.objects.filter(run=run)[: MOST + 1].count()),
        failures=bounded(Failure.objects.filter(run=run)[: MOST + 1].count()),
    )
