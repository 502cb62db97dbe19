"""What is forgotten, and when: history lines past their age, old runs, settled receipts, finished requests."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from syncadmin.services import receipts
from syncadmin.store import options, staging, throughput
from syncadmin.store.models import Activity, Run, SyncRequest

# So many rows at once are deleted in well under a second; the rest waits for the next run.
_BATCH = 5_000
_RUNS_KEPT = timedelta(days=90)
_REQUESTS_KEPT = timedelta(days=30)
_ANYTHING_OLD = """
    SELECT EXISTS (SELECT 1 FROM store_receipt WHERE settled_at < %(receipts)s)
        OR EXISTS (SELECT 1 FROM store_throughput WHERE seconds = 60 AND at < %(minutes)s)
        OR EXISTS (SELECT 1 FROM store_throughput WHERE seconds = 3600 AND at < %(hours)s)
        OR EXISTS (SELECT 1 FROM store_run WHERE finished_at < %(runs)s)
        OR EXISTS (SELECT 1 FROM store_syncrequest WHERE finished_at < %(requests)s)
        OR coalesce((SELECT at FROM store_activity ORDER BY id LIMIT 1) < %(lines)s::timestamptz, false)
"""


def forget(now: datetime) -> int:
    """Deletes one batch of each; how many rows went. History is kept for ever unless a setting says otherwise."""
    days = options.read().keep_activities_days
    # Nearly every run finds nothing old, and asks once instead of once for each kind.
    if not _anything_old(now, days):
        return 0
    gone = receipts.purge(now) + throughput.forget(now)
    if days:
        gone += _delete_lines(now - timedelta(days=days))
    gone += _delete(Run.objects.filter(finished_at__lt=now - _RUNS_KEPT))
    return gone + _delete(SyncRequest.objects.filter(finished_at__lt=now - _REQUESTS_KEPT))


def _anything_old(now: datetime, days: int) -> bool:
    limits = {
        "receipts": now - receipts.KEPT,
        "minutes": now - throughput.KEPT[throughput.MINUTE],
        "hours": now - throughput.KEPT[throughput.HOUR],
        "runs": now - _RUNS_KEPT,
        "requests": now - _REQUESTS_KEPT,
        "lines": now - timedelta(days=days) if days else None,
    }
    return bool(staging.query(_ANYTHING_OLD, limits)[0][0])


def _delete_lines(before: datetime) -> int:
    """Lines are told in the order of their ids: the oldest are looked at, or ten million would be for one."""
    oldest = Activity.objects.order_by("pk").values_list("pk", "at")[:_BATCH]
    return int(Activity.objects.filter(pk__in=[pk for pk, at in oldest if at < before]).delete()[0])


def _delete(rows: QuerySet[Any]) -> int:
    oldest = list(rows.order_by("pk").values_list("pk", flat=True)[:_BATCH])
    return int(rows.model.objects.filter(pk__in=oldest).delete()[0]) if oldest else 0
