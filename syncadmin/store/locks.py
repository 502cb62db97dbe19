"""The advisory locks of PostgreSQL we take, and how. A number once given here never changes or returns.

A session's lock is PostgreSQL's own to free when the session ends, so a killed worker holds nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from django.db import connection


class Lock(IntEnum):
    """The first of the two numbers PostgreSQL asks for; the second tells places of the same kind apart."""

    CYCLE = 7101  # one run at a time
    MARKETO_PLACE = 7102  # one of our calls at once
    DYNAMICS_PLACE = 7103
    PAIRING = 7105  # records with one e-mail are paired by one worker
    LOOK_UP = 7106
    STREAM = 7107  # a stream is read by one worker at a time; numbered by its step
    PLANNING = 7108  # the preview plans, shared by its workers; started or thrown away by one alone
    LISTING = 7109  # the list of people is kept by one session at a time
    SETUP = 7104  # metadata, connections and field sets are changed by one at a time


def wait_in_transaction(lock: Lock, number: int = 0) -> None:
    """Waits for the lock and holds it until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [int(lock), number])


def share_in_transaction(lock: Lock, number: int = 0) -> None:
    """As ``wait_in_transaction``, together with others that share it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [int(lock), number])


def try_in_transaction(lock: Lock, number: int = 0) -> bool:
    """Holds the lock until the transaction ends, if it is free."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [int(lock), number])
        return bool(cursor.fetchone()[0])


@contextmanager
def try_session(lock: Lock, number: int = 0) -> Iterator[bool]:
    """Holds the lock while the block runs, if it is free; the block is told whether it is."""
    taken = take_place(lock, number, number) is not None
    try:
        yield taken
    finally:
        if taken:
            give_back(lock, number)


def take_place(lock: Lock, first: int, last: int) -> int | None:
    """The number of a free place between the two, now held by this session; None if all are taken."""
    step = 1 if first <= last else -1
    with connection.cursor() as cursor:
        # One row at a time: the scan ends with the first place that could be locked.
        cursor.execute(
            "SELECT n FROM generate_series(%s::int, %s::int, %s::int) AS n WHERE pg_try_advisory_lock(%s, n) LIMIT 1",
            [first, last, step, int(lock)],
        )
        row = cursor.fetchone()
    return None if row is None else int(row[0])


def give_back(lock: Lock, number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [int(lock), number])
