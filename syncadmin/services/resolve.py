"""What a person decides: release or ignore a failure, answer a decision, pause and resume the loop."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from syncadmin.store import options
from syncadmin.store.models import AuditEntry


def pause(who: str, now: datetime) -> None:
    """The loop starts nothing new; what changes meanwhile is read later."""
    _set_paused(True, who, now)


def resume(who: str, now: datetime) -> None:
    _set_paused(False, who, now)


@transaction.atomic
def _set_paused(paused: bool, who: str, now: datetime) -> None:
    before = options.write("paused", paused)
    if before != paused:
        action = "pause" if paused else "resume"
        AuditEntry.objects.create(at=now, who=who, action=action, subject="loop", before=before, after=paused)
