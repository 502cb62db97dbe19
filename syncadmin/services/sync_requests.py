"""The rows of Sync Person: who asked for whom, who works on it, what came of it. One open request per person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import models, transaction
from django.db.models import Q

from syncadmin.engine.records import Table
from syncadmin.store.models import SyncRequest

OPEN = ("received", "queued")
# Nobody else takes a request before its worker's deadline, and the time to store the answer, are over.
GRACE = timedelta(seconds=4)


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks for. ``assign_to`` is a Dynamics user's e-mail or id; ``source`` is webhook or list."""

    person: int
    sync_as: Table = Table.LEAD
    assign_to: str = ""
    source: str = "webhook"


@dataclass(frozen=True, slots=True)
class Answer:
    """``status``: created, exists, queued, decision or failed. ``not_before`` is when a queued one is tried again."""

    status: str
    crm_entity: str = ""
    crm_id: str = ""
    message: str = ""
    not_before: datetime | None = None


def receive(asked: Asked, *, worker: str, now: datetime, until: datetime) -> SyncRequest | None:
    """The person's open request, ours to work on until then; None while somebody else works on it."""
    fresh = SyncRequest(
        person=asked.person,
        sync_as=asked.sync_as,
        assign_to=asked.assign_to[:200],
        source=asked.source,
        received_at=now,
    )
    with transaction.atomic():
        SyncRequest.objects.bulk_create([fresh], ignore_conflicts=True)
        rows = _free(now).filter(person=asked.person).select_for_update(skip_locked=True)
        row = rows.first()
        if row is not None:
            # A repeat may correct what the first call said; the newest word counts.
            row.sync_as, row.assign_to = asked.sync_as, fresh.assign_to or row.assign_to
            _take(row, worker, until)
    return row


def claim(*, worker: str, now: datetime, until: datetime) -> SyncRequest | None:
    """An open request that is due and nobody works on, ours until then; one that was tried before goes last."""
    with transaction.atomic():
        row = _due(now).select_for_update(skip_locked=True).first()
        if row is not None:
            _take(row, worker, until)
    return row


def due(now: datetime, limit: int) -> list[int]:
    """The people whose requests would be claimed next."""
    return list(_due(now).values_list("person", flat=True)[:limit])


def queue(people: Iterable[int], *, sync_as: str, source: str, now: datetime, again: bool = True) -> int:
    """Asks for many people at once; answers for how many. ``again=False`` leaves out whoever was ever asked for.

    A list that is read as a whole must not bring back what somebody deleted in Dynamics on purpose.
    """
    wanted = sorted(set(people))
    known = SyncRequest.objects.filter(person__in=wanted)
    left_out = set((known.filter(status__in=OPEN) if again else known).values_list("person", flat=True))
    rows = [
        SyncRequest(person=person, sync_as=sync_as, source=source, status="queued", received_at=now)
        for person in wanted
        if person not in left_out
    ]
    SyncRequest.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def not_asked(additions: Mapping[int, datetime]) -> list[int]:
    """People added to the list after their last request from it: an addition told again asks for nothing."""
    known = SyncRequest.objects.filter(person__in=list(additions), source="list")
    asked = {row.person: row.received_at for row in known.order_by("id")}
    return sorted(person for person, at in additions.items() if person not in asked or at > asked[person])


def settle(row: SyncRequest, answer: Answer, now: datetime) -> None:
    """Stores what came of it and gives the request back; what somebody else has taken since is theirs to end."""
    ours = SyncRequest.objects.filter(pk=row.pk, owner=row.owner, lease_until=row.lease_until)
    row.status, row.crm_entity, row.crm_id = answer.status, answer.crm_entity, answer.crm_id
    row.message, row.not_before = answer.message, answer.not_before
    row.finished_at = None if answer.status in OPEN else now
    row.owner, row.lease_until = "", None
    with transaction.atomic():
        if ours.select_for_update().exists():
            row.save()


def is_held(row: SyncRequest) -> bool:
    """Whether nobody else has taken the request since it was ours. Locks it."""
    return (
        SyncRequest.objects.select_for_update().filter(pk=row.pk, owner=row.owner, lease_until=row.lease_until).exists()
    )


def _due(now: datetime) -> models.QuerySet[SyncRequest]:
    return _free(now).filter(Q(not_before=None) | Q(not_before__lte=now)).order_by("attempts", "id")


def _free(now: datetime) -> models.QuerySet[SyncRequest]:
    return SyncRequest.objects.filter(Q(lease_until=None) | Q(lease_until__lte=now), status__in=OPEN)


def _take(row: SyncRequest, worker: str, until: datetime) -> None:
    row.owner, row.lease_until = worker, until + GRACE
    row.attempts += 1
    row.save()
