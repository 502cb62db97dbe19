"""After the quiet, what must always be true, judged from the sandboxes' rows and truth logs and from our tables.

The numbers are those of docs/reliability.md. Every value that was written is one that nobody ever wrote before,
so it is known of each who wrote it, where it went, and whether it was lost. What needs the inside of a moment, such
as the outcome of one merge whose inputs are known, is proven by `manage.py simulate`.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from syncadmin.proof.chaos.desk import OURS, PEOPLE, Desk, Happened, side_of
from syncadmin.proof.chaos.load import FIELDS, MARK
from syncadmin.proof.chaos.stack import Stack

_TABLES = ("lead", "contact")
_WINS = {"collision_lead": "marketo", "collision_contact": "dynamics"}
_OF_MARKETO = {name: column for column, name in FIELDS.items()}
_TOKEN = re.compile(rf'"({MARK} \d+)"')
_LINKS = """
    SELECT id, "table", dynamics::text, marketo::text, stopped, dynamics_deleted, marketo_deleted, held FROM store_link
"""
_HISTORY = "SELECT changes::text, details::text FROM store_activity"
_CONFLICTS = 'SELECT c.*, l."table" FROM store_conflict c JOIN store_link l ON l.id = c.link_id'
_TWICE = """
    SELECT link_id, side, count(*) FROM store_pendingwrite WHERE op IN ('create', 'update') AND link_id IS NOT NULL
    GROUP BY 1, 2 HAVING count(*) > 1
"""


@dataclass
class Scene:
    """Everything there is to judge, read once."""

    rows: dict[str, dict[str, dict[str, Any]]]
    truth: dict[str, list[Happened]]
    links: list[dict[str, Any]]
    told: set[str]
    conflicts: list[dict[str, Any]]
    failed: set[str]
    asked: set[int]
    twice: list[dict[str, Any]]
    # (entity, record, column) -> what people wrote there, oldest first.
    written: dict[tuple[str, str, str], list[str]] = field(default_factory=lambda: defaultdict(list))


def look(stack: Stack, desk: Desk) -> Scene:
    rows = {entity: {_id(entity, row): row for row in desk.rows(entity)} for entity in (*_TABLES, "person")}
    truth = {side: desk.truth(side) for side in ("dynamics", "marketo")}
    conflicts = stack.ask(_CONFLICTS)
    told = [f"{row['changes']} {row['details']}" for row in stack.ask(_HISTORY)]
    told += [json.dumps([row["dynamics_value"], row["marketo_value"]]) for row in conflicts]
    failed = stack.ask("SELECT subject || ' ' || key AS what FROM store_failure WHERE closed_at IS NULL")
    asked = stack.ask("SELECT link_id FROM store_decision WHERE answered_at IS NULL AND link_id IS NOT NULL")
    scene = Scene(
        rows, truth, stack.ask(_LINKS), set(_TOKEN.findall("\n".join(told))), conflicts,
        {row["what"] for row in failed}, {row["link_id"] for row in asked}, stack.ask(_TWICE),
    )  # fmt: skip
    for log in truth.values():
        for one in log:
            column = _column(one)
            if one.who in PEOPLE and one.action == "update" and column and one.new:
                scene.written[one.entity, one.record, column].append(str(one.new))
    return scene


def _id(entity: str, row: dict[str, Any]) -> str:
    return str(row["id"] if entity == "person" else row[f"{entity}id"])


def _column(one: Happened) -> str:
    """The Dynamics column of a watched field, empty for any other."""
    name = one.field or ""
    return _OF_MARKETO.get(name, "") if side_of(one.entity) == "marketo" else name if name in FIELDS else ""


def judge(scene: Scene) -> list[str]:
    """Every broken invariant in words, each with its number."""
    broken = [*_agree(scene), *_last_word(scene), *_noted(scene), *_by_rule(scene), *_once(scene), *_by_notice(scene)]
    broken += [f"7: link {row['link_id']} has {row['count']} unfinished writes to {row['side']}" for row in scene.twice]
    return broken


def _alive(scene: Scene) -> Iterator[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
    """Links that are kept in step, with both their rows."""
    for link in scene.links:
        row = scene.rows.get(link["table"], {}).get(link["dynamics"] or "")
        person = scene.rows["person"].get(link["marketo"] or "")
        if row is not None and person is not None and not link["stopped"]:
            yield link, row, person


def _excused(scene: Scene, link: dict[str, Any], column: str) -> bool:
    """The person page says why the field differs: an open failure or question."""
    keys = [key for key in link["held"] if key.startswith(f"{link['table']}.{column}:")]
    failed = any(f"link:{link['id']} {key}" in scene.failed for key in (*keys, ""))
    return failed or (bool(keys) and link["id"] in scene.asked)


def _agree(scene: Scene) -> Iterator[str]:
    for link, row, person in _alive(scene):
        for column, name in FIELDS.items():
            d, m = _plain(row.get(column)), _plain(person.get(name))
            if d != m and not _excused(scene, link, column):
                yield f"1: {column} of link {link['id']} stays {d!r} / {m!r}"


def _plain(value: Any) -> str:
    """As two texts are compared (docs/behaviour.md): trimmed, with one kind of line end."""
    return str(value or "").replace("\r\n", "\n").strip()


def _last_word(scene: Scene) -> Iterator[str]:
    """Where one side alone was edited its last value stands; else the last of either side."""
    for link, row, _ in _alive(scene):
        for column in FIELDS:
            here = scene.written.get((link["table"], link["dynamics"], column), [])
            there = scene.written.get(("person", link["marketo"], column), [])
            last = {edits[-1] for edits in (here, there) if edits}
            if last and str(row.get(column)) not in last and not _excused(scene, link, column):
                number = 4 if len(last) > 1 else 5
                yield f"{number}: {column} of link {link['id']} is {row.get(column)!r}, the last edits were {sorted(last)}"


def _noted(scene: Scene) -> Iterator[str]:
    """Every value of a person that a write of ours replaced is in the history."""
    for side, log in scene.truth.items():
        for one in log:
            ours = one.who == OURS and one.action == "update" and _column(one)
            lost = ours and str(one.old or "").startswith(f"{MARK} ")
            if lost and one.old != one.new and one.old not in scene.told:
                yield f"3: {side} {one.record} lost {one.field} {one.old!r} to {one.new!r}, and no history tells of it"


def _by_rule(scene: Scene) -> Iterator[str]:
    for row in scene.conflicts:
        if row["rule"] in _WINS and row["winner"] != _WINS[row["rule"]]:
            yield f"4: {row['key']} of {row['table']} link {row['link_id']} was won by {row['winner']}"


def _once(scene: Scene) -> Iterator[str]:
    """Everybody the load made has an address of their own."""
    for entity, name in (("person", "email"), ("lead", "emailaddress1"), ("contact", "emailaddress1")):
        found: dict[str, int] = defaultdict(int)
        for row in scene.rows[entity].values():
            if "@chaos.example" in str(row.get(name)):
                found[row[name]] += 1
        yield from (f"6: {number} {entity} rows have {address}" for address, number in found.items() if number > 1)


def _by_notice(scene: Scene) -> Iterator[str]:
    """What we call deleted is gone there, and what is gone there is called deleted."""
    for link in scene.links:
        for flag, entity, record in (
            ("dynamics_deleted", link["table"], link["dynamics"]), ("marketo_deleted", "person", link["marketo"]),
        ):  # fmt: skip
            if record and link[flag] != (record not in scene.rows.get(entity, {})):
                yield f"11: link {link['id']} says {flag}={link[flag]}, there it is the other way"
    emptied = [one for one in scene.truth["dynamics"] + scene.truth["marketo"] if one.who == OURS and _column(one)]
    for one in emptied:
        if one.action == "update" and one.old and not one.new:
            yield f"11: {one.entity} {one.record} lost {one.field} {one.old!r}, and nobody had emptied it"
