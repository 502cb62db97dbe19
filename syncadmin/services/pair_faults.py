"""Whether a field pair can work at all: judged before it is saved, and told as a code with facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from enum import StrEnum

from django.utils.translation import gettext, gettext_noop

from syncadmin.engine.defaults import fill
from syncadmin.engine.fields import Bound, Direction, FieldPair, travels
from syncadmin.engine.fit import unmatched
from syncadmin.engine.records import Side, Table
from syncadmin.engine.schema import Column, Kind, Schema

_TEXTS = frozenset({Kind.TEXT, Kind.MEMO, Kind.EMAIL, Kind.PHONE, Kind.URL})
_NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.MONEY})
_DATES = frozenset({Kind.DATE, Kind.DATETIME})
_CHOICES = frozenset({Kind.CHOICE, Kind.STATE, Kind.STATUS})
# Marketo's kinds that can hold a Dynamics kind; text holds everything. A choice needs an option map for these.
_HOLDS: Mapping[Kind, frozenset[Kind]] = {
    Kind.BOOLEAN: frozenset({Kind.BOOLEAN}),
    **dict.fromkeys(_NUMBERS, _NUMBERS),
    **dict.fromkeys(_DATES, _DATES),
    **dict.fromkeys(_TEXTS, _NUMBERS),
    **dict.fromkeys(_CHOICES, _NUMBERS | {Kind.BOOLEAN}),
}


class FaultCode(StrEnum):
    TAKEN = "taken"
    TABLE = "table"
    COLUMN = "column"
    FIELD = "field"
    COMPANY = "company"
    TYPES = "types"
    READ_ONLY_DYNAMICS = "read_only_dynamics"
    READ_ONLY_MARKETO = "read_only_marketo"
    OPTIONS = "options"
    DEFAULT = "default"
    OWN = "own"


# At which part of a pair's form the sentence belongs.
AT: Mapping[FaultCode, str] = {
    FaultCode.READ_ONLY_DYNAMICS: "direction",
    FaultCode.READ_ONLY_MARKETO: "direction",
    FaultCode.OPTIONS: "options",
    FaultCode.DEFAULT: "default",
}

SENTENCES: Mapping[FaultCode, str] = {
    FaultCode.TAKEN: gettext_noop("Its column or field is in another pair of the same table."),
    FaultCode.TABLE: gettext_noop("A pair belongs to leads or to contacts."),
    FaultCode.COLUMN: gettext_noop("Dynamics has no readable column {column}."),
    FaultCode.FIELD: gettext_noop("Marketo has no readable field {field}."),
    FaultCode.COMPANY: gettext_noop("{field} belongs to the company in Marketo: it can be paired for leads only."),
    FaultCode.TYPES: gettext_noop(
        "{column} is {column_kind}, {field} is {field_kind}: neither can hold the other's values."
    ),
    FaultCode.READ_ONLY_DYNAMICS: gettext_noop("Dynamics does not let {column} be written."),
    FaultCode.READ_ONLY_MARKETO: gettext_noop("Marketo does not let {field} be written."),
    FaultCode.OPTIONS: gettext_noop(
        "{field} is {field_kind}: give each option of {column} a value it can hold. Still without one: {options}."
    ),
    FaultCode.DEFAULT: gettext_noop(
        "The default may name {first name}, {last name}, {company} and {email} in braces, and nothing else."
    ),
    FaultCode.OWN: gettext_noop("{field} is kept by the sync itself."),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a pair cannot work; ``facts`` fill the sentence."""

    code: FaultCode
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def at(self) -> str:
        """The part of the form to mend: marketo, direction, options or default."""
        return AT.get(self.code, "marketo")

    def __str__(self) -> str:
        text = gettext(SENTENCES[self.code])
        # This one shows the braces that a default may hold.
        return text if self.code is FaultCode.DEFAULT else text.format_map(self.facts)


def faults(pairs: Iterable[FieldPair], known: Mapping[Table, Schema], own: Iterable[str] = ()) -> dict[str, Fault]:
    """Why pairs cannot work, by key; empty if all of them can. ``own`` are the names of our own fields in Marketo.

    A paused pair is left as it is: it waits for its column, and nobody has to take it out for that.
    """
    found: dict[str, Fault] = {}
    taken: set[tuple[Table, Side, str]] = set()
    ours = frozenset(own)
    for pair in pairs:
        ends = {(pair.table, Side.DYNAMICS, pair.dynamics), (pair.table, Side.MARKETO, pair.marketo)}
        reason = Fault(FaultCode.TAKEN) if ends & taken else None if pair.paused else fault(pair, known, ours)
        if reason:
            found[pair.key] = reason
        taken |= ends
    return found


def fault(pair: FieldPair, known: Mapping[Table, Schema], own: frozenset[str] = frozenset()) -> Fault | None:
    """Why this pair cannot work, whatever the other pairs are."""
    if pair.table.side is not Side.DYNAMICS:
        return Fault(FaultCode.TABLE)
    column, target = known[pair.table].columns.get(pair.dynamics), known[Table.PERSON].columns.get(pair.marketo)
    names = {"column": pair.dynamics, "field": pair.marketo}
    if column is None or not column.readable:
        return Fault(FaultCode.COLUMN, names)
    if target is None or not target.readable:
        return Fault(FaultCode.FIELD, names)
    if pair.marketo in own:
        return Fault(FaultCode.OWN, names)
    if target.company_class and pair.table is Table.CONTACT:
        return Fault(FaultCode.COMPANY, names)
    # The zone plays no part in where values may travel, nor in which option is which.
    bound = Bound(pair, column, target, UTC)
    return _type_fault(bound, names) or _direction_fault(bound, names) or _option_fault(bound, names) or _bad(pair)


def _type_fault(bound: Bound, names: Mapping[str, str]) -> Fault | None:
    column, target = bound.column, bound.field
    if target.kind in _TEXTS or target.kind in _HOLDS.get(column.kind, frozenset()):
        return None
    return Fault(FaultCode.TYPES, _kinds(column, target, names))


def _kinds(column: Column, target: Column, names: Mapping[str, str]) -> dict[str, str]:
    return {**names, "column_kind": str(column.kind), "field_kind": str(target.kind)}


def _direction_fault(bound: Bound, names: Mapping[str, str]) -> Fault | None:
    if travels(bound):
        return None
    to_dynamics = bound.pair.direction is Direction.TO_DYNAMICS
    return Fault(FaultCode.READ_ONLY_DYNAMICS if to_dynamics else FaultCode.READ_ONLY_MARKETO, names)


def _option_fault(bound: Bound, names: Mapping[str, str]) -> Fault | None:
    """A text takes any option by its label; for anything else a map has to say what stands for what."""
    if bound.column.kind not in _CHOICES or bound.field.kind in _TEXTS:
        return None
    lost = [option.label for option in unmatched(bound)]
    if not lost:
        return None
    return Fault(FaultCode.OPTIONS, {**_kinds(bound.column, bound.field, names), "options": ", ".join(lost[:10])})


def _bad(pair: FieldPair) -> Fault | None:
    try:
        fill(pair.default, {})
    except ValueError:
        return Fault(FaultCode.DEFAULT)
    return None
