"""A link with everything a merge needs to know: both mirrors, open receipts, choices made, writes under way.

Loaded in bulk, locked by the caller; written back in bulk by ``store_links``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from syncadmin.engine.records import Lane, Side, Table, Values
from syncadmin.store import staging, text
from syncadmin.store.models import Conflict, PendingWrite, Receipt

_BUSY = """EXISTS (SELECT 1 FROM store_pendingwrite w LEFT JOIN store_worker o ON o.name = w.owner
                   WHERE w.link_id = l.id AND w.op <> 'log'
                     AND (w.state = 'sent' OR (w.owner <> '' AND o.lease_until > %(now)s)))"""


@dataclass(slots=True)
class Case:
    """One link, its two records as last seen, and what is under way.

    ``d`` and ``m`` are None where the link has no record on that side or none was read yet. ``receipts`` (open ones, oldest
    first) and ``chosen`` are by pair key, ``waiting`` by side. ``stored`` is what was agreed when it was loaded.
    """

    id: int
    table: Table
    dynamics: str | None
    marketo: int | None
    agreed: dict[str, Any]
    held: dict[str, Any]
    written: dict[str, Any]
    lane: Lane
    stopped: bool
    dynamics_deleted: bool
    marketo_deleted: bool
    d: dict[str, Any] | None
    version: str
    filtered: bool
    m: dict[str, Any] | None
    company_linked: bool
    stored: str = ""
    name: str = ""
    email: str = ""
    receipts: dict[str, list[Receipt]] = field(default_factory=dict)
    chosen: dict[str, Conflict] = field(default_factory=dict)
    waiting: dict[Side, PendingWrite] = field(default_factory=dict)


def claim_dirty(lane: Lane, limit: int, now: datetime) -> list[int]:
    """Locks links to be merged; none that a write is under way for. Call inside the transaction that decides."""
    rows = staging.query(
        f"""SELECT l.id FROM store_link l
            WHERE l.dirty AND l.lane = %(lane)s AND NOT {_BUSY}
            ORDER BY l.id LIMIT %(limit)s FOR UPDATE OF l SKIP LOCKED""",
        {"lane": lane, "limit": limit, "now": now},
    )
    return [row[0] for row in rows]


def lock(ids: Iterable[int]) -> list[int]:
    """Locks these links in the order of their ids; answers those that still exist."""
    rows = staging.query("SELECT id FROM store_link WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [sorted(set(ids))])
    return [row[0] for row in rows]


def load(ids: Sequence[int]) -> list[Case]:
    """The cases of links that the caller has locked, in the order of their ids."""
    rows = staging.query(
        """SELECT l.id, l."table", l.dynamics, l.marketo, l.agreed, l.held, l.written, l.lane, l.stopped,
                  l.dynamics_deleted, l.marketo_deleted, d."values", coalesce(d.version, ''),
                  coalesce(d.filtered, false), p."values", coalesce(p.company_linked, false),
                  coalesce(d.name, p.name, l.name), coalesce(d.email, p.email, l.email)
           FROM store_link l
           LEFT JOIN store_dynamicsrecord d ON d.guid = l.dynamics
           LEFT JOIN store_marketoperson p ON p.person = l.marketo
           WHERE l.id = ANY(%s) ORDER BY l.id""",
        [list(ids)],
    )
    cases = {row[0]: _case(row) for row in rows}
    named = set(cases)
    for receipt in Receipt.objects.filter(link_id__among=named, how="").order_by("id"):
        cases[receipt.link_id].receipts.setdefault(receipt.key, []).append(receipt)
    for conflict in Conflict.objects.filter(link_id__among=named, state="chosen").order_by("decided_at", "id"):
        cases[conflict.link_id].chosen[conflict.key] = conflict
    for write in PendingWrite.objects.filter(link_id__among=named, op__in=["create", "update"]):
        cases[write.link_id or 0].waiting[Side(write.side)] = write
    return list(cases.values())


def lock_bare(ids: Iterable[int]) -> list[Case]:
    """Locks these links in the order of their ids; cases without records, receipts, choices and writes.

    Nothing is read of what is agreed, by far the most of a link: what a caller puts there, ``store_answers`` adds to it.
    """
    rows = staging.query(
        """SELECT id, "table", dynamics, marketo, '{}', held, written, lane, stopped, dynamics_deleted,
                  marketo_deleted, NULL, '', false, NULL, false, name, email
           FROM store_link WHERE id = ANY(%s) ORDER BY id FOR UPDATE""",
        [sorted(set(ids))],
    )
    return [_case(row) for row in rows]


def lock_undecided(ids: Iterable[int]) -> dict[int, bool]:
    """Locks these links in the order of their ids; whether each is to be merged again."""
    rows = staging.query(
        "SELECT id, dirty FROM store_link WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [sorted(set(ids))]
    )
    return {row[0]: row[1] for row in rows}


def _case(row: tuple[Any, ...]) -> Case:
    agreed = text.load(row[4])
    return Case(
        id=row[0],
        table=Table(row[1]),
        dynamics=str(row[2]) if row[2] else None,
        marketo=row[3],
        agreed=agreed,
        held=text.load(row[5]),
        written=text.load(row[6]),
        lane=Lane(row[7]),
        stopped=row[8],
        dynamics_deleted=row[9],
        marketo_deleted=row[10],
        d=text.load(row[11]),
        version=row[12],
        filtered=row[13],
        m=text.load(row[14]),
        company_linked=row[15],
        stored=text.dump(agreed),
        name=row[16],
        email=row[17],
    )


def store_links(cases: Sequence[Case], *, merged: bool, told: Iterable[int] = (), now: datetime | None = None) -> None:
    """Writes agreed, held and written values back; ``merged`` links are no longer dirty.

    Of those that something is ``told`` about in their history, ``now`` is the last activity.
    """
    if not cases:
        return
    spoken = set(told)
    ordered = sorted(cases, key=lambda case: case.id)
    staging.run(
        """UPDATE store_link l SET agreed = coalesce(v.agreed::jsonb, l.agreed), held = v.held::jsonb,
                  written = v.written::jsonb, name = v.name, email = v.email, dirty = l.dirty AND NOT %s,
                  last_activity_at = CASE WHEN v.told THEN %s ELSE l.last_activity_at END
           FROM unnest(%s::bool[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
                AS v(told, id, agreed, held, written, name, email)
           WHERE l.id = v.id""",
        [
            merged,
            now,
            [case.id in spoken for case in ordered],
            [case.id for case in ordered],
            [_agreed_anew(case) for case in ordered],
            [text.dump(case.held) for case in ordered],
            [text.dump(case.written) for case in ordered],
            [case.name for case in ordered],
            [case.email for case in ordered],
        ],
    )


def _agreed_anew(case: Case) -> str | None:
    """What is agreed now; None if nothing else than before, as with most changes: it is agreed on when they are answered."""
    # By far the most of a link: to send, parse and compress it again costs PostgreSQL two thirds of the row.
    agreed = text.dump(case.agreed)
    return None if agreed == case.stored else agreed


def store_answers(cases: Sequence[Case], *, told: Iterable[int] = (), now: datetime | None = None) -> None:
    """As ``store_links``, of cases locked bare: what is agreed on beside all that was."""
    spoken = set(told)
    ordered = sorted(cases, key=lambda case: case.id)
    staging.run(
        """UPDATE store_link l SET agreed = l.agreed || v.agreed::jsonb, held = v.held::jsonb, written = v.written::jsonb,
                  last_activity_at = CASE WHEN v.told THEN %s ELSE l.last_activity_at END
           FROM unnest(%s::bool[], %s::bigint[], %s::text[], %s::text[], %s::text[]) AS v(told, id, agreed, held, written)
           WHERE l.id = v.id""",
        [
            now,
            [case.id in spoken for case in ordered],
            [case.id for case in ordered],
            [text.dump(case.agreed) for case in ordered],
            [text.dump(case.held) for case in ordered],
            [text.dump(case.written) for case in ordered],
        ],
    )


def let_go(held: dict[str, Any]) -> dict[str, Any]:
    """What stays noted of what is to be tried again: that it failed, what stood there then, and what we overwrote."""
    return {"why": "failure", **{name: held[name] for name in ("d", "m", "fields", "overtaken") if name in held}}


def rename_receipts(link: int, table: Table, keys: dict[str, str]) -> None:
    """After a lead became a contact: receipts of the same Marketo field go on under the contact's pair."""
    for receipt in Receipt.objects.filter(link_id=link, key__startswith=f"{table}."):
        if receipt.field in keys:
            Receipt.objects.filter(pk=receipt.pk).update(key=keys[receipt.field])


def person_values(people: Sequence[int]) -> dict[int, Values]:
    """What the mirror holds of these people."""
    found = 'SELECT person, "values" FROM store_marketoperson WHERE person = ANY(%s)'
    return {row[0]: text.load(row[1]) for row in staging.query(found, [sorted(set(people))])}
