"""The history of one person, newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from syncadmin.store.models import Activity

PAGE = 50


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a line: the value that was replaced, the value now, and the rule that decided."""

    key: str
    old: Any
    new: Any
    rule: str


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """``kind`` is a code of ``store/kinds.py``; ``details`` fills its sentence."""

    id: int
    at: datetime
    kind: str
    side: str
    changes: tuple[Change, ...]
    details: Mapping[str, Any]
    who: str
    run: int | None


@dataclass(frozen=True, slots=True)
class HistoryPage:
    lines: tuple[HistoryLine, ...]
    older: int | None


def page(link: int | None, dynamics: UUID | None, marketo: int | None, before: int | None) -> HistoryPage:
    """Lines of the link, and of both records from before they had one. ``before`` is the last line shown."""
    parts = []
    if link is not None:
        parts.append(_newest(before, link_id=link))
    if dynamics is not None:
        parts.append(_newest(before, link__isnull=True, dynamics=dynamics))
    if marketo is not None:
        parts.append(_newest(before, link__isnull=True, marketo=marketo))
    # A line about a record that names both of its ids is found twice.
    found = {row.pk: row for part in parts for row in part}
    rows = sorted(found.values(), key=lambda row: -row.pk)
    lines = tuple(_line(row) for row in rows[:PAGE])
    return HistoryPage(lines, lines[-1].id if len(rows) > PAGE else None)


def _newest(before: int | None, **which: object) -> Sequence[Activity]:
    chosen = Activity.objects.filter(**which).order_by("-id")
    if before is not None:
        chosen = chosen.filter(id__lt=before)
    return list(chosen[: PAGE + 1])


def _line(row: Activity) -> HistoryLine:
    changes = tuple(_change(change) for change in row.changes)
    return HistoryLine(row.pk, row.at, row.kind, row.side, changes, row.details, row.who, row.run_id)


def _change(stored: Sequence[Any]) -> Change:
    key, old, new, rule = [*stored, *[""] * 4][:4]
    return Change(str(key), old, new, str(rule or ""))
