"""The lists of runs, and the lines of one, walk the index that was made for them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.db.models import Q, QuerySet

from syncadmin.store.models import Activity, Run

NOW = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def _plan(rows: QuerySet) -> str:
    # So few rows are read faster without an index; the question is whether one could be used.
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off")
    return rows.explain()


@pytest.mark.parametrize(
    ("chosen", "index"),
    [(~Q(counts={}), "run_busy"), (Q(failures__gt=0) | ~Q(complaint={}), "run_troubled")],
    ids=["busy", "troubled"],
)
def test_a_list_of_runs_walks_its_own_index(chosen: Q, index: str) -> None:
    Run.objects.bulk_create(Run(started_at=NOW, finished_at=NOW, heartbeat_at=NOW) for _ in range(300))
    assert index in _plan(Run.objects.filter(chosen, id__lt=500).order_by("-id")[:51])


def test_the_lines_of_a_run_are_found_in_their_order() -> None:
    run = Run.objects.create(started_at=NOW, finished_at=NOW, heartbeat_at=NOW)
    Activity.objects.bulk_create(Activity(at=NOW, kind="updated", run=run if n % 2 else None) for n in range(300))
    plan = _plan(Activity.objects.filter(run=run, id__lt=500).order_by("-id")[:51])
    assert "activity_run" in plan
    assert "Sort" not in plan
