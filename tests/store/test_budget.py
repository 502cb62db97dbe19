"""The shared budget in PostgreSQL: rate, day, pauses, places; alone and between threads."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from syncadmin.engine.records import Lane, Side
from syncadmin.store import options
from syncadmin.store.budget import PgBudget
from syncadmin.store.models import Budget, BudgetUse

AT = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)


class Spent(Exception):
    def __init__(self, message: str, until: datetime) -> None:
        super().__init__(message)
        self.until = until


class Clock:
    """Time passes by sleeping only."""

    def __init__(self, at: datetime = AT) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def budget(clock):
    return PgBudget(clock.now, clock.sleep, Spent)


def call(budget, side=Side.MARKETO, lane=Lane.LIVE, purpose="pull", deadline=None):
    with budget.call(side, lane, purpose, deadline):
        pass


def test_calls_are_counted_by_side_day_lane_and_purpose(budget):
    call(budget)
    call(budget)
    call(budget, lane=Lane.BACKFILL, purpose="look_up")
    call(budget, Side.DYNAMICS)

    rows = BudgetUse.objects.values_list("side", "day", "lane", "purpose", "calls")
    day = AT.date()
    assert sorted(rows) == [
        ("dynamics", day, "live", "pull", 1),
        ("marketo", day, "backfill", "look_up", 1),
        ("marketo", day, "live", "pull", 2),
    ]
    assert Budget.objects.values_list("calls", "backfill_calls").get(side="marketo") == (3, 1)


def test_a_call_waits_for_its_turn(budget, clock):
    times = []
    for _ in range(60):
        with budget.call(Side.MARKETO, Lane.LIVE, "pull", None):
            times.append(clock.now())

    assert times[0] == AT
    assert all(sum(1 for at in times if start <= at < start + timedelta(seconds=20)) <= 50 for start in times)
    assert times[-1] > AT + timedelta(seconds=20)


def test_no_time_to_wait_is_said_with_the_time(budget, clock):
    for _ in range(10):
        call(budget)
    with pytest.raises(Spent) as caught:
        call(budget, deadline=clock.now() + timedelta(seconds=0.4))

    assert abs(caught.value.until - AT - timedelta(seconds=1 / 1.85)) < timedelta(milliseconds=1)
    assert clock.now() == AT


def test_silence_asked_for_holds_everybody(budget, clock):
    other = PgBudget(clock.now, clock.sleep, Spent)
    other.pause(Side.MARKETO, AT + timedelta(minutes=2))
    other.pause(Side.MARKETO, AT + timedelta(minutes=1))

    with pytest.raises(Spent, match="silence") as caught:
        call(budget, purpose="sync_person")
    assert caught.value.until == AT + timedelta(minutes=2)
    call(budget, Side.DYNAMICS)
    clock.sleep(110)
    call(budget)
    assert clock.now() == AT + timedelta(minutes=2)


def test_the_days_share_ends_and_begins_anew_at_midnight_us_central(budget, clock):
    options.write("marketo_quota", 10)
    options.write("marketo_share", 0.5)
    options.write("backfill_share", 0.4)
    call(budget, lane=Lane.BACKFILL)
    call(budget, lane=Lane.BACKFILL)
    with pytest.raises(Spent):
        call(budget, lane=Lane.BACKFILL)
    for _ in range(3):
        call(budget)
    with pytest.raises(Spent, match="today") as caught:
        call(budget, purpose="sync_person")

    assert caught.value.until == datetime(2026, 3, 5, 6, 0, tzinfo=UTC)
    assert Budget.objects.get(side="marketo").calls == 5
    clock.at = datetime(2026, 3, 5, 6, 0, tzinfo=UTC)
    call(budget, lane=Lane.BACKFILL)
    assert Budget.objects.values_list("calls", "backfill_calls").get(side="marketo") == (1, 1)


def test_the_last_place_is_sync_persons(budget, clock):
    """A session may hold a place twice, so the places are taken by others."""
    budget.hint(Side.DYNAMICS, 2)
    entered, leave = threading.Event(), threading.Event()

    def hold():
        try:
            with PgBudget(clock.now, clock.sleep, Spent).call(Side.DYNAMICS, Lane.LIVE, "pull", None):
                entered.set()
                assert leave.wait(10)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold)
        assert entered.wait(10)
        try:
            with pytest.raises(Spent, match="taken"):
                call(budget, Side.DYNAMICS)
            call(budget, Side.DYNAMICS, purpose="sync_person")
        finally:
            leave.set()
        holding.result(timeout=10)
    call(budget, Side.DYNAMICS)


def test_an_error_inside_the_call_gives_the_place_back(budget):
    with pytest.raises(ZeroDivisionError), budget.call(Side.MARKETO, Lane.LIVE, "pull", None):
        _ = 1 / 0
    with connection.cursor() as cursor:
        # The server is shared with the test processes beside this one, each with a database of its own.
        cursor.execute(
            """SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
               WHERE l.locktype = 'advisory' AND d.datname = current_database()"""
        )
        assert cursor.fetchone() == (0,)


def test_four_threads_never_exceed_rate_or_places():
    """Real threads and sessions; a clock that runs forty times as fast."""
    begun = time.monotonic()
    fast = 40.0

    def now() -> datetime:
        return AT + timedelta(seconds=(time.monotonic() - begun) * fast)

    def sleep(seconds: float) -> None:
        time.sleep(seconds / fast)

    guard, times, inside, most = threading.Lock(), [], set(), [0]

    def work(number: int) -> None:
        budget = PgBudget(now, sleep, Spent, patience=600)
        try:
            for _ in range(25):
                with budget.call(Side.MARKETO, Lane.LIVE, "sync_person" if number % 2 else "pull", None):
                    with guard:
                        times.append(now())
                        inside.add(number)
                        most[0] = max(most[0], len(inside))
                    time.sleep(0.001)
                    with guard:
                        inside.discard(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        for each in [pool.submit(work, number) for number in range(4)]:
            each.result(timeout=60)

    assert len(times) == 100
    window = timedelta(seconds=20)
    assert max(sum(1 for at in times if start <= at < start + window) for start in times) <= 50
    assert 1 < most[0] <= 5
    assert Budget.objects.get(side="marketo").calls == 100
    assert sum(BudgetUse.objects.values_list("calls", flat=True)) == 100


def test_more_threads_than_places():
    guard, inside, most = threading.Lock(), set(), [0]

    def work(number: int) -> None:
        budget = PgBudget(lambda: AT, time.sleep, Spent, patience=30)
        try:
            for _ in range(4):
                with budget.call(Side.DYNAMICS, Lane.LIVE, "pull", None):
                    with guard:
                        inside.add(number)
                        most[0] = max(most[0], len(inside))
                    time.sleep(0.01)
                    with guard:
                        inside.discard(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(7) as pool:
        for each in [pool.submit(work, number) for number in range(7)]:
            each.result(timeout=60)
    assert 1 < most[0] <= 3
    assert Budget.objects.get(side="dynamics").calls == 28


def test_calls_counted_by_two_workers_at_once_are_all_counted(clock):
    def many():
        budget = PgBudget(clock.now, lambda seconds: time.sleep(0.001), Spent)
        try:
            for _ in range(40):
                with budget.call(Side.DYNAMICS, Lane.LIVE, "pull", None):
                    pass
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(many), pool.submit(many)]:
            done.result(timeout=30)

    assert Budget.objects.get(side="dynamics").calls == 80
    assert BudgetUse.objects.get(side="dynamics").calls == 80


def test_a_call_inside_a_transaction_is_refused_and_keeps_no_place(budget):
    with transaction.atomic(), pytest.raises(RuntimeError):
        call(budget)
    assert not Budget.objects.exists()
