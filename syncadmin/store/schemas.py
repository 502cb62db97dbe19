"""The last metadata read of each table: the engine's columns as JSON, with what differs from the default only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from syncadmin.engine.records import Side, Table
from syncadmin.engine.schema import Column, DateBehaviour, Kind, Option, Required, Schema
from syncadmin.store import staging
from syncadmin.store.models import TableSchema
from syncadmin.store.text import storable

_READ: Mapping[str, Callable[[Any], Any]] = {
    "side": Side,
    "table": Table,
    "kind": Kind,
    "required": Required,
    "behaviour": DateBehaviour,
    "minimum": Decimal,
    "maximum": Decimal,
    "options": lambda rows: tuple(Option(value, label) for value, label in rows),
    "targets": tuple,
}


def load(table: Table) -> Schema | None:
    """What the table consists of, as last read; None if it never was."""
    row = TableSchema.objects.filter(table=table).first()
    if row is None:
        return None
    columns = (_column(stored) for stored in row.columns)
    return Schema(table, {column.name: column for column in columns})


def current() -> dict[Table, Schema]:
    """All tables whose metadata was read, parsed anew only when it differs. Shared: nobody may change it."""
    digests = staging.query('SELECT "table", digest FROM store_tableschema')
    return {Table(table): of_digest(Table(table), digest) for table, digest in digests}


@lru_cache(maxsize=8)
def of_digest(table: Table, digest: str) -> Schema:
    """The table as it is stored under this digest, parsed once. Shared: nobody may change it."""
    # Some hundred columns take longer to parse than a page may take to answer.
    return load(table) or Schema(table)


def read_times() -> dict[Table, datetime]:
    """When each table's metadata was read; those never read are missing."""
    return {Table(table): at for table, at in staging.query('SELECT "table", read_at FROM store_tableschema')}


def read_at(table: Table) -> datetime | None:
    return TableSchema.objects.filter(table=table).values_list("read_at", flat=True).first()


def save(schema: Schema, now: datetime) -> bool:
    """Stores what was read and says whether it differs from what was known."""
    columns = storable([_stored(column) for _, column in sorted(schema.columns.items())])
    digest = hashlib.md5(json.dumps(columns, sort_keys=True).encode(), usedforsecurity=False).hexdigest()
    before = TableSchema.objects.filter(table=schema.table).values_list("digest", flat=True).first()
    TableSchema.objects.update_or_create(
        table=schema.table, defaults={"columns": columns, "digest": digest, "read_at": now}
    )
    return before != digest


def _stored(column: Column) -> dict[str, Any]:
    pairs = ((spec, getattr(column, spec.name)) for spec in fields(Column))
    return {spec.name: _plain(value) for spec, value in pairs if spec.default is MISSING or value != spec.default}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, tuple):
        return [[item.value, item.label] if isinstance(item, Option) else item for item in value]
    return value


def _column(stored: Mapping[str, Any]) -> Column:
    # What a later version stored and this one does not know is left out.
    known = {spec.name for spec in fields(Column)} & stored.keys()
    return Column(**{name: _READ[name](stored[name]) if name in _READ else stored[name] for name in known})
