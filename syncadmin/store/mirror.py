"""The mirrors' data path: a page is staged, compared in SQL, and only what differs is written.

Of two reads of one record the later version wins, in whatever order they are stored; where no version tells (Marketo,
equal or unknown ones, a record that was away), the one begun later (``seen_at``). Columns that a read did not answer
keep their last value. Locks are taken in one order everywhere: mirror, then link (by id), then the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from syncadmin.engine.records import Lane, Values
from syncadmin.store import staging, text

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class DynamicsRow:
    """A lead or contact as read. ``values`` is ignored while ``filtered``."""

    table: str
    guid: str
    values: Values
    version: str
    email: str = ""
    name: str = ""
    modified_at: datetime | None = None
    active: bool = True
    qualified: bool = False
    disqualified: bool = False
    filtered: bool = False
    merged_into: str | None = None
    originating_lead: str | None = None
    parent_contact: str | None = None


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A Marketo person as read."""

    person: int
    values: Values
    email: str = ""
    name: str = ""
    dynamics_guid: str | None = None
    company_linked: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One record whose stored copy this page changed; ``was`` is what stood there before, None for a new record."""

    id: str
    link: int | None
    values_differ: bool
    was: Mapping[str, Any] | None


_DYNAMICS = (
    ("tbl", "text"),
    ("guid", "uuid"),
    ("vals", "jsonb"),
    ("hash", "text"),
    ("version", "text"),
    ("email", "text"),
    ("name", "text"),
    ("modified_at", "timestamptz"),
    ("active", "boolean"),
    ("qualified", "boolean"),
    ("disqualified", "boolean"),
    ("filtered", "boolean"),
    ("merged_into", "uuid"),
    ("originating_lead", "uuid"),
    ("parent_contact", "uuid"),
)
_PERSON = (
    ("person", "bigint"),
    ("vals", "jsonb"),
    ("hash", "text"),
    ("email", "text"),
    ("name", "text"),
    ("dynamics_guid", "uuid"),
    ("company_linked", "boolean"),
)

# A version is a number in the wrapping of an ETag: the longer one is the later, and of equal length the text decides.
# Reads further apart than any call lasts don't overlap, so a database put back to an older state is believed.
_DYNAMICS_FRESH = """CASE WHEN m.deleted_at IS NULL AND m.version <> {0}.version AND m.version <> '' AND {0}.version <> ''
            AND {1} BETWEEN m.seen_at - interval '5 minutes' AND m.seen_at + interval '5 minutes'
       THEN (length({0}.version), {0}.version COLLATE "C") > (length(m.version), m.version COLLATE "C")
       ELSE m.seen_at <= {1} END"""
_DYNAMICS_CHANGES = f"""
    SELECT s.guid, l.id,
           NOT s.filtered AND s.hash IS DISTINCT FROM m.hash AND NOT (m.hash = '' AND m."values" @> s.vals),
           m.id, m.filtered, m.qualified, m.merged_into, m.deleted_at, m.email,
           (m.filtered, m.qualified, m.deleted_at IS NULL, m.merged_into, m.active, m.parent_contact,
            m.originating_lead)
           IS DISTINCT FROM
           (s.filtered, s.qualified, true, s.merged_into, s.active, s.parent_contact, s.originating_lead)
    FROM staged_dynamics s
    LEFT JOIN store_dynamicsrecord m ON m.guid = s.guid
    LEFT JOIN store_link l ON l.dynamics = s.guid
    WHERE m.id IS NULL
       OR ({_DYNAMICS_FRESH.format("s", "%s::timestamptz")}
           AND (m.deleted_at IS NOT NULL OR m.version <> s.version OR m.filtered <> s.filtered
                OR (m.hash <> s.hash AND NOT s.filtered)))
    ORDER BY s.guid
"""
_DYNAMICS_UPSERT = f"""
    INSERT INTO store_dynamicsrecord AS m
        ("table", guid, "values", hash, version, email, name, modified_at, active, qualified, disqualified, filtered,
         merged_into, originating_lead, parent_contact, due, lane, seen_at, deleted_at, wait_for, full_read)
    SELECT tbl, guid, vals, hash, version, email, name, modified_at, active, qualified, disqualified, filtered,
           merged_into, originating_lead, parent_contact,
           CASE WHEN guid = ANY(%(due)s::uuid[]) AND NOT filtered THEN 'look_up' ELSE '' END,
           %(lane)s, %(seen)s, NULL, '', %(full_read)s
    FROM staged_dynamics s WHERE guid = ANY(%(guids)s::uuid[]) ORDER BY guid
    ON CONFLICT (guid) DO UPDATE SET
        "values" = CASE WHEN excluded.filtered THEN m."values" ELSE m."values" || excluded."values" END,
        hash = CASE WHEN excluded.filtered THEN m.hash ELSE excluded.hash END,
        email = CASE WHEN excluded.filtered THEN m.email ELSE excluded.email END,
        name = CASE WHEN excluded.filtered THEN m.name ELSE excluded.name END,
        version = excluded.version, modified_at = excluded.modified_at, active = excluded.active,
        qualified = excluded.qualified, disqualified = excluded.disqualified, filtered = excluded.filtered,
        merged_into = excluded.merged_into, originating_lead = excluded.originating_lead,
        parent_contact = excluded.parent_contact, seen_at = greatest(m.seen_at, excluded.seen_at), deleted_at = NULL,
        due = CASE WHEN excluded.due = '' THEN m.due ELSE excluded.due END,
        lane = CASE WHEN excluded.due = '' THEN m.lane ELSE excluded.lane END,
        full_read = greatest(m.full_read, excluded.full_read)
    WHERE {_DYNAMICS_FRESH.format("excluded", "excluded.seen_at")}
"""
_WAS = ("deleted_at", "email", "dynamics_guid")
_PERSON_CHANGES = """
    SELECT s.person, l.id, s.hash IS DISTINCT FROM m.hash AND NOT (m.hash = '' AND m."values" @> s.vals), m.id, m.deleted_at, m.email, m.dynamics_guid
    FROM staged_person s
    LEFT JOIN store_marketoperson m ON m.person = s.person
    LEFT JOIN store_link l ON l.marketo = s.person
    WHERE m.id IS NULL OR (m.seen_at <= %s AND (m.deleted_at IS NOT NULL OR m.hash <> s.hash))
    ORDER BY s.person
"""
_PERSON_UPSERT = """
    INSERT INTO store_marketoperson AS m
        (person, "values", hash, email, name, dynamics_guid, company_linked, due, lane, seen_at, deleted_at,
         merged_into, unanswered)
    SELECT person, vals, hash, email, name, dynamics_guid, company_linked, '', %(lane)s, %(seen)s, NULL, NULL, 0
    FROM staged_person WHERE person = ANY(%(people)s) ORDER BY person
    ON CONFLICT (person) DO UPDATE SET
        "values" = m."values" || excluded."values", hash = excluded.hash, email = excluded.email,
        name = excluded.name, dynamics_guid = excluded.dynamics_guid, company_linked = excluded.company_linked,
        seen_at = excluded.seen_at, deleted_at = NULL, unanswered = 0
    WHERE m.seen_at <= excluded.seen_at
"""


def store_dynamics(rows: Sequence[DynamicsRow], *, seen: datetime, lane: Lane, full_read: int = 0) -> list[Change]:
    """Stores one page read from Dynamics, begun at ``seen``; answers what differed. Runs in the caller's transaction.

    Links of changed records become dirty. ``full_read`` marks every row of the page as seen by that full read.
    """
    if not rows:
        return []
    staging.fill("staged_dynamics", _DYNAMICS, (_dynamics_tuple(row) for row in _last_of_each(rows, "guid")))
    found = staging.query(_DYNAMICS_CHANGES, [seen, seen])
    changes = [_dynamics_change(row) for row in found]
    if changes:
        guids = [change.id for change in changes]
        stored = set(guids)
        # Set with the row itself: each further version of it costs as much as the first.
        due = [change.id for change in changes if not change.link and _matters(change)]
        staging.run(_DYNAMICS_UPSERT, {"lane": lane, "seen": seen, "guids": guids, "due": due, "full_read": full_read})
        mark_links([change.link for change in changes if change.link and _matters(change)], lane)
        mark_waiting([*_emails(changes), *(row.email for row in rows if row.guid in stored)], lane)
        _rename_links(guids)
    if full_read:
        staging.run(
            """UPDATE store_dynamicsrecord SET full_read = %s
               WHERE guid IN (SELECT guid FROM staged_dynamics) AND full_read < %s""",
            [full_read, full_read],
        )
    return changes


def store_people(rows: Sequence[PersonRow], *, seen: datetime, lane: Lane) -> list[Change]:
    """Stores people read from Marketo; as ``store_dynamics``."""
    if not rows:
        return []
    staging.fill("staged_person", _PERSON, (_person_tuple(row) for row in _last_of_each(rows, "person")))
    changes = [
        Change(str(row[0]), row[1], row[2], None if row[3] is None else dict(zip(_WAS, row[4:], strict=True)))
        for row in staging.query(_PERSON_CHANGES, [seen])
    ]
    if changes:
        people = {int(change.id) for change in changes}
        staging.run(_PERSON_UPSERT, {"lane": lane, "seen": seen, "people": list(people)})
        mark_links([change.link for change in changes if change.link and change.values_differ], lane)
        mark_waiting([*_emails(changes), *(row.email for row in rows if row.person in people)], lane)
    return changes


def mark_links(ids: Iterable[int], lane: Lane) -> None:
    """The links are to be merged. A lane that is already more urgent stays."""
    wanted = sorted(set(ids))
    if wanted:
        staging.run(
            """WITH locked AS (SELECT id FROM store_link WHERE id = ANY(%s) ORDER BY id FOR UPDATE)
               UPDATE store_link l
               SET lane = CASE WHEN l.dirty AND (l.lane = 'live' OR %s = 'backfill') THEN l.lane ELSE %s END,
                   dirty = true
               FROM locked WHERE l.id = locked.id""",
            [wanted, lane, lane],
        )


def _rename_links(guids: Sequence[str]) -> None:
    """A link is listed and searched under its record's name and address. Its row is locked by now if it changed."""
    staging.run(
        """UPDATE store_link l SET name = m.name, email = m.email FROM store_dynamicsrecord m
           WHERE m.guid = ANY(%s::uuid[]) AND l.dynamics = m.guid AND NOT m.filtered
             AND (l.name, l.email) IS DISTINCT FROM (m.name, m.email)""",
        [guids],
    )


def mark_waiting(emails: Iterable[str], lane: Lane) -> None:
    """Records without partner that wait for one of these addresses are paired anew."""
    wanted = sorted({email for email in emails if email})
    if wanted:
        # The index holds no empty address. Of more than a hundred PostgreSQL does not find out that none is empty, and
        # without the last condition it reads the whole mirror.
        staging.run(
            """UPDATE store_dynamicsrecord SET due = 'pair', lane = %s
               WHERE due IN ('waiting', 'decision') AND email = ANY(%s) AND email <> ''""",
            [lane, wanted],
        )


def _emails(changes: Iterable[Change]) -> list[str]:
    return [str(change.was["email"]) for change in changes if change.was]


def _matters(change: Change) -> bool:
    """Whether a link must be merged: not for a new version of equal values."""
    return change.was is None or change.values_differ or bool(change.was["flags_differ"])


def _dynamics_change(row: tuple[Any, ...]) -> Change:
    guid, link, values_differ, known, filtered, qualified, merged_into, deleted_at, email, flags_differ = row
    was = {
        "filtered": filtered,
        "qualified": qualified,
        "merged_into": merged_into,
        "deleted_at": deleted_at,
        "email": email,
        "flags_differ": flags_differ,
    }
    return Change(str(guid), link, values_differ, None if known is None else was)


def _dynamics_tuple(row: DynamicsRow) -> tuple[Any, ...]:
    values = text.dump({} if row.filtered else row.values)
    return (
        row.table,
        row.guid,
        values,
        text.digest(values),
        row.version,
        "" if row.filtered else text.storable(row.email)[:320],
        "" if row.filtered else text.storable(row.name)[:500],
        row.modified_at,
        row.active,
        row.qualified,
        row.disqualified,
        row.filtered,
        row.merged_into,
        row.originating_lead,
        row.parent_contact,
    )


def _person_tuple(row: PersonRow) -> tuple[Any, ...]:
    values = text.dump(row.values)
    return (
        row.person,
        values,
        text.digest(values),
        text.storable(row.email)[:320],
        text.storable(row.name)[:500],
        row.dynamics_guid,
        row.company_linked,
    )


def _last_of_each(rows: Sequence[_Row], key: str) -> list[_Row]:
    return list({getattr(row, key): row for row in rows}.values())
