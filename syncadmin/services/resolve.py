"""What a person decides: release a failure, answer a decision, pause and resume the loop.

    Refused
    ├── AlreadySettled      somebody else, or the sync itself, was faster
    ├── NotAChoice          the answer is none of the choices
    └── Overtaken           the answer no longer fits what is there

Whatever is decided here only marks rows; the next run carries it out.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop

from syncadmin.services import answers, bulk_release
from syncadmin.services.answers import AlreadySettled, NotAChoice, Overtaken, Refused
from syncadmin.services.bulk_release import Which
from syncadmin.store import ledger, options
from syncadmin.store.kinds import Kind
from syncadmin.store.models import AuditEntry, Decision

__all__ = [
    "AlreadySettled",
    "NotAChoice",
    "Overtaken",
    "Refused",
    "answer",
    "pause",
    "release",
    "resume",
]


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


def release(ids: Iterable[int], who: str, now: datetime) -> int:
    """Lets the next run try these failures again; answers how many were still open."""
    return bulk_release.release(Which(tuple(ids)), who, now)


@transaction.atomic
def answer(decision_id: int, choice: str, who: str, now: datetime) -> None:
    """Settles a decision. Raises ``Refused``; then nothing has changed."""
    row = Decision.objects.select_for_update(of=("self",)).select_related("link").filter(pk=decision_id).first()
    if row is not None and row.answered_by == who and row.answer == {"choice": choice}:
        return  # a double click
    if row is None or row.answered_at is not None:
        raise AlreadySettled(gettext_noop("This decision has been settled already."))
    if choice not in row.choices:
        raise NotAChoice(gettext_noop("This answer is not one of the choices."))
    answers.carry_out(row, choice, who, now)
    row.answer, row.answered_at, row.answered_by = {"choice": choice}, now, who
    row.save(update_fields=["answer", "answered_at", "answered_by"])
    ledger.activities(answers.lines(row, Kind.DECIDED, {"kind": row.kind, "answer": choice}, who, now))
    AuditEntry.objects.create(at=now, who=who, action="answer", subject=f"{row.kind} {row.subject}", after=choice)
