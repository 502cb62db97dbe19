"""The history of one person, newest first: a page of it, what was last done to each field, or all of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from syncadmin.store import text
from syncadmin.store.queries.sql import select

PAGE = 30
# A page looks through so many lines at once; where a filter passes few of them, the next page goes on from there.
STEPS = 3_000
# What was last done to a field is looked for among so many lines.
_RECENT = 300
_CHUNK = 1_000

_COLUMNS = "id, at, kind, side, changes, details, who, run_id"
# Lines from before there was a link name the record alone; one that names both ids is still one line.
_ALONE = """SELECT id FROM store_activity WHERE link_id IS NULL AND dynamics = %(dynamics)s
            UNION SELECT id FROM store_activity WHERE link_id IS NULL AND marketo = %(marketo)s"""
_LINES = f"""
SELECT * FROM (SELECT {_COLUMNS} FROM store_activity WHERE link_id = %(link)s AND id < %(before)s
               ORDER BY id DESC LIMIT %(steps)s) l
UNION ALL
SELECT {_COLUMNS} FROM store_activity WHERE id IN ({_ALONE}) AND id < %(before)s
"""
_FIELD = """(details->>'key' = %(field)s
             OR EXISTS (SELECT 1 FROM jsonb_array_elements(changes) c WHERE c->>0 = %(field)s))"""
_LAST = f"""
SELECT DISTINCT ON (c->>0) c->>0 AS key, a.at, a.kind, a.side, coalesce(c->>3, '') AS rule, a.run_id AS run
FROM (SELECT {_COLUMNS} FROM store_activity WHERE link_id = %(link)s ORDER BY id DESC LIMIT {_RECENT}) a,
     jsonb_array_elements(a.changes) c
WHERE a.kind IN ('updated', 'agreed', 'overtaken') ORDER BY c->>0, a.id DESC
"""
_NEWEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Whose:
    """A person: the link, and both records as far as there are any."""

    link: int | None = None
    dynamics: UUID | None = None
    marketo: int | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the timeline is narrowed to; empty parts narrow nothing. ``field`` is a pair's key."""

    kind: str = ""
    field: str = ""
    side: str = ""

    def __bool__(self) -> bool:
        return bool(self.kind or self.field or self.side)


EVERYTHING = Wanted()


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a line: the value that was replaced, the value now, and the rule that decided."""

    key: str
    old: Any
    new: Any
    rule: str


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """``kind`` is a code of ``store/kinds.py``; ``details`` fills its sentence."""

    id: int
    at: datetime
    kind: str
    side: str
    changes: tuple[Change, ...]
    details: Mapping[str, Any]
    who: str
    run: int | None


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """``older`` is where the next page begins."""

    lines: tuple[HistoryLine, ...]
    older: int | None


@dataclass(frozen=True, slots=True)
class LastDone:
    """What was last done to a field: written to ``side``, or agreed by itself."""

    key: str
    at: datetime
    kind: str
    side: str
    rule: str
    run: int | None


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    at: datetime
    kind: str
    side: str
    changes: Any
    details: Any
    who: str
    run_id: int | None


@dataclass(frozen=True, slots=True)
class _Id:
    id: int


def page(whose: Whose, before: int | None, wanted: Wanted = EVERYTHING) -> HistoryPage:
    """Lines of the link, and of both records from before they had one. ``before`` is the last line shown."""
    params = _params(whose, before, STEPS)
    rows = _chosen(params, wanted, PAGE + 1)
    lines = tuple(_line(row) for row in rows[:PAGE])
    if len(rows) > PAGE:
        return HistoryPage(lines, lines[-1].id)
    stopped = _where_it_stopped(params) if wanted else None
    # Lines from before the link may lie behind the place the next page begins at.
    return HistoryPage(tuple(line for line in lines if stopped is None or line.id >= stopped), stopped)


def every(whose: Whose) -> Iterator[HistoryLine]:
    """All lines, read a chunk at a time while they are used."""
    before: int | None = None
    while True:
        rows = _chosen(_params(whose, before, _CHUNK), EVERYTHING, _CHUNK)
        yield from (_line(row) for row in rows)
        if len(rows) < _CHUNK:
            return
        before = rows[-1].id


def last_done(link: int) -> dict[str, LastDone]:
    """By pair key; fields of which nothing recent is told are absent."""
    return {row.key: row for row in select(LastDone, _LAST, {"link": link})}


def _params(whose: Whose, before: int | None, steps: int) -> dict[str, Any]:
    return {
        "link": whose.link,
        "dynamics": whose.dynamics,
        "marketo": whose.marketo,
        "before": _NEWEST if before is None else before,
        "steps": steps,
    }


def _chosen(params: Mapping[str, Any], wanted: Wanted, limit: int) -> list[_Row]:
    conditions = [f"{name} = %({name})s" for name in ("kind", "side") if getattr(wanted, name)]
    if wanted.field:
        conditions.append(_FIELD)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    asked = {**params, "kind": wanted.kind, "side": wanted.side, "field": wanted.field}
    return select(_Row, f"SELECT * FROM ({_LINES}) a {where} ORDER BY id DESC LIMIT {limit}", asked)


def _where_it_stopped(params: Mapping[str, Any]) -> int | None:
    """The last line looked through, if there are more of them."""
    found = select(
        _Id,
        """SELECT id FROM store_activity WHERE link_id = %(link)s AND id < %(before)s
           ORDER BY id DESC OFFSET %(steps)s - 1 LIMIT 1""",
        params,
    )
    return found[0].id if found else None


def _line(row: _Row) -> HistoryLine:
    changes = tuple(_change(change) for change in _loaded(row.changes))
    return HistoryLine(row.id, row.at, row.kind, row.side, changes, _loaded(row.details), row.who, row.run_id)


def _loaded(stored: Any) -> Any:
    """A cursor of Django's hands JSON over as text."""
    return text.load(stored) if isinstance(stored, str | bytes) else stored


def _change(stored: Sequence[Any]) -> Change:
    key, old, new, rule = [*stored, *[""] * 4][:4]
    return Change(str(key), old, new, str(rule or ""))
