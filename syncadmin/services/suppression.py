"""Erased people: neither pairing nor Sync Person touches them again. Only keyed hashes of their keys are kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from syncadmin.store import vault
from syncadmin.store.models import Suppression


def erased(people: Sequence[tuple[str, str]]) -> set[str]:
    """Of these (id, folded e-mail), the ids whose id or address was erased."""
    if not Suppression.objects.exists():
        return set()
    keys: dict[str, str] = {}
    for id, email in people:
        keys[vault.fingerprint(f"id:{id}")] = id
        if email:
            keys[vault.fingerprint(f"email:{email}")] = id
    found = Suppression.objects.filter(key__among=set(keys)).values_list("key", flat=True)
    hit = {keys[key] for key in found}
    emails = {email for id, email in people if id in hit and email}
    return hit | {id for id, email in people if email in emails}


def suppress(ids: Iterable[str], email: str, now: datetime) -> None:
    """These ids and this folded address are left alone from now on."""
    keys = [vault.fingerprint(f"id:{id}") for id in ids]
    if email:
        keys.append(vault.fingerprint(f"email:{email}"))
    Suppression.objects.bulk_create([Suppression(key=key, at=now) for key in keys], ignore_conflicts=True)
