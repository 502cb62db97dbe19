"""Who may take which work: leases of workers, checkpoints of streams, claims of pending writes.

A claim is a condition in one statement (``FOR UPDATE SKIP LOCKED``), so any number of workers may ask at once. What a
worker owns is nobody else's until its lease runs out; the lease is the worker's, renewed by its heartbeat.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from syncadmin.engine.records import Lane, Side
from syncadmin.store import staging, text
from syncadmin.store.models import MOVED, Checkpoint, PendingWrite, Worker

LEASE = timedelta(seconds=8)
_LANES = (Lane.LIVE, Lane.RETRY, Lane.BACKFILL)
_FREE = "(w.owner = '' OR NOT EXISTS (SELECT 1 FROM store_worker o WHERE o.name = w.owner AND o.lease_until > %(now)s))"


def renew(worker: str, now: datetime) -> None:
    """The heartbeat: the worker's lease runs from now."""
    staging.run(_RENEW, [worker, now + LEASE])


_RENEW = """INSERT INTO store_worker (name, lease_until) VALUES (%s, %s)
            ON CONFLICT (name) DO UPDATE SET lease_until = excluded.lease_until"""


def holds(worker: str, now: datetime) -> bool:
    """Whether the worker's lease still runs. Asked right before each send."""
    return bool(staging.query("SELECT 1 FROM store_worker WHERE name = %s AND lease_until > %s", [worker, now]))


def leave(worker: str) -> None:
    """The worker stops: what it owns is free at once."""
    staging.run("DELETE FROM store_worker WHERE name = %s", [worker])


def forget_workers(before: datetime) -> None:
    """Removes leases that ran out long ago."""
    staging.run("DELETE FROM store_worker WHERE lease_until < %s", [before])


def claim_writes(
    side: Side, op: str, *, worker: str, now: datetime, limit: int, send: bool = False
) -> list[PendingWrite]:
    """Takes waiting writes, the most urgent lane first. With ``send`` they are marked as sent in the same statement."""
    # An array is made once. An `IN` is planned to ask again for each row of a table that PostgreSQL takes for empty, finds
    # others each time, and claims more than there is room for.
    claimed: list[int] = []
    for lane in _LANES:
        room = limit - len(claimed)
        if room > 0:
            rows = staging.query(
                f"""UPDATE store_pendingwrite SET owner = %(worker)s, attempts = attempts + %(send)s,
                        state = CASE WHEN %(send)s = 1 THEN 'sent' ELSE state END,
                        sent_at = CASE WHEN %(send)s = 1 THEN %(now)s ELSE sent_at END
                    WHERE id = ANY(ARRAY(
                        SELECT w.id FROM store_pendingwrite w
                        WHERE w.side = %(side)s AND w.op = %(op)s AND w.lane = %(lane)s AND w.state = 'waiting'
                          AND (w.not_before IS NULL OR w.not_before <= %(now)s) AND {_FREE}
                        ORDER BY w.id LIMIT %(room)s FOR UPDATE SKIP LOCKED))
                    RETURNING id""",
                {
                    "worker": worker,
                    "send": int(send),
                    "now": now,
                    "side": side,
                    "op": op,
                    "lane": lane,
                    "room": room,
                },
            )
            claimed += [row[0] for row in rows]
    return list(PendingWrite.objects.filter(pk__in=claimed).order_by("pk"))


def still_mine(ids: Sequence[int], worker: str) -> list[int]:
    """Links of those of these waiting writes that this worker still owns."""
    rows = staging.query(
        "SELECT link_id FROM store_pendingwrite WHERE id = ANY(%s) AND state = 'waiting' AND owner = %s",
        [list(ids), worker],
    )
    return [row[0] for row in rows if row[0]]


def mark_sent(
    side: Side, links: Sequence[int], known: Sequence[PendingWrite], *, worker: str, now: datetime
) -> list[PendingWrite]:
    """Marks the waiting updates of these locked links as sent and answers them; ``known`` were read before."""
    rows = staging.query(
        """UPDATE store_pendingwrite SET state = 'sent', owner = %s, sent_at = %s, attempts = attempts + 1
           WHERE link_id = ANY(%s) AND side = %s AND op = 'update' AND state = 'waiting'
           RETURNING id""",
        [worker, now, list(links), side],
    )
    marked = {row[0] for row in rows}
    found = [write for write in known if write.pk in marked]
    for write in found:
        write.state, write.owner, write.sent_at, write.attempts = "sent", worker, now, write.attempts + 1
        marked.remove(write.pk)
    others = PendingWrite.objects.filter(pk__in=marked) if marked else ()
    return sorted([*found, *others], key=lambda write: write.pk)


def lost_writes(
    side: Side, op: str, *, now: datetime, sent_before: datetime, worker: str, limit: int
) -> list[PendingWrite]:
    """Takes over writes that were sent before that time and whose worker is gone or gave up on the answer."""
    rows = staging.query(
        f"""UPDATE store_pendingwrite SET owner = %(worker)s
            WHERE id = ANY(ARRAY(
                SELECT w.id FROM store_pendingwrite w
                WHERE w.side = %(side)s AND w.op = %(op)s AND w.state = 'sent' AND w.sent_at <= %(before)s AND {_FREE}
                ORDER BY w.id LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
            RETURNING id""",
        {"worker": worker, "side": side, "op": op, "before": sent_before, "now": now, "limit": limit},
    )
    return list(PendingWrite.objects.filter(pk__in=[row[0] for row in rows]).order_by("pk")) if rows else []


def moved(ids: Sequence[int]) -> set[int]:
    """Those of these writes whose link has followed a merge since they were sent."""
    found = "SELECT id FROM store_pendingwrite WHERE id = ANY(%s) AND inputs = %s"
    return {row[0] for row in staging.query(found, [list(ids), MOVED])}


def give_back(ids: Iterable[int], *, not_before: datetime | None = None) -> None:
    """The writes wait again: they were not sent, or may be repeated."""
    PendingWrite.objects.filter(pk__in=list(ids)).update(state="waiting", owner="", sent_at=None, not_before=not_before)


def release(ids: Iterable[int]) -> None:
    """Gives up ownership and leaves the state: a sent write without an answer waits for its take-over."""
    PendingWrite.objects.filter(pk__in=list(ids)).update(owner="")


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
                   AND (w.not_before IS NULL OR w.not_before <= %(now)s) AND {_FREE})
"""


def backlog(now: datetime, lanes: Iterable[Lane]) -> Backlog:
    """Whether anything can be done now in these lanes. Work that others own counts as theirs."""
    return Backlog(*staging.query(_BACKLOG, {"now": now, "lanes": [str(lane) for lane in lanes]})[0])


_CHECKPOINTS = "SELECT id, name, cursor, position, as_of, run, owner FROM store_checkpoint WHERE name = ANY(%s) "
_NEW = """INSERT INTO store_checkpoint (name, cursor, position, run, owner)
          SELECT name, '', '{}', 0, '' FROM unnest(%s::text[]) AS name ON CONFLICT (name) DO NOTHING"""


def checkpoint(name: str, *, lock: bool = False) -> Checkpoint:
    """The stream's checkpoint, locked for the transaction if asked; an empty one for a stream never read."""
    return checkpoints(name, lock=lock)[0]


def checkpoints(*names: str, lock: bool = False) -> list[Checkpoint]:
    """The checkpoints of several streams in that order, in one question."""
    # A run asks a dozen times, most often to hear that nothing is to be done.
    sql = _CHECKPOINTS + ("FOR UPDATE" if lock else "")
    rows = staging.query(sql, [list(names)])
    if len(rows) < len(names):
        staging.run(_NEW, [list(names)])
        rows = staging.query(sql, [list(names)])
    found = {row[1]: _checkpoint(*row) for row in rows}
    return [found[name] for name in names]


def _checkpoint(
    id: int, name: str, cursor: str, position: str, as_of: datetime | None, run: int, owner: str
) -> Checkpoint:
    return Checkpoint(id, name, cursor, text.load(position), as_of, run, owner)


def move(
    seen: Checkpoint, cursor: str, *, as_of: datetime | None, run: int | None, position: Mapping[str, Any] | None = None
) -> bool:
    """Moves a checkpoint from where the reader found it. False: somebody else moved it; the page must not be stored.

    Call it first in the transaction that stores the page: it locks the row.
    """
    moved = staging.run(
        """UPDATE store_checkpoint SET cursor = %s, as_of = coalesce(%s, as_of), run = coalesce(%s, run),
                  position = coalesce(%s::jsonb, position)
           WHERE name = %s AND cursor = %s AND run = %s""",
        [cursor, as_of, run, None if position is None else text.dump(position), seen.name, seen.cursor, seen.run],
    )
    return moved == 1


def others_at_work(worker: str, now: datetime) -> bool:
    """Whether another worker's lease runs."""
    return bool(
        staging.query("SELECT 1 FROM store_worker WHERE lease_until > %s AND name <> %s LIMIT 1", [now, worker])
    )


def at_work(now: datetime) -> int:
    """How many workers hold a lease."""
    return Worker.objects.filter(lease_until__gt=now).count()


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
    **{f"merge {lane}": _LINKS.format(lane=lane) for lane in _LANES},
    **{f"look up {lane}": _RECORDS.format(lane=lane, due="look_up") for lane in _LANES},
    **{f"pair {lane}": _RECORDS.format(lane=lane, due="pair") for lane in _LANES},
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
