"""Merges describe, describe2 and the schema fields into one ``Schema``. Only describe is the authority on what exists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from syncadmin.connectors.marketo.responses import mapping, rows
from syncadmin.engine.records import Side, Table
from syncadmin.engine.schema import Column, Kind, Schema

KINDS: Mapping[str, Kind] = {
    "string": Kind.TEXT,
    "text": Kind.MEMO,
    "email": Kind.EMAIL,
    "phone": Kind.PHONE,
    "url": Kind.URL,
    "integer": Kind.INTEGER,
    "score": Kind.INTEGER,
    "percent": Kind.INTEGER,
    "float": Kind.DECIMAL,
    "currency": Kind.MONEY,
    "boolean": Kind.BOOLEAN,
    "date": Kind.DATE,
    "datetime": Kind.DATETIME,
    "reference": Kind.TEXT,  # an id of Marketo's own, as text
    "formula": Kind.TEXT,
    "lead_function": Kind.TEXT,
}
_COMPUTED = frozenset({"formula", "lead_function"})
_WITH_LENGTH = frozenset({Kind.TEXT, Kind.EMAIL, Kind.PHONE, Kind.URL})
# A text area is bounded in UTF-8 bytes, whatever length describe prints for it.
_MEMO_BYTES = 30_000
_SMALLEST, _LARGEST = Decimal(-(2**31)), Decimal(2**31 - 1)

# Kept by the platform although describe calls some of them writable.
SYSTEM_FIELDS = frozenset(
    {
        "anonymousIP",
        "cookies",
        "createdAt",
        "emailSuspendedAt",
        "id",
        "isAnonymous",
        "isLead",
        "leadPartitionId",
        "mktoName",
        "personType",
        "priority",
        "relativeScore",
        "relativeUrgency",
        "updatedAt",
        "urgency",
    }
)
# Read through from the company record once a person is linked to one; no call of a live account tells which they are.
COMPANY_FIELDS = frozenset(
    {
        "annualRevenue",
        "billingCity",
        "billingCountry",
        "billingPostalCode",
        "billingState",
        "billingStreet",
        "company",
        "externalCompanyId",
        "industry",
        "mainPhone",
        "mktoCompanyNotes",
        "numberOfEmployees",
        "sicCode",
        "site",
        "website",
    }
)


def schema(described: Iterable[Any], described2: Iterable[Any], details: Iterable[Any]) -> Schema:
    """Fields that REST does not expose are left out. ``details`` may be empty: reading them takes a permission."""
    seconds, searchable = _second(described2)
    custom = {str(row.get("name")): row for row in map(mapping, details)}
    columns = {}
    for field in map(mapping, described):
        rest = field.get("rest")
        if isinstance(rest, dict) and rest.get("name"):
            name = str(rest["name"])
            columns[name] = _column(name, field, rest, seconds.get(name, {}), custom.get(name, {}), searchable)
    return Schema(Table.PERSON, columns)


def crm_managed(described2: Iterable[Any]) -> list[str]:
    """Fields that a native CRM sync owns: their presence means that one is running."""
    fields, _ = _second(described2)
    return sorted(name for name, field in fields.items() if field.get("crmManaged") is True)


def names_by_fold(names: Iterable[str]) -> dict[str, str]:
    """Real names by their case-folded form: Marketo takes a name as one whatever its case."""
    return {name.casefold(): name for name in names}


def _column(
    name: str,
    field: Mapping[str, Any],
    rest: Mapping[str, Any],
    second: Mapping[str, Any],
    details: Mapping[str, Any],
    searchable: frozenset[str],
) -> Column:
    data_type = str(field.get("dataType") or "")
    kind = KINDS.get(data_type, Kind.OTHER)
    computed = data_type in _COMPUTED
    writable = _is_writable(name, kind, data_type, rest, second)
    is_whole = kind is Kind.INTEGER
    return Column(
        side=Side.MARKETO,
        table=Table.PERSON,
        name=name,
        label=str(field.get("displayName") or name),
        kind=kind,
        creatable=writable,
        updatable=writable,
        max_length=_length(field) if kind in _WITH_LENGTH else None,
        max_bytes=_MEMO_BYTES if kind is Kind.MEMO else None,
        minimum=_SMALLEST if is_whole else None,
        maximum=_LARGEST if is_whole else None,
        computed=computed,
        searchable=name in searchable,
        company_class=name in COMPANY_FIELDS,
        crm_managed=second.get("crmManaged") is True,
        custom=details.get("isCustom") is True,
    )


def _is_writable(name: str, kind: Kind, data_type: str, rest: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    if name in SYSTEM_FIELDS or kind is Kind.OTHER or data_type in _COMPUTED or data_type == "reference":
        return False
    # The two calls may disagree; a field that either calls read-only would cost whole records.
    return rest.get("readOnly") is not True and second.get("updateable") is not False


def _length(field: Mapping[str, Any]) -> int | None:
    length = field.get("length")
    return length if isinstance(length, int) and not isinstance(length, bool) and length > 0 else None


def _second(described2: Iterable[Any]) -> tuple[dict[str, Mapping[str, Any]], frozenset[str]]:
    fields: dict[str, Mapping[str, Any]] = {}
    searchable: set[str] = set()
    for view in map(mapping, described2):
        fields |= {str(field.get("name")): field for field in rows(view.get("fields"))}
        searchable |= {str(key[0]) for key in _keys(view) if isinstance(key, list) and len(key) == 1}
    return fields, frozenset(searchable)


def _keys(view: Mapping[str, Any]) -> list[Any]:
    keys = view.get("searchableFields")
    return keys if isinstance(keys, list) else []
