"""What is forgotten, and when: history lines past their age, old runs, settled receipts, finished requests."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from syncadmin.services import receipts
from syncadmin.store import options, throughput
from syncadmin.store.models import Activity, Run, SyncRequest

# So many rows at once are deleted in well under a second; the rest waits for the next run.
_BATCH = 5_000
_RUNS_KEPT = timedelta(days=90)
_REQUESTS_KEPT = timedelta(days=30)


def forget(now: datetime) -> int:
    """Deletes one batch of each; how many rows went. History is kept for ever unless a setting says otherwise."""
    gone = receipts.purge(now) + throughput.forget(now)
    days = options.read().keep_activities_days
    if days:
        gone += _delete(Activity.objects.filter(at__lt=now - timedelta(days=days)))
    gone += _delete(Run.objects.filter(finished_at__lt=now - _RUNS_KEPT))
    return gone + _delete(SyncRequest.objects.filter(finished_at__lt=now - _REQUESTS_KEPT))


def _delete(rows: QuerySet[Any]) -> int:
    oldest = list(rows.order_by("pk").values_list("pk", flat=True)[:_BATCH])
    return int(rows.model.objects.filter(pk__in=oldest).delete()[0]) if oldest else 0
