"""Makes links in bulk: whole ones, and half ones that wait for their person to be created."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from syncadmin.engine.records import Lane
from syncadmin.store import staging, text
from syncadmin.store.models import Link

_NEW = """
    INSERT INTO store_link AS l ("table", dynamics, marketo, name, email, agreed, held, written, dirty, lane, stopped,
                                 dynamics_deleted, marketo_deleted, linked_at, last_activity_at)
    SELECT d."table", d.guid, v.person, d.name, d.email, '{}', '{}', '{}', v.person IS NOT NULL, %(lane)s, false,
           false, false, %(now)s, CASE WHEN v.person IS NOT NULL THEN %(now)s END
    FROM unnest(%(guids)s::uuid[], %(people)s::bigint[]) AS v(guid, person)
    JOIN store_dynamicsrecord d ON d.guid = v.guid
    ORDER BY d.guid
"""


def widowed(pairs: Sequence[tuple[str, int]]) -> list[tuple[str, int, int]]:
    """Those of (GUID, person id) whose person has a link to a deleted record, with that link: it goes on with the new
    one."""
    rows = staging.query(
        """SELECT v.guid, v.person, l.id FROM unnest(%s::uuid[], %s::bigint[]) AS v(guid, person)
           JOIN store_link l ON l.marketo = v.person AND l.dynamics_deleted""",
        [[pair[0] for pair in pairs], [pair[1] for pair in pairs]],
    )
    return [(str(row[0]), row[1], row[2]) for row in rows]


def take_over(pairs: Sequence[tuple[str, int]], *, lane: Lane) -> dict[str, int]:
    """The links of these people go on with these records, which they meet for the first time. Link ids by GUID."""
    if not pairs:
        return {}
    rows = staging.query(
        """UPDATE store_link l SET dynamics = d.guid, "table" = d."table", name = d.name, email = d.email,
                  agreed = '{}', held = '{}', written = '{}', dynamics_deleted = false, stopped = false, dirty = true,
                  lane = %s
           FROM unnest(%s::uuid[], %s::bigint[]) AS v(guid, person) JOIN store_dynamicsrecord d ON d.guid = v.guid
           WHERE l.marketo = v.person RETURNING l.dynamics, l.id""",
        [lane, [pair[0] for pair in pairs], [pair[1] for pair in pairs]],
    )
    return {str(row[0]): row[1] for row in rows}


def pass_on(heirs: Sequence[tuple[str, int]], now: datetime) -> None:
    """Ends the links that these records have with nobody; what was told of each goes to the link beside its GUID.

    Its failures are over: they were about a person that is not to be made any more.
    """
    if not heirs:
        return
    half = """FROM unnest(%s::uuid[], %s::bigint[]) AS v(guid, heir) JOIN store_link l ON l.dynamics = v.guid
              WHERE l.marketo IS NULL"""
    params = [[heir[0] for heir in heirs], [heir[1] for heir in heirs]]
    for table in ("store_activity", "store_conflict"):
        statement = f"UPDATE {table} h SET link_id = v.heir FROM (SELECT l.id AS link, v.heir {half}) AS v"
        staging.run(f"{statement} WHERE h.link_id = v.link", params)
    staging.run(
        f"""UPDATE store_failure h SET link_id = v.heir, subject = 'link:' || v.heir, closed_at = coalesce(h.closed_at, %s)
            FROM (SELECT l.id AS link, v.heir {half}) AS v WHERE h.link_id = v.link""",
        [now, *params],
    )
    Link.objects.filter(dynamics__in=[heir[0] for heir in heirs], marketo__isnull=True).delete()


def join(pairs: Sequence[tuple[str, int]], *, lane: Lane, now: datetime) -> dict[str, int]:
    """Links (GUID, person id); an existing link of the GUID takes the person. Answers link ids by GUID."""
    rows = staging.query(
        f"""{_NEW}
            ON CONFLICT (dynamics) DO UPDATE SET
                "table" = excluded."table", marketo = excluded.marketo, name = excluded.name, email = excluded.email,
                dirty = true, lane = excluded.lane
            RETURNING l.dynamics, l.id""",
        {"guids": [pair[0] for pair in pairs], "people": [pair[1] for pair in pairs], "lane": lane, "now": now},
    )
    return {str(row[0]): row[1] for row in rows}


@dataclass(frozen=True, slots=True)
class Claim:
    """A link whose person is to be created. ``fresh``: it was made now."""

    guid: str
    link: int
    fresh: bool
    values: dict[str, Any]


def claim(guids: Sequence[str], *, lane: Lane, now: datetime) -> list[Claim]:
    """A link without a person for each of these records; one that is there already is taken as it is."""
    rows = staging.query(
        f"""WITH made AS ({_NEW}
                ON CONFLICT (dynamics) DO UPDATE SET lane = excluded.lane
                RETURNING l.dynamics, l.id, xmax = 0 AS fresh)
            SELECT made.dynamics, made.id, made.fresh, d."values"
            FROM made JOIN store_dynamicsrecord d ON d.guid = made.dynamics ORDER BY d.id""",
        {"guids": list(guids), "people": [None] * len(guids), "lane": lane, "now": now},
    )
    return [Claim(str(row[0]), row[1], row[2], text.load(row[3])) for row in rows]


def complete(created: Sequence[tuple[int, int, dict[str, Any]]]) -> None:
    """The people of these links exist now: (link, person, what is agreed)."""
    rows = sorted(created, key=lambda row: row[0])
    staging.run(
        """UPDATE store_link l SET marketo = v.person, agreed = v.agreed::jsonb, held = '{}', dirty = true
           FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS v(id, person, agreed) WHERE l.id = v.id""",
        [[row[0] for row in rows], [row[1] for row in rows], [text.dump(row[2]) for row in rows]],
    )
