"""The lists of runs, and the lines of one, walk the index that was made for them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.db.models import Model, Q, QuerySet

from syncadmin.store.models import Activity, Run

NOW = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def _plan(rows: QuerySet, table: type[Model]) -> str:
    """How PostgreSQL finds the rows, once it knows how they are distributed: without that it guesses, and guesses differ
    with the number the sequence has come to and with whether autovacuum has passed by."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {table._meta.db_table}")
    return rows.explain()


@pytest.mark.parametrize(
    ("chosen", "telling", "index"),
    [
        (~Q(counts={}), {"counts": {"updated": 1}}, "run_busy"),
        (Q(failures__gt=0) | ~Q(complaint={}), {"failures": 1}, "run_troubled"),
    ],
    ids=["busy", "troubled"],
)
def test_a_list_of_runs_walks_its_own_index(chosen: Q, telling: dict, index: str) -> None:
    quiet = {"started_at": NOW, "finished_at": NOW, "heartbeat_at": NOW}
    runs = Run.objects.bulk_create(Run(**quiet, **(telling if n % 40 == 0 else {})) for n in range(4000))
    plan = _plan(Run.objects.filter(chosen, id__lt=runs[-1].pk).order_by("-id")[:51], Run)
    assert index in plan
    assert "Sort" not in plan


def test_the_lines_of_a_run_are_found_in_their_order() -> None:
    run, others = Run.objects.bulk_create(Run(started_at=NOW, finished_at=NOW, heartbeat_at=NOW) for _ in range(2))
    lines = Activity.objects.bulk_create(
        Activity(at=NOW, kind="updated", run=run if n % 40 == 0 else others) for n in range(4000)
    )
    plan = _plan(Activity.objects.filter(run=run, id__lt=lines[-1].pk).order_by("-id")[:51], Activity)
    assert "activity_run" in plan
    assert "Sort" not in plan
