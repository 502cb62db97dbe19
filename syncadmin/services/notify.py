"""Sending what the queue of deliveries holds: at least once, with growing pauses, given up after a day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F

from syncadmin.services import alarms, notify_words
from syncadmin.store import vault
from syncadmin.store.models import Channel, Delivery

EMAIL, JSON, SLACK = "email", "json", "slack"
KINDS = (EMAIL, JSON, SLACK)
_PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720))
# Whoever dies while sending leaves its delivery to others for so long; it may then arrive twice.
_CLAIM = timedelta(minutes=3)
_AT_ONCE = 20
_KEPT = timedelta(days=30)


class NotDelivered(Exception):
    """The channel did not take the message. ``code`` names why, ``said`` is what it said itself."""

    def __init__(self, code: str, said: str) -> None:
        super().__init__(f"{code}: {said}")
        self.code, self.said = code, said


@dataclass(frozen=True, slots=True)
class Message:
    """One message, ready to be sent: ``told`` is a webhook's body, title and text an e-mail's."""

    title: str
    text: str
    told: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Senders:
    """How messages leave the house. Each raises ``NotDelivered``."""

    mail: Callable[[str, Message], None]
    post: Callable[[Channel, str, Message], None]


def turn(now: datetime, senders: Senders) -> int:
    """One ring of the clock: looks for changes, then sends what is due; how many were sent."""
    alarms.look(now)
    told = [_send(pk, now, senders) for pk in _claim(now)]
    sent = sum(row is not None and row.sent_at is not None for row in told)
    Delivery.objects.filter(made_at__lt=now - _KEPT, next_try_at=None).delete()
    return sent


def test(channel: Channel, now: datetime, senders: Senders) -> Delivery:
    """Sends a test at once and answers how it went; a failed one is not repeated. Raises ``Channel.DoesNotExist``."""
    with transaction.atomic():
        # Held until the delivery stands: a channel taken away in this moment would leave it pointing nowhere.
        held = Channel.objects.select_for_update().get(pk=channel.pk)
        row = Delivery.objects.create(channel=held, alarm="test", state=alarms.TEST, made_at=now, attempts=1)
    sent = _send(row.pk, now, senders)
    if sent is None:
        raise Channel.DoesNotExist
    return sent


@transaction.atomic
def _claim(now: datetime) -> list[int]:
    due = Delivery.objects.filter(next_try_at__lte=now).order_by("id").select_for_update(skip_locked=True)
    mine = [row.pk for row in due[:_AT_ONCE]]
    Delivery.objects.filter(pk__in=mine).update(next_try_at=now + _CLAIM, attempts=F("attempts") + 1)
    return mine


def _send(pk: int, now: datetime, senders: Senders) -> Delivery | None:
    """How it went; None if the channel was taken away with its deliveries meanwhile."""
    row = Delivery.objects.select_related("channel").filter(pk=pk).first()
    if row is None:
        return None
    message = _message(row)
    try:
        if row.channel.kind == EMAIL:
            senders.mail(row.channel.address, message)
        else:
            senders.post(row.channel, vault.unseal(row.channel.sealed) if row.channel.sealed else "", message)
    except NotDelivered as error:
        row.error = {"code": error.code, "said": error.said[:500]}
        row.next_try_at = None if row.state == alarms.TEST else _next(row.attempts, now)
    except vault.Unopened as error:
        row.error, row.next_try_at = {"code": "vault", "said": str(error)}, None
    else:
        row.sent_at, row.next_try_at, row.error = now, None, {}
    told = {"error": row.error, "next_try_at": row.next_try_at, "sent_at": row.sent_at}
    return row if Delivery.objects.filter(pk=pk).update(**told) else None


def _next(attempts: int, now: datetime) -> datetime | None:
    return now + _PAUSES[attempts - 1] if attempts <= len(_PAUSES) else None


def _message(row: Delivery) -> Message:
    said = notify_words.words(row.alarm, row.state, row.facts, row.channel.language)
    told = _slack(said) if row.channel.kind == SLACK else _json(row, said)
    return Message(said.title, f"{said.text}\n\n{settings.PUBLIC_URL}/", told)


def _json(row: Delivery, said: notify_words.Words) -> dict[str, Any]:
    """``delivery`` is the same when a message comes twice."""
    return {
        "delivery": row.pk,
        "alarm": row.alarm,
        "state": row.state,
        "at": row.made_at.isoformat(),
        "title": said.title,
        "text": said.text,
        "facts": row.facts,
        "url": f"{settings.PUBLIC_URL}/",
    }


def _slack(said: notify_words.Words) -> dict[str, Any]:
    title, text = _escaped(said.title), _escaped(said.text)
    body = f"*{title}*\n{text}\n<{settings.PUBLIC_URL}/|syncadmin>"
    return {"text": f"{title}: {text}", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": body}}]}


def _escaped(text: str) -> str:
    """Slack reads these three as the beginning of a link or an entity."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
