"""Answers to questions: to one, to the chosen ones, to all of a shape. The next run carries them out.

Until then an answer can be taken back; one that leads to nothing but itself can be taken back at any time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from syncadmin.engine.shapes import general, particular
from syncadmin.services import answers, use_other_value
from syncadmin.services.answers import NotAChoice
from syncadmin.store import ledger
from syncadmin.store.kinds import Kind
from syncadmin.store.models import AuditEntry, Conflict, Decision
from syncadmin.store.queries.decisions import DecisionFilter, chosen_by

BATCH = 2_000
ASK = "ask"


@dataclass(frozen=True, slots=True)
class Which:
    """The questions meant: those with these ids, or all that the filter lets through."""

    ids: tuple[int, ...] | None = None
    wanted: DecisionFilter = field(default_factory=DecisionFilter)

    def rows(self) -> QuerySet[Decision]:
        return chosen_by(self.wanted) if self.ids is None else Decision.objects.filter(pk__in=self.ids)


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be answered to all of these at once; none if they are not of one shape. ``number`` are still open."""

    kind: str
    number: int
    choices: tuple[str, ...]
    shapes: int


def offer(which: Which) -> Offer:
    rows = which.rows().filter(answered_at__isnull=True)
    shapes = list(rows.order_by("kind", "shape").values_list("kind", "shape").distinct()[:2])
    first = rows.first()
    if len(shapes) != 1 or first is None:
        return Offer("", rows.count(), (), len(shapes))
    return Offer(first.kind, rows.count(), tuple(general(first.choices)), 1)


def answer(which: Which, choice: str, who: str, now: datetime) -> int:
    """Answers those of them that are open and offer this choice; a general one of ``engine/shapes.py`` or one of a
    question's own. Answers how many. Raises ``NotAChoice`` if none does."""
    done = 0
    for ids in _batches(which.rows().filter(answered_at__isnull=True)):
        done += _answer(ids, choice, who, now)
    if not done:
        raise NotAChoice(gettext_noop("None of these is open with that answer any more."))
    AuditEntry.objects.create(at=now, who=who, action="answer", subject=f"questions: {done}", after=choice)
    return done


def _batches(rows: QuerySet[Decision]) -> Iterator[list[int]]:
    after = 0
    while ids := list(rows.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        yield ids
        after = ids[-1]


@transaction.atomic
def _answer(ids: Sequence[int], choice: str, who: str, now: datetime) -> int:
    found = Decision.objects.filter(pk__in=ids, answered_at__isnull=True).select_for_update(of=("self",))
    meant = {row: own for row in found.select_related("link").order_by("pk") if (own := _own(row, choice))}
    asks = [row for row in meant if row.kind == ASK]
    others = [row for row in meant if row.kind != ASK]
    _use_values(asks, choice, who, now)
    ledger.answered([(row.pk, meant[row], answers.has_effect(row.kind)) for row in others], who=who, now=now)
    told = (
        line
        for row in others
        for line in answers.lines(row, Kind.DECIDED, {"kind": row.kind, "answer": meant[row]}, who, now)
    )
    ledger.activities(told)
    return len(meant)


def _own(row: Decision, choice: str) -> str | None:
    return choice if choice in row.choices else particular(choice, row.choices)


def _use_values(rows: Sequence[Decision], side: str, who: str, now: datetime) -> None:
    """A field that asks is settled by its conflict, so both pages say the same at once."""
    if rows:
        ids = tuple(int(row.facts["conflict"]) for row in rows if "conflict" in row.facts)
        use_other_value.choose(use_other_value.Which(ids), side, who, now)
        opened = Decision.objects.filter(pk__in=[row.pk for row in rows], answered_at__isnull=True)
        opened.update(answer={"choice": side}, answered_at=now, answered_by=who)


def take_back(which: Which, who: str, now: datetime) -> int:
    """Opens questions again whose answer no run has carried out, or that leads to nothing; answers how many."""
    done = 0
    for ids in _batches(which.rows().filter(answered_at__isnull=False).exclude(answered_by="")):
        done += _take_back(ids, who, now)
    if done:
        AuditEntry.objects.create(at=now, who=who, action="take answer back", subject=f"questions: {done}")
    return done


@transaction.atomic
def _take_back(ids: Sequence[int], who: str, now: datetime) -> int:
    found = Decision.objects.filter(pk__in=ids, answered_at__isnull=False).select_for_update(of=("self",))
    rows = [row for row in found.select_related("link").order_by("pk") if row.due or not answers.has_effect(row.kind)]
    subjects = [row.subject for row in rows]
    twins = Decision.objects.filter(subject__in=subjects, answered_at__isnull=True).values_list("kind", "subject")
    latest = {(row.kind, row.subject): row for row in rows}
    back = [row for place, row in latest.items() if place not in set(twins)]
    Decision.objects.filter(pk__in=[row.pk for row in back]).update(
        answer=None, answered_at=None, answered_by="", due=False
    )
    ledger.activities(
        line
        for row in back
        for line in answers.lines(row, Kind.DECIDED, {"kind": row.kind, "answer": "back"}, who, now)
    )
    return len(back) + _take_values_back([row for row in found if row.kind == ASK], who, now)


def _take_values_back(rows: Sequence[Decision], who: str, now: datetime) -> int:
    ids = tuple(int(row.facts["conflict"]) for row in rows if "conflict" in row.facts)
    chosen = Conflict.objects.filter(pk__in=ids, state="chosen").exists()
    return use_other_value.take_back(use_other_value.Which(ids), who, now).done if chosen else 0
