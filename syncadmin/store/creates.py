"""Creates in Marketo that are over, however they ended: whoever waited for their addresses is paired anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from syncadmin.engine.records import Lane
from syncadmin.store import mirror, staging, text
from syncadmin.store.models import UNSENT, PendingWrite


def unsent(guids: Sequence[str]) -> QuerySet[PendingWrite]:
    """The creates that were decided for these records and have not left the house."""
    found = staging.query(
        """SELECT w.id FROM store_link l JOIN store_pendingwrite w ON w.link_id = l.id
           WHERE l.dynamics = ANY(%s::uuid[]) AND w.side = 'marketo' AND w.op = 'create' AND w.state = ANY(%s)""",
        [list(guids), [str(state) for state in UNSENT]],
    )
    # Another worker may send one of them between the two statements: then it is not unsent any more.
    return PendingWrite.objects.filter(pk__in=[row[0] for row in found], state__in=UNSENT)


def mark_sent(told: Mapping[int, Mapping[str, Any]], now: datetime) -> None:
    """Marks these creates as sent, each with what it brings by pair key."""
    staging.run(
        """UPDATE store_pendingwrite w SET state = 'sent', sent_at = %s, attempts = attempts + 1, fields = v.fields::jsonb
           FROM unnest(%s::bigint[], %s::text[]) AS v(id, fields) WHERE w.id = v.id""",
        [now, list(told), [text.dump(dict(fields)) for fields in told.values()]],
    )


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
