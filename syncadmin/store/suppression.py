"""Erased people: their ids and addresses as keyed hashes, so that nobody is remembered by being forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.utils.crypto import salted_hmac

from syncadmin.engine.records import Side
from syncadmin.store.models import Suppression

EMAIL = "email"


def key(kind: Side | str, value: str) -> str:
    """The hash of a side's record id, or of a folded e-mail address."""
    return salted_hmac("syncadmin.suppression", f"{kind}:{value.strip().casefold()}", algorithm="sha256").hexdigest()


def add(facts: Iterable[tuple[Side | str, str]], now: datetime) -> None:
    """Remembers these ids and addresses."""
    rows = [Suppression(key=key(kind, value), at=now) for kind, value in facts if value]
    Suppression.objects.bulk_create(rows, ignore_conflicts=True)


def among(facts: Iterable[tuple[Side | str, str]]) -> set[tuple[Side | str, str]]:
    """Those of the ids and addresses that belong to an erased person."""
    keys = {key(kind, value): (kind, value) for kind, value in facts if value}
    found = Suppression.objects.filter(key__in=list(keys)).values_list("key", flat=True)
    return {keys[each] for each in found}
