"""Whether a field pair can work at all: judged before it is saved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC

from syncadmin.engine.fields import Bound, Direction, FieldPair, travels
from syncadmin.engine.records import Side, Table
from syncadmin.engine.schema import Column, Kind, Schema

_TEXTS = frozenset({Kind.TEXT, Kind.MEMO, Kind.EMAIL, Kind.PHONE, Kind.URL})
_NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.MONEY})
_DATES = frozenset({Kind.DATE, Kind.DATETIME})
# Marketo's kinds that can hold a Dynamics kind; text holds everything.
_HOLDS: Mapping[Kind, frozenset[Kind]] = {
    Kind.BOOLEAN: frozenset({Kind.BOOLEAN}),
    **dict.fromkeys(_NUMBERS, _NUMBERS),
    **dict.fromkeys(_DATES, _DATES),
    **dict.fromkeys(_TEXTS, _NUMBERS),
}


def faults(pairs: Iterable[FieldPair], known: Mapping[Table, Schema]) -> dict[str, str]:
    """Why pairs cannot work, by key; empty if all of them can."""
    found: dict[str, str] = {}
    taken: set[tuple[Table, Side, str]] = set()
    for pair in pairs:
        ends = {(pair.table, Side.DYNAMICS, pair.dynamics), (pair.table, Side.MARKETO, pair.marketo)}
        reason = "Its column or field is in another pair of the same table." if ends & taken else _fault(pair, known)
        if reason:
            found[pair.key] = reason
        taken |= ends
    return found


def _fault(pair: FieldPair, known: Mapping[Table, Schema]) -> str:
    if pair.table.side is not Side.DYNAMICS:
        return "A pair belongs to leads or to contacts."
    column, field = known[pair.table].columns.get(pair.dynamics), known[Table.PERSON].columns.get(pair.marketo)
    if column is None or not column.readable:
        return f"Dynamics has no readable column {pair.dynamics}."
    if field is None or not field.readable:
        return f"Marketo has no readable field {pair.marketo}."
    if field.company_class and pair.table is Table.CONTACT:
        return f"{pair.marketo} belongs to the company in Marketo: it can be paired for leads only."
    return _type_fault(column, field) or _direction_fault(pair, column, field)


def _type_fault(column: Column, field: Column) -> str:
    if field.kind in _TEXTS or field.kind in _HOLDS.get(column.kind, frozenset()):
        return ""
    return f"{column.name} is {column.kind}, {field.name} is {field.kind}: neither can hold the other's values."


def _direction_fault(pair: FieldPair, column: Column, field: Column) -> str:
    # The zone plays no part in where values may travel.
    writable = travels(Bound(pair, column, field, UTC))
    if writable:
        return ""
    if pair.direction is Direction.TO_DYNAMICS:
        return f"Dynamics does not let {column.name} be written."
    return f"Marketo does not let {field.name} be written."
