"""A row as a caller writes it, read into stored values column by column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import errors
from .address import follow
from .schema import LOOKUPS, Column, Table
from .state import Row, State
from .values import guid, parse

_BIND = "@odata.bind"


@dataclass(slots=True)
class Changes:
    """`values`: stored values by column (None empties). `singles`/`many`: rows to be created along, by navigation."""

    values: Row = field(default_factory=dict)
    singles: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    many: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)


def read(state: State, table: Table, body: Mapping[str, Any], creating: bool, references: Mapping[str, str]) -> Changes:
    """Columns that may not be written are ignored, as the API does; unknown names are a 400."""
    changes = Changes()
    for name, raw in body.items():
        if name.endswith(_BIND):
            _bind(state, table, name.removesuffix(_BIND), raw, changes, references)
        elif "@" not in name:
            _plain(state, table, name, raw, creating, changes)
    return changes


def _plain(state: State, table: Table, name: str, raw: Any, creating: bool, changes: Changes) -> None:
    column = table.columns.get(name)
    if column is not None and column.type not in LOOKUPS:
        _column(table, column, raw, creating, changes)
    elif name in table.by_navigation and (raw is None or isinstance(raw, dict)):
        _navigation(table, name, raw, creating, changes)
    elif name in state.schema.collections(table.name) and isinstance(raw, list) and creating:
        changes.many[name] = raw
    else:
        raise errors.unknown_property(table.set, table.name, name)


def _column(table: Table, column: Column, raw: Any, creating: bool, changes: Changes) -> None:
    if ("c" if creating else "u") not in column.ops:
        return
    if raw is None and column.level == "SystemRequired":
        raise errors.required_null(column.name, table.name)
    if raw is None and column.type == "Boolean":
        # A two-option column with a default has no third state: null means the default again.
        changes.values[column.name] = table.defaults.get(column.name)
        return
    changes.values[column.name] = parse(column, raw, table)


def _navigation(table: Table, name: str, raw: Mapping[str, Any] | None, creating: bool, changes: Changes) -> None:
    if raw is None:
        _point(table, name, None, None, changes)
    elif creating:
        changes.singles[name] = raw
    else:
        raise errors.payload(
            table.set, "Microsoft.OData.ODataException: A deep insert is available when a row is created only."
        )


def _bind(state: State, table: Table, name: str, raw: Any, changes: Changes, references: Mapping[str, str]) -> None:
    if name not in table.by_navigation:
        raise errors.undeclared(table.set, name)
    if raw is None:
        _point(table, name, None, None, changes)
        return
    if not isinstance(raw, str):
        raise errors.wrong_type(table.set, str(raw), "Edm.String")
    target, id = follow(state, raw, references)
    if target.name not in table.by_navigation[name][1]:
        raise errors.payload(
            table.set,
            f"Microsoft.OData.ODataException: The entity set '{target.set}' does not match the type of '{name}'.",
        )
    _point(table, name, target.name, id, changes)


def _point(table: Table, navigation: str, target: str | None, id: str | None, changes: Changes) -> None:
    column = table.by_navigation[navigation][0]
    if column.level == "SystemRequired" and id is None:
        raise errors.required_null(column.name, table.name)
    changes.values[column.name] = id
    changes.values[f"{column.name}@type"] = target


def told(state: State, table: Table, values: Mapping[str, Any], creating: bool) -> Changes:
    """What a person or a test writes: as `read`, but a lookup column may simply hold the other row's id."""
    plain = {}
    for name, raw in values.items():
        column = table.columns.get(name)
        if column is None or column.type not in LOOKUPS:
            plain[name] = raw
            continue
        target = raw and next((each for each in column.targets if state.get(each, str(raw).lower())), None)
        if raw and target is None:
            raise errors.absent(next(iter(column.targets)), str(raw))
        navigation = column.targets[target] if target else next(filter(None, column.targets.values()), None)
        if navigation is None:
            raise errors.undeclared(table.set, name)
        plain[f"{navigation}{_BIND}"] = f"/{state.schema.tables[target].set}({guid(raw)})" if target else None
    return read(state, table, plain, creating, {})
