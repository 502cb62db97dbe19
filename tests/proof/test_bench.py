"""`manage.py bench` in short: what does not depend on the machine. Seconds are measured by hand, at full size."""

from __future__ import annotations

import gc
import logging
import math
from collections import Counter
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from syncadmin.proof.bench import cases, changes, initial, together
from syncadmin.proof.bench.cases import CASES, NAMED
from syncadmin.proof.bench.options import Options
from syncadmin.proof.bench.stage import stage
from syncadmin.services import rulebook
from syncadmin.store.models import Activity, Link, Receipt

PEOPLE = 400
A_CALL = 300
SLOW = ("latency", "backfill-live", "memory", "webhook")


@pytest.fixture
def emptied(transactional_db, caplog):
    caplog.set_level(logging.CRITICAL)
    rulebook._assemble.cache_clear()
    yield
    rulebook._assemble.cache_clear()
    with connection.cursor() as cursor:
        names = [name for name in connection.introspection.table_names(cursor) if name.startswith("store_")]
        cursor.execute(f"TRUNCATE {', '.join(names)} RESTART IDENTITY CASCADE")


def wanted(**more):
    return Options(**{"people": PEOPLE, "canned": True, "tell": lambda text: None, **more})


# Python warns of a fork after threads since 3.12; the children touch nothing that a thread could hold.
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_what_a_sync_costs_in_calls_statements_and_rows(emptied):
    with stage(wanted()) as found:
        the_first_sync_asks_for_everybody_once(initial.first_sync(found))
        changes.in_step(found)
        every_write_came_back_as_a_line_of_its_own()
        an_idle_run_asks_each_feed_once_and_writes_nothing(changes.quiet_run(found))
        a_few_changes_cost_little(changes.changed(found, 20, 1))
        changes_cost_what_changed(changes.changed(found, PEOPLE, 2))
        two_workers_double_nobody(together.shared(found, 2))


def the_first_sync_asks_for_everybody_once(told):
    # A table is looked up and written before the next one is read.
    pages = math.ceil(0.8 * PEOPLE / A_CALL) + math.ceil(0.2 * PEOPLE / A_CALL)
    assert told["people"] == PEOPLE
    assert told["calls"]["dynamics full read"] == 2
    assert told["calls"]["marketo look up"] == 2 * pages  # by our id, by e-mail
    assert told["calls"]["marketo read before write"] == pages
    assert told["calls"]["marketo updates"] == pages
    assert told["statements"] < 1_500
    assert Activity.objects.filter(kind="linked").count() == PEOPLE


def every_write_came_back_as_a_line_of_its_own():
    settled = Counter(Receipt.objects.values_list("how", flat=True))
    assert set(settled) == {"a"}
    assert settled["a"] >= PEOPLE


def an_idle_run_asks_each_feed_once_and_writes_nothing(told):
    calls = {"dynamics changes": 2, "marketo changes": 1, "marketo events": 1, "marketo deletes": 1}
    assert told["calls"] == calls
    assert told["rows_written"] == 0
    assert told["statements"] < 150


def a_few_changes_cost_little(told):
    assert told["changes"] == 20
    assert told["statements"] < 300


def changes_cost_what_changed(told):
    assert told["changes"] == PEOPLE
    assert told["call_ratio"] <= 1.02
    assert told["statements_a_change"] < 1


def two_workers_double_nobody(told):
    assert told["doubled"] == 0
    assert Link.objects.filter(marketo__isnull=False).count() == PEOPLE


def test_one_population_goes_through_the_cases_one_after_another(emptied):
    told = NAMED["series"](wanted(people=60, changes=20, repeat=2))
    assert (told["initial"]["people"], "all_seconds" in told["initial"]) == (60, False)
    assert (told["incremental"]["changes"], told["storm"]["changes"]) == (20, 60)
    assert [one["seconds"] for one in told["incremental"]["rounds"]] == told["incremental"]["all_seconds"]
    assert (len(told["incremental"]["rounds"]), len(told["storm"]["all_seconds"])) == (5, 2)
    assert told["idle"]["rows_written"] == 0
    assert told["bytes_a_line"] > 0


def test_each_round_edits_others(emptied):
    with stage(wanted(people=60)) as found:
        changes.in_step(found)
        before = set(Activity.objects.values_list("pk", flat=True))
        for place in range(3):
            changes.changed(found, 20, place)
        assert len(set(Activity.objects.exclude(pk__in=before).values_list("link_id", flat=True))) == 60


@pytest.mark.long
@pytest.mark.parametrize("name", SLOW)
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_slow_cases_come_to_an_end(emptied, name):
    assert CASES[name](wanted(canned=False, people=1_000))["people"] == 1_000


def test_what_is_not_installed_is_named_with_the_way_to_get_it(tmp_path):
    told = CASES["baselines"](wanted(folder=tmp_path))
    assert list(told) == ["missing"]
    assert f"{tmp_path}/clients/bin/pip install --require-hashes -r requirements-bench.txt" in told["missing"]


def test_an_unknown_case_is_refused():
    with pytest.raises(CommandError, match="no case called nothing"):
        call_command("bench", "nothing", stdout=StringIO())


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_workers_memory_is_its_own(emptied):
    ballast = bytearray(b"x" * 400_000_000)
    told = CASES["memory"](wanted(canned=False, people=40))
    assert 50 < told["before"] < told["peak"] < 300
    assert ballast
    # What the sandboxes' ends left open is cleared away here, not in a test that minds.
    gc.collect()


def test_all_of_the_performance_page_is_measured_by_one_command(db, monkeypatch):
    asked = []
    for some in (cases.CASES, cases.TOGETHER):
        for name in some:
            monkeypatch.setitem(some, name, lambda options, name=name: asked.append((name, options)) or {"seconds": 1})
    told = NAMED["all"](wanted(people=7_000, repeat=5))
    assert [name for name, _ in asked] == [name for name, _ in cases.PLAN]
    assert {name for name, _ in asked} > {"series", "latency", "memory", "workers"}
    assert len(told) == 1 + len(cases.PLAN), "no figure replaces another"
    assert {options.workers for name, options in asked if name == "workers"} == {1, 2, 4}
