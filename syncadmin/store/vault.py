"""Seals the secrets of connections and channels. The newest of VAULT_KEYS seals, each of them opens."""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac

from syncadmin.store.models import Channel, Connection


class Unopened(Exception):
    """None of VAULT_KEYS opens this text: the key it was sealed with is missing from the setting."""


def seal(secret: str) -> str:
    return _keys().encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """The secret. Raises ``Unopened``."""
    try:
        return _keys().decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise Unopened("No key of VAULT_KEYS opens this secret: put the key it was sealed with back.") from None


def reseal(sealed: str) -> str:
    """The same secret under the newest key. Raises ``Unopened``."""
    return seal(unseal(sealed))


def rotate() -> int:
    """Seals every stored secret with the newest key, all or none, and answers how many there were."""
    with transaction.atomic():
        rows = list(Connection.objects.select_for_update().order_by("id"))
        channels = list(Channel.objects.select_for_update().exclude(sealed="").order_by("id"))
        for row in rows:
            row.sealed = reseal(row.sealed)
        for channel in channels:
            channel.sealed = reseal(channel.sealed)
        Connection.objects.bulk_update(rows, ["sealed"])
        Channel.objects.bulk_update(channels, ["sealed"])
    return len(rows) + len(channels)


def new_key() -> str:
    """A fresh key for VAULT_KEYS."""
    return Fernet.generate_key().decode()


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.VAULT_KEYS])


def fingerprint(text: str) -> str:
    """A keyed hash in hex: the same text gives the same one, and nobody without SECRET_KEY can try texts out."""
    return salted_hmac("syncadmin.vault", text, algorithm="sha256").hexdigest()
