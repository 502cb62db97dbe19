"""What is still to be done: whether anything waits, and which steps of a run find a row that waits for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from syncadmin.engine.records import Lane, Side
from syncadmin.store import staging
from syncadmin.store.models import Checkpoint
from syncadmin.store.work import FREE, LANES


@dataclass(frozen=True, slots=True)
class Backlog:
    """What a run still has to do."""

    dirty: bool
    due: bool
    writes: bool

    def __bool__(self) -> bool:
        return self.dirty or self.due or self.writes


_BACKLOG = f"""
    SELECT EXISTS (SELECT 1 FROM store_link l WHERE l.dirty AND l.lane = ANY(%(lanes)s)
                   AND NOT EXISTS (SELECT 1 FROM store_pendingwrite w WHERE w.link_id = l.id AND w.state = 'sent')),
           EXISTS (SELECT 1 FROM store_dynamicsrecord
                   WHERE due IN ('look_up', 'pair') AND lane = ANY(%(lanes)s)),
           EXISTS (SELECT 1 FROM store_pendingwrite w
                   WHERE w.state = 'waiting' AND w.lane = ANY(%(lanes)s)
                   AND (w.not_before IS NULL OR w.not_before <= %(now)s) AND {FREE})
"""


def left(now: datetime, lanes: Iterable[Lane]) -> Backlog:
    """Whether anything can be done now in these lanes. Work that others own counts as theirs."""
    return Backlog(*staging.query(_BACKLOG, {"now": now, "lanes": [str(lane) for lane in lanes]})[0])


def backfilling() -> bool:
    """Whether an initial read, a later full read or a sweep is under way."""
    return Checkpoint.objects.filter(
        position__state__in=["reading", "tail", "sweep", "again", "idle", "waiting"]
    ).exists()


_LINKS = "EXISTS (SELECT 1 FROM store_link WHERE dirty AND lane = '{lane}')"
_RECORDS = (
    "EXISTS (SELECT 1 FROM store_dynamicsrecord WHERE due IN ('look_up', 'pair') AND lane = '{lane}' AND due = '{due}')"
)
_WRITES = "EXISTS (SELECT 1 FROM store_pendingwrite WHERE side = '{side}' AND op = '{op}')"
_SENT = "EXISTS (SELECT 1 FROM store_pendingwrite WHERE side = 'marketo' AND op = '{op}' AND state = 'sent')"
_LINES = "EXISTS (SELECT 1 FROM store_receipt WHERE how = '' AND lines <> '[]')"
# By the index of the open ones: an EXISTS is planned to read the table from its beginning, where a week's settled ones lie.
_OPEN = "(SELECT at FROM store_receipt WHERE how = '' ORDER BY at LIMIT 1) IS NOT NULL"
_REQUESTS = """(EXISTS (SELECT 1 FROM store_syncrequest WHERE status IN ('received', 'queued'))
                OR EXISTS (SELECT 1 FROM store_failure WHERE closed_at IS NULL AND side = 'dynamics'
                           AND operation = 'create' AND subject LIKE 'marketo:%%'))"""
_FULL_READ = """EXISTS (SELECT 1 FROM store_checkpoint WHERE name = 'dynamics.{table}.full'
                AND position ->> 'state' IN ('reading', 'sweep'))"""
# Where nothing was read yet there is no checkpoint, and the first page is work.
_EXTRACT = """NOT EXISTS (SELECT 1 FROM store_checkpoint WHERE name = 'marketo.extract'
              AND position ->> 'state' NOT IN ('idle', 'waiting', 'reading'))"""
_SWEEP = """EXISTS (SELECT 1 FROM store_checkpoint WHERE name = 'marketo.sweep'
            AND position ->> 'state' IN ('sweep', 'again'))"""
_FIELDS = """NOT EXISTS (SELECT 1 FROM store_checkpoint WHERE name = 'fields.applied' AND position ->> 'state' = 'done'
             AND position -> 'version' = (SELECT value FROM store_setting WHERE name = 'field_version')
             AND position -> 'paused' = coalesce((SELECT jsonb_object_agg(key, code) FROM store_pausedpair), '{}'))"""
_PLACES = {
    "apply fields": _FIELDS,
    "read people": _EXTRACT,
    "sweep people": _SWEEP,
    "read lead": _FULL_READ.format(table="lead"),
    "read contact": _FULL_READ.format(table="contact"),
    "answers": "EXISTS (SELECT 1 FROM store_decision WHERE due)",
    "settle": _LINES,
    "take over updates": _SENT.format(op="update"),
    "take over creates": _SENT.format(op="create"),
    "settle old": _OPEN,
    "retry": "EXISTS (SELECT 1 FROM store_failure WHERE closed_at IS NULL AND next_try_at IS NOT NULL)",
    "sync person": _REQUESTS,
    **{f"merge {lane}": _LINKS.format(lane=lane) for lane in LANES},
    **{f"look up {lane}": _RECORDS.format(lane=lane, due="look_up") for lane in LANES},
    **{f"pair {lane}": _RECORDS.format(lane=lane, due="pair") for lane in LANES},
    "write dynamics": _WRITES.format(side=Side.DYNAMICS, op="update"),
    "create people": _WRITES.format(side=Side.MARKETO, op="create"),
    "write marketo": _WRITES.format(side=Side.MARKETO, op="update"),
    "log": _WRITES.format(side=Side.MARKETO, op="log"),
    "release": "EXISTS (SELECT 1 FROM store_pendingwrite WHERE state = 'planned')",
}
_THERE = "SELECT " + ", ".join(_PLACES.values())


def there() -> frozenset[str]:
    """The names of the steps that some row waits for, whoever owns it and whenever it may be sent: one question."""
    (answers,) = staging.query(_THERE)
    return frozenset(name for name, found in zip(_PLACES, answers, strict=True) if found)


def fed_by_rows(step: str) -> bool:
    """Whether a step finds its work in these tables alone, so that it need not look when none is there."""
    return step in _PLACES
