"""Where notifications go, how the last ones fared, and what is wrong now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Subquery

from syncadmin.store.models import Alarm, Channel, Delivery

_LATEST = 30


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """``next_try_at`` is None once it was sent or given up."""

    id: int
    channel: int
    alarm: str
    state: str
    facts: Mapping[str, Any]
    made_at: datetime
    attempts: int
    next_try_at: datetime | None
    sent_at: datetime | None
    error: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """``place`` is the address as it may be shown: of a webhook only its host, since the rest is often a secret."""

    id: int
    kind: str
    place: str
    header: str
    language: str
    active: bool
    last: DeliveryRow | None


@dataclass(frozen=True, slots=True)
class AlarmRow:
    code: str
    facts: Mapping[str, Any]
    since: datetime


def channels() -> list[ChannelRow]:
    """By the time they were added; tens of them at most."""
    newest = Delivery.objects.filter(channel=OuterRef("pk")).order_by("-id").values("pk")[:1]
    rows = list(Channel.objects.annotate(newest=Subquery(newest)).order_by("id"))
    last = {
        row.pk: _delivery(row) for row in Delivery.objects.filter(pk__in=[row.newest for row in rows if row.newest])
    }
    return [
        ChannelRow(row.pk, row.kind, _place(row), row.header, row.language, row.active, last.get(row.newest))
        for row in rows
    ]


def channel(pk: int) -> ChannelRow | None:
    return next((row for row in channels() if row.id == pk), None)


def deliveries() -> list[DeliveryRow]:
    return [_delivery(row) for row in Delivery.objects.order_by("-id")[:_LATEST]]


def alarms() -> list[AlarmRow]:
    return [AlarmRow(row.code, row.facts, row.since) for row in Alarm.objects.order_by("since")]


def _place(row: Channel) -> str:
    if row.kind == "email":
        return row.address
    scheme, _mark, rest = row.address.partition("://")
    return f"{scheme}://{rest.partition('/')[0].partition('?')[0]}/…"


def _delivery(row: Delivery) -> DeliveryRow:
    return DeliveryRow(
        row.pk,
        row.channel_id,
        row.alarm,
        row.state,
        row.facts,
        row.made_at,
        row.attempts,
        row.next_try_at,
        row.sent_at,
        row.error,
    )
