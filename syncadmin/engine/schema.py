"""What a table over there consists of: columns with their type and the rules each side publishes about them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TYPE_CHECKING

from syncadmin.engine.causes import Cause
from syncadmin.engine.records import Raw, Side, Table, Values

if TYPE_CHECKING:
    from syncadmin.engine.mapping import FieldPair


class Kind(StrEnum):
    """The types of both sides, reduced to what conversion and validation tell apart."""

    TEXT = "text"
    MEMO = "memo"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"
    INTEGER = "integer"
    DECIMAL = "decimal"
    MONEY = "money"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    CHOICE = "choice"
    MULTICHOICE = "multichoice"
    STATE = "state"
    STATUS = "status"
    LOOKUP = "lookup"
    OWNER = "owner"
    CUSTOMER = "customer"
    GUID = "guid"
    OTHER = "other"


class Required(StrEnum):
    """Dynamics' requirement levels; its API enforces SYSTEM only, we enforce APPLICATION too."""

    NONE = "none"
    RECOMMENDED = "recommended"
    APPLICATION = "application"
    SYSTEM = "system"


class DateBehaviour(StrEnum):
    """How Dynamics treats a date and time column."""

    USER_LOCAL = "user_local"
    DATE_ONLY = "date_only"
    ZONE_INDEPENDENT = "zone_independent"


@dataclass(frozen=True, slots=True)
class Option:
    """One value of a choice with its label in the organisation's base language."""

    value: int
    label: str


@dataclass(frozen=True, slots=True)
class Column:
    """One Dynamics column or one Marketo field.

    ``max_length`` counts UTF-16 units (Dynamics) or characters (Marketo); ``max_bytes`` counts UTF-8 bytes
    (Marketo text areas: 30,000). ``shows_date_only`` is Dynamics' display format DateOnly on a DateTime column.
    ``company_class`` and ``crm_managed`` are Marketo's; ``computed`` covers calculated, rollup and composite columns.
    """

    side: Side
    table: Table
    name: str
    label: str
    kind: Kind
    readable: bool = True
    creatable: bool = True
    updatable: bool = True
    required: Required = Required.NONE
    max_length: int | None = None
    max_bytes: int | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    precision: int | None = None
    options: tuple[Option, ...] = ()
    behaviour: DateBehaviour | None = None
    shows_date_only: bool = False
    targets: tuple[str, ...] = ()
    computed: bool = False
    searchable: bool = False
    company_class: bool = False
    crm_managed: bool = False
    custom: bool = False


@dataclass(frozen=True, slots=True)
class Schema:
    """All columns of one table by name."""

    table: Table
    columns: Mapping[str, Column] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """A rule that a value breaks. ``detail`` fills {value} and {message} of the cause's text, ``limit`` fills {limit}."""

    code: Cause
    column: str
    detail: str = ""
    limit: str = ""


# Required levels that the API leaves to forms are enforced here all the same.
MANDATORY = frozenset({Required.APPLICATION, Required.SYSTEM})
# Dynamics fills these itself on a create, whatever their level.
SELF_FILLED = frozenset({Kind.GUID, Kind.OWNER, Kind.STATE, Kind.STATUS, Kind.BOOLEAN})
_TEXTUAL = frozenset({Kind.TEXT, Kind.MEMO, Kind.EMAIL, Kind.PHONE, Kind.URL, Kind.OTHER})
_NUMERIC = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.MONEY})
_CHOICES = frozenset({Kind.CHOICE, Kind.MULTICHOICE, Kind.STATE, Kind.STATUS})
_ADDRESS = re.compile(r"[^\s@<>,;]+@[^\s@<>,;.]+(\.[^\s@<>,;.]+)+")
# XML 1.0 cannot carry these, and Dynamics answers 0x80040278; lone surrogates cannot be encoded at all.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# Integers are 32-bit signed on both sides; Marketo's metadata does not say so.
_INT32 = 2**31
_ABSENCE = {"lastname": Cause.LAST_NAME_MISSING}


def utf16_length(text: str) -> int:
    """Length as Dynamics counts it: a character beyond the basic plane counts twice."""
    return len(text) + sum(1 for character in text if ord(character) > 0xFFFF)


def check(column: Column, raw: Raw, *, creating: bool) -> Problem | None:
    """The first published rule of the column that this value would break, or None."""
    # Dynamics ignores a write to such a column without a word, so silence would look like success.
    if not (column.creatable if creating else column.updatable):
        return Problem(Cause.READ_ONLY, column.name)
    if raw in (None, ""):
        return Problem(Cause.REQUIRED_EMPTY, column.name) if column.required in MANDATORY and not creating else None
    if column.kind in _TEXTUAL:
        return _check_text(column, raw)
    if column.kind in _NUMERIC:
        return _check_number(column, raw)
    return _check_options(column, str(raw)) if column.kind in _CHOICES else None


def _check_text(column: Column, raw: Raw) -> Problem | None:
    if not isinstance(raw, str):
        return Problem(Cause.WRONG_TYPE, column.name, str(raw))
    if _ILLEGAL.search(raw):
        return Problem(Cause.ILLEGAL_CHARACTERS, column.name)
    length = utf16_length(raw) if column.side is Side.DYNAMICS else len(raw)
    if column.max_length is not None and length > column.max_length:
        return Problem(Cause.TOO_LONG, column.name, raw[:80], str(column.max_length))
    if column.max_bytes is not None and len(raw.encode()) > column.max_bytes:
        return Problem(Cause.TOO_LONG, column.name, raw[:80], str(column.max_bytes))
    if column.kind is not Kind.EMAIL:
        return None
    if column.side is Side.MARKETO:
        return None if raw.isascii() else Problem(Cause.NON_ASCII_EMAIL, column.name, raw)
    return None if _ADDRESS.fullmatch(raw) else Problem(Cause.MALFORMED_EMAIL, column.name, raw)


def _check_number(column: Column, raw: Raw) -> Problem | None:
    try:
        number = Decimal(str(raw))
    except InvalidOperation:
        return Problem(Cause.WRONG_TYPE, column.name, str(raw))
    low, high = column.minimum, column.maximum
    if column.kind is Kind.INTEGER:
        low = Decimal(-_INT32) if low is None else low
        high = Decimal(_INT32 - 1) if high is None else high
    if (low is not None and number < low) or (high is not None and number > high):
        return Problem(Cause.OUT_OF_RANGE, column.name, str(raw), f"{low} to {high}")
    return None


def _check_options(column: Column, raw: str) -> Problem | None:
    known = {str(option.value) for option in column.options}
    fits = not known or known.issuperset(value.strip() for value in raw.split(","))
    return None if fits else Problem(Cause.UNKNOWN_OPTION, column.name, raw)


def missing(schema: Schema, values: Values, pairs: Iterable[FieldPair]) -> list[Problem]:
    """Required columns that a create with these raw values would leave empty; ``detail`` names the Marketo field."""
    sources = {pair.dynamics: pair.marketo for pair in pairs}
    return [
        Problem(_ABSENCE.get(column.name, Cause.REQUIRED_MISSING), column.name, sources.get(column.name, ""))
        for column in schema.columns.values()
        if column.required in MANDATORY and column.creatable and column.kind not in SELF_FILLED
        if values.get(column.name) in (None, "")
    ]
