"""`manage.py bench` in short: what does not depend on the machine. Seconds are measured by hand, at full size."""

from __future__ import annotations

import logging
import math
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from syncadmin.proof.bench.cases import CASES
from syncadmin.proof.bench.options import Options
from syncadmin.services import rulebook
from syncadmin.store.models import Activity, Link

PEOPLE = 400
A_CALL = 300
# Fork after threads is what Python warns of since 3.12; the children touch nothing that a thread could hold.
FORKS = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


@pytest.fixture
def emptied(transactional_db, caplog):
    caplog.set_level(logging.CRITICAL)
    rulebook._assemble.cache_clear()
    yield
    rulebook._assemble.cache_clear()
    with connection.cursor() as cursor:
        names = [name for name in connection.introspection.table_names(cursor) if name.startswith("store_")]
        cursor.execute(f"TRUNCATE {', '.join(names)} RESTART IDENTITY CASCADE")


def bench(name, **wanted):
    return CASES[name](Options(**{"people": PEOPLE, "canned": True, "tell": lambda text: None, **wanted}))


def test_the_first_sync_asks_for_everybody_once(emptied):
    told = bench("initial")
    # A table is looked up and written before the next one is read.
    pages = math.ceil(0.8 * PEOPLE / A_CALL) + math.ceil(0.2 * PEOPLE / A_CALL)
    assert told["people"] == PEOPLE
    assert told["calls"]["dynamics full read"] == 2
    assert told["calls"]["marketo look up"] == 2 * pages  # by our id, by e-mail
    assert told["calls"]["marketo read before write"] == pages
    assert told["calls"]["marketo updates"] == pages
    assert told["statements"] / PEOPLE < 2
    assert Activity.objects.filter(kind="linked").count() == PEOPLE


def test_an_idle_run_asks_each_feed_once_and_writes_nothing(emptied):
    told = bench("idle")
    assert told["calls"] == {
        "dynamics changes": 2,
        "marketo changes": 1,
        "marketo events": 1,
        "marketo deletes": 1,
    }
    assert told["rows_written"] == 0
    assert told["statements"] < 150


def test_changes_cost_what_changed(emptied):
    told = bench("storm")
    assert told["changes"] == PEOPLE
    assert told["call_ratio"] <= 1.02
    assert told["statements_a_change"] < 1.5


def test_a_few_changes_cost_the_same_among_many(emptied):
    """Statements and calls of one change, whoever else is there."""
    few, many = (bench("incremental", people=people, changes=20) for people in (40, PEOPLE))
    assert few["calls"] == many["calls"]
    assert abs(few["statements"] - many["statements"]) <= 10


@FORKS
def test_two_workers_double_nobody(emptied):
    told = bench("workers", people=600, workers=2)
    assert told["doubled"] == 0
    assert Link.objects.filter(marketo__isnull=False).count() == 600


def test_sync_person_is_answered_at_once(emptied):
    told = bench("webhook", canned=False, people=40)
    assert told["answers"] == {"created": told["samples"]}


@pytest.mark.long
@pytest.mark.parametrize("name", ["latency", "backfill-live", "memory"])
def test_the_slow_cases_come_to_an_end(emptied, name):
    assert bench(name, canned=False, people=1_000)["people"] == 1_000


def test_an_unknown_case_is_refused():
    with pytest.raises(CommandError, match="no case called nothing"):
        call_command("bench", "nothing", stdout=StringIO())
