"""All processes tell one time, the database's, whatever the clocks of their hosts say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, transaction

from syncadmin.store import clock
from syncadmin.store.clock import DatabaseClock

START = datetime(2026, 3, 1, 9, tzinfo=UTC)


class Host:
    """A host whose clock is ``wrong`` by so many seconds, beside a database that is right."""

    def __init__(self, wrong: float = 0.0) -> None:
        self.wrong, self.passed, self.asked, self.slow, self.away = wrong, 1_000.0, 0, 0.0, False
        self.clock = DatabaseClock(self.ask, host=lambda: self.passed + self.wrong, steady=lambda: self.passed)

    def ask(self) -> datetime:
        self.asked += 1
        if self.away:
            raise DatabaseError("gone")
        answer = self.right()
        self.passed += self.slow
        return answer

    def right(self) -> datetime:
        return START + timedelta(seconds=self.passed)

    def off(self) -> float:
        return abs((self.clock() - self.right()).total_seconds())


def test_hosts_whose_clocks_differ_tell_the_same_time() -> None:
    one, other = Host(wrong=3_600), Host(wrong=-40)
    assert one.clock() == other.clock() == one.right()
    one.passed += 30.5
    other.passed += 30.5
    assert one.clock() == other.clock() == one.right()
    assert (one.asked, other.asked) == (1, 1), "in between nobody is asked"


@pytest.mark.parametrize("step", [-3_600, -0.2, 0.2, 86_400])
def test_a_host_whose_clock_is_set_tells_the_right_time_at_once(step: float) -> None:
    host = Host()
    assert host.off() == 0
    host.wrong += step
    host.passed += 1
    assert host.off() == 0
    assert host.asked == 2


def test_it_is_asked_again_after_a_minute_and_sooner_if_the_answer_took_long() -> None:
    host = Host()
    host.slow = 0.4
    assert host.off() == pytest.approx(0.4)
    host.slow = 0.0
    host.passed += 6
    assert host.off() == 0
    host.passed += 59
    host.clock()
    assert host.asked == 2
    host.passed += 2
    host.clock()
    assert host.asked == 3


def test_the_time_goes_on_while_the_database_is_away() -> None:
    host = Host()
    host.clock()
    host.away = True
    host.passed += 61
    assert host.off() == 0
    host.passed += 4
    assert host.off() == 0
    assert host.asked == 2, "not asked at each call"
    host.passed += 2
    host.away = False
    assert host.off() == 0
    assert host.asked == 3


def test_a_host_that_never_reached_the_database_tells_its_own_time() -> None:
    host = Host()
    host.away = True
    assert host.clock() == datetime.fromtimestamp(host.passed, UTC)


@pytest.mark.django_db(transaction=True)
def test_the_database_is_asked() -> None:
    host = DatabaseClock(clock._ask)
    assert abs((host() - datetime.now(UTC)).total_seconds()) < 5
    assert host().tzinfo is UTC


@pytest.mark.django_db(transaction=True)
def test_a_broken_transaction_keeps_nobody_from_telling_the_time() -> None:
    host = DatabaseClock(clock._ask)
    with transaction.atomic():
        transaction.set_rollback(True)
        assert abs((host() - datetime.now(UTC)).total_seconds()) < 5
