"""What joins two columns: the field pair with its rules, and the pair bound to the columns it joins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum

from syncadmin.engine.causes import Cause
from syncadmin.engine.records import Comparable, Raw, Side, Table
from syncadmin.engine.schema import Column, Problem


class Direction(StrEnum):
    """Where changes of a field pair may travel."""

    BOTH = "both"
    TO_MARKETO = "to_marketo"
    TO_DYNAMICS = "to_dynamics"


class Winner(StrEnum):
    """Who wins a collision. TABLE: Marketo for a lead, Dynamics for a contact. ASK: a person decides each time."""

    TABLE = "table"
    DYNAMICS = "dynamics"
    MARKETO = "marketo"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class FieldPair:
    """A Dynamics column and a Marketo field kept in step, for one table.

    ``options`` maps Dynamics option values (decimal text) to Marketo texts; empty means by label. Several texts for one
    option stand on a line each, the one that is sent first. ``default`` is a template used on a create in Dynamics
    only. A ``paused`` pair, which says why, is left alone.
    """

    key: str
    table: Table
    dynamics: str
    marketo: str
    direction: Direction = Direction.BOTH
    winner: Winner = Winner.TABLE
    blanks_travel: bool = True
    shorten: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    consent: bool = False
    default: str = ""
    paused: str = ""


def pair_key(table: Table, dynamics: str, marketo: str) -> str:
    """The stable name of a pair."""
    return f"{table}.{dynamics}:{marketo}"


@dataclass(frozen=True, slots=True)
class Bound:
    """A pair with the two columns it joins and the organisation's time zone."""

    pair: FieldPair
    column: Column
    field: Column
    zone: tzinfo

    def target(self, side: Side) -> Column:
        return self.column if side is Side.DYNAMICS else self.field


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is sent to a side, and the comparable form that side will read back (differs if rounded or cut)."""

    raw: Raw
    comparable: Comparable


class Unconvertible(Exception):
    """A value has no counterpart on the other side; ``code`` is a cause, ``detail`` the value or limit at fault."""

    def __init__(self, code: Cause, detail: str = "", limit: str = "") -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.limit = limit

    def problem(self, column: str) -> Problem:
        return Problem(self.code, column, self.detail, self.limit)


class Invalid(Unconvertible):
    """A converted value breaks a rule that the receiving column publishes."""
