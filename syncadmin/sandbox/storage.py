"""State of a sandbox: plain dictionaries in memory, written to SQLite when a request ends."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

_MISSING: Any = object()
_SCHEMA = """
CREATE TABLE IF NOT EXISTS item (id INTEGER PRIMARY KEY, place TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
  UNIQUE (place, key));
CREATE TABLE IF NOT EXISTS line (id INTEGER NOT NULL, log TEXT NOT NULL, subject TEXT NOT NULL, who TEXT NOT NULL,
  value TEXT NOT NULL, PRIMARY KEY (log, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS line_subject ON line (log, subject, id);
"""
_SAVE = (
    "INSERT INTO item (place, key, value) VALUES (?, ?, ?) "
    "ON CONFLICT (place, key) DO UPDATE SET value = excluded.value"
)


class Table(dict[str, Any]):
    """A dictionary whose changes are kept. Values are JSON-able.

    A value is replaced, never changed in place: a change in place would be lost at the next start and could not
    be rolled back.
    """

    def __init__(self, name: str, content: Mapping[str, Any] | Iterable[tuple[str, Any]] = ()) -> None:
        super().__init__(content)
        self.name = name
        self.dirty: dict[str, None] = {}
        self.undo: list[tuple[Table, str, Any]] | None = None

    def __setitem__(self, key: str, value: Any) -> None:
        if self.undo is not None:
            self.undo.append((self, key, self.get(key, _MISSING)))
        self.dirty[key] = None
        super().__setitem__(key, value)

    def __delitem__(self, key: str) -> None:
        if self.undo is not None:
            self.undo.append((self, key, self[key]))
        super().__delitem__(key)
        self.dirty[key] = None

    def pop(self, key: str, default: Any = _MISSING) -> Any:
        if key not in self:
            if default is _MISSING:
                raise KeyError(key)
            return default
        value = self[key]
        del self[key]
        return value

    def setdefault(self, key: str, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, other: Any = (), /, **more: Any) -> None:
        for key, value in dict(other, **more).items():
            self[key] = value

    def clear(self) -> None:
        for key in list(self):
            del self[key]

    def popitem(self) -> tuple[str, Any]:
        key = next(reversed(self))
        return key, self.pop(key)


class Store:
    """All tables of one sandbox. `path` None keeps everything in memory only."""

    def __init__(self, path: Path | None = None) -> None:
        self._tables: dict[str, Table] = {}
        self._undo: list[tuple[Table, str, Any]] | None = None
        self._lock = threading.RLock()
        self._lines: list[tuple[int, str, str, str, str]] = []
        self._sql = None if path is None else self._open(path)

    @staticmethod
    def _open(path: Path) -> sqlite3.Connection:
        path.parent.mkdir(parents=True, exist_ok=True)
        sql = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        sql.execute("PRAGMA journal_mode = WAL")
        # In WAL mode NORMAL loses nothing to a killed process, only to a power cut, and saves an fsync a request.
        sql.execute("PRAGMA synchronous = NORMAL")
        sql.executescript(_SCHEMA)
        return sql

    @property
    def durable(self) -> bool:
        return self._sql is not None

    def table(self, name: str) -> Table:
        with self._lock:
            if name not in self._tables:
                self._tables[name] = Table(name, self._stored(name))
                self._tables[name].undo = self._undo
            return self._tables[name]

    def _stored(self, name: str) -> Iterator[tuple[str, Any]]:
        if self._sql is not None:
            for key, value in self._sql.execute("SELECT key, value FROM item WHERE place = ? ORDER BY id", (name,)):
                yield key, json.loads(value)

    def begin(self) -> None:
        """From here on `rollback` can take everything back; ended by `rollback` or `keep`. Does not nest."""
        self._undo = []
        for table in self._tables.values():
            table.undo = self._undo

    def keep(self) -> None:
        self._undo = None
        for table in self._tables.values():
            table.undo = None

    def rollback(self) -> None:
        undo, self._undo = self._undo or [], None
        self.keep()
        for table, key, old in reversed(undo):
            if old is _MISSING:
                del table[key]
            else:
                table[key] = old

    def commit(self) -> None:
        """Write what changed since the last commit, in one transaction. Call it before the answer leaves."""
        with self._lock:
            if self._sql is None:
                for table in self._tables.values():
                    table.dirty.clear()
                return
            dirty = [table for table in self._tables.values() if table.dirty]
            if dirty or self._lines:
                self._write(self._sql, dirty)

    def _write(self, sql: sqlite3.Connection, dirty: list[Table]) -> None:
        sql.execute("BEGIN IMMEDIATE")
        for table in dirty:
            kept = ((table.name, key, json.dumps(table[key])) for key in table.dirty if key in table)
            sql.executemany(_SAVE, kept)
            gone = ((table.name, key) for key in table.dirty if key not in table)
            sql.executemany("DELETE FROM item WHERE place = ? AND key = ?", gone)
        sql.executemany(
            "INSERT OR REPLACE INTO line (id, log, subject, who, value) VALUES (?, ?, ?, ?, ?)", self._lines
        )
        sql.execute("COMMIT")
        for table in dirty:
            table.dirty.clear()
        self._lines.clear()

    def append(self, log: str, id: int, subject: str, who: str, value: Any) -> None:
        """A line of an append-only log that lives on disk only; does nothing without a path."""
        if self._sql is not None:
            self._lines.append((id, log, subject, who, json.dumps(value)))

    def lines(self, log: str, after: int = 0, subject: str | None = None) -> list[tuple[int, Any]]:
        """Committed lines of a log, oldest first."""
        if self._sql is None:
            return []
        where, arguments = "log = ? AND id > ?", [log, after]
        if subject is not None:
            where, arguments = where + " AND subject = ?", [*arguments, subject]
        with self._lock:
            found = self._sql.execute(f"SELECT id, value FROM line WHERE {where} ORDER BY id", arguments)  # noqa: S608
            return [(id, json.loads(value)) for id, value in found]

    def counts(self, log: str) -> tuple[int, dict[str, int]]:
        """The last committed line's number and the number of lines by who wrote them."""
        if self._sql is None:
            return 0, {}
        with self._lock:
            last = self._sql.execute("SELECT max(id) FROM line WHERE log = ?", (log,)).fetchone()[0] or 0
            by = dict(self._sql.execute("SELECT who, count(*) FROM line WHERE log = ? GROUP BY who", (log,)))
        return last, by

    def close(self) -> None:
        self.commit()
        if self._sql is not None:
            self._sql.close()
            self._sql = None
