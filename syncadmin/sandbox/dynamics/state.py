"""The organisation's rows: versions, the journal of changes, tombstones, indexes, the truth log.

A row is sparse (columns without a value are absent) and never changed in place. A polymorphic lookup keeps its target
table beside it under `<column>@type`.
"""

from __future__ import annotations

import random
import uuid
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from syncadmin.sandbox.clock import Clock
from syncadmin.sandbox.storage import Store, Table
from syncadmin.sandbox.truth import TruthLog

from .schema import Schema
from .text import fold
from .values import stamp

Row = dict[str, Any]
# What the server stamps by itself says nothing about what somebody changed.
_STAMPED = frozenset({"modifiedon", "modifiedby", "versionnumber", "createdon", "createdby"})
_FIRST_VERSION = 4_470_000


@dataclass(frozen=True, slots=True)
class Actor:
    """Who writes: the truth log's name and the systemuser that the row will show."""

    who: str
    user: str


class State:
    """All rows of one organisation. Not thread-safe: one request at a time."""

    def __init__(self, store: Store, schema: Schema, truth: TruthLog, clock: Callable[[], datetime], seed: int) -> None:
        self.store, self.schema, self.truth, self.clock = store, schema, truth, Clock(clock)
        self._meta = store.table("meta")
        starts = self._meta.get("starts", 0) + 1
        self._meta["starts"] = starts
        # A new start draws other ids, or they would meet the ones of the start before.
        self.chance = random.Random(f"{seed}/{starts}")
        self._journals: dict[str, list[tuple[int, str]]] = {}
        self._sorted: dict[str, tuple[list[str], list[str]]] = {}
        self._indexes: dict[tuple[str, tuple[str, ...]], dict[Any, dict[str, None]]] = {}
        self._undo: list[tuple[str, str, Row | None, Row | None]] | None = None
        self._lengths: dict[str, int] = {}

    # -- looking

    def rows(self, entity: str) -> Table:
        return self.store.table(f"rows:{entity}")

    def tombstones(self, entity: str) -> Table:
        """id → [version, time]"""
        return self.store.table(f"gone:{entity}")

    def get(self, entity: str, id: str) -> Row | None:
        row: Row | None = self.rows(entity).get(id)
        return row

    @property
    def version(self) -> int:
        version: int = self._meta.get("version", _FIRST_VERSION)
        return version

    def next_version(self) -> int:
        self._meta["version"] = version = self.version + 1
        return version

    def now(self) -> str:
        """What a row is stamped with."""
        return stamp(self.clock())

    def new_id(self) -> str:
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def title(self, entity: str, id: str) -> str | None:
        """The primary name of a row, as formatted lookups show it."""
        row = self.get(entity, id)
        return None if row is None else row.get(self.schema.tables[entity].title)

    # -- what changed since

    def journal(self, entity: str) -> list[tuple[int, str]]:
        """(version, id) of every write in order; an entry counts only while the row still has that version."""
        if entity not in self._journals:
            rows = self.rows(entity)
            self._journals[entity] = sorted((row["versionnumber"], id) for id, row in rows.items())
        return self._journals[entity]

    def changed(self, entity: str, after: int, upto: int) -> Iterator[tuple[int, str, Row]]:
        """Rows whose present version lies in (after, upto], by version."""
        journal, rows = self.journal(entity), self.rows(entity)
        for position in range(bisect_right(journal, (after, "~")), len(journal)):
            version, id = journal[position]
            if version > upto:
                return
            row = rows.get(id)
            if row is not None and row["versionnumber"] == version:
                yield version, id, row

    def gone(self, entity: str, after: int, upto: int) -> list[tuple[int, str]]:
        found = [(each[0], id) for id, each in self.tombstones(entity).items() if after < each[0] <= upto]
        return sorted(found)

    def modified_since(self, entity: str, when: str) -> list[Row]:
        """Rows with modifiedon >= `when`, newest last, without touching the others."""
        # modifiedon grows with the version, so the walk from the newest end may stop at the first older row.
        journal, rows, found = self.journal(entity), self.rows(entity), []
        for version, id in reversed(journal):
            row = rows.get(id)
            if row is None or row["versionnumber"] != version:
                continue
            if row.get("modifiedon", "") < when:
                break
            found.append(row)
        return found[::-1]

    def after(self, entity: str, last: str) -> Iterator[Row]:
        """All rows by id, those behind `last`."""
        # By id and not by version: a full read shows each row once, even one that changes between two pages.
        rows, ids = self.rows(entity), self._ids(entity)
        for position in range(bisect_right(ids, last), len(ids)):
            id = ids[position]
            # An id that was deleted and came back stands there twice.
            if id in rows and (position == 0 or ids[position - 1] != id):
                yield rows[id]

    def _ids(self, entity: str) -> list[str]:
        if entity not in self._sorted:
            self._sorted[entity] = (sorted(self.rows(entity)), [])
        done, fresh = self._sorted[entity]
        if fresh:
            done.extend(fresh)
            done.sort()
            fresh.clear()
        return done

    def matching(self, entity: str, columns: tuple[str, ...], values: tuple[Any, ...]) -> list[str]:
        """Ids of the rows whose columns have these values; text compares as the database does."""
        index = self._index(entity, columns)
        return list(index.get(tuple(fold(value) for value in values), ()))

    def _index(self, entity: str, columns: tuple[str, ...]) -> dict[Any, dict[str, None]]:
        if (entity, columns) not in self._indexes:
            index: dict[Any, dict[str, None]] = {}
            self._indexes[entity, columns] = index
            for id, row in self.rows(entity).items():
                _enter(index, columns, id, row)
        return self._indexes[entity, columns]

    # -- writing

    def begin(self) -> None:
        self.store.begin()
        self._undo = []
        self._mark = self.truth.mark()
        self._lengths = {entity: len(journal) for entity, journal in self._journals.items()}

    # Journals and sorted ids are no part of the store, so a rollback mends them by itself.
    def keep(self) -> None:
        self.store.keep()
        self._undo = None

    def rollback(self) -> None:
        if self._undo is None:
            return
        undo, self._undo = self._undo, None
        self.store.rollback()
        self.truth.rollback(self._mark)
        for entity, id, old, new in reversed(undo):
            self._reindex(entity, id, new, old)
        # Version numbers are taken back too, so entries written meanwhile would be out of order.
        for entity in {entry[0] for entry in undo}:
            if entity in self._lengths and entity in self._journals:
                del self._journals[entity][self._lengths[entity] :]
            else:
                self._journals.pop(entity, None)
            self._sorted.pop(entity, None)

    def put(self, entity: str, id: str, row: Row, actor: Actor, action: str, told: Iterable[str] | None = None) -> Row:
        """Store a row with the next version; returns it as stored. `told` narrows what the truth log names."""
        old = self.get(entity, id)
        row = {key: value for key, value in row.items() if value is not None}
        row["versionnumber"] = self.next_version()
        self.rows(entity)[id] = row
        self.tombstones(entity).pop(id, None)
        self._note(entity, id, old, row)
        self._line_up(entity, id, row["versionnumber"], fresh=old is None)
        self._tell(entity, id, old or {}, row, actor, action, told)
        return row

    def _line_up(self, entity: str, id: str, version: int, fresh: bool) -> None:
        journal = self._journals.get(entity)
        if journal is not None:
            journal.append((version, id))
            if len(journal) > 2 * len(self.rows(entity)) + 10_000:
                del self._journals[entity]
                self._lengths.pop(entity, None)
        if fresh and entity in self._sorted:
            self._sorted[entity][1].append(id)

    def remove(self, entity: str, id: str, actor: Actor, action: str = "delete") -> None:
        old = self.rows(entity)[id]
        del self.rows(entity)[id]
        self.tombstones(entity)[id] = [self.next_version(), self.now()]
        self._note(entity, id, old, None)
        self.truth.add(self.clock(), actor.who, entity, id, action, None, old, None)

    def _tell(
        self, entity: str, id: str, old: Row, row: Row, actor: Actor, action: str, names: Iterable[str] | None
    ) -> None:
        at, told = self.clock(), False
        for name in {**old, **row} if names is None else names:
            before, after = old.get(name), row.get(name)
            if before != after and name not in _STAMPED:
                self.truth.add(at, actor.who, entity, id, action, name, before, after)
                told = True
        if not told:
            self.truth.add(at, actor.who, entity, id, action)

    def _note(self, entity: str, id: str, old: Row | None, new: Row | None) -> None:
        if self._undo is not None:
            self._undo.append((entity, id, old, new))
        self._reindex(entity, id, old, new)

    def _reindex(self, entity: str, id: str, old: Row | None, new: Row | None) -> None:
        for (name, columns), index in self._indexes.items():
            if name != entity:
                continue
            if old is not None:
                _leave(index, columns, id, old)
            if new is not None:
                _enter(index, columns, id, new)


def _place(columns: tuple[str, ...], row: Row) -> tuple[Any, ...] | None:
    values = tuple(fold(row.get(column)) for column in columns)
    return None if None in values else values


def _enter(index: dict[Any, dict[str, None]], columns: tuple[str, ...], id: str, row: Row) -> None:
    place = _place(columns, row)
    if place is not None:
        index.setdefault(place, {})[id] = None


def _leave(index: dict[Any, dict[str, None]], columns: tuple[str, ...], id: str, row: Row) -> None:
    place = _place(columns, row)
    if place is not None:
        index.get(place, {}).pop(id, None)
