"""The JSON body of a write, decimals exact and lookups as binds; or the reason it cannot be built."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from syncadmin.connectors.dynamics.names import LOOKUPS, TARGET_SETS, is_guid
from syncadmin.engine.failures import Cause
from syncadmin.engine.records import Raw
from syncadmin.engine.schema import Column, Kind, Schema

_DECIMALS = frozenset({Kind.DECIMAL, Kind.MONEY})


class Unbuildable(Exception):
    """A value that no request can carry."""

    def __init__(self, cause: Cause, column: str, message: str) -> None:
        super().__init__(message)
        self.cause, self.column, self.message = cause, column, message


def body(values: Mapping[str, Raw], schema: Schema, extra: Mapping[str, str] | None = None) -> bytes:
    """The body of one row; ``extra`` are properties that are no columns (type, key). Raises ``Unbuildable``."""
    properties: dict[str, Any] = dict(extra or {})
    for name, value in values.items():
        column = schema.columns.get(name)
        if column is None:
            raise Unbuildable(Cause.COLUMN_MISSING, name, f"Dynamics has no column {name}.")
        key, written = _property(column, value)
        properties[key] = _encoded(name, written)
    return orjson.dumps(properties)


def targets(bodies: list[bytes]) -> bytes:
    """The body of a bulk message."""
    return orjson.dumps({"Targets": [orjson.Fragment(row) for row in bodies]})


def _property(column: Column, value: Raw) -> tuple[str, Any]:
    if column.kind in LOOKUPS:
        return _bind(column, value)
    if isinstance(value, dict):
        raise Unbuildable(Cause.WRONG_TYPE, column.name, f"{column.name} is no lookup.")
    if column.kind in _DECIMALS and isinstance(value, str):
        return column.name, _number(column.name, value)
    return column.name, value


def _encoded(name: str, value: Any) -> orjson.Fragment:
    if isinstance(value, orjson.Fragment):
        return value
    try:
        return orjson.Fragment(orjson.dumps(value))
    except (orjson.JSONEncodeError, RecursionError) as error:
        raise Unbuildable(
            Cause.ILLEGAL_CHARACTERS, name, f"The value of {name} cannot be written as JSON: {error}."
        ) from error


def _number(name: str, text: str) -> orjson.Fragment:
    # A float would round what Dynamics stores exactly.
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise Unbuildable(Cause.WRONG_TYPE, name, f"The value of {name} is not a number.")
    return orjson.Fragment(format(number, "f"))


def _bind(column: Column, value: Raw) -> tuple[str, Any]:
    """The bind of a lookup. Navigation names are the logical names but for columns with several target tables."""
    if value is None:
        table = column.targets[0] if column.kind is Kind.CUSTOMER and column.targets else ""
        return f"{_navigation(column, table)}@odata.bind", None
    id, table = (value.get("id") or "", value.get("table") or "") if isinstance(value, dict) else ("", "")
    entity_set = TARGET_SETS.get(table)
    if entity_set is None or not is_guid(id):
        raise Unbuildable(Cause.WRONG_TYPE, column.name, f"{column.name} needs the id and table of a record.")
    return f"{_navigation(column, table)}@odata.bind", f"/{entity_set}({id.strip('{}').lower()})"


def _navigation(column: Column, table: str) -> str:
    return f"{column.name}_{table}" if column.kind is Kind.CUSTOMER else column.name
