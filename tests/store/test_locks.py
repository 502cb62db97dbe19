"""Advisory locks between two sessions."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from syncadmin.store import locks
from syncadmin.store.locks import Lock


def in_another_session(work):
    def run():
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result(timeout=10)


def held() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
               WHERE locktype = 'advisory' AND d.datname = current_database()"""
        )
        return cursor.fetchone()[0]


def test_the_numbers_are_permanent():
    assert {lock.name: lock.value for lock in Lock} == {
        "CYCLE": 7101,
        "MARKETO_PLACE": 7102,
        "DYNAMICS_PLACE": 7103,
        "SETUP": 7104,
        "PAIRING": 7105,
        "LOOK_UP": 7106,
        "STREAM": 7107,
        "PLANNING": 7108,
        "LISTING": 7109,
    }


@pytest.mark.django_db(transaction=True)
def test_only_one_session_holds_a_lock():
    def is_free():
        with locks.try_session(Lock.CYCLE) as free:
            return free

    with locks.try_session(Lock.CYCLE) as mine:
        assert mine
        assert in_another_session(is_free) is False
    assert in_another_session(is_free) is True
    assert held() == 0


@pytest.mark.django_db(transaction=True)
def test_taking_a_place_takes_one_place():
    assert locks.take_place(Lock.MARKETO_PLACE, 1, 3) == 1
    assert held() == 1

    def other():
        return locks.take_place(Lock.MARKETO_PLACE, 3, 1), locks.take_place(Lock.MARKETO_PLACE, 1, 1)

    assert in_another_session(other) == (3, None)
    # The other session ended without giving its place back; PostgreSQL notices in a moment.
    deadline = time.monotonic() + 5
    while held() > 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert held() == 1
    locks.give_back(Lock.MARKETO_PLACE, 1)
    assert held() == 0


@pytest.mark.django_db(transaction=True)
def test_a_transactions_lock_ends_with_it():
    with transaction.atomic():
        locks.wait_in_transaction(Lock.SETUP)
        assert held() == 1
    assert held() == 0


def stream_is_free(number):
    def free():
        with locks.try_session(Lock.STREAM, number) as taken:
            return taken

    return in_another_session(free)


@pytest.mark.django_db(transaction=True)
def test_taking_the_next_stream_gives_back_the_one_before():
    mine = locks.OneAfterAnother(Lock.STREAM)
    assert mine.take(1)
    assert mine.take(1)
    assert held() == 1
    assert mine.take(2)

    assert stream_is_free(1)
    assert not stream_is_free(2)
    mine.leave()
    mine.leave()
    assert held() == 0


@pytest.mark.django_db(transaction=True)
def test_a_stream_that_another_worker_reads_is_not_taken_and_none_is_kept():
    locks.take_place(Lock.STREAM, 2, 2)

    def other():
        theirs = locks.OneAfterAnother(Lock.STREAM)
        return theirs.take(1), theirs.take(2), theirs.take(2), stream_is_free(1)

    assert in_another_session(other) == (True, False, False, True)
    locks.give_back(Lock.STREAM, 2)
    assert held() == 0


@pytest.mark.django_db(transaction=True)
def test_a_lock_that_went_with_its_session_is_not_believed():
    mine = locks.OneAfterAnother(Lock.STREAM)
    assert mine.take(3)
    connection.close()
    mine.doubt()
    assert mine.take(3)
    assert not stream_is_free(3)
    mine.leave()
    assert held() == 0
