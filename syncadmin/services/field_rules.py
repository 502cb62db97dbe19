"""One thing about one field pair changed: as a new version of the whole set, with an audit entry of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from syncadmin.engine.fields import FieldPair
from syncadmin.services import choose_fields
from syncadmin.store import fieldsets, locks, options
from syncadmin.store.models import AuditEntry


class UnknownField(Exception):
    """The pair is not kept in step any more."""


def pair_of(key: str) -> FieldPair | None:
    """The pair of this key in the set in force."""
    return next((pair for pair in fieldsets.pairs(options.read().field_version) if pair.key == key), None)


def change(key: str, *, who: str, now: datetime, **rules: Any) -> int:
    """Gives a pair other rules (fields of ``FieldPair``); answers the version of the set.

    Raises ``UnknownField``, ``choose_fields.WrongPairs`` or ``choose_fields.NoMetadata``; then nothing has changed.
    """
    with transaction.atomic():
        # Two who change one field each at the same moment must not undo each other's.
        locks.wait_in_transaction(locks.Lock.SETUP)
        pairs = fieldsets.pairs(options.read().field_version)
        before = next((pair for pair in pairs if pair.key == key), None)
        if before is None:
            raise UnknownField(gettext_noop("This field is not kept in step any more."))
        after = replace(before, **rules)
        if after == before:
            return options.read().field_version
        version = choose_fields.save_fields([after if pair is before else pair for pair in pairs], who=who, now=now)
        AuditEntry.objects.create(
            at=now,
            who=who,
            action="field rule",
            subject=key[:200],
            before={name: _plain(getattr(before, name)) for name in rules},
            after={name: _plain(value) for name, value in rules.items()},
        )
    return version


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, dict) else value
