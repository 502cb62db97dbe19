"""What only a person can settle: the list with its filters, and how many there are of each kind and shape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from syncadmin.store.models import Decision
from syncadmin.store.queries import keys
from syncadmin.store.queries.sql import MOST, Count, bounded, select

PAGE = 20
EXPORT = 500
STATES = ("open", "waiting", "answered")
SORTS = ("newest", "oldest")
# Shapes are counted among so many open questions: an index walk of a few milliseconds.
_LOOKED_AT = 20_000

_SHAPES = f"""
SELECT kind, shape, count(*) AS number FROM (
    SELECT kind, shape FROM store_decision WHERE answered_at IS NULL ORDER BY kind, shape, id LIMIT {_LOOKED_AT}) d
GROUP BY kind, shape ORDER BY count(*) DESC, kind, shape
"""


@dataclass(frozen=True, slots=True)
class ShapeCount:
    kind: str
    shape: str
    number: int

    @property
    def count(self) -> Count:
        return bounded(self.number)


@dataclass(frozen=True, slots=True)
class DecisionFilter:
    """What the list is narrowed to. ``state``: open, waiting (answered, not carried out yet) or answered."""

    kind: str = ""
    shape: str = ""
    state: str = "open"

    def __bool__(self) -> bool:
        return bool(self.kind or self.shape)


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """``facts`` as they were found; ``choices`` the codes that may be answered. ``due``: the next run carries it out."""

    id: int
    kind: str
    subject: str
    shape: str
    link: int | None
    name: str
    facts: Mapping[str, Any]
    choices: tuple[str, ...]
    opened_at: datetime
    answer: Any
    answered_at: datetime | None
    answered_by: str
    due: bool
    note: str
    run: int | None


@dataclass(frozen=True, slots=True)
class DecisionPage:
    """``following`` is the id of the last row, where the next page goes on; empty on the last one."""

    rows: tuple[DecisionRow, ...]
    following: str


def chosen_by(wanted: DecisionFilter) -> QuerySet[Decision]:
    """The questions a filter lets through, in no order."""
    found = Decision.objects.filter(answered_at__isnull=wanted.state == "open")
    if wanted.state == "waiting":
        found = found.filter(due=True)
    given = {"kind": wanted.kind, "shape": wanted.shape}
    return found.filter(**{name: value for name, value in given.items() if value})


def page(wanted: DecisionFilter, sort: str, after: int | None) -> DecisionPage:
    return DecisionPage(*keys.page_by_id(chosen_by(wanted).select_related("link"), sort, after, rows, PAGE))


def count(wanted: DecisionFilter) -> Count:
    return bounded(chosen_by(wanted).order_by()[: MOST + 1].count())


def shapes() -> tuple[ShapeCount, ...]:
    """How many open questions there are of each kind and shape, the most frequent first."""
    return tuple(select(ShapeCount, _SHAPES))


def every(wanted: DecisionFilter, sort: str) -> Iterator[DecisionRow]:
    """All that the filter lets through, read some hundred at a time."""
    return keys.every_by_id(chosen_by(wanted).select_related("link"), sort, rows, EXPORT)


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
        shape=decision.shape,
        link=decision.link_id,
        name=(link.name or link.email) if link else "",
        facts=decision.facts,
        choices=tuple(str(choice) for choice in decision.choices),
        opened_at=decision.opened_at,
        answer=decision.answer,
        answered_at=decision.answered_at,
        answered_by=decision.answered_by,
        due=decision.due,
        note=decision.note,
        run=decision.run_id,
    )
