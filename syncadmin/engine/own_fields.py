"""The three facts about a Dynamics record that Marketo keeps for us, as one-way pairs of synthetic columns.

They run through the same merge as every other pair; the record's values carry them under their ``@`` names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo

from syncadmin.engine.mapping import Bound, Direction, FieldPair, pair_key
from syncadmin.engine.records import Raw, Ref, Side, Table
from syncadmin.engine.schema import Column, Kind, Schema

# No Dynamics column can be called so: logical names begin with a letter.
GUID, TYPE, DELETED = "@guid", "@type", "@deleted"

_KINDS: Mapping[str, tuple[str, Kind]] = {
    GUID: ("Dynamics Person GUID", Kind.GUID),
    TYPE: ("Dynamics Person Type", Kind.TEXT),
    DELETED: ("Dynamics is Deleted", Kind.BOOLEAN),
}


@dataclass(frozen=True, slots=True)
class OwnNames:
    """What our fields are called in Marketo."""

    guid: str = "dynPersonGuid"
    type: str = "dynPersonType"
    deleted: str = "dynDeleted"


def own_values(ref: Ref, *, deleted: bool = False) -> dict[str, Raw]:
    """The synthetic values of a Dynamics record."""
    return {GUID: ref.id, TYPE: ref.table.title(), DELETED: deleted}


def own_columns(table: Table) -> dict[str, Column]:
    return {
        name: Column(Side.DYNAMICS, table, name, label, kind, creatable=False, updatable=False, computed=True)
        for name, (label, kind) in _KINDS.items()
    }


def own_pairs(table: Table, names: OwnNames) -> list[FieldPair]:
    """The pairs, one-way to Marketo, whatever the table."""
    fields = ((GUID, names.guid), (TYPE, names.type), (DELETED, names.deleted))
    return [
        FieldPair(pair_key(table, column, field), table, column, field, direction=Direction.TO_MARKETO)
        for column, field in fields
    ]


def own_bounds(table: Table, names: OwnNames, people: Schema, zone: tzinfo) -> list[Bound]:
    """The pairs bound to the synthetic columns, as far as Marketo has the fields by now."""
    columns = own_columns(table)
    return [
        Bound(pair, columns[pair.dynamics], people.columns[pair.marketo], zone)
        for pair in own_pairs(table, names)
        if pair.marketo in people.columns
    ]
