"""PostgreSQL sessions of pretended processes: one for each worker, thrown away when its worker is killed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.apps import apps
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

_ALIAS = "default"
# What setting up leaves behind, the same for every schedule.
_KEPT = frozenset({"store_connection", "store_tableschema", "store_fieldpair", "store_setting"})
# Two workers in one thread: a wait for the other's lock would never end.
_LOCK_TIMEOUT = "SET lock_timeout = '5s'"


class Sessions:
    """One database session for each worker name."""

    def __init__(self) -> None:
        self._main = connections[_ALIAS]
        self._open: dict[str, BaseDatabaseWrapper] = {}

    @contextmanager
    def of(self, worker: str) -> Iterator[BaseDatabaseWrapper]:
        """Everything in the block talks to the database through this worker's session."""
        if worker not in self._open:
            self._open[worker] = connections.create_connection(_ALIAS)
            with self._open[worker].cursor() as cursor:
                cursor.execute(_LOCK_TIMEOUT)
        before = connections[_ALIAS]
        connections[_ALIAS] = self._open[worker]
        try:
            yield self._open[worker]
        finally:
            connections[_ALIAS] = before

    def rename(self, worker: str, name: str) -> None:
        """The same process under another name."""
        if worker in self._open:
            self._open[name] = self._open.pop(worker)

    def kill(self, worker: str, remains: object | None = None) -> None:
        """PostgreSQL rolls back what was open and frees every lock, as it does when a process dies.

        ``remains`` is what the session's user finds in its place, should it ask for anything more.
        """
        session = self._open.pop(worker, None)
        if session is not None and session.connection is not None:
            # Said here, because PostgreSQL takes a moment to notice, and whether the next step finds a lock free would
            # depend on how busy the machine is.
            session.connection.rollback()
            session.connection.execute("SELECT pg_advisory_unlock_all()")
            session.connection.close()
            session.connection = remains

    def close(self) -> None:
        for worker in list(self._open):
            self.kill(worker)


def tables() -> list[str]:
    """Every table of ours but those that setting up fills."""
    return sorted(
        model._meta.db_table for model in apps.get_app_config("store").get_models()
        if model._meta.db_table not in _KEPT
    )  # fmt: skip


def empty() -> None:
    """As after setting up: nothing read, nothing linked, nothing written."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(tables())} RESTART IDENTITY CASCADE")


def name_of(place: int) -> str:
    """What the database of one of several processes is called: beside ours."""
    return f"{connections[_ALIAS].settings_dict['NAME']}_{place}"


@contextmanager
def made(names: Sequence[str]) -> Iterator[None]:
    """Empty databases of these names, as long as the block lasts. The account has to be allowed to make some."""
    try:
        for name in names:
            _say("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
            _say("CREATE DATABASE {}", name)
        # A session belongs to one process.
        connections.close_all()
        yield
    finally:
        for name in names:
            _say("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def _say(statement: str, name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement.format(connection.ops.quote_name(name)))


def move_to(name: str) -> None:
    """This process talks to another database from now on."""
    connections.close_all()
    connections.settings[_ALIAS]["NAME"] = connections[_ALIAS].settings_dict["NAME"] = name
