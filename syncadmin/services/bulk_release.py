"""Failures released, put aside or taken back: one, the chosen ones, or all that a filter lets through.

A release only marks: the next run takes up what is due, without the old refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from syncadmin.services import answers, history
from syncadmin.store import ledger
from syncadmin.store.kinds import Kind
from syncadmin.store.models import Activity, AuditEntry, DynamicsRecord, Failure
from syncadmin.store.queries.failures import FailureFilter, chosen_by

BATCH = 2_000
ACTS = ("release", "ignore", "notice")


@dataclass(frozen=True, slots=True)
class Which:
    """The failures meant: those with these ids, or all that the filter lets through."""

    ids: tuple[int, ...] | None = None
    wanted: FailureFilter = field(default_factory=FailureFilter)

    def rows(self) -> QuerySet[Failure]:
        return chosen_by(self.wanted) if self.ids is None else Failure.objects.filter(pk__in=self.ids)


@dataclass(frozen=True, slots=True)
class Effect:
    """How many failures an act is for; ``left`` are closed, or stand so already."""

    number: int
    left: int


def preview(which: Which, act: str) -> Effect:
    """What the act (one of ``ACTS``) would do now."""
    number = _open_to(which.rows(), act).count()
    return Effect(number, which.rows().count() - number)


def _open_to(rows: QuerySet[Failure], act: str) -> QuerySet[Failure]:
    opened = rows.filter(closed_at__isnull=True)
    return opened if act == "release" else opened.filter(ignored=act == "notice")


def release(which: Which, who: str, now: datetime) -> int:
    """Has the next run try them again, those put aside as well; answers how many were still open."""
    return _each(which, "release", _release, who, now)


def ignore(which: Which, who: str, now: datetime) -> int:
    """Puts them aside until they change: not counted, and not tried again by themselves."""
    return _each(which, "ignore", lambda rows, _now: _mark(rows, ignored=True), who, now)


def notice(which: Which, who: str, now: datetime) -> int:
    """Takes back that they were put aside."""
    return _each(which, "notice", lambda rows, _now: _mark(rows, ignored=False), who, now)


def _each(which: Which, act: str, do: Callable[[Sequence[Failure], datetime], None], who: str, now: datetime) -> int:
    done = 0
    for ids in _batches(_open_to(which.rows(), act)):
        with transaction.atomic():
            found = _open_to(Failure.objects.filter(pk__in=ids), act).select_for_update(of=("self",))
            rows = list(found.select_related("link").order_by("pk"))
            do(rows, now)
            ledger.activities(_line(row, act, who, now) for row in rows)
            done += len(rows)
    if done:
        AuditEntry.objects.create(at=now, who=who, action=act, subject=f"failures: {done} {which.wanted.cause}".strip())
    return done


def _batches(rows: QuerySet[Failure]) -> Iterator[list[int]]:
    after = 0
    while ids := list(rows.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        yield ids
        after = ids[-1]


def _release(rows: Sequence[Failure], now: datetime) -> None:
    Failure.objects.filter(pk__in=[row.pk for row in rows]).update(next_try_at=now, ignored=False)
    _wake_records([row.subject for row in rows if row.link_id is None], now)


def _mark(rows: Sequence[Failure], *, ignored: bool) -> None:
    Failure.objects.filter(pk__in=[row.pk for row in rows]).update(ignored=ignored)


def _wake_records(subjects: Sequence[str], now: datetime) -> None:
    """Records without a link are paired again; a Sync Person request that failed is taken up again."""
    by_side: dict[str, list[str]] = {"dynamics": [], "marketo": []}
    for subject in subjects:
        side, _colon, key = subject.partition(":")
        if key and side in by_side:
            by_side[side].append(key)
    DynamicsRecord.objects.filter(guid__in=by_side["dynamics"], due="").update(due="pair", lane="retry")
    answers.take_up_requests([int(key) for key in by_side["marketo"]], ("failed",), now)


def _line(row: Failure, act: str, who: str, now: datetime) -> Activity:
    side, _colon, key = row.subject.partition(":")
    alone = key if row.link is None else ""
    dynamics = str(row.link.dynamics) if row.link and row.link.dynamics else alone if side == "dynamics" else ""
    marketo = row.link.marketo if row.link else int(alone) if side == "marketo" and alone else None
    details = {"kind": "failure", "answer": act, "cause": row.cause, "key": row.key}
    return history.line(
        Kind.DECIDED,
        now,
        link=row.link_id,
        dynamics=dynamics or None,
        marketo=marketo,
        side=row.side,
        details=details,
        who=who,
    )
