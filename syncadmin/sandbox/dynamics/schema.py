"""Tables, columns and relationships of the organisation: the shipped ones and what was changed since."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from syncadmin.sandbox.storage import Store

_SHIPPED = Path(__file__).with_name("columns.json")
LOOKUPS = frozenset({"Lookup", "Customer", "Owner"})
CHOICES = frozenset({"Picklist", "State", "Status"})
TEXTS = frozenset({"String", "Memo"})
_EDM = {
    "String": "Edm.String",
    "Memo": "Edm.String",
    "MultiSelectPicklist": "Edm.String",
    "Integer": "Edm.Int32",
    "Picklist": "Edm.Int32",
    "State": "Edm.Int32",
    "Status": "Edm.Int32",
    "BigInt": "Edm.Int64",
    "Decimal": "Edm.Decimal",
    "Money": "Edm.Decimal",
    "Double": "Edm.Double",
    "Boolean": "Edm.Boolean",
    "Uniqueidentifier": "Edm.Guid",
}


@dataclass(frozen=True, slots=True)
class Option:
    """`extra`: the state of a status, the default status of a state."""

    value: int
    label: str
    extra: int | None = None


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    schema: str
    type: str
    label: str
    ops: str = "cru"
    level: str = "None"
    format: str | None = None
    length: int | None = None
    min: float | None = None
    max: float | None = None
    precision: int | None = None
    source: int | None = None
    default: Any = None
    behavior: str | None = None
    options: tuple[Option, ...] = ()
    targets: Mapping[str, str | None] = field(default_factory=dict)
    custom: bool = False
    shared: bool = False

    @property
    def edm(self) -> str:
        if self.type == "DateTime":
            return "Edm.Date" if self.behavior == "DateOnly" else "Edm.DateTimeOffset"
        return _EDM.get(self.type, "Edm.Guid")

    @property
    def wire(self) -> str:
        """The property's name in rows, $select and $filter."""
        return f"_{self.name}_value" if self.type in LOOKUPS else self.name

    def option(self, value: Any) -> Option | None:
        return next((option for option in self.options if option.value == value), None)

    @classmethod
    def read(cls, name: str, facts: Mapping[str, Any]) -> Column:
        options = tuple(Option(*option) for option in facts.get("options", ()))
        rest = {key: value for key, value in facts.items() if key != "options"}
        custom = rest.pop("custom", "_" in name and name.split("_")[0] in ("new", "nvk", "mkt"))
        return cls(name=name, options=options, custom=custom, **rest)


@dataclass(frozen=True, slots=True)
class Key:
    name: str
    schema: str
    label: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Relationship:
    """Many rows of `source` point with `column` at one row of `target`; `name` is the collection over there."""

    name: str
    source: str
    column: str
    target: str
    navigation: str


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    schema: str
    set: str
    code: int
    id: str
    title: str
    label: str
    labels: str
    ownership: str
    tracked: bool
    concurrency: bool
    duplicates: bool
    messages: frozenset[str]
    columns: Mapping[str, Column]
    keys: Mapping[str, Key]
    by_wire: Mapping[str, Column]
    by_navigation: Mapping[str, tuple[Column, tuple[str, ...]]]
    defaults: Mapping[str, Any]
    required: tuple[str, ...]

    def has(self, column: str) -> bool:
        return column in self.columns


def _table(name: str, facts: Mapping[str, Any]) -> Table:
    # An own column wears its publisher's prefix; that is how `custom` is told.
    columns = {key: Column.read(key, value) for key, value in facts["columns"].items()}
    keys = {
        key: Key(key, value["schema"], value["label"], tuple(value["columns"]))
        for key, value in facts.get("keys", {}).items()
    }
    plain = {key: facts[key] for key in ("schema", "set", "code", "id", "label", "labels", "ownership", "tracked")}
    flags = {key: facts[key] for key in ("concurrency", "duplicates")}
    messages = frozenset(facts["messages"])
    empty: dict[str, Any] = {"columns": {}, "by_wire": {}, "by_navigation": {}, "defaults": {}, "required": ()}
    return with_columns(
        Table(name=name, title=facts["name"], messages=messages, keys=keys, **empty, **plain, **flags), columns
    )


def with_columns(table: Table, columns: Mapping[str, Column]) -> Table:
    """The table with these columns and the look-ups that follow from them."""
    navigation: dict[str, tuple[Column, tuple[str, ...]]] = {}
    for column in columns.values():
        for target, name in column.targets.items():
            if name:
                known = navigation.get(name, (column, ()))[1]
                navigation[name] = (column, (*known, target))
    return replace(
        table,
        columns=dict(columns),
        by_wire={column.wire: column for column in columns.values()},
        by_navigation=navigation,
        defaults={column.name: _default(column) for column in columns.values() if column.default is not None},
        required=tuple(each.name for each in columns.values() if each.level == "SystemRequired" and "c" in each.ops),
    )


def _default(column: Column) -> Any:
    return bool(column.default) if column.type == "Boolean" else column.default


@cache
def shipped() -> tuple[dict[str, Table], dict[tuple[str, str, str], str]]:
    """The tables of the package's data file and the collection names that are known."""
    facts = json.loads(_SHIPPED.read_text(encoding="utf-8"))
    names = {(each["from"], each["column"], each["to"]): each["name"] for each in facts["relationships"]}
    return {name: _table(name, each) for name, each in facts["tables"].items()}, names


@cache
def metadata_id(*parts: str) -> str:
    """A MetadataId that is the same in every sandbox and at every start."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "/".join(parts)))


class Schema:
    """The organisation's tables now. Changes are kept in the store's table `schema`."""

    def __init__(self, store: Store) -> None:
        tables, self._names = shipped()
        self.tables = dict(tables)
        self.sets = {table.set: table for table in tables.values()}
        self._kept = store.table("schema")
        self.version: int = self._kept.get("version", 1)
        self._collections: dict[str, dict[str, Relationship]] = {}
        for change in self._kept.get("changes", []):
            self._apply(change)

    def _apply(self, change: Mapping[str, Any]) -> None:
        table = self.tables[change["entity"]]
        match change["do"]:
            case "put":
                column = Column.read(change["column"], change["facts"])
                table = with_columns(table, {**table.columns, column.name: column})
            case "remove":
                rest = {name: column for name, column in table.columns.items() if name != change["column"]}
                table = with_columns(table, rest)
            case "key":
                key = Key(change["key"], change["schema"], change["label"], tuple(change["columns"]))
                table = replace(table, keys={**table.keys, key.name: key})
            case "tracked":
                table = replace(table, tracked=change["value"])
            case "messages":
                table = replace(table, messages=frozenset(change["value"]))
            case other:
                raise ValueError(f"no such schema change: {other}")
        self.tables[table.name] = self.sets[table.set] = table
        self._collections.clear()

    def change(self, **change: Any) -> None:
        """Apply and keep one change: put, remove, key, tracked or messages (see `_apply`)."""
        self._apply(change)
        self._kept["changes"] = [*self._kept.get("changes", []), change]
        self.version += 1
        self._kept["version"] = self.version

    def relationships(self) -> Iterable[Relationship]:
        for table in self.tables.values():
            for column in table.columns.values():
                for target, navigation in column.targets.items():
                    if navigation:
                        known = self._names.get((table.name, column.name, target))
                        name = known or f"{target}_{table.name}_{column.name}"
                        yield Relationship(name, table.name, column.name, target, navigation)

    def collections(self, entity: str) -> dict[str, Relationship]:
        """The one-to-many navigation properties of a table by name."""
        if entity not in self._collections:
            self._collections[entity] = {each.name: each for each in self.relationships() if each.target == entity}
        return self._collections[entity]
