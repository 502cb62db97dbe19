"""`manage.py simulate` in short; the long forms run with `make test-all`."""

from __future__ import annotations

import multiprocessing
import os
import select
import signal
from contextlib import suppress
from datetime import UTC, date, datetime

import pytest
from django.db import connection

from syncadmin.proof import abreast, database, engine_floor, report, stack
from syncadmin.proof.events import schedule
from syncadmin.proof.planting import planted
from syncadmin.store.models import Connection
from tests.planted import BUGS

ENGINE_SCHEDULES = 2_000
# Other schedules each day; give the printed number to play the same ones again.
TURN = int(os.environ.get("SIMULATE_TURN") or (datetime.now(UTC).date() - date(2026, 1, 1)).days)
# What once failed, and cost a day to understand.
FAILED_ONCE = (
    *(24, 62, 63, 94, 168, 203, 1_661, 5_036, 5_066, 10_027, 10_053, 10_120, 10_200, 10_325, 10_544, 10_707),
    *(10_888, 10_927, 10_943, 10_951, 11_055, 11_087, 11_424, 11_463, 11_693, 11_715, 11_734, 11_822, 11_893),
    *(
        12_044,
        12_274,
        12_516,
        13_164,
        13_544,
        13_611,
        13_660,
        13_960,
        14_011,
        14_240,
        14_257,
        14_283,
        14_450,
        14_532,
        15_074,
    ),
)
ENGINE_FAILED_ONCE = (15_584, 25_730, 2_078_178, 2_120_878, 4_020_530, 4_056_952)
LONG_STACK_SEEDS = range(11, 31)


def test_the_engine_floor_holds():
    broken = {played.seed: played.broken for played in engine_floor.simulate(1, ENGINE_SCHEDULES) if played.broken}
    assert broken == {}


@pytest.mark.parametrize("seed", ENGINE_FAILED_ONCE)
def test_what_failed_once_on_the_engine_floor_holds(seed):
    assert not engine_floor.play(seed).broken


def test_the_stack_floor_holds(emptied):
    seeds = [1_000 + TURN * 2, 1_001 + TURN * 2]
    outcomes = [stack.play(schedule(seed)) for seed in seeds]
    assert {one.schedule.seed: one.broken for one in outcomes if one.broken} == {}, f"SIMULATE_TURN={TURN}"


@pytest.mark.long
@pytest.mark.parametrize("seed", [*FAILED_ONCE, *LONG_STACK_SEEDS])
def test_the_stack_floor_holds_for_longer(emptied, seed):
    assert not stack.play(schedule(seed)).broken


def test_a_schedule_holds_at_least_eight_people():
    for seed in range(1, 50):
        assert sum(event.kind == "birth" for event in schedule(seed).events) >= 8


def test_the_same_seed_gives_the_same_trace(emptied):
    first, second = stack.play(schedule(19)), stack.play(schedule(19))
    assert first.trace == second.trace
    assert len(first.trace) > 50


def test_several_processes_play_the_same_schedules(emptied):
    # What the fixture has connected looks like somebody's own.
    Connection.objects.all().delete()
    alone = report.simulate(report.Wanted("stack", 3, 1_600), pytest.fail)
    abreast = report.simulate(report.Wanted("stack", 3, 1_600, jobs=2), pytest.fail)
    assert (abreast.trace, abreast.calls, abreast.schedules) == (alone.trace, alone.calls, 3)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_database WHERE datname LIKE %s", [f"{database.name_of(0)[:-1]}_%"])
        assert cursor.fetchone() == (0,)


def test_several_processes_tell_what_failed_in_the_order_of_the_seeds(monkeypatch):
    monkeypatch.setattr(engine_floor, "play", lambda seed: engine_floor.Played(1 // (seed % 2)))
    heard = []
    result = report.simulate(report.Wanted("engine", 5, 10, jobs=3), heard.append)
    assert [row["seed"] for row in result.failed] == [10, 12, 14]
    assert [text.partition(":")[0] for text in heard] == ["seed 10", "seed 12", "seed 14"]


def test_a_player_that_dies_is_missed_and_not_waited_for(monkeypatch):
    monkeypatch.setattr(engine_floor, "play", lambda seed: os._exit(9) if seed == 13 else engine_floor.Played(seed))
    with pytest.raises(abreast.PlayerLost):
        report.simulate(report.Wanted("engine", 6, 10, jobs=2), print)


def test_players_end_with_a_parent_that_is_killed():
    """Or they would go on, or wait for ever for somebody to read what they played."""
    alive, theirs = os.pipe()
    begun = multiprocessing.get_context("fork").Semaphore(0)

    def play(seed):
        begun.release()
        return bytes(200_000)  # more than a pipe holds

    def read_one():
        os.setsid()
        played = abreast.played(None, play, range(1_000), jobs=2)
        next(played)
        signal.pause()

    parent = multiprocessing.get_context("fork").Process(target=read_one)
    parent.start()
    os.close(theirs)
    assert all(begun.acquire(timeout=20) for _ in range(3))
    parent.kill()
    parent.join()
    try:
        # Whoever was started had the other end, so reading ends only once all of them have.
        assert select.select([alive], [], [], 20) == ([alive], [], [])
    finally:
        os.close(alive)
        with suppress(ProcessLookupError):
            os.killpg(parent.pid, signal.SIGKILL)


@pytest.mark.long
def test_a_failing_schedule_is_made_short(emptied):
    """With history silenced nearly every event is beside the point, and goes."""
    bug = next(bug for bug in BUGS if bug.name == "what our writes replaced is not in the history")
    with planted(bug):
        whole = stack.play(schedule(bug.seed))
        short = stack.shortest(whole)
    assert any(text.startswith("3:") for text in short.broken)
    assert len(short.schedule.events) < len(whole.schedule.events) // 2


def test_another_seed_gives_another_schedule():
    assert schedule(1) == schedule(1)
    assert schedule(1) != schedule(2)


def test_a_database_in_use_is_refused(db):
    Connection.objects.create(
        side="dynamics", base_url="https://x.example", sealed="", connected_at="2026-03-02T09:00:00Z"
    )
    with pytest.raises(report.NotHere):
        report.make_room()
