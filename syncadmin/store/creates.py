"""Creates in Marketo that are over, however they ended: whoever waited for their addresses is paired anew."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from syncadmin.engine.records import Lane
from syncadmin.store import mirror
from syncadmin.store.models import PendingWrite


def end(which: QuerySet[PendingWrite], lane: Lane, woken: Iterable[str] = ()) -> int:
    """Removes these creates and answers how many there were.

    A create keeps the address it was claimed for. What it is sent with may be another one by then, so nothing that is
    stored of its person need wake who waited for the first. ``woken`` are addresses that were seen to already.
    """
    emails = set(which.values_list("email", flat=True))
    if not emails:
        return 0
    ended = which.delete()[0]
    mirror.mark_waiting(emails - set(woken), lane)
    return ended
