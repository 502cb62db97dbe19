"""What pairing needs of the mirrors: records that are due, and everybody who could be the same person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from syncadmin.engine.candidates import Candidate
from syncadmin.engine.records import Lane, Ref, Table
from syncadmin.store import staging, text

# Stands for the partner that a create under way will bring.
UNDER_WAY = "under way"
# Why a contact waits: a write to its lead is on its way.
IN_FLIGHT = "in_flight"


@dataclass(frozen=True, slots=True)
class DueRecord:
    """``wait_for`` is why it waited before: a reason, and behind a colon what it waited for."""

    guid: str
    table: Table
    email: str
    wait_for: str = ""


def due(state: str, lane: Lane, limit: int, *, lock: bool) -> list[DueRecord]:
    """Records in that state of pairing, oldest first."""
    rows = staging.query(
        f"""SELECT guid, "table", email, wait_for FROM store_dynamicsrecord WHERE due = %s AND lane = %s
            ORDER BY id LIMIT %s {"FOR UPDATE SKIP LOCKED" if lock else ""}""",
        [state, lane, limit],
    )
    return [DueRecord(str(row[0]), Table(row[1]), row[2], row[3]) for row in rows]


def looked_up(guids: Sequence[str]) -> None:
    """These were looked up in Marketo; now they are to be paired."""
    staging.run(
        "UPDATE store_dynamicsrecord SET due = 'pair' WHERE guid = ANY(%s::uuid[]) AND due = 'look_up'", [list(guids)]
    )


def still_due(state: str, guids: Sequence[str]) -> list[DueRecord]:
    """Locks those of these records that are still in that state of pairing."""
    rows = staging.query(
        """SELECT guid, "table", email, wait_for FROM store_dynamicsrecord WHERE guid = ANY(%s::uuid[]) AND due = %s
           ORDER BY id FOR UPDATE SKIP LOCKED""",
        [list(guids), state],
    )
    return [DueRecord(str(row[0]), Table(row[1]), *row[2:]) for row in rows]


_GROUP = """
    WITH named AS (SELECT unnest(%(guids)s::uuid[]) AS guid)
    SELECT d.guid, d."table", d.email, d.active, d.merged_into IS NOT NULL, d.qualified, d.disqualified,
           d.originating_lead,
           -- Dynamics empties a lead's contact when that is deleted; which it was, the contact's own row still tells.
           coalesce(d.parent_contact, (SELECT k.guid FROM store_dynamicsrecord k WHERE k.originating_lead = d.guid
                                       AND k.deleted_at IS NOT NULL ORDER BY k.deleted_at DESC LIMIT 1)),
           coalesce(l.id, c.link_id), l.marketo, coalesce(w.id, c.id),
           coalesce(l.marketo IS NULL AND w.id IS NULL AND NOT l.stopped, false)
    FROM store_dynamicsrecord d
    LEFT JOIN store_link l ON l.dynamics = d.guid
    LEFT JOIN store_pendingwrite w ON w.link_id = l.id AND w.op = 'create'
    -- Created by Sync Person, but the answer is not stored yet: it will take the link of the person it was made for.
    LEFT JOIN store_pendingwrite c ON c.side = 'dynamics' AND c.op = 'create' AND c.target = d.guid::text
    WHERE (NOT d.filtered OR l.id IS NOT NULL) AND d.deleted_at IS NULL AND d.id IN (
        SELECT id FROM store_dynamicsrecord WHERE email = ANY(%(emails)s) AND email <> ''
        UNION SELECT id FROM store_dynamicsrecord WHERE guid IN (SELECT guid FROM named)
        UNION SELECT o.id FROM store_dynamicsrecord m JOIN store_dynamicsrecord o
              ON o.guid IN (m.originating_lead, m.parent_contact) WHERE m.guid IN (SELECT guid FROM named)
        -- The contact that a named lead names itself may be another one, and goes before.
        UNION SELECT k.id FROM store_dynamicsrecord m JOIN store_dynamicsrecord o ON o.guid = m.originating_lead
              JOIN store_dynamicsrecord k ON k.guid = o.parent_contact WHERE m.guid IN (SELECT guid FROM named)
        UNION SELECT id FROM store_dynamicsrecord WHERE originating_lead IN (SELECT guid FROM named)
        UNION SELECT id FROM store_dynamicsrecord WHERE parent_contact IN (SELECT guid FROM named))
"""
_PEOPLE = """
    SELECT p.person, p.email, p.dynamics_guid, coalesce(l.id, c.link_id), l.dynamics, l.dynamics_deleted, w.id
    FROM store_marketoperson p
    LEFT JOIN store_link l ON l.marketo = p.person
    LEFT JOIN store_pendingwrite w ON w.link_id = l.id AND w.side = 'dynamics' AND w.op = 'create'
    -- Made by our own create, which was not answered yet: whoever it was made for takes it.
    LEFT JOIN store_link h ON h.dynamics = p.dynamics_guid AND h.marketo IS NULL
    LEFT JOIN store_pendingwrite c ON c.link_id = h.id AND c.side = 'marketo' AND c.op = 'create'
    WHERE p.deleted_at IS NULL AND p.id IN (
        SELECT id FROM store_marketoperson WHERE email = ANY(%(emails)s) AND email <> ''
        UNION SELECT id FROM store_marketoperson WHERE dynamics_guid = ANY(%(guids)s::uuid[])
        UNION SELECT k.id FROM store_dynamicsrecord d JOIN store_marketoperson k
              ON k.dynamics_guid IN (d.parent_contact, d.originating_lead) WHERE d.guid = ANY(%(guids)s::uuid[])
        UNION SELECT k.id FROM store_dynamicsrecord d JOIN store_marketoperson k ON k.dynamics_guid = d.guid
              WHERE d.originating_lead = ANY(%(guids)s::uuid[]) AND d.deleted_at IS NOT NULL)
"""


def group(records: Sequence[DueRecord]) -> list[Candidate]:
    """Everybody who shares an e-mail, a lineage or a stored id with one of these records, they included."""
    params = {"guids": [one.guid for one in records], "emails": sorted({one.email for one in records if one.email})}
    found = [_record(row) for row in staging.query(_GROUP, params)]
    return found + [_person(row) for row in staging.query(_PEOPLE, params)]


def _record(row: tuple[Any, ...]) -> Candidate:
    guid, table, email, active, merged, qualified, disqualified, origin, parent, link, marketo, write, half = row
    partner = str(marketo) if marketo else UNDER_WAY if link and write else None
    return Candidate(
        ref=Ref(Table(table), str(guid)),
        email=email,
        active=active,
        merged=merged,
        qualified=qualified,
        disqualified=disqualified,
        linked_to=partner,
        originating=str(origin) if origin else None,
        parent_contact=str(parent) if parent else None,
        half=half,
    )


def _person(row: tuple[Any, ...]) -> Candidate:
    person, email, guid, link, dynamics, dead, create = row
    # Whose record was deleted is free for another one.
    partner = None if link is None or (dead and not create) else str(dynamics) if dynamics and not dead else UNDER_WAY
    return Candidate(
        ref=Ref(Table.PERSON, str(person)), email=email, linked_to=partner, marketo_guid=str(guid) if guid else None
    )


_SHARING = """
    SELECT d.email, 'link:' || l.id, d."table", d.guid::text FROM store_dynamicsrecord d
    JOIN store_link l ON l.dynamics = d.guid
    WHERE d.email = ANY(%(emails)s) AND d.email <> '' AND d.deleted_at IS NULL AND NOT d.filtered
      AND d.merged_into IS NULL
    UNION ALL
    SELECT p.email, coalesce('link:' || l.id, 'person:' || p.person), 'person', p.person::text
    FROM store_marketoperson p LEFT JOIN store_link l ON l.marketo = p.person
    WHERE p.email = ANY(%(emails)s) AND p.email <> '' AND p.deleted_at IS NULL
"""


def sharing(emails: Iterable[str]) -> dict[str, dict[Ref, str]]:
    """By address, the linked records and all people that have it, each with the name of the human it stands for."""
    found: dict[str, dict[Ref, str]] = {}
    for email, human, table, key in staging.query(_SHARING, {"emails": sorted(emails)}):
        found.setdefault(email, {})[Ref(Table(table), key)] = human
    return found


def wake_contacts(links: Sequence[int]) -> set[int]:
    """Contacts that waited for a write to their lead to end are paired; answers the links they are about to take."""
    rows = staging.query(
        """UPDATE store_dynamicsrecord c SET due = 'pair' FROM store_link l JOIN store_dynamicsrecord d
               ON d.guid = l.dynamics
           WHERE l.id = ANY(%s) AND d.qualified AND c.guid = d.parent_contact AND c.due = 'waiting'
             AND c.wait_for = %s
           RETURNING l.id""",
        [list(links), IN_FLIGHT],
    )
    return {row[0] for row in rows}


def settle(states: Iterable[tuple[str, str, str]]) -> None:
    """Sets (guid, due, wait_for) of records that were decided."""
    rows = sorted(states)
    staging.run(
        """UPDATE store_dynamicsrecord d SET due = v.due, wait_for = v.wait_for
           FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS v(guid, due, wait_for) WHERE d.guid = v.guid""",
        [[row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]],
    )


@dataclass(frozen=True, slots=True)
class Face:
    """How a record is shown to somebody who has to choose among several."""

    ref: Ref
    name: str
    email: str
    values: dict[str, Any]


def faces(refs: Iterable[Ref]) -> dict[Ref, Face]:
    """The candidates as a person would tell them apart."""
    wanted = set(refs)
    guids = [ref.id for ref in wanted if ref.table is not Table.PERSON]
    people = [int(ref.id) for ref in wanted if ref.table is Table.PERSON]
    rows = staging.query(
        """SELECT "table", guid::text, name, email, "values" FROM store_dynamicsrecord WHERE guid = ANY(%s::uuid[])
           UNION ALL
           SELECT 'person', person::text, name, email, "values" FROM store_marketoperson WHERE person = ANY(%s)""",
        [guids, people],
    )
    shown = [Face(Ref(Table(row[0]), row[1]), row[2], row[3], text.load(row[4])) for row in rows]
    return {face.ref: face for face in shown}
