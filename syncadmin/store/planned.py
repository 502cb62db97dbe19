"""The preview as it is stored: links and pending writes in state *planned*, with what was noted while planning them.

Until the start everything here follows from the mirrors and the settings alone, so it may be thrown away and made
anew at any time. Nothing of it can be claimed for sending before ``release`` has let it go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from syncadmin.store import locks, options, staging, text, work
from syncadmin.store.models import Checkpoint, Failure, PendingWrite

NAME, SUMMARY = "preview", "preview.summary"
# A create that is expected to fail in part; the merge after the create tells the failure itself.
EXPECTED = "create"
_STALE = "stale"


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for. ``state``: replan (the rules changed), discard (who is who changed), plan, or started.

    ``rules`` and ``pairing`` are digests of what the plan is made from.
    """

    state: str
    rules: str
    pairing: str
    asked_at: datetime
    asked_by: str
    first_writes: int = 0
    started_at: datetime | None = None


def plan() -> Plan | None:
    """The preview that was asked for last; None if there never was one."""
    found = Checkpoint.objects.filter(name=NAME).first()
    if found is None or not found.position:
        return None
    at = {name: found.position.get(name) for name in ("asked_at", "started_at")}
    times = {name: datetime.fromisoformat(word) if word else None for name, word in at.items()}
    return Plan(**{**found.position, **times})


def put(wanted: Plan) -> None:
    """Stores what is asked for. The caller holds the planning lock alone."""
    names = Plan.__dataclass_fields__
    position = {name: getattr(wanted, name) for name in names}
    times = {name: at.isoformat() for name, at in position.items() if isinstance(at, datetime)}
    Checkpoint.objects.update_or_create(name=NAME, defaults={"position": {**position, **times}})


def may_plan() -> bool:
    """Whether planning goes on in this transaction: nobody has started, or throws the plan away meanwhile."""
    locks.share_in_transaction(locks.Lock.PLANNING)
    found = plan()
    return found is not None and found.state == "plan" and not options.read().started


def alone() -> None:
    """Waits until no batch is being planned, and keeps others out until the transaction ends."""
    locks.wait_in_transaction(locks.Lock.PLANNING)


_NOTED = (
    "DELETE FROM store_pendingwrite WHERE link_id = ANY(%(ids)s) AND state = 'planned' AND op IN ('update', 'log')",
    # A create's values follow the record; its place in the queue stays.
    """UPDATE store_pendingwrite SET inputs = '', fields = '{}'
       WHERE link_id = ANY(%(ids)s) AND state = 'planned' AND op = 'create'""",
    "DELETE FROM store_decision WHERE link_id = ANY(%(ids)s) AND kind = 'ask' AND answered_at IS NULL",
    # What a person chose holds for the same two values.
    "DELETE FROM store_conflict WHERE link_id = ANY(%(ids)s) AND state <> 'chosen'",
    "DELETE FROM store_failure WHERE link_id = ANY(%(ids)s)",
    """DELETE FROM store_activity WHERE link_id = ANY(%(ids)s)
       AND kind IN ('conflict', 'held', 'failed', 'mended', 'agreed')""",
    "UPDATE store_link SET agreed = '{}', held = '{}', written = '{}' WHERE id = ANY(%(ids)s)",
)
_LINKS = (
    "DELETE FROM store_pendingwrite WHERE link_id = ANY(%(ids)s)",
    "DELETE FROM store_decision WHERE link_id = ANY(%(ids)s)",
    "DELETE FROM store_conflict WHERE link_id = ANY(%(ids)s)",
    "DELETE FROM store_failure WHERE link_id = ANY(%(ids)s)",
    "DELETE FROM store_receipt WHERE link_id = ANY(%(ids)s)",
    "DELETE FROM store_activity WHERE link_id = ANY(%(ids)s)",
    "DELETE FROM store_link WHERE id = ANY(%(ids)s)",
)


def forget(links: Sequence[int]) -> None:
    """What was planned and noted for these locked links, agreed values included: as on first contact."""
    for statement in _NOTED:
        staging.run(statement, {"ids": list(links)})


def replan() -> None:
    """Every link is merged again, by other rules; who is who stays, and so do a person's answers."""
    staging.run("UPDATE store_link SET dirty = true, lane = 'backfill' WHERE NOT dirty AND marketo IS NOT NULL")
    staging.run("UPDATE store_pendingwrite SET inputs = '', fields = '{}' WHERE state = 'planned' AND op = 'create'")
    staging.run("DELETE FROM store_failure WHERE operation = %s AND closed_at IS NULL", [EXPECTED])
    _forget_requests()


def discard(limit: int) -> int:
    """Takes up to so many links away with all that hangs on them; answers how many."""
    ids = [row[0] for row in staging.query("SELECT id FROM store_link ORDER BY id LIMIT %s FOR UPDATE", [limit])]
    for statement in _LINKS if ids else ():
        staging.run(statement, {"ids": ids})
    return len(ids)


def pair_anew(tables: Iterable[str]) -> None:
    """Without links: every record of these tables is paired from the beginning, and the other tables are not known."""
    chosen = list(tables)
    staging.run("DELETE FROM store_decision WHERE kind = 'match' AND answered_at IS NULL")
    staging.run('DELETE FROM store_dynamicsrecord WHERE NOT "table" = ANY(%s)', [chosen])
    gone = [f"dynamics.{name}" for name in ("lead", "contact") if name not in chosen]
    for name in gone:
        Checkpoint.objects.filter(name__in=[name, f"{name}.full", f"{name}.recent"]).delete()
    staging.run(
        """UPDATE store_dynamicsrecord SET due = 'pair', wait_for = '', lane = 'backfill'
           WHERE due <> 'look_up' AND NOT filtered AND deleted_at IS NULL"""
    )
    _forget_requests()


def _forget_requests() -> None:
    staging.run("DELETE FROM store_pendingwrite WHERE state = 'planned' AND link_id IS NULL")
    staging.run("DELETE FROM store_failure WHERE operation = %s AND link_id IS NULL AND closed_at IS NULL", [EXPECTED])
    Checkpoint.objects.filter(name=REQUESTS).delete()


def dissolve() -> int:
    """Links that a delete or the filter would mark are taken back: before the start nobody was in step.

    Answers how many; what is left of each is paired anew.
    """
    rows = staging.query(
        """SELECT id, dynamics FROM store_link WHERE stopped OR dynamics_deleted OR marketo_deleted
           ORDER BY id LIMIT 500 FOR UPDATE"""
    )
    ids = [row[0] for row in rows]
    for statement in _LINKS if ids else ():
        staging.run(statement, {"ids": ids})
    staging.run(
        """UPDATE store_dynamicsrecord SET due = 'look_up' WHERE guid = ANY(%s::uuid[])
           AND NOT filtered AND deleted_at IS NULL""",
        [[row[1] for row in rows]],
    )
    return len(ids)


REQUESTS = "preview.requests"


def creates(limit: int) -> list[PendingWrite]:
    """Planned creates in Marketo whose values are not known yet, by link."""
    found = PendingWrite.objects.filter(state="planned", op="create", side="marketo", inputs="", link__isnull=False)
    return list(found.order_by("link_id")[:limit])


def store_creates(rows: Sequence[tuple[int, Mapping[str, Any], str]]) -> None:
    """(id, fields, inputs) of planned creates."""
    staging.run(
        """UPDATE store_pendingwrite w SET fields = v.fields::jsonb, inputs = v.inputs
           FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS v(id, fields, inputs)
           WHERE w.id = v.id AND w.state = 'planned'""",
        [[row[0] for row in rows], [text.dump(dict(row[1])) for row in rows], [row[2] for row in rows]],
    )


def expect(row: Failure) -> None:
    """A failure that a planned create will bring; told when it has."""
    Failure.objects.bulk_create([row], ignore_conflicts=True)


def requests(limit: int) -> list[tuple[int, int, str]]:
    """Open requests of Sync Person not planned yet: (id, person, table), oldest first."""
    after = int(work.checkpoint(REQUESTS).position.get("after", 0))
    rows = staging.query(
        """SELECT r.id, r.person, r.sync_as FROM store_syncrequest r
           WHERE r.status IN ('received', 'queued') AND r.id > %s ORDER BY r.id LIMIT %s""",
        [after, limit],
    )
    return [(row[0], row[1], row[2]) for row in rows]


def links(limit: int) -> list[int]:
    """Links that planned writes wait for, by id."""
    rows = staging.query(
        """SELECT DISTINCT link_id FROM store_pendingwrite WHERE state = 'planned' AND link_id IS NOT NULL
           ORDER BY link_id LIMIT %s""",
        [limit],
    )
    return [row[0] for row in rows]


def release(links: Sequence[int]) -> int:
    """The planned writes of these locked links may be sent, with the versions their records have now."""
    staging.run(
        "DELETE FROM store_failure WHERE link_id = ANY(%s) AND operation = %s AND closed_at IS NULL",
        [list(links), EXPECTED],
    )
    return staging.run(
        """UPDATE store_pendingwrite w SET state = 'waiting', fields = CASE WHEN w.op = 'create' THEN '{}' ELSE w.fields END,
                  version = CASE WHEN w.side = 'dynamics' THEN coalesce(d.version, '') ELSE '' END
           FROM store_link l LEFT JOIN store_dynamicsrecord d ON d.guid = l.dynamics
           WHERE l.id = w.link_id AND l.id = ANY(%s) AND w.state = 'planned'""",
        [list(links)],
    )


def drop_requests() -> int:
    """What was planned for requests goes: each is looked up over there and planned when its turn comes."""
    left = PendingWrite.objects.filter(state="planned", link__isnull=True).exists()
    if left:
        _forget_requests()
    return int(left)


def count() -> int:
    """How many creates and updates are planned."""
    return PendingWrite.objects.filter(state="planned", op__in=["create", "update"]).count()


def left() -> bool:
    """Whether something planned waits to be released."""
    return PendingWrite.objects.filter(state="planned").exists()


def clear() -> None:
    """Takes the whole plan away at once, with its links."""
    while discard(10_000):
        pass


def changed() -> None:
    """The plan is not what its summary says any more."""
    if not Checkpoint.objects.filter(name=SUMMARY, owner=_STALE).exists():
        Checkpoint.objects.update_or_create(name=SUMMARY, defaults={"owner": _STALE})


def summary_is_stale() -> bool:
    return Checkpoint.objects.filter(name=SUMMARY, owner=_STALE).exists()


def begin_summary() -> None:
    """What changes from now on is not in the summary about to be made."""
    Checkpoint.objects.filter(name=SUMMARY).update(owner="")


def put_summary(counts: Mapping[str, Any], now: datetime) -> None:
    Checkpoint.objects.filter(name=SUMMARY).update(position=dict(counts), as_of=now)


def summary() -> tuple[dict[str, Any], datetime | None]:
    """The counts stored last, and when they were made; empty before the first time."""
    found = Checkpoint.objects.filter(name=SUMMARY).first()
    return (dict(found.position), found.as_of) if found else ({}, None)
