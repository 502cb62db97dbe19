"""The words both sides are translated into: side, table, reference, record and its raw values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# What a connector hands over, and what is stored in a mirror: plain JSON.
# Decimal, double, money and float values are decimal *strings* ("5000000.0000"), never binary floats.
# A Dynamics lookup, owner or customer is {"id": guid, "table": logical name, "name": display name} or None.
Lookup = dict[str, str | None]
Raw = str | int | bool | None | Lookup
Values = Mapping[str, Raw]

# A value in comparable form (engine/fields.py): equal means equal, on either side.
Comparable = str | bool | None


class Side(StrEnum):
    """One of the two systems that are kept in step."""

    DYNAMICS = "dynamics"
    MARKETO = "marketo"

    @property
    def other(self) -> Side:
        return Side.MARKETO if self is Side.DYNAMICS else Side.DYNAMICS


class Table(StrEnum):
    """A kind of record over there."""

    LEAD = "lead"
    CONTACT = "contact"
    PERSON = "person"

    @property
    def side(self) -> Side:
        return Side.MARKETO if self is Table.PERSON else Side.DYNAMICS


class Lane(StrEnum):
    """What goes first: live changes, then retries, then the initial read and back-fills."""

    LIVE = "live"
    RETRY = "retry"
    BACKFILL = "backfill"


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """Names one record: its table and its id (a lower-case GUID, or a Marketo person id in decimal)."""

    table: Table
    id: str

    @property
    def side(self) -> Side:
        return self.table.side


@dataclass(frozen=True, slots=True)
class Record:
    """One record as a read answered it.

    ``values`` holds the columns that the answer *contained*; a column that is missing there is unknown, not empty.
    ``version`` is the Dynamics ETag, empty for Marketo.
    """

    ref: Ref
    values: Values
    version: str = ""
    modified_at: datetime | None = None
