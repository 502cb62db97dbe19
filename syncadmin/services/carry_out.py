"""Carries out what people answered: the next run's first business, a question at a time."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from syncadmin.services import answers
from syncadmin.services.answers import Refused
from syncadmin.services.context import Context
from syncadmin.services.step import NOTHING, Step, did
from syncadmin.store import ledger
from syncadmin.store.kinds import Kind
from syncadmin.store.models import Decision, Run

# A link made takes some ten statements; so many stay well under a lease.
_BATCH = 100


def batch(ctx: Context, run: Run) -> Step:
    """Takes up to a hundred answers, oldest first. One that no longer fits is asked again, with the reason."""
    with transaction.atomic():
        waiting = Decision.objects.select_for_update(of=("self",), skip_locked=True).filter(due=True)
        rows = list(waiting.select_related("link").order_by("id")[:_BATCH])
        if not rows:
            return NOTHING
        for row in rows:
            _carry_out(row, ctx.now())
    ctx.border("carry_out.batch")
    return did(len(rows) == _BATCH, answers_carried_out=len(rows))


def _carry_out(row: Decision, now: datetime) -> None:
    choice = str((row.answer or {}).get("choice", ""))
    try:
        with transaction.atomic():
            answers.carry_out(row, choice, row.answered_by, now)
    except Refused as refused:
        _ask_again(row, choice, refused, now)
    else:
        Decision.objects.filter(pk=row.pk).update(due=False, note="")


def _ask_again(row: Decision, choice: str, refused: Refused, now: datetime) -> None:
    """The question is open again, unless it has been put anew meanwhile; then this one is over."""
    details = {"kind": row.kind, "answer": choice, "refused": str(refused)}
    ledger.activities(answers.lines(row, Kind.DECIDED, details, row.answered_by, now))
    twin = Decision.objects.filter(kind=row.kind, subject=row.subject, answered_at__isnull=True).exists()
    if twin:
        Decision.objects.filter(pk=row.pk).update(due=False, note=str(refused))
        return
    Decision.objects.filter(pk=row.pk).update(
        due=False, note=str(refused), answer=None, answered_at=None, answered_by=""
    )
