"""What one run did, line by line: of the histories it wrote to, the conflicts it decided, the failures it met."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from syncadmin.store.models import Activity, Conflict, Failure
from syncadmin.store.queries.history import Change, HistoryLine

PAGE = 30
# A page looks through so many lines at once; where a filter passes few of them, the next page goes on from there.
STEPS = 3_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the lines are narrowed to; empty parts narrow nothing. ``field`` is a pair's key."""

    kind: str = ""
    side: str = ""
    field: str = ""

    def __bool__(self) -> bool:
        return bool(self.kind or self.side or self.field)


@dataclass(frozen=True, slots=True)
class RunLine:
    """A line and whose it is; a record without a partner is named by its id alone."""

    line: HistoryLine
    link: int | None
    name: str
    dynamics: UUID | None
    marketo: int | None


@dataclass(frozen=True, slots=True)
class LinePage:
    """``older`` is where the next page begins."""

    lines: tuple[RunLine, ...]
    older: int | None


@dataclass(frozen=True, slots=True)
class RunConflict:
    id: int
    link: int
    name: str
    key: str
    winner: str
    rule: str


@dataclass(frozen=True, slots=True)
class RunFailure:
    """``closed_at`` is set once the record has passed."""

    id: int
    cause: str
    link: int | None
    name: str
    subject: str
    key: str
    side: str
    closed_at: datetime | None


def lines(run: int, wanted: Wanted, before: int | None) -> LinePage:
    """Newest first; ``before`` is the id of the oldest line already looked at."""
    chosen = Activity.objects.filter(run=run).order_by("-id")
    if before is not None:
        chosen = chosen.filter(id__lt=before)
    floor = chosen.values_list("id", flat=True)[STEPS - 1 : STEPS].first() if wanted else None
    if floor is not None:
        chosen = chosen.filter(id__gte=floor)
    for name in ("kind", "side"):
        if getattr(wanted, name):
            chosen = chosen.filter(**{name: getattr(wanted, name)})
    if wanted.field:
        chosen = chosen.filter(Q(changes__contains=[[wanted.field]]) | Q(details__key=wanted.field))
    found = list(chosen.select_related("link")[: PAGE + 1])
    shown = tuple(_line(row) for row in found[:PAGE])
    return LinePage(shown, shown[-1].line.id if len(found) > PAGE else floor)


def conflicts(run: int, number: int) -> tuple[RunConflict, ...]:
    rows = Conflict.objects.filter(run=run).order_by("-id").select_related("link")[:number]
    return tuple(RunConflict(r.pk, r.link_id, r.link.name, r.key, r.winner, r.rule) for r in rows)


def failures(run: int, number: int) -> tuple[RunFailure, ...]:
    rows = Failure.objects.filter(run=run).order_by("-id").select_related("link")[:number]
    return tuple(
        RunFailure(r.pk, r.cause, r.link_id, r.link.name if r.link else "", r.subject, r.key, r.side, r.closed_at)
        for r in rows
    )


def _line(row: Activity) -> RunLine:
    changes = tuple(_change(stored) for stored in row.changes)
    details: Mapping[str, Any] = row.details
    line = HistoryLine(row.pk, row.at, row.kind, row.side, changes, details, row.who, row.run_id)
    return RunLine(line, row.link_id, row.link.name if row.link else "", row.dynamics, row.marketo)


def _change(stored: list[Any]) -> Change:
    key, old, new, rule = [*stored, *[""] * 4][:4]
    return Change(str(key), old, new, str(rule or ""))
