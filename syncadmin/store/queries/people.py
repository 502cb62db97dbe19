"""The list of people: links, and records that have no partner, in one order by name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from syncadmin.store.queries import keys, search
from syncadmin.store.queries.search import State
from syncadmin.store.queries.sql import MOST, Count, bounded, number, select

PAGE = 50

# The order is (folded name, place, id); C sorts by code point, the same on every server, and serves prefixes too.
_ORDER = 'lower(name) COLLATE "C"'

_BRANCHES = {
    0: """SELECT 0 AS place, id, lower(name) COLLATE "C" AS sorted, name, email, "table", dynamics, marketo,
                 last_activity_at, stopped, dynamics_deleted, marketo_deleted, dirty AS due
          FROM store_link p WHERE {where} ORDER BY lower(name) COLLATE "C", id LIMIT %(limit)s""",
    1: """SELECT 1 AS place, id, lower(name) COLLATE "C" AS sorted, name, email, "table", guid AS dynamics,
                 NULL::bigint AS marketo, NULL::timestamptz AS last_activity_at, filtered AS stopped,
                 deleted_at IS NOT NULL AS dynamics_deleted, false AS marketo_deleted, due <> '' AS due
          FROM store_dynamicsrecord p WHERE {where} ORDER BY lower(name) COLLATE "C", id LIMIT %(limit)s""",
    2: """SELECT 2 AS place, id, lower(name) COLLATE "C" AS sorted, name, email, 'person' AS "table",
                 NULL::uuid AS dynamics, person AS marketo, NULL::timestamptz AS last_activity_at, false AS stopped,
                 false AS dynamics_deleted, deleted_at IS NOT NULL AS marketo_deleted, due <> '' AS due
          FROM store_marketoperson p WHERE {where} ORDER BY lower(name) COLLATE "C", id LIMIT %(limit)s""",
}

_SUBJECT = """CASE p.place WHEN 0 THEN 'link:' || p.id WHEN 1 THEN 'dynamics:' || p.dynamics
              ELSE 'marketo:' || p.marketo END"""

# The flags are asked for the rows of one page only, so the page is cut before them.
_PAGE = f"""
SELECT p.*,
       EXISTS (SELECT 1 FROM store_failure f WHERE f.closed_at IS NULL
               AND (f.subject = {_SUBJECT} OR (p.place = 0 AND f.link_id = p.id))) AS failed,
       p.place = 0 AND EXISTS (SELECT 1 FROM store_conflict c WHERE c.link_id = p.id AND c.state = 'open') AS conflict,
       p.place = 0 AND EXISTS (SELECT 1 FROM store_decision d
                               WHERE d.link_id = p.id AND d.answered_at IS NULL) AS decision,
       p.place = 0 AND EXISTS (SELECT 1 FROM store_pendingwrite w
                               WHERE w.link_id = p.id AND w.op <> 'log') AS writing
FROM ({{branches}}) p ORDER BY p.sorted, p.place, p.id LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class _Line:
    place: int
    id: int
    sorted: str
    name: str
    email: str
    table: str
    dynamics: Any
    marketo: int | None
    last_activity_at: datetime | None
    stopped: bool
    dynamics_deleted: bool
    marketo_deleted: bool
    due: bool
    failed: bool
    conflict: bool
    decision: bool
    writing: bool


@dataclass(frozen=True, slots=True)
class PersonRow:
    """``link`` is None for a record without a partner. ``states`` holds at least one."""

    link: int | None
    name: str
    email: str
    table: str
    dynamics: str
    marketo: int | None
    last_activity_at: datetime | None
    states: tuple[State, ...]


@dataclass(frozen=True, slots=True)
class PeoplePage:
    rows: tuple[PersonRow, ...]
    following: str
    found: Count


def page(text: str, state: State | None, after: str) -> PeoplePage:
    """``text`` is what was typed into the search box; ``after`` the word of the page before."""
    wanted = search.conditions(text, state)
    params: dict[str, Any] = {**wanted.params, "limit": PAGE + 1}
    lines = select(_Line, _PAGE.format(branches=_union(wanted, keys.unpack(after, str, int, int), params)), params)
    following = ""
    if len(lines) > PAGE:
        last = lines[PAGE - 1]
        following = keys.pack(last.sorted, last.place, last.id)
    return PeoplePage(tuple(_row(line) for line in lines[:PAGE]), following, _found(wanted))


def _union(wanted: search.Wanted, after: tuple[Any, ...] | None, params: dict[str, Any]) -> str:
    """Each branch is cut by itself, so that each can walk its own index on the name."""
    parts = []
    for place, conditions in sorted(wanted.places.items()):
        where = [*conditions]
        if after is not None:
            where.append(_beyond(place, after[1]))
            params |= {"after_name": after[0], "after_id": after[2]}
        parts.append("(" + _BRANCHES[place].format(where=" AND ".join(where) or "true") + ")")
    return " UNION ALL ".join(parts)


def _beyond(place: int, after_place: int) -> str:
    if place == after_place:
        return f"({_ORDER}, id) > (%(after_name)s, %(after_id)s)"
    return f"{_ORDER} {'>=' if place > after_place else '>'} %(after_name)s"


def _found(wanted: search.Wanted) -> Count:
    params: dict[str, Any] = {**wanted.params, "limit": MOST + 1}
    parts = [
        "(SELECT 1 FROM " + search.TABLES[place] + " p WHERE " + (" AND ".join(where) or "true") + " LIMIT %(limit)s)"
        for place, where in wanted.places.items()
    ]
    return bounded(number("SELECT count(*) FROM (" + " UNION ALL ".join(parts) + ") x", params))


def _row(line: _Line) -> PersonRow:
    return PersonRow(
        link=line.id if line.place == 0 else None,
        name=line.name,
        email=line.email,
        table=line.table,
        dynamics=str(line.dynamics or ""),
        marketo=line.marketo,
        last_activity_at=line.last_activity_at,
        states=_states(line),
    )


def _states(line: _Line) -> tuple[State, ...]:
    """Everything that is true at once; a link of which nothing else is true is in step."""
    half = line.place == 0 and (line.dynamics is None or line.marketo is None)
    flags = {
        State.FAILED: line.failed,
        State.CONFLICT: line.conflict,
        State.DECISION: line.decision,
        State.WAITING: line.writing or line.due or half,
        State.STOPPED: line.stopped,
        State.DELETED: line.dynamics_deleted or line.marketo_deleted,
        State.ONLY_DYNAMICS: line.place == 1,
        State.ONLY_MARKETO: line.place == 2,
    }
    return tuple(state for state, holds in flags.items() if holds) or (State.IN_STEP,)
