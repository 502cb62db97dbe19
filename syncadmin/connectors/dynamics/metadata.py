"""Dataverse's metadata as our Schema: one request for all columns, one for each type's own properties."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from syncadmin.connectors.dynamics.requests import definition, query
from syncadmin.connectors.messages import Request
from syncadmin.engine.records import Side, Table
from syncadmin.engine.schema import Column, DateBehaviour, Kind, Option, Required, Schema

# (column itself, its row of the cast) both as the server answered them
Row = Mapping[str, Any]

_COMMON = (
    "LogicalName,AttributeType,AttributeTypeName,RequiredLevel,IsValidForCreate,IsValidForUpdate,IsValidForRead,"
    "AttributeOf,IsCustomAttribute,IsPrimaryId,IsPrimaryName,DisplayName"
)
# Name companions of lookups and choices are half of all rows.
_OWN = "AttributeOf eq null"
_OPTIONS = "OptionSet($select=Options),GlobalOptionSet($select=Options)"
# The abstract enum type cannot be cast to, so every type is asked for by name.
CASTS: Mapping[str, tuple[str, str]] = {
    "String": ("MaxLength,FormatName", ""),
    "Memo": ("MaxLength", ""),
    "Integer": ("MinValue,MaxValue", ""),
    "BigInt": ("MinValue,MaxValue", ""),
    "Decimal": ("MinValue,MaxValue,Precision", ""),
    "Double": ("MinValue,MaxValue,Precision", ""),
    "Money": ("MinValue,MaxValue,Precision,PrecisionSource,CalculationOf", ""),
    "DateTime": ("Format,DateTimeBehavior", ""),
    "Boolean": ("", "OptionSet"),
    "Picklist": ("", _OPTIONS),
    "MultiSelectPicklist": ("", _OPTIONS),
    "State": ("", "OptionSet($select=Options)"),
    "Status": ("", "OptionSet($select=Options)"),
    "Lookup": ("Targets", ""),
}
_KINDS: Mapping[str, Kind] = {
    "String": Kind.TEXT,
    "Memo": Kind.MEMO,
    "Integer": Kind.INTEGER,
    "BigInt": Kind.INTEGER,
    "Decimal": Kind.DECIMAL,
    "Double": Kind.DECIMAL,
    "Money": Kind.MONEY,
    "Boolean": Kind.BOOLEAN,
    "DateTime": Kind.DATETIME,
    "Picklist": Kind.CHOICE,
    "State": Kind.STATE,
    "Status": Kind.STATUS,
    "Lookup": Kind.LOOKUP,
    "Customer": Kind.CUSTOMER,
    "Owner": Kind.OWNER,
    "Uniqueidentifier": Kind.GUID,
}
_FORMATS: Mapping[str, Kind] = {"Email": Kind.EMAIL, "Phone": Kind.PHONE, "Url": Kind.URL}
_LEVELS: Mapping[str, Required] = {
    "None": Required.NONE,
    "Recommended": Required.RECOMMENDED,
    "ApplicationRequired": Required.APPLICATION,
    "SystemRequired": Required.SYSTEM,
}
_BEHAVIOURS: Mapping[str, DateBehaviour] = {
    "UserLocal": DateBehaviour.USER_LOCAL,
    "DateOnly": DateBehaviour.DATE_ONLY,
    "TimeZoneIndependent": DateBehaviour.ZONE_INDEPENDENT,
}
_CALCULATED = frozenset({1, 2, 3})  # SourceType: calculated, rollup, formula


@dataclass(frozen=True, slots=True)
class Organisation:
    """What columns depend on: the base language and how many decimals money has (None: unknown)."""

    language: int
    pricing_precision: int | None = None
    currency_precision: int | None = None


def attributes(table: Table, *, with_source: bool) -> Request:
    """All columns; ``SourceType`` tells calculated ones, but not every server offers it."""
    select = f"{_COMMON},SourceType" if with_source else _COMMON
    return definition(query(f"{_definition(table)}/Attributes", select=select, filter=_OWN))


def cast(table: Table, type_name: str) -> Request:
    """The own properties of all columns of one type."""
    select, expand = CASTS[type_name]
    path = f"{_definition(table)}/Attributes/Microsoft.Dynamics.CRM.{type_name}AttributeMetadata"
    wanted = ",".join(filter(None, ("LogicalName", select)))
    return definition(query(path, select=wanted, filter=_OWN, expand=expand))


def table_facts(table: Table) -> Request:
    select = "LogicalName,EntitySetName,ChangeTrackingEnabled,IsOptimisticConcurrencyEnabled"
    return definition(query(_definition(table), select=select))


def _definition(table: Table) -> str:
    return f"EntityDefinitions(LogicalName='{table}')"


def needs_precision(money: Iterable[Row]) -> bool:
    """Whether some money column takes its decimals from the organisation or the currency."""
    return any(_number(row.get("PrecisionSource")) in (1, 2) for row in money)


def schema(table: Table, rows: Iterable[Row], details: Mapping[str, Row], organisation: Organisation) -> Schema:
    """``details`` holds each column's row of its cast, by column name."""
    columns = (_column(table, row, details.get(str(row.get("LogicalName")), {}), organisation) for row in rows)
    return Schema(table, {column.name: column for column in columns if column is not None})


def _column(table: Table, row: Row, detail: Row, organisation: Organisation) -> Column | None:
    kind = _kind(row, detail)
    name = row.get("LogicalName")
    if kind is None or not isinstance(name, str) or not name:
        return None
    behaviour = _BEHAVIOURS.get(str(_value(detail.get("DateTimeBehavior"))))
    if kind is Kind.DATETIME and behaviour is DateBehaviour.DATE_ONLY:
        kind = Kind.DATE
    return Column(
        Side.DYNAMICS,
        table,
        name,
        label=_label(row.get("DisplayName"), organisation.language) or name,
        kind=kind,
        readable=row.get("IsValidForRead") is not False,
        creatable=row.get("IsValidForCreate") is True,
        updatable=row.get("IsValidForUpdate") is True,
        required=_LEVELS.get(str(_value(row.get("RequiredLevel"))), Required.NONE),
        max_length=_number(detail.get("MaxLength")),
        minimum=_decimal(detail.get("MinValue")),
        maximum=_decimal(detail.get("MaxValue")),
        precision=_precision(detail, organisation),
        options=_options(detail, organisation.language),
        behaviour=behaviour,
        shows_date_only=kind is Kind.DATETIME and detail.get("Format") == "DateOnly",
        targets=tuple(str(target) for target in detail.get("Targets") or ()),
        computed=_is_computed(name, row, detail),
        custom=row.get("IsCustomAttribute") is True,
    )


def _kind(row: Row, detail: Row) -> Kind | None:
    """None for what is no column of its own: name companions, images, files, party lists."""
    if row.get("AttributeOf"):
        return None
    type_name = row.get("AttributeType")
    if type_name == "Virtual":
        is_multiple = _value(row.get("AttributeTypeName")) == "MultiSelectPicklistType"
        return Kind.MULTICHOICE if is_multiple else None
    if type_name == "String":
        return _FORMATS.get(str(_value(detail.get("FormatName"))), Kind.TEXT)
    return _KINDS.get(str(type_name))


def _is_computed(name: str, row: Row, detail: Row) -> bool:
    if row.get("SourceType") in _CALCULATED or detail.get("CalculationOf"):
        return True
    writable = row.get("IsValidForCreate") is True or row.get("IsValidForUpdate") is True
    return not writable and (name.endswith(("_base", "_composite")) or row.get("IsPrimaryName") is True)


def _precision(detail: Row, organisation: Organisation) -> int | None:
    source = _number(detail.get("PrecisionSource"))
    own = _number(detail.get("Precision"))
    if source == 1 and organisation.pricing_precision is not None:
        return organisation.pricing_precision
    if source == 2 and organisation.currency_precision is not None:
        return organisation.currency_precision
    return own


def _options(detail: Row, language: int) -> tuple[Option, ...]:
    local, shared = detail.get("OptionSet") or {}, detail.get("GlobalOptionSet") or {}
    if "TrueOption" in local:
        listed = [local.get("FalseOption"), local.get("TrueOption")]
    else:
        listed = local.get("Options") or shared.get("Options") or []
    found = ((_number(option.get("Value")), option) for option in listed if isinstance(option, Mapping))
    return tuple(Option(value, _label(option.get("Label"), language)) for value, option in found if value is not None)


def _label(label: Any, language: int) -> str:
    """The text in the base language; a label never translated has only the one it was made in."""
    if not isinstance(label, Mapping):
        return ""
    for entry in label.get("LocalizedLabels") or ():
        if entry.get("LanguageCode") == language:
            return str(entry.get("Label") or "")
    return str((label.get("UserLocalizedLabel") or {}).get("Label") or "")


def _value(managed: Any) -> Any:
    return managed.get("Value") if isinstance(managed, Mapping) else managed


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _decimal(value: Any) -> Decimal | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


Ask = Callable[[Request], list[dict[str, Any]]]


def read(ask: Ask, table: Table, rows: Iterable[Row], organisation: Callable[[bool], Organisation]) -> Schema:
    """Asks for every cast that has columns, then builds the schema.

    ``organisation`` is called with whether money decimals are needed; they cost two more calls.
    """
    listed = list(rows)
    present = {_cast_of(row) for row in listed}
    details: dict[str, Row] = {}
    for type_name in CASTS:
        if type_name in present:
            details |= {str(row.get("LogicalName")): row for row in ask(cast(table, type_name))}
    return schema(table, listed, details, organisation(needs_precision(details.values())))


def _cast_of(row: Row) -> str:
    type_name = str(row.get("AttributeType"))
    if type_name in ("Customer", "Owner"):
        return "Lookup"
    if type_name == "Virtual":
        return str(_value(row.get("AttributeTypeName"))).removesuffix("Type")
    return type_name
