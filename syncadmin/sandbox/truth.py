"""What really happened over there: every change of every record, kept for ever, whoever made it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .storage import Store

_LOG = "truth"


@dataclass(frozen=True, slots=True)
class Truth:
    """One change of one field of one record; `field` None says something about the whole record.

    `who`: "api:<client id>", "person" (web page), "campaign", "rival", "load" or "system". `action`: create, update,
    delete, merge, qualify, activity or restore. An update that changed no value is one entry without a field.
    """

    id: int
    at: datetime
    who: str
    entity: str
    record: str
    action: str
    field: str | None
    old: Any
    new: Any

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "at": self.at.isoformat(),
            "who": self.who,
            "entity": self.entity,
            "record": self.record,
            "action": self.action,
            "field": self.field,
            "old": self.old,
            "new": self.new,
        }

    @classmethod
    def from_json(cls, line: dict[str, Any]) -> Truth:
        return cls(**{**line, "at": datetime.fromisoformat(line["at"])})


class TruthLog:
    """Append-only. With a durable store the committed part lives on disk, else all of it in memory."""

    def __init__(self, store: Store | None = None) -> None:
        self._store = store or Store()
        self.last_id, self._by = self._store.counts(_LOG)
        self._flushed = self.last_id
        self._tail: list[Truth] = []
        self._about: dict[tuple[str, str], list[Truth]] = {}

    def add(
        self,
        at: datetime,
        who: str,
        entity: str,
        record: str,
        action: str,
        field: str | None = None,
        old: Any = None,
        new: Any = None,
    ) -> Truth:
        """Values are JSON-able and not changed afterwards."""
        self.last_id += 1
        entry = Truth(self.last_id, at, who, entity, record, action, field, old, new)
        self._tail.append(entry)
        self._by[who] = self._by.get(who, 0) + 1
        self._about.setdefault((entity, record), []).append(entry)
        return entry

    def mark(self) -> int:
        return self.last_id

    def rollback(self, mark: int) -> None:
        """Forget entries after `mark`; only for what was never committed (a transaction taken back)."""
        while self._tail and self._tail[-1].id > mark:
            entry = self._tail.pop()
            self._by[entry.who] -= 1
            self._about[entry.entity, entry.record].pop()
        self.last_id = mark

    def flush(self) -> None:
        """Hand new entries to the store; call right before its commit."""
        if not self._store.durable:
            return
        for entry in self._tail:
            self._store.append(_LOG, entry.id, f"{entry.entity}/{entry.record}", entry.who, entry.as_json())
        self._flushed = self.last_id
        self._tail.clear()
        self._about.clear()

    def since(self, id: int) -> list[Truth]:
        """Entries newer than `id`, oldest first."""
        stored = [Truth.from_json(line) for _, line in self._store.lines(_LOG, after=id)]
        if not self._tail:
            return stored
        return stored + self._tail[max(0, id - self._tail[0].id + 1) :]

    def of(self, entity: str, record: str) -> list[Truth]:
        stored = [Truth.from_json(line) for _, line in self._store.lines(_LOG, subject=f"{entity}/{record}")]
        return stored + self._about.get((entity, record), [])

    def writes(self, who_prefix: str = "api:") -> int:
        """How many entries were written by whoever's name starts so."""
        return sum(count for who, count in self._by.items() if who.startswith(who_prefix))
