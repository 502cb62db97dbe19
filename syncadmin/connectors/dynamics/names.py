"""Names of Dataverse: entity sets, keys, lookup properties and GUIDs."""

from __future__ import annotations

import re
from collections.abc import Mapping

from syncadmin.engine.records import Table
from syncadmin.engine.schema import Kind

ENTITY_SETS: Mapping[Table, str] = {Table.LEAD: "leads", Table.CONTACT: "contacts"}
# Sets a lookup may be bound to.
TARGET_SETS: Mapping[str, str] = {
    "systemuser": "systemusers",
    "team": "teams",
    "account": "accounts",
    "contact": "contacts",
    "lead": "leads",
    "transactioncurrency": "transactioncurrencies",
}
LOOKUPS = frozenset({Kind.LOOKUP, Kind.OWNER, Kind.CUSTOMER})
_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def key_of(table: Table) -> str:
    return f"{table}id"


def guid(text: str) -> str:
    """A GUID in the form Dataverse answers: lower case, no braces. Raises ValueError."""
    plain = text.strip().strip("{}").lower()
    if not _GUID.fullmatch(plain):
        raise ValueError(f"not a GUID: {text[:60]!r}")
    return plain


def is_guid(text: str) -> bool:
    return _GUID.fullmatch(text.strip().strip("{}").lower()) is not None


def first_guid(text: str) -> str:
    """The first GUID in a text (an entity id address, a message), or nothing."""
    found = _GUID.search(text.lower())
    return found.group() if found else ""


def property_of(name: str, kind: Kind) -> str:
    """The JSON property a column is read from: lookups stand under ``_x_value``."""
    return f"_{name}_value" if kind in LOOKUPS else name
