"""What a table over there consists of: columns with their type and the rules each side publishes about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from syncadmin.engine.records import Side, Table


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
