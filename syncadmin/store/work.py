"""Who may take which work: leases of workers, checkpoints of streams, claims of pending writes.

A claim is a condition in one statement (``FOR UPDATE SKIP LOCKED``), so any number of workers may ask at once. What a
worker owns is nobody else's until its lease runs out; the lease is the worker's, renewed by its heartbeat.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from syncadmin.engine.records import Lane, Side
from syncadmin.store import staging, text
from syncadmin.store.models import MOVED, Checkpoint, PendingWrite, Worker

LEASE = timedelta(seconds=8)
LANES = (Lane.LIVE, Lane.RETRY, Lane.BACKFILL)
FREE = "(w.owner = '' OR NOT EXISTS (SELECT 1 FROM store_worker o WHERE o.name = w.owner AND o.lease_until > %(now)s))"


def renew(worker: str, now: datetime) -> None:
    """The heartbeat: the worker's lease runs from now."""
    staging.run(_RENEW, [worker, now + LEASE])


_RENEW = """INSERT INTO store_worker (name, lease_until) VALUES (%s, %s)
            ON CONFLICT (name) DO UPDATE SET lease_until = excluded.lease_until"""


def sendable(writes: Sequence[PendingWrite], worker: str, now: datetime) -> list[PendingWrite]:
    """Those of these sent writes that the worker may still send: nobody took them over, and its lease runs. Asked right
    before each send.

    The lease alone does not tell: a process that stood still may renew it first, and then go on with what it had claimed.
    """
    rows = staging.query(
        """SELECT id FROM store_pendingwrite WHERE id = ANY(%(ids)s) AND owner = %(worker)s AND state = 'sent'
           AND EXISTS (SELECT 1 FROM store_worker WHERE name = %(worker)s AND lease_until > %(now)s)""",
        {"ids": [write.pk for write in writes], "worker": worker, "now": now},
    )
    here = {row[0] for row in rows}
    return [write for write in writes if write.pk in here]


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
    for lane in LANES:
        room = limit - len(claimed)
        if room > 0:
            rows = staging.query(
                f"""UPDATE store_pendingwrite SET owner = %(worker)s, attempts = attempts + %(send)s,
                        state = CASE WHEN %(send)s = 1 THEN 'sent' ELSE state END,
                        sent_at = CASE WHEN %(send)s = 1 THEN %(now)s ELSE sent_at END
                    WHERE id = ANY(ARRAY(
                        SELECT w.id FROM store_pendingwrite w
                        WHERE w.side = %(side)s AND w.op = %(op)s AND w.lane = %(lane)s AND w.state = 'waiting'
                          AND (w.not_before IS NULL OR w.not_before <= %(now)s) AND {FREE}
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
                WHERE w.side = %(side)s AND w.op = %(op)s AND w.state = 'sent' AND w.sent_at <= %(before)s AND {FREE}
                ORDER BY w.id LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
            RETURNING id""",
        {"worker": worker, "side": side, "op": op, "before": sent_before, "now": now, "limit": limit},
    )
    return list(PendingWrite.objects.filter(pk__in=[row[0] for row in rows]).order_by("pk")) if rows else []


def standing(writes: Sequence[PendingWrite]) -> dict[int, bool]:
    """The ids of those of these sent writes that nobody has taken over since, and whether their link has followed a merge.

    Ask it with the links locked, as who takes over does: of the others somebody else knows by now what became of them.
    """
    rows = staging.query(
        "SELECT id, inputs = %s FROM store_pendingwrite WHERE id = ANY(%s) AND owner = ANY(%s) AND state = 'sent'",
        [MOVED, [write.pk for write in writes], _owners(writes)],
    )
    return {row[0]: row[1] for row in rows}


def give_back(writes: Iterable[PendingWrite], *, not_before: datetime | None = None) -> None:
    """The writes wait again: they were not sent, or may be repeated. One that was taken over is somebody else's."""
    _owned(writes).update(state="waiting", owner="", sent_at=None, not_before=not_before)


def release(writes: Iterable[PendingWrite]) -> None:
    """Gives up ownership and leaves the state: a sent write without an answer waits for its take-over."""
    _owned(writes).update(owner="")


def _owned(writes: Iterable[PendingWrite]) -> QuerySet[PendingWrite]:
    known = list(writes)
    return PendingWrite.objects.filter(pk__in=[write.pk for write in known], owner__in=_owners(known))


def _owners(writes: Iterable[PendingWrite]) -> list[str]:
    return sorted({write.owner for write in writes})


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
