"""Rows on their way out: the JSON of selected columns with the annotations that were asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from .schema import LOOKUPS, Column, Table
from .state import Row, State
from .values import unstamp
from .wire import number

FORMATTED = "OData.Community.Display.V1.FormattedValue"
LOGICAL_NAME = "Microsoft.Dynamics.CRM.lookuplogicalname"
NAVIGATION = "Microsoft.Dynamics.CRM.associatednavigationproperty"
TOTAL = "Microsoft.Dynamics.CRM.totalrecordcount"
TOTAL_EXCEEDED = "Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"
METADATA_VERSION = "Microsoft.Dynamics.CRM.globalmetadataversion"
# Formatted moments are in the calling user's zone and locale; ours lives one hour east of Greenwich.
_USER_ZONE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Annotations:
    """Which annotations a request wants: `*`, a prefix with `*`, or names; `-` before one takes it out."""

    wanted: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> Annotations:
        return cls(tuple(part.strip() for part in text.split(",") if part.strip()))

    def __contains__(self, name: str) -> bool:
        found = False
        for pattern in self.wanted:
            if _covers(pattern.lstrip("-"), name):
                found = not pattern.startswith("-")
        return found


def _covers(pattern: str, name: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def etag(row: Row) -> str:
    return f'W/"{row["versionnumber"]}"'


class Renderer:
    """Turns rows of one table into JSON objects; made once per request."""

    def __init__(
        self,
        state: State,
        table: Table,
        columns: Iterable[Column] | None,
        annotations: Annotations,
        hidden: frozenset[str] = frozenset(),
    ) -> None:
        self._state, self.table, self._hidden = state, table, hidden
        chosen = list(table.columns.values() if columns is None else columns)
        if all(column.name != table.id for column in chosen):
            chosen.append(table.columns[table.id])
        currency = table.columns.get("transactioncurrencyid")
        # An amount says nothing without its currency, so the server adds it unasked.
        if currency and currency not in chosen and any(column.type == "Money" for column in chosen):
            chosen.append(currency)
        self._formatted = FORMATTED in annotations
        self._logical = LOGICAL_NAME in annotations
        self._navigation = NAVIGATION in annotations
        self._plan = [(column, column.wire, _WRITERS.get(column.type)) for column in chosen]

    def row(self, row: Row) -> dict[str, Any]:
        shown: dict[str, Any] = {"@odata.etag": etag(row)}
        annotated = self._formatted or self._logical or self._navigation
        for column, name, write in self._plan:
            value = row.get(column.name)
            if value is None or column.name in self._hidden or "r" not in column.ops:
                shown[name] = None
                continue
            if annotated:
                self._annotate(shown, column, name, value, row)
            shown[name] = value if write is None else write(value)
        return shown

    def _annotate(self, shown: dict[str, Any], column: Column, name: str, value: Any, row: Row) -> None:
        target = row.get(f"{column.name}@type") or next(iter(column.targets), None)
        if self._formatted:
            text = self.formatted(column, value, target)
            if text is not None:
                shown[f"{name}@{FORMATTED}"] = text
        if target and column.type in LOOKUPS:
            navigation = column.targets.get(target)
            if self._navigation and navigation:
                shown[f"{name}@{NAVIGATION}"] = navigation
            if self._logical:
                shown[f"{name}@{LOGICAL_NAME}"] = target

    def formatted(self, column: Column, value: Any, target: str | None) -> str | None:
        """The text a form would show, or None where a column has none."""
        if column.type in LOOKUPS:
            return self._state.title(target, value) if target else None
        write = _FORMATS.get(column.type)
        return None if write is None else write(column, value)


def _label(column: Column, value: Any) -> str | None:
    option = column.option(int(value))
    return option.label if option else None


def _labels(column: Column, value: str) -> str:
    return "; ".join(filter(None, (_label(column, part) for part in value.split(","))))


def _moment(column: Column, value: str) -> str:
    when = unstamp(value)
    if column.behavior == "UserLocal":
        when += _USER_ZONE
    text = f"{when.month}/{when.day}/{when.year}"
    if column.format == "DateOnly":
        return text
    return f"{text} {when.hour % 12 or 12}:{when.minute:02} {'AM' if when.hour < 12 else 'PM'}"


_FORMATS: dict[str, Callable[[Column, Any], str | None]] = {
    "Picklist": _label,
    "State": _label,
    "Status": _label,
    "Boolean": _label,
    "MultiSelectPicklist": _labels,
    "DateTime": _moment,
    "Integer": lambda column, value: f"{value:,}",
    "BigInt": lambda column, value: f"{value:,}",
    "Double": lambda column, value: f"{value:,.{column.precision or 0}f}",
    "Decimal": lambda column, value: f"{Decimal(value):,}",
    "Money": lambda column, value: f"€{Decimal(value):,.2f}",
}
_WRITERS: dict[str, Callable[[Any], Any]] = {"Money": number, "Decimal": number}
