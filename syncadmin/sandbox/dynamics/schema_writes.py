"""Changes of the schema: new columns and keys, change tracking switched on, columns removed or retyped."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from . import errors
from .schema import Key, Table, metadata_id
from .values import unstamp
from .wire import Answer, Request, Segment
from .write import Writer

_TYPES = (
    "String", "Memo", "Integer", "Decimal", "Double", "Money", "Boolean", "DateTime", "Picklist", "MultiSelectPicklist",
)  # fmt: skip
# An index over a new key is built in the background.
_INDEX_TIME = timedelta(seconds=5)


class SchemaWrites:
    def __init__(self, writer: Writer) -> None:
        self._writer, self._state, self._settings = writer, writer.state, writer.settings
        self._born = self._state.store.table("keys")

    def answer(self, request: Request, table: Table | None, rest: list[Segment]) -> Answer:
        if table is None:
            raise errors.not_implemented("Creating a table")
        name = rest[0].name if rest else ""
        if request.method == "POST" and name == "Attributes":
            return self._create_column(request, table)
        if request.method == "POST" and name == "Keys":
            return self._create_key(request, table)
        if request.method == "DELETE" and name == "Attributes" and rest[0].key:
            self.remove_column(table.name, _column_meant(table, rest[0].key))
            return Answer(204)
        if request.method in ("PUT", "PATCH") and not rest:
            return self._switch(request, table)
        raise errors.not_implemented(f"{request.method} of metadata")

    def _switch(self, request: Request, table: Table) -> Answer:
        wanted = request.json("EntityDefinitions").get("ChangeTrackingEnabled", table.tracked)
        if table.tracked and not wanted:
            raise errors.ApiError(400, "0x80040203", "Change tracking cannot be switched off once it is on.")
        self._state.schema.change(do="tracked", entity=table.name, value=bool(wanted))
        return Answer(204)

    def _create_column(self, request: Request, table: Table) -> Answer:
        body = request.json("Attributes")
        kind = str(body.get("@odata.type", "")).rpartition(".")[2].removesuffix("AttributeMetadata")
        schema = body.get("SchemaName")
        if kind not in _TYPES or not isinstance(schema, str) or "_" not in schema:
            raise errors.payload(
                "Attributes", "Microsoft.OData.ODataException: The column's type or SchemaName is missing or wrong."
            )
        if schema.lower() in table.columns:
            raise errors.ApiError(400, "0x80044363", f"An attribute with the specified name {schema} already exists.")
        self.add_column(table.name, schema.lower(), _facts(kind, schema, body))
        link = f"{request.root}EntityDefinitions({metadata_id('table', table.name)})/Attributes({metadata_id('column', table.name, schema.lower())})"
        return Answer(204, headers={"Location": link, "OData-EntityId": link})

    def add_column(self, entity: str, name: str, facts: dict[str, Any]) -> None:
        """Add or replace a column; `facts` as in columns.json. Tracked reads of the table start anew."""
        self._state.schema.change(do="put", entity=entity, column=name, facts={"custom": True, **facts})
        self._touch(entity)

    def remove_column(self, entity: str, name: str) -> None:
        column = self._state.schema.tables[entity].columns.get(name)
        if column is None:
            raise errors.ApiError(404, "0x80060888", f"Could not find an attribute '{name}' of '{entity}'.")
        self._state.schema.change(do="remove", entity=entity, column=name)
        rows = self._state.rows(entity)
        for id, row in list(rows.items()):
            if name in row:
                rows[id] = {key: value for key, value in row.items() if key not in (name, f"{name}@type")}
        self._touch(entity)

    def _touch(self, entity: str) -> None:
        if self._settings["schema_expires_delta"]:
            self._settings["delta_floor"] = {**self._settings["delta_floor"], entity: self._state.next_version()}

    def _create_key(self, request: Request, table: Table) -> Answer:
        body = request.json("Keys")
        columns, schema = body.get("KeyAttributes"), body.get("SchemaName")
        if (
            not isinstance(columns, list)
            or not isinstance(schema, str)
            or not all(name in table.columns for name in columns)
        ):
            raise errors.payload(
                "Keys", "Microsoft.OData.ODataException: SchemaName or KeyAttributes is missing or wrong."
            )
        if len(table.keys) >= 10 or not 1 <= len(columns) <= 16:
            raise errors.ApiError(400, "0x80060889", "A table has at most 10 keys, a key at most 16 columns.")
        labels = (body.get("DisplayName") or {}).get("LocalizedLabels") or [{}]
        text = labels[0].get("Label", schema)
        self._state.schema.change(
            do="key", entity=table.name, key=schema.lower(), schema=schema, label=text, columns=columns
        )
        self._born[f"{table.name}/{schema.lower()}"] = self._state.now()
        link = f"{request.root}EntityDefinitions({metadata_id('table', table.name)})/Keys({metadata_id('key', table.name, schema.lower())})"
        return Answer(204, headers={"Location": link, "OData-EntityId": link})

    def key_status(self, table: Table, key: Key) -> str:
        """Pending and InProgress while the index is built; Failed if rows already share a value."""
        born = self._born.get(f"{table.name}/{key.name}")
        if born is None:
            return "Active"
        age = self._state.clock() - unstamp(born)
        if age < _INDEX_TIME:
            return "Pending" if age < _INDEX_TIME / 2 else "InProgress"
        seen: set[tuple[Any, ...]] = set()
        for row in self._state.rows(table.name).values():
            values = tuple(row.get(name) for name in key.columns)
            if None not in values and values in seen:
                return "Failed"
            seen.add(values)
        return "Active"


def _column_meant(table: Table, key: str) -> str:
    """The column a key names: `LogicalName='x'`, or its MetadataId."""
    ids = {metadata_id("column", table.name, name): name for name in table.columns}
    return ids.get(key.strip().lower().removeprefix("metadataid="), key.partition("'")[2].rstrip("'"))


def _facts(kind: str, schema: str, body: dict[str, Any]) -> dict[str, Any]:
    labels = (body.get("DisplayName") or {}).get("LocalizedLabels") or [{}]
    facts: dict[str, Any] = {"schema": schema, "type": kind, "label": labels[0].get("Label", schema)}
    level = (body.get("RequiredLevel") or {}).get("Value", "None")
    if level == "SystemRequired":
        raise errors.ApiError(400, "0x80040203", "A custom column cannot be SystemRequired.")
    facts["level"] = level
    shape = (body.get("FormatName") or {}).get("Value") or body.get("Format")
    named = {
        "length": "MaxLength",
        "min": "MinValue",
        "max": "MaxValue",
        "precision": "Precision",
        "source": "PrecisionSource",
    }
    facts |= {ours: body[theirs] for ours, theirs in named.items() if theirs in body}
    if kind in ("String", "Memo"):
        facts.setdefault("length", 100 if kind == "String" else 2000)
        facts["format"] = shape or "Text"
    if kind == "DateTime":
        facts |= {
            "format": shape or "DateAndTime",
            "behavior": (body.get("DateTimeBehavior") or {}).get("Value", "UserLocal"),
        }
    options = body.get("OptionSet") or {}
    listed = options.get("Options") or [
        each for each in (options.get("FalseOption"), options.get("TrueOption")) if each
    ]
    if listed:
        facts["options"] = [[each["Value"], _text(each.get("Label"))] for each in listed]
    elif kind == "Boolean":
        facts["options"] = [[0, "No"], [1, "Yes"]]
    return facts


def _text(label: Any) -> str:
    labels = (label or {}).get("LocalizedLabels") or [{}]
    return str(labels[0].get("Label", ""))
