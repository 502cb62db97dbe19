"""What writes to Marketo leave behind, in bulk: left before the call, noted on by the feed, settled.

Two a person in a first sync, and each page of the feed asks for them again, so none of it passes through models.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from syncadmin.store import staging, text
from syncadmin.store.models import Receipt


class Left(NamedTuple):
    """A receipt before its call, as ``Receipt`` has it; values in comparable form."""

    link: int
    person: int
    key: str
    field: str
    replaced: Any
    sent: Any
    before: Any
    rule: str
    at: datetime
    run: int | None


_LEFT = (
    "link_id", "person", "key", "field", "replaced", "sent", "before", "rule", "at", "run_id",
    "request_id", "how", "lines",
)  # fmt: skip


def leave(rows: Iterable[Left]) -> None:
    """Stores receipts, before the call they belong to."""
    found = [(*row[:4], *map(_json, row[4:7]), *row[7:], "", "", "[]") for row in rows]
    if found:
        staging.insert("store_receipt", _LEFT, found)


def _json(value: Any) -> str | None:
    # Nothing at all is NULL, as Django keeps it.
    return None if value is None else text.dump(value)


@dataclass(slots=True)
class Found:
    """What the feed needs to know of a receipt. ``lines`` and ``how`` are written back by ``note``."""

    id: int
    link: int
    person: int
    key: str
    field: str
    replaced: Any
    sent: Any
    request_id: str
    at: datetime
    lines: list[list[Any]]
    how: str


def of_people(people: Iterable[int]) -> list[Found]:
    """All receipts of these people, oldest first."""
    rows = staging.query(
        """SELECT id, link_id, person, key, field, replaced, sent, request_id, at, lines, how
           FROM store_receipt WHERE person = ANY(%s) ORDER BY id""",
        [sorted(set(people))],
    )
    return [
        Found(id, link, person, key, field, text.load(replaced), text.load(sent), request, at, text.load(lines), how)
        for id, link, person, key, field, replaced, sent, request, at, lines, how in rows
    ]


def note(rows: Sequence[Found], now: datetime) -> int:
    """Stores the lines seen for these receipts. They are open again with them, but for those that ``how`` settles: unless
    the answer to their write is still out. How many were settled.
    """
    if not rows:
        return 0
    done = staging.query(
        """WITH v AS MATERIALIZED (
               SELECT n.*, n.how <> '' AND NOT EXISTS (
                   SELECT 1 FROM store_pendingwrite w
                   WHERE w.link_id = n.link AND w.side = 'marketo' AND w.op = 'update' AND w.state = 'sent') AS settled
               FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[]) AS n(id, link, lines, how))
           UPDATE store_receipt r SET lines = v.lines::jsonb, how = CASE WHEN v.settled THEN v.how ELSE '' END,
                  settled_at = CASE WHEN v.settled THEN %s::timestamptz END
           FROM v WHERE r.id = v.id RETURNING v.settled""",
        [
            [row.id for row in rows],
            [row.link for row in rows],
            [text.dump(row.lines) for row in rows],
            [row.how for row in rows],
            now,
        ],
    )
    return sum(row[0] for row in done)


def settle(rows: Sequence[Receipt], now: datetime) -> None:
    """Stores how these receipts ended."""
    if rows:
        staging.run(
            """UPDATE store_receipt r SET how = v.how, settled_at = %s
               FROM unnest(%s::bigint[], %s::text[]) AS v(id, how) WHERE r.id = v.id""",
            [now, [row.pk for row in rows], [row.how for row in rows]],
        )
