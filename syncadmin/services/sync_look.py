"""Who in Dynamics may already be this person: asked live, before anything is created."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from syncadmin.connectors.contract import DynamicsConnector, MarketoConnector
from syncadmin.connectors.errors import Malformed
from syncadmin.engine.records import Record, Ref, Table
from syncadmin.services import reading
from syncadmin.services.rulebook import Rulebook
from syncadmin.store.mirror import DynamicsRow, PersonRow
from syncadmin.store.models import DynamicsRecord, Link

TABLES = (Table.LEAD, Table.CONTACT)


class Verdict(StrEnum):
    NOBODY = "nobody"
    ONE = "one"
    SEVERAL = "several_records"
    TAKEN = "person_taken"
    DOUBLE = "several_people"


@dataclass(frozen=True, slots=True)
class Found:
    """``records`` are all candidates, ``chosen`` the one that is this person. ``seen`` is when the look-up began."""

    verdict: Verdict
    seen: datetime
    records: tuple[Record, ...] = ()
    rows: tuple[DynamicsRow, ...] = ()
    chosen: DynamicsRow | None = None


def by_id(dynamics: DynamicsConnector, book: Rulebook, ref: Ref) -> Record | None:
    """The record of this id; None if Dynamics says that there is none. Silence about it proves nothing: Malformed."""
    fetched = dynamics.fetch([ref], book.dynamics_columns(ref.table))
    if not fetched.records and ref not in fetched.gone:
        raise Malformed(f"Dynamics did not say whether the {ref.table} {ref.id} exists.", code="silence")
    return fetched.records[0] if fetched.records else None


def look(dynamics: DynamicsConnector, book: Rulebook, person: PersonRow, seen: datetime) -> Found:
    """Leads and contacts with the person's e-mail, and the record whose id Marketo stores for the person."""
    records: dict[Ref, Record] = {}
    for table in TABLES:
        columns = book.dynamics_columns(table)
        if person.email:
            hits = dynamics.find(table, "emailaddress1", [person.email], columns)
            records.update({record.ref: record for record in hits})
        if person.dynamics_guid:
            stored = by_id(dynamics, book, Ref(table, person.dynamics_guid))
            records.update({stored.ref: stored} if stored else {})
    records.update(_untidy(dynamics, book, person, set(records)))
    _follow_merges(dynamics, book, records)
    return _judge(person, tuple(records[ref] for ref in sorted(records)), book, seen)


def among_doubles(marketo: MarketoConnector, book: Rulebook, person: PersonRow, found: Found) -> Found:
    """Doubles in Marketo always ask: who of them is the record is not ours to guess, unless Marketo stores its id."""
    if found.verdict is not Verdict.ONE or found.chosen is None or found.chosen.guid == person.dynamics_guid:
        return found
    alike = marketo.find(Table.PERSON, "email", [person.email], book.person_fields()) if person.email else []
    others = [row for row in reading.person_rows(book, alike) if row.person != person.person]
    return replace(found, verdict=Verdict.DOUBLE) if others else found


def _untidy(dynamics: DynamicsConnector, book: Rulebook, person: PersonRow, found: set[Ref]) -> dict[Ref, Record]:
    """Records known by their folded address, which Dynamics' own comparison misses for a blank at the start."""
    known = DynamicsRecord.objects.filter(email=person.email, deleted_at=None) if person.email else ()
    refs = {Ref(Table(row.table), str(row.guid)) for row in known} - found
    there = [by_id(dynamics, book, ref) for ref in sorted(refs)]
    return {record.ref: record for record in there if record is not None}


def _follow_merges(dynamics: DynamicsConnector, book: Rulebook, records: dict[Ref, Record]) -> None:
    """The loser of a merge stands for its master, whatever address that one has."""
    for row in reading.dynamics_rows(book, list(records.values())):
        if row.merged_into is None:
            continue
        del records[Ref(Table(row.table), row.guid)]
        gone = row.merged_into == row.guid
        master = None if gone else by_id(dynamics, book, Ref(Table(row.table), row.merged_into))
        if master is not None:
            records[master.ref] = master


def _judge(person: PersonRow, records: tuple[Record, ...], book: Rulebook, seen: datetime) -> Found:
    rows = tuple(reading.dynamics_rows(book, records))
    in_use = [row for row in rows if row.active and not (row.qualified or row.disqualified)]
    pool = in_use or list(rows)
    named = [row for row in pool if row.guid == person.dynamics_guid]
    if not pool:
        return Found(Verdict.NOBODY, seen)
    if len(pool) > 1 and not named:
        return Found(Verdict.SEVERAL, seen, records, rows)
    chosen = named[0] if named else pool[0]
    verdict = Verdict.TAKEN if _is_taken(chosen.guid, person.person) else Verdict.ONE
    return Found(verdict, seen, records, rows, chosen)


def _is_taken(guid: str, person: int) -> bool:
    return Link.objects.filter(dynamics=guid).exclude(marketo=person).exists()


def faces(rows: Sequence[DynamicsRow]) -> list[dict[str, str]]:
    """The candidates as somebody would tell them apart."""
    return [
        {
            "table": row.table,
            "id": row.guid,
            "name": row.name,
            "email": row.email,
            "company": str(row.values.get("companyname") or ""),
        }
        for row in rows
    ]
