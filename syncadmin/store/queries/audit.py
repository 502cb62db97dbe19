"""Who changed what, newest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from syncadmin.store.models import AuditEntry

PAGE = 50


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries; what is empty or None does not filter. ``since`` is included, ``until`` is not."""

    who: str = ""
    action: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditRow:
    id: int
    at: datetime
    who: str
    action: str
    subject: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class AuditPage:
    rows: tuple[AuditRow, ...]
    older: int | None


def page(wanted: Wanted, before: int | None) -> AuditPage:
    """``before`` is the id of the oldest entry already shown."""
    chosen = _chosen(wanted)
    if before is not None:
        chosen = chosen.filter(id__lt=before)
    found = [_row(entry) for entry in chosen[: PAGE + 1]]
    return AuditPage(tuple(found[:PAGE]), found[PAGE - 1].id if len(found) > PAGE else None)


def every(wanted: Wanted) -> Iterator[AuditRow]:
    """All of them, read while they are written out."""
    return (_row(entry) for entry in _chosen(wanted).iterator(chunk_size=1_000))


def _chosen(wanted: Wanted) -> QuerySet[AuditEntry]:
    chosen = AuditEntry.objects.order_by("-id")
    asked = {"who": wanted.who, "action": wanted.action, "at__gte": wanted.since, "at__lt": wanted.until}
    return chosen.filter(**{name: value for name, value in asked.items() if value})


def _row(entry: AuditEntry) -> AuditRow:
    return AuditRow(entry.pk, entry.at, entry.who, entry.action, entry.subject, entry.before, entry.after)
