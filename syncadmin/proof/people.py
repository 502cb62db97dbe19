"""The fields a simulation keeps in step, what may stand in them, and when two values are the same in plain words.

Knows nothing of the engine's comparable forms: the oracle has its own idea of equality.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

SOURCES = {1: "Advertisement", 4: "Partner", 7: "Trade Show", 8: "Web", 9: "Word of Mouth"}
STATES = {
    "lead": {0: "Open", 1: "Qualified", 2: "Disqualified"},
    "contact": {0: "Active", 1: "Inactive"},
}
FILTER = "new_synctomkto"
TAG = ("middlename", "middleName")


class Form(StrEnum):
    TEXT = "text"
    MAIL = "mail"
    FLAG = "flag"
    MONEY = "money"
    CHOICE = "choice"
    STATE = "state"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Field:
    """A column, the field it is paired with, and who may write the two by hand. ``tables``: where the column is."""

    column: str
    field: str
    form: Form
    tables: tuple[str, ...] = ("lead", "contact")
    edited: bool = True


FIELDS = (
    Field("firstname", "firstName", Form.TEXT),
    Field(*TAG, Form.TEXT, edited=False),
    Field("lastname", "lastName", Form.TEXT),
    Field("emailaddress1", "email", Form.MAIL),
    Field("jobtitle", "title", Form.TEXT),
    Field("telephone1", "phone", Form.TEXT),
    Field("description", "mktoPersonNotes", Form.TEXT),
    Field("donotphone", "doNotCall", Form.FLAG),
    Field("donotbulkemail", "unsubscribed", Form.FLAG),
    Field("companyname", "company", Form.TEXT, ("lead",)),
    Field("revenue", "annualRevenue", Form.MONEY, ("lead",)),
    Field("leadsourcecode", "leadSource", Form.CHOICE, ("lead",)),
    Field("statecode", "leadStatus", Form.STATE, edited=False),
)
BY_COLUMN = {field.column: field for field in FIELDS}
BY_FIELD = {field.field: field for field in FIELDS}
EDITED = tuple(field for field in FIELDS if field.edited)
TEXTS = tuple(field for field in FIELDS if field.form is Form.TEXT and field.edited and field.column != "lastname")


def value(field: Field, side: str, draw: int, number: int) -> Any:
    """A raw value for one side. Mostly one that occurs nowhere else; sometimes empty, shared or oddly spelt."""
    match field.form:
        case Form.FLAG:
            return draw % 2 == 1
        case Form.MONEY:
            return None if draw % 7 == 0 else f"{number * 1000 + draw % 100}.50"
        case Form.CHOICE:
            key = sorted(SOURCES)[draw % len(SOURCES)]
            return None if draw % 7 == 0 else key if side == "dynamics" else SOURCES[key]
        case Form.MAIL:
            return _mail(draw, number)
    if draw % 8 == 0:
        return None
    if draw % 8 == 1:
        return f"Shared {draw % 3}"
    if draw % 8 == 2:
        return f"  Odd {number} " if side == "dynamics" else f"Odd {number}"
    return f"{field.column[:4]} {side[0]}{number}"


def _mail(draw: int, number: int) -> str | None:
    if draw % 9 == 0:
        return None
    if draw % 9 == 1:
        return f"shared{draw % 3}@sim.example"
    return f"Mail{number}@Sim.example" if draw % 9 == 2 else f"mail{number}@sim.example"


def plain(field: Field, side: str, table: str, raw: Any) -> Any:
    """What a value means, the same on both sides."""
    if field.form is Form.FLAG:
        return raw is True or str(raw).casefold() == "true"
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return None
    match field.form:
        case Form.MAIL:
            return str(raw).strip().casefold()
        case Form.MONEY:
            return _amount(raw)
        case Form.CHOICE:
            return (SOURCES.get(raw, str(raw)) if side == "dynamics" else str(raw).strip()).casefold()
        case Form.STATE:
            return (STATES[table].get(raw, str(raw)) if side == "dynamics" else str(raw).strip()).casefold()
    return str(raw).replace("\r\n", "\n").replace("\r", "\n").strip()


def _amount(raw: Any) -> Any:
    try:
        return Decimal(str(raw)).quantize(Decimal("0.01"))
    except InvalidOperation:
        return str(raw)
