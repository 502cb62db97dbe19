"""COPY into a temporary table, the way in for every page of records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.transaction import TransactionManagementError

from syncadmin.store.arrays import Arrays

Params = Sequence[Any] | Mapping[str, Any]


def fill(table: str, columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[Any]]) -> None:
    """Empties and fills ``table``; columns are (name, SQL type), in the transaction that reads it.

    The table lives as long as the session and empties itself at commit, so no catalogue row is written per page.
    Raises TransactionManagementError outside a transaction.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError(f"{table} would be empty again before anybody read it")
    spec = ", ".join(f"{name} {kind}" for name, kind in columns)
    names = ", ".join(name for name, _ in columns)
    with connection.cursor() as cursor:
        # Empty but after another page of the same transaction; TRUNCATE would cost a new file each time.
        cursor.execute(
            "SET LOCAL client_min_messages = warning;"
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {table} ({spec}) ON COMMIT DELETE ROWS; DELETE FROM {table}"
        )
        with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)


def insert(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Appends rows to a table of ours by COPY; a broken constraint is an IntegrityError as ever."""
    names = ", ".join(f'"{name}"' for name in columns)
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)


def query(sql: str, params: Params = ()) -> list[tuple[Any, ...]]:
    """All rows of a statement."""
    with _cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def run(sql: str, params: Params = ()) -> int:
    """Runs a statement; how many rows it touched."""
    with _cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)


@contextmanager
def _cursor() -> Iterator[Any]:
    """A cursor whose parameters travel beside the statement, arrays in binary.

    Django's own writes them into the statement's text, which for a page of JSON documents costs more than storing it.
    """
    # ``connection`` looks for the thread's own one anew for each of its attributes, and each statement comes through here.
    here = connections[DEFAULT_DB_ALIAS]
    here.ensure_connection()
    if here.queries_logged or here.execute_wrappers:
        with here.make_cursor(_Cursor(here.connection)) as watched:  # type: ignore[arg-type]
            yield watched
        return
    if here.needs_rollback:
        here.validate_no_broken_transaction()
    # Making a cursor and wrapping it takes longer than a small statement, so each session keeps one.
    session = here.connection
    kept = getattr(here, _KEPT, None)
    if kept is None or kept.connection is not session:
        kept = _Cursor(session)
        setattr(here, _KEPT, kept)
    with here.wrap_database_errors:
        yield kept


_KEPT = "syncadmin_cursor"


class _Cursor(ServerBindingCursor):
    def __init__(self, session: Any) -> None:
        super().__init__(session)  # type: ignore[call-arg]
        cast(Any, self).adapters.register_dumper(list, Arrays)
