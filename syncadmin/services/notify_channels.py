"""Where notifications go: added, changed, taken away, each with an audit entry; and the real ways out of the house."""

from __future__ import annotations

import smtplib
import time
from datetime import UTC, datetime

from django.core.mail import send_mail
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from syncadmin.connectors import webhook
from syncadmin.connectors.errors import ConnectorError, Refused
from syncadmin.services import notify
from syncadmin.services.notify import EMAIL, KINDS, Message, NotDelivered, Senders
from syncadmin.store import vault
from syncadmin.store.models import AuditEntry, Channel, Delivery


class WrongChannel(ValueError):
    """``code`` says what is wrong: address, private, kind, header, twice."""

    def __init__(self, code: str, said: str = "") -> None:
        super().__init__(said or code)
        self.code = code


def add(
    kind: str,
    address: str,
    *,
    who: str,
    now: datetime,
    language: str = "en",
    header: str = "",
    secret: str = "",
    allow_private: bool = False,
) -> Channel:
    """A new channel. Raises ``WrongChannel``, Django's ``ValidationError`` for a malformed e-mail address."""
    address = address.strip()
    _check(kind, address, header, secret, allow_private)
    row = Channel(
        kind=kind,
        address=address,
        header=header,
        sealed=vault.seal(secret) if secret else "",
        allow_private=allow_private,
        language=language,
        made_at=now,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            _audit("channel_added", row, who, now, after=shown(row))
    except IntegrityError:
        raise WrongChannel("twice") from None
    return row


def switch(pk: int, active: bool, *, who: str, now: datetime) -> None:
    """Turns a channel on or off; what waits for one that is off is not sent. Raises ``Channel.DoesNotExist``."""
    with transaction.atomic():
        row = Channel.objects.select_for_update().get(pk=pk)
        if row.active != active:
            row.active = active
            row.save(update_fields=["active"])
            if not active:
                Delivery.objects.filter(channel=row, next_try_at__isnull=False).update(next_try_at=None)
            _audit("channel_switched", row, who, now, before=not active, after=active)


def remove(pk: int, *, who: str, now: datetime) -> None:
    """Takes a channel and its deliveries away. Raises ``Channel.DoesNotExist``."""
    with transaction.atomic():
        row = Channel.objects.select_for_update().get(pk=pk)
        _audit("channel_removed", row, who, now, before=shown(row))
        row.delete()


def test(pk: int, *, who: str, now: datetime, senders: Senders | None = None) -> Delivery:
    """Sends a test message. Raises ``Channel.DoesNotExist``."""
    row = Channel.objects.get(pk=pk)
    _audit("channel_tested", row, who, now)
    return notify.test(row, now, senders or real_senders())


def shown(row: Channel) -> str:
    """A channel without its secrets: a webhook's path often is one."""
    if row.kind == EMAIL:
        return row.address
    scheme, _, rest = row.address.partition("://")
    return f"{scheme}://{rest.partition('/')[0].partition('?')[0]}/…"


def real_senders() -> Senders:
    return Senders(mail=_mail, post=_post)


def _mail(address: str, message: Message) -> None:
    try:
        send_mail(message.title, message.text, None, [address])
    except (smtplib.SMTPException, OSError) as error:
        raise NotDelivered("mail", f"{type(error).__name__}: {error}") from error


def _post(channel: Channel, secret: str, message: Message) -> None:
    headers = {channel.header: secret} if channel.header else {}
    try:
        webhook.post(
            channel.address,
            message.told,
            headers=headers,
            allow_private=channel.allow_private,
            clock=lambda: datetime.now(UTC),
            sleep=time.sleep,
        )
    except ConnectorError as error:
        raise NotDelivered("webhook", error.message) from error


def _check(kind: str, address: str, header: str, secret: str, allow_private: bool) -> None:
    if kind not in KINDS:
        raise WrongChannel("kind")
    if kind == EMAIL:
        validate_email(address)
        return
    if bool(header) != bool(secret) or not all(_is_token(letter) for letter in header):
        raise WrongChannel("header")
    if any(not 32 <= ord(letter) < 127 for letter in secret):
        raise WrongChannel("header")
    try:
        webhook.check(address, allow_private=allow_private)
    except Refused as error:
        raise WrongChannel("address", error.message) from error


def _is_token(letter: str) -> bool:
    return letter.isascii() and (letter.isalnum() or letter in "-_")


def _audit(
    action: str,
    row: Channel,
    who: str,
    now: datetime,
    before: str | bool | None = None,
    after: str | bool | None = None,
) -> None:
    AuditEntry.objects.create(at=now, who=who, action=action, subject=shown(row)[:200], before=before, after=after)
