"""The passes of the loop, newest first, and what one of them did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from syncadmin.store.models import Activity, Conflict, Failure, Run
from syncadmin.store.queries.sql import MOST, Count, bounded

PAGE = 50
SHOWN = ("busy", "troubled")

_READ = ("read_dynamics", "read_marketo")
_CREATED = ("create_created", "requests_created")
_UPDATED = ("dynamics_updated", "marketo_updated")


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

    @property
    def read(self) -> int:
        return self._together(_READ)

    @property
    def created(self) -> int:
        return self._together(_CREATED)

    @property
    def updated(self) -> int:
        return self._together(_UPDATED)

    @property
    def conflicts(self) -> int:
        return self._together(("conflicts",))

    def _together(self, names: tuple[str, ...]) -> int:
        return sum(number for name in names if isinstance(number := self.counts.get(name), int))


@dataclass(frozen=True, slots=True)
class RunPage:
    rows: tuple[RunRow, ...]
    older: int | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """``shown``: busy (something had changed), troubled (failures, or stopped early), or empty for all."""

    shown: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RunDetail:
    """``by_kind`` counts the lines it left in the histories, over the newest ``MOST`` of them."""

    run: RunRow
    by_kind: tuple[tuple[str, int], ...]
    all_counted: bool
    conflicts: Count
    failures: Count
    newer: int | None
    older: int | None


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


def page(wanted: Wanted, before: int | None) -> RunPage:
    """``before`` is the id of the oldest run already shown."""
    chosen = _within(Run.objects.order_by("-id"), wanted)
    if wanted.shown == "busy":
        chosen = chosen.filter(~Q(counts={}))
    elif wanted.shown == "troubled":
        chosen = chosen.filter(Q(failures__gt=0) | ~Q(complaint={}))
    if before is not None:
        chosen = chosen.filter(id__lt=before)
    found = [_row(run) for run in chosen[: PAGE + 1]]
    return RunPage(tuple(found[:PAGE]), found[PAGE - 1].id if len(found) > PAGE else None)


def _within(chosen: QuerySet[Run], wanted: Wanted) -> QuerySet[Run]:
    """Runs follow each other, so a stretch of time is a stretch of ids, and every index here is one of ids."""
    if wanted.since is not None:
        first = Run.objects.filter(started_at__gte=wanted.since).order_by("started_at").values_list("id", flat=True)
        chosen = chosen.filter(id__gte=first.first() or 2**62)
    if wanted.until is not None:
        behind = Run.objects.filter(started_at__gte=wanted.until).order_by("started_at").values_list("id", flat=True)
        chosen = chosen.filter(id__lt=behind.first() or 2**62)
    return chosen


def forgotten(pk: int) -> bool:
    """Whether there was such a run, before the oldest that is kept."""
    oldest = Run.objects.order_by("id").values_list("id", flat=True).first()
    return oldest is not None and 0 < pk < oldest


def detail(pk: int) -> RunDetail | None:
    """What one run left in the histories, and the runs before and after it."""
    run = Run.objects.filter(pk=pk).first()
    if run is None:
        return None
    kinds = list(Activity.objects.filter(run=run).order_by("-id").values_list("kind", flat=True)[: MOST + 1])
    ids = Run.objects.values_list("id", flat=True)
    return RunDetail(
        run=_row(run),
        by_kind=tuple(Counter(kinds).most_common()),
        all_counted=len(kinds) <= MOST,
        conflicts=bounded(Conflict.objects.filter(run=run)[: MOST + 1].count()),
        failures=bounded(Failure.objects.filter(run=run)[: MOST + 1].count()),
        newer=ids.filter(id__gt=pk).order_by("id").first(),
        older=ids.filter(id__lt=pk).order_by("-id").first(),
    )
