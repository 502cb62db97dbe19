"""What ends when one of a link's two records becomes another one: nothing of it was decided for the two that are left."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from syncadmin.engine.records import Side
from syncadmin.services import failing
from syncadmin.store.models import MOVED, Conflict, Decision, Failure, Link, PendingWrite, Receipt, Run, WriteState


def of_fields(link: Link, run: Run | None, now: datetime) -> None:
    """Failures and questions about the link's fields are over; what is still so of the new record opens anew."""
    about = Failure.objects.filter(link=link, closed_at__isnull=True)
    person = None if link.marketo_deleted else link.marketo
    failing.mend(link.pk, person, list(Side), sorted(set(about.values_list("key", flat=True))), run, now)
    Conflict.objects.filter(link=link, state="open").update(state="decided", rule="by_itself")
    withdraw(["ask"], [link.pk], now)


def of_writes(links: Iterable[int]) -> None:
    """What is under way says nothing of the two records that are linked from now on."""
    under_way = PendingWrite.objects.filter(link_id__in=list(links), op="update", state=WriteState.SENT)
    under_way.update(inputs=MOVED)


def withdraw(kinds: Iterable[str], links: Iterable[int], now: datetime) -> None:
    """Nobody has to answer these questions about the links any more."""
    asked = Decision.objects.filter(kind__in=list(kinds), link_id__in=list(links), answered_at__isnull=True)
    asked.update(answered_at=now, answer={"choice": "withdrawn"})


def to_put_back(link: Link) -> dict[str, dict[str, object]]:
    """By key, values in Marketo that our write replaced unseen and that won: they go back, whatever the record became."""
    overtaken = {key: held["overtaken"] for key, held in link.held.items() if "overtaken" in held}
    return {key: {"why": "receipt", "overtaken": value} for key, value in overtaken.items()}


def hand_on(giver: Link, taker: Link) -> None:
    """What writes to the giver's person left behind goes with that person."""
    if giver.table == taker.table and giver.marketo is not None:
        Receipt.objects.filter(link=giver, person=giver.marketo).update(link=taker)
