"""`manage.py simulate` in short; the long forms run with `make test-all`."""

from __future__ import annotations

import logging

import pytest
from django.db import connection

from syncadmin.proof import engine_floor, report, stack
from syncadmin.proof.events import schedule
from syncadmin.proof.world import prepare
from syncadmin.services import rulebook

ENGINE_SCHEDULES = 2_000
# Ten seconds each on a busy machine: a few every time, thousands by hand.
STACK_SEEDS = (13, 16, 19, 29)
LONG_STACK_SEEDS = range(11, 31)


@pytest.fixture
def emptied(transactional_db, caplog):
    """What a simulation leaves behind is nobody else's."""
    caplog.set_level(logging.CRITICAL)
    # Rules are kept by the number of their field set, and an emptied database counts from one again.
    rulebook._assemble.cache_clear()
    prepare()
    yield
    with connection.cursor() as cursor:
        names = [name for name in connection.introspection.table_names(cursor) if name.startswith("store_")]
        cursor.execute(f"TRUNCATE {', '.join(names)} RESTART IDENTITY CASCADE")


def test_the_engine_floor_holds():
    broken = {played.seed: played.broken for played in engine_floor.simulate(1, ENGINE_SCHEDULES) if played.broken}
    assert broken == {}


def test_the_stack_floor_holds(emptied):
    outcomes = [stack.play(schedule(seed)) for seed in STACK_SEEDS]
    assert {one.schedule.seed: one.broken for one in outcomes if one.broken} == {}


@pytest.mark.long
@pytest.mark.parametrize("seed", LONG_STACK_SEEDS)
def test_the_stack_floor_holds_for_longer(emptied, seed):
    assert not stack.play(schedule(seed)).broken


def test_the_same_seed_gives_the_same_trace(emptied):
    first, second = stack.play(schedule(19)), stack.play(schedule(19))
    assert first.trace == second.trace
    assert len(first.trace) > 50


def test_another_seed_gives_another_schedule():
    assert schedule(1) == schedule(1)
    assert schedule(1) != schedule(2)


def test_a_planted_loss_is_caught_and_named(emptied, monkeypatch):
    """An oracle that never speaks proves nothing: history is silenced, and it must notice."""
    monkeypatch.setattr("syncadmin.services.outcomes._passed", _silently)
    outcomes = [stack.play(schedule(seed)) for seed in (19,)]
    assert any(text.startswith("3:") for one in outcomes for text in one.broken)


def _silently(side, case, write, run, now):
    for key, told in write.fields.items():
        if told["agreed"] is not None:
            case.agreed[key] = told["agreed"]
    return []


def test_a_database_in_use_is_refused(db):
    from syncadmin.store.models import Connection

    Connection.objects.create(
        side="dynamics", base_url="https://x.example", sealed="", connected_at="2026-03-02T09:00:00Z"
    )
    with pytest.raises(report.NotHere):
        report.make_room()
