"""Fields that both sides had changed: one list with its filters, one conflict, and what can be done about which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from syncadmin.store.models import Conflict, DynamicsRecord, Link, MarketoPerson
from syncadmin.store.queries import columns, keys
from syncadmin.store.queries.columns import Catalogue, FieldRow, Marks
from syncadmin.store.queries.sql import MOST, Count, bounded

PAGE = 25
EXPORT = 1_000
STATES = ("decided", "open", "chosen", "applied", "passed")
SORTS = ("newest", "oldest")


@dataclass(frozen=True, slots=True)
class ConflictFilter:
    """What the list is narrowed to; empty parts narrow nothing. ``link`` is a person's. Times are half open."""

    state: str = ""
    key: str = ""
    winner: str = ""
    rule: str = ""
    link: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    def __bool__(self) -> bool:
        return any(getattr(self, part.name) not in ("", None) for part in fields(self))


@dataclass(frozen=True, slots=True)
class ConflictRow:
    """The agreed and both new values, in comparable form. ``winner`` is empty while somebody is asked."""

    id: int
    link: int
    name: str
    key: str
    agreed_dynamics: Any
    agreed_marketo: Any
    dynamics: Any
    marketo: Any
    winner: str
    rule: str
    state: str
    chosen: str
    decided_by: str
    decided_at: datetime | None
    at: datetime
    run: int | None

    @property
    def won(self) -> str:
        """The side whose value is to stand, as far as anybody has decided."""
        return self.chosen if self.state in ("chosen", "applied") else self.winner

    @property
    def other(self) -> str:
        """The side whose value lost by the rule and may still be used; empty if none."""
        if self.state != "decided" or self.rule == "by_itself":
            return ""
        return {"dynamics": "marketo", "marketo": "dynamics"}.get(self.winner, "")


@dataclass(frozen=True, slots=True)
class ConflictPage:
    """``following`` is where the next page begins, packed; empty on the last one."""

    rows: tuple[ConflictRow, ...]
    following: str


def page(wanted: ConflictFilter, sort: str, after: str) -> ConflictPage:
    """``sort`` is one of ``SORTS``; ``after`` comes from the page before, and anything else means the first page."""
    chosen = _ordered(chosen_by(wanted).select_related("link"), sort)
    place = keys.unpack(after, str, int)
    found = [row(conflict) for conflict in _after(chosen, sort, place)[: PAGE + 1]]
    last = found[PAGE - 1] if len(found) > PAGE else None
    return ConflictPage(tuple(found[:PAGE]), keys.pack(last.at.isoformat(), last.id) if last else "")


def _ordered(chosen: QuerySet[Conflict], sort: str) -> QuerySet[Conflict]:
    return chosen.order_by("at", "id") if sort == "oldest" else chosen.order_by("-at", "-id")


def _after(chosen: QuerySet[Conflict], sort: str, place: tuple[Any, ...] | None) -> QuerySet[Conflict]:
    """The bound on the time alone lets the index begin there; the rest settles what happened in the same moment."""
    if place is None:
        return chosen
    at = _moment(place[0])
    if at is None:
        return chosen
    if sort == "oldest":
        return chosen.filter(Q(at__gt=at) | Q(id__gt=place[1]), at__gte=at)
    return chosen.filter(Q(at__lt=at) | Q(id__lt=place[1]), at__lte=at)


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def chosen_by(wanted: ConflictFilter) -> QuerySet[Conflict]:
    """The conflicts a filter lets through, in no order."""
    given = {
        "state": wanted.state,
        "key": wanted.key,
        "winner": wanted.winner,
        "rule": wanted.rule,
        "link": wanted.link,
        "at__gte": wanted.since,
        "at__lt": wanted.until,
    }
    return Conflict.objects.filter(**{name: value for name, value in given.items() if value not in ("", None)})


def count(wanted: ConflictFilter) -> Count:
    """How many there are, counted no further than the screen tells."""
    return bounded(chosen_by(wanted).order_by()[: MOST + 1].count())


def one(pk: int) -> ConflictRow | None:
    found = Conflict.objects.select_related("link").filter(pk=pk).first()
    return row(found) if found else None


def stands(found: ConflictRow, book: Catalogue) -> FieldRow | None:
    """What both sides hold in that field now; None where the field is not kept in step any more."""
    link = Link.objects.filter(pk=found.link).first()
    if link is None:
        return None
    record = DynamicsRecord.objects.filter(guid=link.dynamics).first() if link.dynamics else None
    person = MarketoPerson.objects.filter(person=link.marketo).first() if link.marketo else None
    marks = Marks(held=link.held, waiting={}, receipts=frozenset(), failed={})
    return next(
        (row for row in columns.rows(book, link.table, (link, record, person), marks) if row.key == found.key), None
    )


def every(wanted: ConflictFilter, sort: str) -> Iterator[ConflictRow]:
    """All that the filter lets through, read a thousand at a time."""
    chosen, place = _ordered(chosen_by(wanted).select_related("link"), sort), None
    while True:
        found = [row(conflict) for conflict in _after(chosen, sort, place)[:EXPORT]]
        yield from found
        if len(found) < EXPORT:
            return
        place = (found[-1].at.isoformat(), found[-1].id)


def rows(found: Iterable[Conflict]) -> tuple[ConflictRow, ...]:
    """Read with ``select_related("link")``."""
    return tuple(row(conflict) for conflict in found)


def row(conflict: Conflict) -> ConflictRow:
    return ConflictRow(
        id=conflict.pk,
        link=conflict.link_id,
        name=conflict.link.name or conflict.link.email,
        key=conflict.key,
        agreed_dynamics=conflict.agreed_dynamics,
        agreed_marketo=conflict.agreed_marketo,
        dynamics=conflict.dynamics_value,
        marketo=conflict.marketo_value,
        winner=conflict.winner,
        rule=conflict.rule,
        state=conflict.state,
        chosen=conflict.chosen,
        decided_by=conflict.decided_by,
        decided_at=conflict.decided_at,
        at=conflict.at,
        run=conflict.run_id,
    )
