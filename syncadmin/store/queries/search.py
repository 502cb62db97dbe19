"""What is typed into the search box and chosen as a state, as conditions on the three kinds of rows."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """How a person stands; several may be true at once."""

    IN_STEP = "in_step"
    WAITING = "waiting"
    FAILED = "failed"
    CONFLICT = "conflict"
    DECISION = "decision"
    STOPPED = "stopped"
    DELETED = "deleted"
    ONLY_DYNAMICS = "only_dynamics"
    ONLY_MARKETO = "only_marketo"


TABLES = {0: "store_link", 1: "store_dynamicsrecord", 2: "store_marketoperson"}

# A record that the filter keeps out has no name and was never anybody's person here; its id still finds it.
_ALONE = {
    1: "NOT EXISTS (SELECT 1 FROM store_link l WHERE l.dynamics = p.guid)",
    2: "NOT EXISTS (SELECT 1 FROM store_link l WHERE l.marketo = p.person)",
}
_PRESENT = "p.deleted_at IS NULL"
_KNOWN = "NOT p.filtered"

_FAILED = "SELECT {column} FROM store_failure f WHERE f.closed_at IS NULL"
_OPEN_FAILURE = f"p.id IN ({_FAILED.format(column='f.link_id')})"
# From the few failures to their records, not the other way round.
_GUID = "CASE WHEN f.subject ~ '^dynamics:[0-9a-f-]{36}$' THEN substr(f.subject, 10)::uuid END"
_NUMBER = "CASE WHEN f.subject ~ '^marketo:[0-9]{1,18}$' THEN substr(f.subject, 9)::bigint END"
_CONFLICT = "p.id IN (SELECT c.link_id FROM store_conflict c WHERE c.state = 'open')"
_DECISION = "p.id IN (SELECT d.link_id FROM store_decision d WHERE d.answered_at IS NULL)"
_WRITING = "p.id IN (SELECT w.link_id FROM store_pendingwrite w WHERE w.op <> 'log')"
_HALF = "(p.dynamics IS NULL OR p.marketo IS NULL)"
_GONE = "(p.dynamics_deleted OR p.marketo_deleted)"

# A list of ids with a NULL among them would make NOT IN answer nothing at all.
_CALM = " AND ".join(
    (
        "NOT p.dirty AND NOT p.stopped AND p.dynamics IS NOT NULL AND p.marketo IS NOT NULL",
        f"NOT {_GONE}",
        "NOT EXISTS (SELECT 1 FROM store_failure f WHERE f.link_id = p.id AND f.closed_at IS NULL)",
        "NOT EXISTS (SELECT 1 FROM store_conflict c WHERE c.link_id = p.id AND c.state = 'open')",
        "NOT EXISTS (SELECT 1 FROM store_decision d WHERE d.link_id = p.id AND d.answered_at IS NULL)",
        "NOT EXISTS (SELECT 1 FROM store_pendingwrite w WHERE w.link_id = p.id AND w.op <> 'log')",
    )
)

_OF_STATE: Mapping[State | None, Mapping[int, str]] = {
    None: {0: "", 1: f"{_PRESENT} AND {_KNOWN}", 2: _PRESENT},
    State.IN_STEP: {0: _CALM},
    State.WAITING: {
        0: f"(p.dirty OR {_HALF} OR {_WRITING})",
        1: f"p.due IN ('look_up', 'pair', 'waiting') AND {_PRESENT} AND {_KNOWN}",
    },
    State.FAILED: {
        0: _OPEN_FAILURE,
        1: f"p.guid IN ({_FAILED.format(column=_GUID)})",
        2: f"p.person IN ({_FAILED.format(column=_NUMBER)})",
    },
    State.CONFLICT: {0: _CONFLICT},
    State.DECISION: {0: _DECISION, 1: f"p.due = 'decision' AND {_PRESENT}"},
    State.STOPPED: {0: "p.stopped"},
    State.DELETED: {0: _GONE, 1: "p.deleted_at IS NOT NULL", 2: "p.deleted_at IS NOT NULL"},
    State.ONLY_DYNAMICS: {1: f"{_PRESENT} AND {_KNOWN}"},
    State.ONLY_MARKETO: {2: _PRESENT},
}

_ID_COLUMNS = {"guid": {0: "p.dynamics", 1: "p.guid"}, "person": {0: "p.marketo", 2: "p.person"}}


@dataclass(frozen=True, slots=True)
class Wanted:
    """For each kind of row that can answer, its conditions; ``params`` fill them."""

    places: Mapping[int, tuple[str, ...]]
    params: Mapping[str, Any]


def conditions(text: str, state: State | None) -> Wanted:
    """A GUID or a number is an id; anything with @ the beginning of an address; the rest words of a name or both."""
    typed = text.replace("\0", "").strip()[:320]
    by_id = _id_of(typed)
    if by_id is not None:
        kind, value = by_id
        return _wanted(state, {p: f"{column} = %(id)s" for p, column in _ID_COLUMNS[kind].items()}, {"id": value})
    if not typed:
        return _wanted(state, dict.fromkeys(TABLES, ""), {})
    params: dict[str, Any] = {"address": _like(typed.casefold()) + "%"}
    either = ['p.email COLLATE "C" LIKE %(address)s']
    words = _words(typed)
    if words and "@" not in typed:
        either.append("to_tsvector('simple', p.name) @@ to_tsquery('simple', %(words)s)")
        params["words"] = words
    return _wanted(state, dict.fromkeys(TABLES, f"({' OR '.join(either)})"), params)


def _wanted(state: State | None, typed: Mapping[int, str], params: Mapping[str, Any]) -> Wanted:
    of_state = _OF_STATE[state]
    if "id" in params and state is None:
        of_state = dict.fromkeys(TABLES, "")
    places = {}
    for place in of_state.keys() & typed.keys():
        parts = (of_state[place], typed[place], _ALONE.get(place, ""))
        places[place] = tuple(part for part in parts if part)
    if not places:
        # The state and the kind of id exclude each other; a list that is empty by its condition stays a list.
        places = {0: ("false",)}
    return Wanted(places, params)


def _id_of(typed: str) -> tuple[str, uuid.UUID | int] | None:
    if re.fullmatch(r"\{?[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}\}?", typed):
        return "guid", uuid.UUID(typed.strip("{}"))
    if re.fullmatch(r"[0-9]{1,18}", typed):
        return "person", int(typed)
    return None


def _like(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)


def _words(text: str) -> str:
    """Every word must begin a word of the name. Quoted, so that nothing typed is an operator."""
    words = re.findall(r"\w+", text.casefold())
    return " & ".join(f"'{word}':*" for word in words)
