"""How often a password may be tried: so that none is found by trying them all.

Counted by name and network address together, and by address alone. Never by name alone: a stranger could lock anybody out.
"""

from __future__ import annotations

import hashlib
import unicodedata
from datetime import datetime, timedelta

from django.db.models import QuerySet

from syncadmin.store.models import SignInTry

WINDOW = timedelta(minutes=15)
BY_NAME = 5
BY_ADDRESS = 30


class TooMany(Exception):
    """``wait`` says how long nothing is looked at."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(str(wait))
        self.wait = wait


def begin(name: str, address: str, now: datetime) -> None:
    """Counts a try before the password is looked at. Raises ``TooMany``.

    Names that do not exist count alike, so that the answer does not tell which ones do.
    """
    SignInTry.objects.filter(at__lte=now - WINDOW).delete()
    # Written before it is counted: of many at the same instant no more than the limit get through.
    mine = SignInTry.objects.create(name=_digest(name), address=address, at=now)
    for others, most in ((_tries(address, now, name), BY_NAME), (_tries(address, now), BY_ADDRESS)):
        newest = list(others.exclude(pk=mine.pk).order_by("-at", "-pk").values_list("at", flat=True)[:most])
        if len(newest) == most:
            # What was refused unseen does not make the wait longer.
            mine.delete()
            raise TooMany(newest[-1] + WINDOW - now)


def fitted(name: str, address: str) -> None:
    """The password was right: what was tried before is forgotten."""
    SignInTry.objects.filter(name=_digest(name), address=address).delete()


def _tries(address: str, now: datetime, name: str | None = None) -> QuerySet[SignInTry]:
    found = SignInTry.objects.filter(address=address, at__gt=now - WINDOW)
    return found if name is None else found.filter(name=_digest(name))


def _digest(name: str) -> str:
    # Folded as the form folds a name before it looks for it, or each way to write one would have tries of its own.
    plain = unicodedata.normalize("NFKC", name).strip().casefold()
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()
