"""The advisory locks of PostgreSQL we take, and how. A number once given here never changes or returns.

A session's lock is PostgreSQL's own to free when the session ends, so a killed worker holds nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from syncadmin.store import staging


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
    staging.query("SELECT pg_advisory_xact_lock(%s::int, %s::int)", [int(lock), number])


def share_in_transaction(lock: Lock, number: int = 0) -> None:
    """As ``wait_in_transaction``, together with others that share it."""
    staging.query("SELECT pg_advisory_xact_lock_shared(%s::int, %s::int)", [int(lock), number])


def try_in_transaction(lock: Lock, number: int = 0) -> bool:
    """Holds the lock until the transaction ends, if it is free."""
    ((taken,),) = staging.query("SELECT pg_try_advisory_xact_lock(%s::int, %s::int)", [int(lock), number])
    return bool(taken)


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
    # One row at a time: the scan ends with the first place that could be locked.
    rows = staging.query(
        """SELECT n FROM generate_series(%s::int, %s::int, %s::int) AS n
           WHERE pg_try_advisory_lock(%s::int, n) LIMIT 1""",
        [first, last, step, int(lock)],
    )
    return int(rows[0][0]) if rows else None


def give_back(lock: Lock, number: int) -> None:
    staging.query("SELECT pg_advisory_unlock(%s::int, %s::int)", [int(lock), number])


class OneAfterAnother:
    """At most one of a kind's locks: taking the next gives back the one before, in the same question."""

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self._held: int | None = None
        self._doubtful = False

    def take(self, number: int) -> bool:
        """Whether the lock is ours now. Nothing is asked if it was already."""
        if self._held == number and not self._doubtful:
            return True
        before = "" if self._held is None else f"pg_advisory_unlock({int(self._lock)}, {int(self._held)}), "
        ((*_, taken),) = staging.query(f"SELECT {before}pg_try_advisory_lock({int(self._lock)}, {int(number)})")
        self._held, self._doubtful = number if taken else None, False
        return bool(taken)

    def doubt(self) -> None:
        """The session may be another one now, and what it held is gone: the next question asks for it again."""
        self._doubtful = True

    def leave(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            give_back(self._lock, held)
