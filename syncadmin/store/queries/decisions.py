"""What only a person can settle, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from syncadmin.store.models import Decision

PAGE = 20


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """``facts`` as they were found; ``choices`` the codes that may be answered."""

    id: int
    kind: str
    subject: str
    link: int | None
    name: str
    facts: Mapping[str, Any]
    choices: tuple[str, ...]
    opened_at: datetime
    answer: Any
    answered_at: datetime | None
    answered_by: str
    run: int | None


@dataclass(frozen=True, slots=True)
class DecisionPage:
    rows: tuple[DecisionRow, ...]
    older: int | None


def page(before: int | None) -> DecisionPage:
    """The open ones."""
    chosen = Decision.objects.select_related("link").filter(answered_at__isnull=True).order_by("-id")
    if before is not None:
        chosen = chosen.filter(id__lt=before)
    found = rows(chosen[: PAGE + 1])
    return DecisionPage(found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None)


def one(pk: int) -> DecisionRow | None:
    """Open or answered."""
    found = rows(Decision.objects.select_related("link").filter(pk=pk))
    return found[0] if found else None


def rows(found: Iterable[Decision]) -> tuple[DecisionRow, ...]:
    """Read with ``select_related("link")``."""
    return tuple(_row(decision) for decision in found)


def _row(decision: Decision) -> DecisionRow:
    link = decision.link
    return DecisionRow(
        id=decision.pk,
        kind=decision.kind,
        subject=decision.subject,
        link=decision.link_id,
        name=(link.name or link.email) if link else "",
        facts=decision.facts,
        choices=tuple(str(choice) for choice in decision.choices),
        opened_at=decision.opened_at,
        answer=decision.answer,
        answered_at=decision.answered_at,
        answered_by=decision.answered_by,
        run=decision.run_id,
    )
