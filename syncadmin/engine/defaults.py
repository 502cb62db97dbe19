"""The field pairs a new setup starts with: what Marketo's built-in Dynamics sync joins, as far as columns exist."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from syncadmin.engine.convert_text import text
from syncadmin.engine.mapping import Direction, FieldPair, pair_key
from syncadmin.engine.own_fields import OwnNames, own_pairs
from syncadmin.engine.records import Table, Values
from syncadmin.engine.schema import Schema

__all__ = ["OfferedField", "OwnNames", "default_pairs", "fill", "offered_fields", "own_pairs", "templates"]

_BOTH, _TO_MARKETO, _TO_DYNAMICS = Direction.BOTH, Direction.TO_MARKETO, Direction.TO_DYNAMICS
_LEAD, _CONTACT = frozenset({Table.LEAD}), frozenset({Table.CONTACT})
_PERSON = _LEAD | _CONTACT

# On first contact a yes on either side wins for these: nobody may be mailed or called because two lists were joined.
CONSENT = frozenset({"donotbulkemail", "donotemail", "donotphone", "donotfax", "donotsendmm"})

_PAIRS: tuple[tuple[str, str, Direction, frozenset[Table]], ...] = (
    ("salutation", "salutation", _BOTH, _PERSON),
    ("firstname", "firstName", _BOTH, _PERSON),
    ("middlename", "middleName", _BOTH, _PERSON),
    ("lastname", "lastName", _BOTH, _PERSON),
    ("emailaddress1", "email", _BOTH, _PERSON),
    ("jobtitle", "title", _BOTH, _PERSON),
    ("telephone1", "phone", _BOTH, _PERSON),
    ("mobilephone", "mobilePhone", _BOTH, _PERSON),
    ("fax", "fax", _BOTH, _LEAD),
    ("address1_line1", "address", _BOTH, _PERSON),
    ("address1_city", "city", _BOTH, _PERSON),
    ("address1_stateorprovince", "state", _BOTH, _PERSON),
    ("address1_country", "country", _BOTH, _PERSON),
    ("address1_postalcode", "postalCode", _BOTH, _PERSON),
    ("leadsourcecode", "leadSource", _BOTH, _LEAD),
    ("statecode", "leadStatus", _TO_MARKETO, _PERSON),
    ("leadqualitycode", "rating", _BOTH, _LEAD),
    ("description", "mktoPersonNotes", _BOTH, _PERSON),
    ("donotphone", "doNotCall", _BOTH, _PERSON),
    ("donotbulkemail", "unsubscribed", _BOTH, _PERSON),
    ("companyname", "company", _BOTH, _LEAD),
    ("revenue", "annualRevenue", _BOTH, _LEAD),
    ("mkt_priority", "priority", _TO_DYNAMICS, _PERSON),
    ("mkt_relativescore", "relativeScore", _TO_DYNAMICS, _PERSON),
    ("mkt_urgency", "relativeUrgency", _TO_DYNAMICS, _PERSON),
    ("mkt_leadscore", "leadScore", _TO_DYNAMICS, _CONTACT),
)

# Adobe's own fields have no published REST name, so these names are ours: (column, name, label, Marketo type, ...).
_OFFERED: tuple[tuple[str, str, str, str, Direction, frozenset[Table]], ...] = (
    ("ownerid", "dynOwnerName", "Dynamics Owner Name", "string", _TO_MARKETO, _PERSON),
    ("createdon", "dynCreatedDate", "Dynamics Created Date", "datetime", _TO_MARKETO, _PERSON),
    ("statuscode", "dynStatusReason", "Dynamics Status Reason", "string", _TO_MARKETO, _PERSON),
    ("address1_line2", "dynAddress2", "Dynamics Address 2", "string", _BOTH, _PERSON),
    ("address1_line3", "dynAddress3", "Dynamics Address 3", "string", _BOTH, _PERSON),
    ("telephone2", "dynHomePhone", "Dynamics Home Phone", "phone", _BOTH, _PERSON),
    ("preferredcontactmethodcode", "dynContactMethod", "Dynamics Preferred Contact Method", "string", _BOTH, _PERSON),
    ("donotemail", "dynDoNotEmail", "Dynamics Do Not Email", "boolean", _BOTH, _PERSON),
    ("donotfax", "dynDoNotFax", "Dynamics Do Not Fax", "boolean", _BOTH, _PERSON),
    ("donotsendmm", "dynDoNotSendMarketing", "Dynamics Do Not Send Marketing", "boolean", _BOTH, _PERSON),
    ("subject", "dynTopic", "Dynamics Topic", "string", _BOTH, _LEAD),
    ("mkt_lastinterestingmomentdate", "dynMomentDate", "Dynamics Moment Date", "datetime", _TO_DYNAMICS, _PERSON),
    ("mkt_lastinterestingmomentdesc", "dynMomentDesc", "Dynamics Moment Description", "string", _TO_DYNAMICS, _PERSON),
    ("mkt_leadinterestingmomentsource", "dynMomentSource", "Dynamics Moment Source", "string", _TO_DYNAMICS, _PERSON),
    ("mkt_lastinterestingmomenttype", "dynMomentType", "Dynamics Moment Type", "string", _TO_DYNAMICS, _PERSON),
)

_TEMPLATES: Mapping[Table, Mapping[str, str]] = {Table.LEAD: {"subject": "{first name} {last name} (Marketo)"}}
_PLACEHOLDERS = {
    "first name": "firstName",
    "last name": "lastName",
    "company": "company",
    "email": "email",
}
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class OfferedField:
    """A field that can be created in Marketo, off by default, with the pair it would make. ``kind`` is Marketo's."""

    name: str
    label: str
    kind: str
    pair: FieldPair


def _pair(table: Table, column: str, field: str, direction: Direction) -> FieldPair:
    return FieldPair(
        pair_key(table, column, field), table, column, field, direction=direction, consent=column in CONSENT
    )


def default_pairs(table: Table, dynamics_schema: Schema, marketo_schema: Schema) -> list[FieldPair]:
    """The preselected pairs of a table whose column and field both exist and can be read."""
    return [
        _pair(table, column, field, direction)
        for column, field, direction, tables in _PAIRS
        if table in tables and _readable(dynamics_schema, column) and _readable(marketo_schema, field)
    ]


def _readable(schema: Schema, name: str) -> bool:
    return name in schema.columns and schema.columns[name].readable


def offered_fields(table: Table) -> list[OfferedField]:
    """Fields the built-in sync keeps in Marketo that a plain account lacks."""
    return [
        OfferedField(name, label, kind, _pair(table, column, name, direction))
        for column, name, label, kind, direction, tables in _OFFERED
        if table in tables
    ]


def templates(table: Table) -> Mapping[str, str]:
    """The shipped defaults of required columns, by column."""
    return _TEMPLATES.get(table, {})


def fill(template: str, values: Values) -> str:
    """The template with a Marketo person's values; blanks left by missing ones collapse.

    Raises ValueError for an unknown placeholder, so a setting can be checked by filling it with nothing.
    """

    def value(found: re.Match[str]) -> str:
        field = _PLACEHOLDERS.get(found.group(1).strip().casefold())
        if field is None:
            raise ValueError(f"unknown placeholder {found.group(0)}")
        raw = values.get(field)
        return (None if isinstance(raw, dict) else text(raw)) or ""

    return " ".join(_PLACEHOLDER.sub(value, template).split())
