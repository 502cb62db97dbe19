"""From what a URL or a bind says to the row it means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from . import errors
from .schema import Column, Table
from .state import State
from .values import guid, parse
from .wire import segments

# Alternate keys whose values hold one of these cannot be used in an address, encoded or not.
_BREAKING = frozenset("/<>*%&:\\?+")
_PAIR = re.compile(r"\s*([\w]+)\s*=\s*('(?:[^']|'')*'|[^,]*)\s*(?:,|$)")


def set_of(state: State, name: str) -> Table:
    """The table behind an entity set; the name is case-sensitive."""
    try:
        return state.schema.sets[name]
    except KeyError:
        raise errors.no_segment(name) from None


def key_values(table: Table, text: str) -> dict[str, Any]:
    """Alternate-key text as stored values by column; the names must be exactly one of the table's keys."""
    raw: dict[str, str] = {name: value for name, value in _PAIR.findall(text) if name}
    columns = {name: table.by_wire.get(name) for name in raw}
    names = {column.name for column in columns.values() if column}
    known = [set(key.columns) for key in table.keys.values()]
    if not raw or None in columns.values() or names not in known:
        raise errors.bad_key(table.name)
    if any(_BREAKING & set(value) for value in raw.values()):
        raise errors.invalid(f"The key value in '{text}' contains characters that cannot stand in a URL.")
    return {column.name: _literal(column, raw[name], table) for name, column in columns.items() if column}


def _literal(column: Column, text: str, table: Table) -> Any:
    text = text.strip()
    if text.startswith("'"):
        return parse(column, text[1:-1].replace("''", "'"), table)
    if column.type in ("String", "Memo"):
        raise errors.bad_key(table.name)
    return guid(text) if column.edm == "Edm.Guid" else parse(column, text, table)


def by_key(state: State, table: Table, values: Mapping[str, Any]) -> str | None:
    found = state.matching(table.name, tuple(values), tuple(values.values()))
    return found[0] if found else None


def named(table: Table, key: str) -> str | None:
    """The GUID a key text holds, bare or as `leadid=<guid>`; None if it is no primary key."""
    name, _, rest = key.partition("=")
    return guid(rest.strip()) if rest and name.strip() == table.id else guid(key.strip())


def existing(state: State, table: Table, key: str) -> str:
    """The id of the row a key text means; 404 if there is none, 400 if it is no key."""
    id = named(table, key)
    if id is not None:
        if state.get(table.name, id) is None:
            raise errors.absent(table.name, id)
        return id
    if "=" not in key:
        raise errors.bad_key(table.name)
    found = by_key(state, table, key_values(table, key))
    if found is None:
        raise errors.absent_by_key(table.name)
    return found


def follow(state: State, link: str, references: Mapping[str, str]) -> tuple[Table, str]:
    """The row that a bind or an @odata.id names: relative, absolute, by key, or `$1` of the same change set."""
    if link.startswith("$"):
        if link not in references:
            raise errors.unreadable(f"Content-ID Reference: '{link}' does not exist in the batch context.")
        link = references[link]
    # Binds may be absolute, relative with or without a slash, or start at the API root.
    path = re.sub(r"^https?://[^/]+", "", unquote(link))
    path = re.sub(r"^/?api/data/v9\.\d/", "", path)
    pieces = segments(path)
    if len(pieces) != 1 or pieces[0].key is None:
        raise errors.unreadable(f"The value '{link}' is not a valid reference to a record.")
    table = set_of(state, pieces[0].name)
    return table, existing(state, table, pieces[0].key)
