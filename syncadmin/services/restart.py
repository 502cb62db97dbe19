"""Another organisation before the first start: what was read of the old one goes, since its ids mean nothing there."""

from __future__ import annotations

from django.db.models import Model

from syncadmin.store.models import (
    Checkpoint,
    Conflict,
    Decision,
    DynamicsRecord,
    Failure,
    Link,
    ListedPerson,
    ListedWord,
    MarketoPerson,
    PendingWrite,
    Receipt,
    Touched,
)

# Children first: each goes with one statement.
_READ: tuple[type[Model], ...] = (
    Receipt,
    PendingWrite,
    Conflict,
    Failure,
    Decision,
    ListedWord,
    ListedPerson,
    Touched,
    Link,
    DynamicsRecord,
    MarketoPerson,
    Checkpoint,
)


def forget_what_was_read() -> None:
    """Empties mirrors, cursors and plans; settings, field pairs, history and the audit log stay. Within a transaction."""
    for model in _READ:
        model._default_manager.all().delete()
