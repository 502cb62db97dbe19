"""Keeps the list of people true: looks again at whoever something touched.

Triggers note every change that may concern a person's row (``Touched``); this catches up with them in batches. One
session at a time does it, so no two can meet in a row, and no lock of the list is ever held while another is awaited.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from syncadmin.store import folding, locks, staging
from syncadmin.store.models.listing import STATES

_COLUMNS = ("link", "dynamics", "marketo", "table", "name", "email", "last_activity_at", "present", *STATES)
_TYPES = {
    "link": "bigint",
    "dynamics": "uuid",
    "marketo": "bigint",
    "table": "text",
    "name": "text",
    "email": "text",
    "last_activity_at": "timestamptz",
}
_NAMED = ", ".join(f'"{name}"' for name in _COLUMNS)
_NEVER = "'1970-01-01 00:00:00+00'::timestamptz"

_FAILED = "EXISTS (SELECT 1 FROM store_failure f WHERE f.closed_at IS NULL AND {which})"
_ASKED = "EXISTS (SELECT 1 FROM store_decision q WHERE q.answered_at IS NULL AND {which})"

_RECORD_SUBJECT = """q.subject = d."table" || ':' || d.guid"""

# What a link's row is to say. The inner query finds out, the outer one adds what follows from it. `OFFSET 0` keeps them
# apart: taken into the outer one, each question would be asked four times.
_LINKS = f"""
SELECT s.*, NOT (waiting OR failed OR conflict OR decision OR stopped OR deleted) AS in_step,
       false AS only_dynamics, false AS only_marketo, true AS present
FROM (
    SELECT l.id AS link, l.dynamics, l.marketo, l."table", l.name, l.email,
           coalesce(l.last_activity_at, {_NEVER}) AS last_activity_at,
           l.dirty OR l.dynamics IS NULL OR l.marketo IS NULL
           OR EXISTS (SELECT 1 FROM store_pendingwrite w WHERE w.link_id = l.id AND w.op <> 'log') AS waiting,
           {_FAILED.format(which="f.link_id = l.id")}
           OR {_FAILED.format(which="f.subject IN ('link:' || l.id, 'dynamics:' || l.dynamics, 'marketo:' || l.marketo)")}
           AS failed,
           EXISTS (SELECT 1 FROM store_conflict c WHERE c.link_id = l.id AND c.state = 'open') AS conflict,
           {_ASKED.format(which="q.link_id = l.id")} AS decision,
           l.stopped, l.dynamics_deleted OR l.marketo_deleted AS deleted
    FROM store_link l WHERE l.id = ANY(%(links)s) OFFSET 0
) s
"""
_RECORDS = f"""
SELECT s.*, false AS in_step, false AS conflict, false AS stopped, NOT deleted AS only_dynamics,
       false AS only_marketo, NOT deleted AS present
FROM (
    SELECT NULL::bigint AS link, d.guid AS dynamics, NULL::bigint AS marketo, d."table", d.name, d.email,
           {_NEVER} AS last_activity_at,
           d.due IN ('look_up', 'pair', 'waiting') AND d.deleted_at IS NULL AS waiting,
           {_FAILED.format(which="f.subject = 'dynamics:' || d.guid")} AS failed,
           (d.due = 'decision' OR {_ASKED.format(which=_RECORD_SUBJECT)})
           AND d.deleted_at IS NULL AS decision,
           d.deleted_at IS NOT NULL AS deleted
    FROM store_dynamicsrecord d
    WHERE d.guid = ANY(%(records)s::uuid[]) AND NOT d.filtered
      AND NOT EXISTS (SELECT 1 FROM store_link l WHERE l.dynamics = d.guid) OFFSET 0
) s
"""
# Who was gone before we ever read anything of them has nothing to be listed by.
_UNREAD = """(p.deleted_at IS NOT NULL AND p.name = '' AND p.email = '' AND p."values" = '{}')"""
_PEOPLE = f"""
SELECT s.*, false AS in_step, false AS conflict, false AS stopped, false AS only_dynamics,
       NOT deleted AS only_marketo, NOT deleted AS present
FROM (
    SELECT NULL::bigint AS link, NULL::uuid AS dynamics, p.person AS marketo, 'person' AS "table", p.name, p.email,
           {_NEVER} AS last_activity_at,
           p.due <> '' AND p.deleted_at IS NULL AS waiting,
           {_FAILED.format(which="f.subject = 'marketo:' || p.person")} AS failed,
           {_ASKED.format(which="q.subject = 'marketo:' || p.person")} AND p.deleted_at IS NULL AS decision,
           p.deleted_at IS NOT NULL AS deleted
    FROM store_marketoperson p
    WHERE p.person = ANY(%(people)s) AND NOT {_UNREAD}
      AND NOT EXISTS (SELECT 1 FROM store_link l WHERE l.marketo = p.person) OFFSET 0
) s
"""
_SAME = {
    "links": "h.link = w.link",
    "records": "h.link IS NULL AND h.dynamics = w.dynamics",
    "people": "h.link IS NULL AND h.marketo = w.marketo",
}


def _different(wanted: str, same: str) -> str:
    """Rows that the list does not hold as they ought to be, each with the id it has there and the name it had."""
    told = ", ".join(f'w."{name}"' for name in _COLUMNS)
    held = ", ".join(f'h."{name}"' for name in _COLUMNS)
    return f"""
        SELECT h.id, h.name, h.email, {told} FROM ({wanted}) w LEFT JOIN store_listedperson h ON {same}
        WHERE h.id IS NULL OR ({told}) IS DISTINCT FROM ({held})
    """


_GONE = {
    # Hardly ever one: whether the links are there is asked before the list is.
    "links": """DELETE FROM store_listedperson h WHERE h.link = ANY(ARRAY(
                    SELECT v.id FROM unnest(%(links)s::bigint[]) AS v(id)
                    WHERE NOT EXISTS (SELECT 1 FROM store_link l WHERE l.id = v.id))) RETURNING h.id""",
    # Joined: of two questions with an "or" between them PostgreSQL may answer one by reading the whole mirror.
    "records": """DELETE FROM store_listedperson h WHERE h.link IS NULL AND h.dynamics = ANY(ARRAY(
                    SELECT v.guid FROM unnest(%(records)s::uuid[]) AS v(guid)
                    LEFT JOIN store_link l ON l.dynamics = v.guid
                    LEFT JOIN store_dynamicsrecord d ON d.guid = v.guid AND NOT d.filtered
                    WHERE l.id IS NOT NULL OR d.id IS NULL)) RETURNING h.id""",
    "people": f"""DELETE FROM store_listedperson h WHERE h.link IS NULL AND h.marketo = ANY(ARRAY(
                    SELECT v.person FROM unnest(%(people)s::bigint[]) AS v(person)
                    LEFT JOIN store_link l ON l.marketo = v.person
                    LEFT JOIN store_marketoperson p ON p.person = v.person AND NOT {_UNREAD}
                    WHERE l.id IS NOT NULL OR p.id IS NULL)) RETURNING h.id""",
}
_STAGED = (
    ("id", "bigint"),
    *((f'"{name}"', _TYPES.get(name, "boolean")) for name in _COLUMNS),
    ("sorted", "text"),
    ("renamed", "boolean"),
)
_SET = ", ".join(f'"{name}" = s."{name}"' for name in (*_COLUMNS, "sorted"))
_RENEW = f"UPDATE store_listedperson h SET {_SET} FROM staged_listing s WHERE h.id = s.id"
_ENTER = f"""
    INSERT INTO store_listedperson ({_NAMED}, sorted)
    SELECT {_NAMED}, sorted FROM staged_listing WHERE id IS NULL RETURNING id, name, email, sorted
"""


def catch_up(limit: int) -> int:
    """Looks again at about ``limit`` people who were noted, a note more at most; how many. None while another session is at
    it."""
    with transaction.atomic():
        if not locks.try_in_transaction(locks.Lock.LISTING):
            return 0
        notes = staging.query(
            """DELETE FROM store_touched WHERE id = ANY(ARRAY(
                   SELECT id FROM (SELECT id, sum(size) OVER (ORDER BY id) - size AS before
                                   FROM (SELECT id, size FROM store_touched ORDER BY id LIMIT %s) n) n
                   WHERE before < %s))
               RETURNING links, records, people, size""",
            [limit, limit],
        )
        if notes:
            _look_again(notes)
        return sum(note[3] for note in notes)


def behind() -> bool:
    """Whether somebody waits to be looked at again."""
    return bool(staging.query("SELECT 1 FROM store_touched LIMIT 1"))


def _look_again(notes: Sequence[tuple[list[int] | None, list[UUID] | None, list[int] | None, int]]) -> None:
    which = {
        "links": sorted({link for note in notes for link in note[0] or ()}),
        "records": sorted({str(record) for note in notes for record in note[1] or ()}),
        "people": sorted({person for note in notes for person in note[2] or ()}),
    }
    asked = [kind for kind in _GONE if which[kind]]
    gone = [row[0] for kind in asked for row in staging.query(_GONE[kind], which)]
    if gone:
        staging.run("DELETE FROM store_listedword WHERE person = ANY(%s)", [gone])
    _write([row for kind in asked for row in staging.query(_STATEMENTS[kind], which)])


_STATEMENTS = {
    "links": _different(_LINKS, _SAME["links"]),
    "records": _different(_RECORDS, _SAME["records"]),
    "people": _different(_PEOPLE, _SAME["people"]),
}


def _write(rows: Iterable[tuple[Any, ...]]) -> None:
    staged, renamed = [], []
    for have, old_name, old_email, *wanted in rows:
        told = dict(zip(_COLUMNS, wanted, strict=True))
        differs = have is None or (old_name, old_email) != (told["name"], told["email"])
        staged.append((have, *wanted, folding.sort_key(told["name"], told["email"]), differs))
        if have is not None and differs:
            renamed.append((have, told["name"], told["email"], staged[-1][-2]))
    if not staged:
        return
    staging.fill("staged_listing", _STAGED, staged)
    staging.run(_RENEW)
    entered = staging.query(_ENTER)
    if renamed:
        staging.run("DELETE FROM store_listedword WHERE person = ANY(%s)", [[row[0] for row in renamed]])
    _enter_words([*renamed, *entered])


def _enter_words(people: Sequence[tuple[int, str, str, str]]) -> None:
    rows = [(person, word, order) for person, name, email, order in people for word in folding.words_of(name, email)]
    if rows:
        staging.run(
            """INSERT INTO store_listedword (person, word, sorted)
               SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[])""",
            [list(column) for column in zip(*rows, strict=True)],
        )
