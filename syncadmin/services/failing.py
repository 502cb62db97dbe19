"""Failures: opened with a line here and in the person's Marketo log, closed with another, silent in between."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from syncadmin.engine.failures import Cause, describe, retry_after
from syncadmin.engine.records import Side
from syncadmin.services import history
from syncadmin.store import ledger
from syncadmin.store.kinds import Kind
from syncadmin.store.models import Activity, Failure, PendingWrite, Run


def opened(
    row: Failure, *, person: int | None, table: str, guid: str | None, now: datetime, run: Run | None
) -> list[Activity]:
    """Stores a failure. Lines of history, and an entry in the person's log, only if it was not open before."""
    row.table, row.next_try_at = table, next_try(row.cause, row.attempts, now)
    if not ledger.failure(row):
        if row.next_try_at:
            Failure.objects.filter(pk=row.pk).update(next_try_at=next_try(row.cause, row.attempts, now))
        return []
    if person is not None:
        attributes = {
            "crmEntity": table,
            "crmRecordId": guid or "",
            "fields": row.key,
            "errorCode": row.code or row.cause,
            "errorMessage": _sentence(row),
        }
        entry = history.log_entry("Failed", now, person=person, link=row.link_id, run=run, attributes=attributes)
        ledger.writes([entry])
    details = {"cause": row.cause, "key": row.key, "code": row.code, **_known(row)}
    return [history.line(Kind.FAILED, now, link=row.link_id, side=row.side, details=details, run=run)]


def _known(row: Failure) -> dict[str, Any]:
    """What the sentences about this failure may name, ``field`` excepted."""
    named = row.value if isinstance(row.value, dict) else {}
    known = {"message": row.message, "value": named.get("value"), "limit": named.get("limit")}
    return {name: history.short(value) for name, value in known.items() if value not in (None, "")}


def _sentence(row: Failure) -> str:
    """The cause for those who read Marketo's log, where nothing is translated; without its facts the bare message."""
    known = {name: str(value)[:200] for name, value in {**_known(row), "field": row.column}.items() if value}
    try:
        return describe(Cause(row.cause)).cause_text.format_map(known)
    except KeyError:
        return row.message or str(row.cause)


def next_try(cause: str, attempts: int, now: datetime) -> datetime | None:
    """When a failure is tried again by itself; None if only a new value, new metadata or a person can mend it."""
    return now + retry_after(attempts) if describe(Cause(cause)).transient else None


def among(links: Sequence[int]) -> set[int]:
    """Those of these links that have an open failure."""
    found = Failure.objects.filter(link_id__among=set(links), closed_at__isnull=True).values_list("link_id", flat=True)
    return {link for link in found if link is not None}


def close(links: Iterable[int], sides: Iterable[Side], now: datetime) -> None:
    """What failed of these links is over, since the record or person it was about is."""
    about = Failure.objects.filter(link_id__in=list(links), side__in=list(sides), closed_at__isnull=True)
    about.update(closed_at=now)


def mend(
    link: int, person: int | None, sides: Iterable[Side], keys: Sequence[str], run: Run | None, now: datetime
) -> None:
    """Closes the open failures of these fields ("" for the whole record), and says so here and in Marketo."""
    closed = [row for side in sides for row in ledger.close_failures(f"link:{link}", side, keys, now=now)]
    if not closed:
        return
    entries: list[PendingWrite] = []
    for row in closed:
        if person is not None:
            attributes = {"fields": row.key, "errorCode": row.code or row.cause}
            entries.append(history.log_entry("Repaired", now, person=person, link=link, run=run, attributes=attributes))
    ledger.writes(entries)
    ledger.activities(
        [
            history.line(
                Kind.MENDED, now, link=link, side=row.side, details={"cause": row.cause, "key": row.key}, run=run
            )
            for row in closed
        ]
    )
