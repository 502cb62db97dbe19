"""The list of people: links, and records that have no partner, by name, by last activity, or as searched for.

Every statement walks one index from where the page begins and stops after a page, or after a fixed number of steps,
so it costs the same wherever the page lies and however many there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from syncadmin.store.models.listing import NEVER, STATES
from syncadmin.store.queries import found_words, keys
from syncadmin.store.queries.search import Asked, Sort, State
from syncadmin.store.queries.sql import MOST, Count, bounded, number, select

PAGE = 50
# What stands for "from the end" in the address.
END = "end"
# An export reads this many at once.
_CHUNK = 1_000

FLAGS = ", ".join(f"p.{state}" for state in STATES)
SHOWN = f'p.id, p.link, p.name, p.email, p."table", p.dynamics, p.marketo, p.last_activity_at, {FLAGS}'

_ORDERS = {Sort.NAME: ("p.sorted", False), Sort.RECENT: ("p.last_activity_at", True)}
_ONE = {
    "guid": f"""SELECT {SHOWN}, p.sorted AS key FROM store_listedperson p
                WHERE p.link = (SELECT l.id FROM store_link l WHERE l.dynamics = %(guid)s)
                   OR (p.link IS NULL AND p.dynamics = %(guid)s)""",
    "person": f"""SELECT {SHOWN}, p.sorted AS key FROM store_listedperson p
                  WHERE p.link = (SELECT l.id FROM store_link l WHERE l.marketo = %(person)s)
                     OR (p.link IS NULL AND p.marketo = %(person)s)""",
}
# A record that the filter keeps out was never anybody's person here; its whole id still finds it.
_KEPT_OUT = f"""SELECT d.id, NULL::bigint AS link, d.name, d.email, d."table", d.guid AS dynamics,
                       NULL::bigint AS marketo, NULL::timestamptz AS last_activity_at,
                       {", ".join(f"{state in ('stopped', 'only_dynamics')} AS {state}" for state in STATES)}, '' AS key
                FROM store_dynamicsrecord d WHERE d.guid = %(guid)s AND d.filtered"""


@dataclass(frozen=True, slots=True)
class _Line:
    id: int
    link: int | None
    name: str
    email: str
    table: str
    dynamics: UUID | None
    marketo: int | None
    last_activity_at: datetime | None
    in_step: bool
    waiting: bool
    failed: bool
    conflict: bool
    decision: bool
    stopped: bool
    deleted: bool
    only_dynamics: bool
    only_marketo: bool
    key: Any
    word: str = ""


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
    """``previous`` and ``following`` name the neighbouring pages, empty where there is none."""

    rows: tuple[PersonRow, ...]
    previous: str
    following: str
    found: Count


def page(asked: Asked, after: str = "", before: str = "") -> PeoplePage:
    """The page behind ``after``, or before ``before`` (``END``: the last one); the first if neither is told."""
    if asked.by_id and (lines := _by_id(asked)):
        return PeoplePage(tuple(_row(line) for line in lines), "", "", Count(len(lines)))
    if asked.typed and not asked.beginnings:
        return PeoplePage((), "", "", Count(0))
    if asked.beginnings:
        return _searched(asked, after, before)
    return _listed(asked, after, before)


def every(asked: Asked) -> Iterator[PersonRow]:
    """All of them in the list's order, read a chunk at a time while they are used."""
    if asked.by_id or (asked.typed and not asked.beginnings):
        yield from page(asked).rows
        return
    place: tuple[Any, ...] | None = None
    while True:
        if asked.beginnings:
            lines, place = found_words.walk(_Line, SHOWN, asked, _plan(asked, place), place, False, _CHUNK)
        else:
            lines = _walk(asked, place, False, _CHUNK)
            place = _place(lines[-1]) if len(lines) == _CHUNK else None
        yield from (_row(line) for line in lines)
        if place is None:
            return


def _plan(asked: Asked, place: tuple[Any, ...] | None) -> found_words.Plan:
    return found_words.plan(asked, str(place[0]) if place else "")


def _by_id(asked: Asked) -> list[_Line]:
    kind = "guid" if asked.guid is not None else "person"
    params = {"guid": asked.guid, "person": asked.person}
    lines = select(_Line, _ONE[kind], params)
    if not lines and asked.guid is not None:
        lines = select(_Line, _KEPT_OUT, params)
    return [line for line in lines if asked.state is None or getattr(line, asked.state.value)]


def _listed(asked: Asked, after: str, before: str) -> PeoplePage:
    back = bool(before)
    place = _readable(asked, keys.unpack(before or after, str, int))
    lines = _walk(asked, place, back, PAGE + 1)
    more, lines = len(lines) > PAGE, lines[:PAGE]
    if back:
        lines.reverse()
    ahead = (more, place is not None) if back else (place is not None, more)
    count = number(f"SELECT count(*) FROM (SELECT 1 FROM store_listedperson p WHERE p.{asked.flag} LIMIT {MOST + 1}) x")
    return PeoplePage(
        tuple(_row(line) for line in lines),
        keys.pack(*_place(lines[0])) if ahead[0] and lines else "",
        keys.pack(*_place(lines[-1])) if ahead[1] and lines else "",
        bounded(count),
    )


def _walk(asked: Asked, place: tuple[Any, ...] | None, back: bool, limit: int) -> list[_Line]:
    column, downwards = _ORDERS[asked.sort]
    down = downwards != back
    beyond = f"AND ({column}, p.id) {'<' if down else '>'} (%(key)s, %(id)s)" if place else ""
    word = "DESC" if down else "ASC"
    params = {"key": place[0], "id": place[1]} if place else {}
    return select(
        _Line,
        f"""SELECT {SHOWN}, {column}{"::text" if downwards else ""} AS key FROM store_listedperson p
            WHERE p.{asked.flag} {beyond} ORDER BY {column} {word}, p.id {word} LIMIT {limit}""",
        params,
    )


def _readable(asked: Asked, place: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
    """A place that belongs to the other order is none."""
    if place is None or asked.sort is Sort.NAME:
        return place
    try:
        return (datetime.fromisoformat(place[0]), place[1])
    except ValueError:
        return None


def _place(line: _Line) -> tuple[str, int]:
    return str(line.key), line.id


def _searched(asked: Asked, after: str, before: str) -> PeoplePage:
    back = bool(before)
    place = keys.unpack(before or after, str, str, str, int)
    plan = _plan(asked, place)
    lines, rest = found_words.walk(_Line, SHOWN, asked, plan, place, back, PAGE)
    first = (plan.led_by, lines[0].word, lines[0].key, lines[0].id) if lines else None
    edge = rest
    if back:
        lines.reverse()
        last = (plan.led_by, lines[-1].word, lines[-1].key, lines[-1].id) if lines else None
        previous, following = edge, last if place is not None else None
    else:
        previous, following = first if place is not None else None, edge
    return PeoplePage(
        tuple(_row(line) for line in lines),
        keys.pack(*previous) if previous else "",
        keys.pack(*following) if following else "",
        found_words.count(asked, plan),
    )


def _row(line: _Line) -> PersonRow:
    return PersonRow(
        link=line.link,
        name=line.name,
        email=line.email,
        table=line.table,
        dynamics=str(line.dynamics or ""),
        marketo=line.marketo,
        last_activity_at=None if line.last_activity_at == NEVER else line.last_activity_at,
        states=tuple(state for state in State if getattr(line, state.value)),
    )
