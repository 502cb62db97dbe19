"""Questions a full read asks the mirror: who is dead, who is missing, whose other half is not here yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from syncadmin.store import staging


def deleted_among(guids: Sequence[str]) -> set[str]:
    """Those of these Dynamics records that we were told are deleted."""
    rows = staging.query(
        "SELECT guid FROM store_dynamicsrecord WHERE guid = ANY(%s::uuid[]) AND deleted_at IS NOT NULL", [list(guids)]
    )
    return {str(row[0]) for row in rows}


def unready_companions(guids: Sequence[str]) -> set[str]:
    """Those whose mirror is missing, or shows a lead from before its qualification."""
    ready = staging.query(
        """SELECT guid FROM store_dynamicsrecord
           WHERE guid = ANY(%s::uuid[]) AND (filtered OR deleted_at IS NOT NULL OR "table" = 'contact' OR qualified)""",
        [list(guids)],
    )
    return set(guids) - {str(row[0]) for row in ready}


def not_named_back(leads: Mapping[str, str]) -> list[str]:
    """Of these contacts, each with the lead it names, those without a link that the lead as we know it does not name."""
    rows = staging.query(
        """SELECT v.contact FROM unnest(%s::uuid[], %s::uuid[]) AS v(contact, lead)
           WHERE NOT EXISTS (SELECT 1 FROM store_link l WHERE l.dynamics = v.contact)
             AND NOT EXISTS (SELECT 1 FROM store_dynamicsrecord d WHERE d.guid = v.lead AND d.parent_contact = v.contact)
           ORDER BY v.contact""",
        [list(leads), list(leads.values())],
    )
    return [str(row[0]) for row in rows]


def not_met(table: str, full_read: int, *, limit: int) -> list[str]:
    """Known records of a table that this full read has not met."""
    rows = staging.query(
        """SELECT guid FROM store_dynamicsrecord
           WHERE "table" = %s AND full_read < %s AND deleted_at IS NULL ORDER BY full_read LIMIT %s""",
        [table, full_read, limit],
    )
    return [str(row[0]) for row in rows]


def met(guids: Sequence[str], full_read: int) -> None:
    """These were asked for by id: the sweep is done with them."""
    staging.run("UPDATE store_dynamicsrecord SET full_read = %s WHERE guid = ANY(%s::uuid[])", [full_read, list(guids)])


def masters(guids: Sequence[str]) -> set[str]:
    """Those of these records that another one was merged into, told before they were read themselves, or with them."""
    merged = """SELECT DISTINCT merged_into FROM store_dynamicsrecord
                WHERE merged_into = ANY(%s::uuid[]) AND merged_into IS NOT NULL AND deleted_at IS NULL"""
    return {str(row[0]) for row in staging.query(merged, [list(guids)])} if guids else set()
