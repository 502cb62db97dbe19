"""Records as the connectors answer them, turned into rows of the mirrors."""

from __future__ import annotations

from collections.abc import Iterable

from syncadmin.engine.pairing import fold_email
from syncadmin.engine.records import Raw, Record, Table
from syncadmin.services.rulebook import Rulebook
from syncadmin.store.mirror import DynamicsRow, PersonRow

_OPEN, _QUALIFIED, _DISQUALIFIED = 0, 1, 2


def dynamics_rows(book: Rulebook, records: Iterable[Record]) -> list[DynamicsRow]:
    """Leads and contacts. One that the filter excludes keeps its id, version and filter value only."""
    return [_dynamics_row(book, record) for record in records]


def person_rows(book: Rulebook, records: Iterable[Record]) -> list[PersonRow]:
    """Marketo people."""
    return [_person_row(book, record) for record in records]


def _dynamics_row(book: Rulebook, record: Record) -> DynamicsRow:
    values = record.values
    lead = record.ref.table is Table.LEAD
    state = values.get("statecode")
    return DynamicsRow(
        table=record.ref.table,
        guid=record.ref.id,
        values=values,
        version=record.version,
        email=fold_email(_text(values.get("emailaddress1"))),
        name=_name(values.get("firstname"), values.get("lastname")),
        modified_at=record.modified_at,
        active=state in (None, _OPEN),
        qualified=lead and state == _QUALIFIED,
        disqualified=lead and state == _DISQUALIFIED,
        filtered=excluded(book, record),
        merged_into=_master(record),
        originating_lead=_id(values.get("originatingleadid")),
        parent_contact=_id(values.get("parentcontactid")),
    )


def _master(record: Record) -> str | None:
    """Whom the record was merged into. Dynamics empties that when the master is deleted; merged away it still is."""
    if record.values.get("merged") is not True:
        return None
    return _id(record.values.get("masterid")) or record.ref.id


def excluded(book: Rulebook, record: Record) -> bool:
    """Whether the filter column says No. Empty, absent and every other value mean Yes."""
    if not book.filters(record.ref.table):
        return False
    value = record.values.get(book.options.filter_column)
    if isinstance(value, bool) or value is None:
        return value is False
    options = book.schemas[record.ref.table].columns[book.options.filter_column].options
    labels = {str(option.value): option.label for option in options}
    return labels.get(str(value), str(value)).strip().casefold() == "no"


def _person_row(book: Rulebook, record: Record) -> PersonRow:
    values = record.values
    return PersonRow(
        person=int(record.ref.id),
        values=values,
        email=fold_email(_text(values.get("email"))),
        name=_name(values.get("firstName"), values.get("lastName")),
        dynamics_guid=guid(_text(values.get(book.options.guid_field))),
        company_linked=bool(_text(values.get("externalCompanyId"))),
    )


def guid(value: str) -> str | None:
    """A GUID in lower case, or None if the text is none: anybody may write into a Marketo field."""
    plain = value.strip().strip("{}").lower().replace("-", "")
    if len(plain) != 32 or any(letter not in "0123456789abcdef" for letter in plain):
        return None
    return f"{plain[:8]}-{plain[8:12]}-{plain[12:16]}-{plain[16:20]}-{plain[20:]}"


def _text(value: Raw) -> str:
    return value if isinstance(value, str) else ""


def _name(first: Raw, last: Raw) -> str:
    return " ".join(part for part in (_text(first).strip(), _text(last).strip()) if part)


def _id(value: Raw) -> str | None:
    return value.get("id") if isinstance(value, dict) else None
