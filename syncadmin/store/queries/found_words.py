"""People by the beginnings of their words: a walk along the index of words, best word first.

Whoever has two fitting words stands at the first of them. The walk starts from whatever is rarest: one of the
beginnings, or the state; where nothing is rare it takes a fixed number of steps and the next page goes on from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from syncadmin.store.queries.search import Asked
from syncadmin.store.queries.sql import MOST, Count, number, select

Row = TypeVar("Row")

# So many rows are looked through at once, whatever there is to find in them.
STEPS = 1_600
_COUNT_STEPS = 1_000
_RARE = 2_000
# Behind every character of a word; words are compared by code point.
_LAST = "\U0010ffff"

_FIRST_OF_ITS_WORDS = """NOT EXISTS (SELECT 1 FROM store_listedword e WHERE e.person = w.person
                                     AND e.word >= %(from)s AND e.word < w.word)"""


@dataclass(frozen=True, slots=True)
class Plan:
    """``led_by``: the beginning whose words are walked. ``from_state``: start from the state's few people instead."""

    led_by: str
    others: tuple[str, ...]
    from_state: bool


@dataclass(frozen=True, slots=True)
class _Step:
    word: str
    sorted: str
    person: int


def plan(asked: Asked, led_by: str = "") -> Plan:
    """``led_by`` keeps the order of the page before."""
    leader = led_by if led_by in asked.beginnings else _rarest(asked.beginnings)
    others = tuple(each for each in asked.beginnings if each != leader)
    few = bool(asked.state) and _at_most(f"store_listedperson p WHERE p.{asked.flag}", {}) < _RARE
    return Plan(leader, others, few)


def _rarest(beginnings: tuple[str, ...]) -> str:
    if len(beginnings) == 1:
        return beginnings[0]
    counted = {
        each: _at_most("store_listedword w WHERE w.word >= %(from)s AND w.word < %(to)s", _span(each))
        for each in beginnings
    }
    # Of two frequent ones the longer has fewer.
    return min(beginnings, key=lambda each: (counted[each], -len(each)))


def _at_most(what: str, params: dict[str, Any]) -> int:
    return number(f"SELECT count(*) FROM (SELECT 1 FROM {what} LIMIT {_RARE}) x", params)


def walk(
    row: type[Row], shown: str, asked: Asked, plan: Plan, place: tuple[Any, ...] | None, back: bool, limit: int
) -> tuple[list[Row], tuple[Any, ...] | None]:
    """At most ``limit`` rows from ``place`` on, and where the walk goes on, None at its end.

    Rows have ``word`` and ``key`` beside the columns ``shown``. Places are (leading beginning, word, key, id).
    """
    params = _params(plan, place)
    steps = max(STEPS, limit)
    found = select(
        row, _statement(f"{shown}, w.word, w.sorted AS key", asked, plan, place, back, steps, limit + 1), params
    )
    if len(found) > limit:
        last: Any = found[limit - 1]
        return found[:limit], (plan.led_by, last.word, last.key, last.id)
    return found, None if plan.from_state else _where_it_stopped(plan, place, back, steps, params)


def count(asked: Asked, plan: Plan) -> Count:
    """As many as a fixed number of steps finds; ``over`` if there was more to walk through."""
    statement = _statement("1 AS one", asked, plan, None, False, _COUNT_STEPS, MOST + 1)
    params = _params(plan, None)
    found = number(f"SELECT count(*) FROM ({statement}) x", params)
    if found > MOST or plan.from_state:
        return Count(min(found, MOST), found > MOST)
    return Count(found, _where_it_stopped(plan, None, False, _COUNT_STEPS, params) is not None)


def _statement(
    shown: str, asked: Asked, plan: Plan, place: tuple[Any, ...] | None, back: bool, steps: int, limit: int
) -> str:
    order = _order("w", back)
    if plan.from_state:
        source = f"""(SELECT * FROM store_listedperson p WHERE p.{asked.flag} OFFSET 0) p
                     JOIN store_listedword w ON w.person = p.id AND {_between(place, back)}"""
    else:
        source = f"""({_steps(place, back)} LIMIT {steps}) w JOIN store_listedperson p ON p.id = w.person"""
    conditions = [f"p.{asked.flag}", _FIRST_OF_ITS_WORDS, *(_also(n) for n in range(len(plan.others)))]
    return f"SELECT {shown} FROM {source} WHERE {' AND '.join(conditions)} ORDER BY {order} LIMIT {limit}"


def _steps(place: tuple[Any, ...] | None, back: bool) -> str:
    return f"""SELECT w.word, w.sorted, w.person FROM store_listedword w
               WHERE {_between(place, back)} ORDER BY {_order("w", back)}"""


def _between(place: tuple[Any, ...] | None, back: bool) -> str:
    span = "w.word >= %(from)s AND w.word < %(to)s"
    if place is None:
        return span
    # The first comparison says again what the second implies; only it narrows the index to a place.
    sign = "<" if back else ">"
    return f"{span} AND w.word {sign}= %(word)s AND (w.word, w.sorted, w.person) {sign} (%(word)s, %(key)s, %(id)s)"


def _order(name: str, back: bool) -> str:
    return ", ".join(f"{name}.{column} {'DESC' if back else 'ASC'}" for column in ("word", "sorted", "person"))


def _also(place: int) -> str:
    return f"""EXISTS (SELECT 1 FROM store_listedword o WHERE o.person = w.person
                       AND o.word >= %(from_{place})s AND o.word < %(to_{place})s)"""


def _where_it_stopped(
    plan: Plan, place: tuple[Any, ...] | None, back: bool, steps: int, params: dict[str, Any]
) -> tuple[Any, ...] | None:
    last = select(_Step, f"{_steps(place, back)} OFFSET {steps - 1} LIMIT 1", params)
    return (plan.led_by, last[0].word, last[0].sorted, last[0].person) if last else None


def _span(beginning: str) -> dict[str, str]:
    return {"from": beginning, "to": beginning + _LAST}


def _params(plan: Plan, place: tuple[Any, ...] | None) -> dict[str, Any]:
    params: dict[str, Any] = _span(plan.led_by)
    for number_, other in enumerate(plan.others):
        params |= {f"{name}_{number_}": value for name, value in _span(other).items()}
    if place is not None:
        params |= {"word": place[1], "key": place[2], "id": place[3]}
    return params
