"""The numbers of a preview, and how far it has come. Counting reads the whole plan, so its answer is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from syncadmin.store import staging
from syncadmin.store.models import Checkpoint

_TOTALS = "preview.totals"
# Dynamics counts exactly so far and no further.
COUNTED_TO = 5_000


@dataclass(frozen=True, slots=True)
class Left:
    """Work to do before a plan is whole: records to pair, links to merge, creates to fill in."""

    to_look_up: int
    to_pair: int
    to_merge: int
    creates: int

    @property
    def deciding(self) -> bool:
        return bool(self.to_look_up or self.to_pair or self.to_merge or self.creates)


def left() -> Left:
    rows = staging.query(
        """SELECT (SELECT count(*) FROM store_dynamicsrecord WHERE due = 'look_up' AND lane <> ''),
                  (SELECT count(*) FROM store_dynamicsrecord WHERE due = 'pair' AND lane <> ''),
                  (SELECT count(*) FROM store_link WHERE dirty),
                  (SELECT count(*) FROM store_pendingwrite
                   WHERE state = 'planned' AND op = 'create' AND inputs = '' AND link_id IS NOT NULL)"""
    )
    return Left(*rows[0])


@dataclass(frozen=True, slots=True)
class Read:
    """How far one stream of a first reading has come. ``share`` is 0 to 1, None where no total is known; ``total`` is
    about how many there are, 0 where nobody can say."""

    stream: str
    rows: int
    share: float | None
    done: bool
    total: int = 0


def reads(tables: tuple[str, ...]) -> list[Read]:
    """The full read of each table, and the people of Marketo by the time they were created in."""
    there = totals()
    known = {row.name: row.position for row in Checkpoint.objects.filter(name__contains=".")}
    found = []
    for table in tables:
        position = known.get(f"dynamics.{table}.full", {})
        done = position.get("state") in ("tail", "sweep", "done")
        total = there.get(table, 0)
        rows = int(position.get("rows") or 0)
        share = 1.0 if done else min(rows / total, 0.99) if total else None
        found.append(Read(table, rows, share, done, max(total, rows) if total else 0))
    return [*found, _people(known.get("marketo.extract", {}))]


def totals() -> dict[str, int]:
    """How many records each table has over there, as counted once; 0 where nobody could say."""
    found = Checkpoint.objects.filter(name=_TOTALS).first()
    return dict(found.position) if found else {}


def put_total(table: str, number: int) -> None:
    Checkpoint.objects.update_or_create(name=_TOTALS, defaults={"position": {**totals(), table: number}})


def _people(position: dict[str, Any]) -> Read:
    done = position.get("state") == "done"
    people = staging.query("SELECT count(*) FROM store_marketoperson WHERE deleted_at IS NULL")[0][0]
    if done or not position:
        return Read("person", people, 1.0 if done else 0.0, done)
    since, upto, next_ = (datetime.fromisoformat(position[name]) for name in ("since", "until", "next"))
    whole = (upto - since).total_seconds()
    return Read("person", people, min((next_ - since).total_seconds() / whole, 0.99) if whole > 0 else 0.0, False)


# What a change of one field is, as SQL over ``w`` (a pending write) and ``f`` (key, told); ``own`` are the fields that
# tell Marketo about the record itself.
KIND = """CASE WHEN position('.@' in f.key) > 0 THEN 'own'
                WHEN w.op = 'create' THEN 'new'
                WHEN f.told->'sent' = 'null' THEN 'emptied'
                WHEN f.told->'replaced' IS NULL OR f.told->'replaced' = 'null' OR f.told->>'rule' = 'first_fill'
                THEN 'filled' ELSE 'replaced' END"""

_FIELDS = f"""
    SELECT w.side, f.key, {KIND} AS kind, count(*)
    FROM store_pendingwrite w, jsonb_each(w.fields) AS f(key, told)
    WHERE w.state = 'planned' AND w.op IN ('create', 'update') GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_NUMBERS = """
    SELECT (SELECT count(*) FROM store_pendingwrite WHERE state = 'planned' AND op = 'create' AND side = 'marketo'),
           (SELECT count(*) FROM store_pendingwrite WHERE state = 'planned' AND op = 'create' AND side = 'dynamics'),
           (SELECT count(*) FROM store_link WHERE dynamics IS NOT NULL AND marketo IS NOT NULL),
           (SELECT count(DISTINCT link_id) FROM store_pendingwrite WHERE state = 'planned' AND op = 'update'),
           (SELECT count(*) FROM store_pendingwrite WHERE state = 'planned' AND op = 'update' AND side = 'dynamics'),
           (SELECT count(*) FROM store_pendingwrite WHERE state = 'planned' AND op = 'update' AND side = 'marketo'),
           (SELECT count(*) FROM store_pendingwrite WHERE state = 'planned' AND op = 'log'),
           (SELECT count(*) FROM store_dynamicsrecord WHERE due = 'decision' AND deleted_at IS NULL),
           (SELECT count(*) FROM store_dynamicsrecord
            WHERE due = 'waiting' AND wait_for <> 'create' AND deleted_at IS NULL),
           (SELECT count(*) FROM store_dynamicsrecord
            WHERE due = 'waiting' AND wait_for = 'create' AND deleted_at IS NULL),
           (SELECT count(*) FROM store_dynamicsrecord WHERE filtered AND deleted_at IS NULL),
           (SELECT count(*) FROM store_dynamicsrecord d WHERE due = '' AND NOT filtered AND deleted_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM store_link l WHERE l.dynamics = d.guid)),
           (SELECT count(*) FROM store_marketoperson p WHERE deleted_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM store_link l WHERE l.marketo = p.person)),
           (SELECT count(*) FROM store_dynamicsrecord WHERE deleted_at IS NULL),
           (SELECT count(*) FROM store_marketoperson WHERE deleted_at IS NULL)
"""
_NAMES = (
    "create_marketo",
    "create_dynamics",
    "matched",
    "changing",
    "update_dynamics",
    "update_marketo",
    "log",
    "ambiguous",
    "waiting",
    "create_later",
    "filtered",
    "behind",
    "only_marketo",
    "records",
    "people",
)


def count() -> dict[str, Any]:
    """Everything the preview's page says in numbers; seconds of work for a large plan."""
    numbers = dict(zip(_NAMES, staging.query(_NUMBERS)[0], strict=True))
    collisions = staging.query(
        "SELECT winner, rule, state, count(*) FROM store_conflict GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2"
    )
    failures = staging.query(
        """SELECT cause, count(*) FROM store_failure WHERE closed_at IS NULL AND (link_id IS NOT NULL OR operation = 'create')
           GROUP BY 1 ORDER BY 2 DESC, 1"""
    )
    return {
        **numbers,
        "fields": [list(row) for row in staging.query(_FIELDS)],
        "collisions": [list(row) for row in collisions],
        "failures": [list(row) for row in failures],
    }
