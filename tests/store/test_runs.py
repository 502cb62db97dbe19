"""What a run counts, and what is written on it when it closes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from syncadmin.services import retention
from syncadmin.store import options, runs, throughput
from syncadmin.store.models import Activity, Conflict, Link, Receipt, Run, SyncRequest, Throughput

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def _link():
    return Link.objects.create(table="lead", marketo=1, linked_at=NOW)


def test_two_workers_counts_add_up():
    run = runs.open_one(NOW)
    runs.count(run, {"read": 2, "dynamics_updated": 1}, NOW)
    runs.count(run, {"read": 3, "merged": 4}, NOW + timedelta(seconds=2))
    run.refresh_from_db()
    assert run.counts == {"read": 5, "dynamics_updated": 1, "merged": 4}
    assert run.heartbeat_at == NOW + timedelta(seconds=2)
    assert {row.updated for row in Throughput.objects.all()} == {1}


def test_a_run_is_closed_once_and_tells_of_conflicts_no_step_counted():
    run = runs.open_one(NOW)
    runs.count(run, {"read": 1}, NOW)
    Conflict.objects.create(
        link=_link(), run=run, rule="table", key="lead.city:city", winner="dynamics", at=NOW, fingerprint="1"
    )
    assert runs.close(run, NOW)
    assert not runs.close(run, NOW + timedelta(minutes=1))
    run.refresh_from_db()
    assert (run.finished_at, run.counts, run.failures) == (NOW, {"read": 1, "conflicts": 1}, 0)


def test_a_run_without_conflicts_does_not_look_busy():
    run = runs.open_one(NOW)
    runs.close(run, NOW)
    run.refresh_from_db()
    assert run.counts == {}


@pytest.mark.parametrize("kind", ["run", "request", "receipt", "minute", "hour", "line"])
def test_each_kind_of_old_row_goes_though_nothing_else_is_old(kind):
    long_ago = NOW - timedelta(days=100)
    options.write("keep_activities_days", 30)
    made = {
        "run": lambda: Run.objects.create(started_at=long_ago, finished_at=long_ago, heartbeat_at=long_ago),
        "request": lambda: SyncRequest.objects.create(person=1, received_at=long_ago, finished_at=long_ago),
        "receipt": lambda: Receipt.objects.create(
            link=_link(), person=1, key="lead.city:city", field="city", at=long_ago, how="a", settled_at=long_ago
        ),
        "minute": lambda: Throughput.objects.create(seconds=throughput.MINUTE, at=long_ago, side="marketo"),
        "hour": lambda: Throughput.objects.create(seconds=throughput.HOUR, at=long_ago, side="marketo"),
        "line": lambda: Activity.objects.create(at=long_ago, kind="updated"),
    }[kind]()
    assert retention.forget(NOW) == 1
    assert not type(made).objects.filter(pk=made.pk).exists()


def test_history_stays_for_ever_if_no_setting_says_otherwise():
    Activity.objects.create(at=NOW - timedelta(days=9_000), kind="updated")
    assert retention.forget(NOW) == 0
    assert Activity.objects.count() == 1


def test_forgetting_a_run_writes_no_line_anew():
    long_ago = NOW - timedelta(days=100)
    run = Run.objects.create(started_at=long_ago, finished_at=long_ago, heartbeat_at=long_ago)
    number = run.pk
    Activity.objects.create(at=long_ago, kind="updated", run=run)
    with CaptureQueriesContext(connection) as asked:
        assert retention.forget(NOW) == 1
    assert [query["sql"] for query in asked if "UPDATE" in query["sql"] and "activity" in query["sql"]] == []
    assert Activity.objects.get().run_id == number
