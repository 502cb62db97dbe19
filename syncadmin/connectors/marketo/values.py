"""Single values between Marketo's JSON or CSV and our raw form: no digit is lost, nothing is guessed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from syncadmin.engine.records import Raw
from syncadmin.engine.schema import Column, Kind

Columns = Mapping[str, Column]

# Read as text and sent as number literals, so that no binary float stands in between.
_EXACT = frozenset({Kind.DECIMAL, Kind.MONEY})
# Of all others a text is the value.
_READ = _EXACT | {Kind.INTEGER}
_WORDS = {"true": True, "1": True, "false": False, "0": False}


class Unsendable(ValueError):
    """A value that JSON or Marketo's type of the field cannot carry. ``column`` and ``cause`` go into the outcome."""

    def __init__(self, column: str, cause: str, message: str) -> None:
        super().__init__(message)
        self.column, self.cause, self.message = column, cause, message


def kind_of(columns: Columns, name: str) -> Kind | None:
    column = columns.get(name)
    return column.kind if column else None


def from_json(value: Any, kind: Kind | None) -> Raw:
    """A value of an answer whose fractions were read as text. Decimals become plain decimal text."""
    if value is None or isinstance(value, bool) or (isinstance(value, str) and kind not in _READ):
        return value
    # No field a sync could use has such a value, but a custom view may contain one.
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if kind in _EXACT:
        return _plain(str(value)) or str(value)
    if isinstance(value, str) and kind is Kind.INTEGER:
        return _whole(value)
    return value if isinstance(value, int) else str(value)


def from_csv(text: str, kind: Kind | None) -> Raw:
    """A value of an extract; ``null`` and nothing are empty. What does not fit the type stays text."""
    if text in ("", "null"):
        return None
    if kind is Kind.BOOLEAN:
        return _WORDS.get(text.strip().lower(), text)
    if kind is Kind.INTEGER:
        return _whole(text)
    return (_plain(text) or text) if kind in _EXACT else text


def row(values: Mapping[str, Raw], columns: Columns) -> bytes:
    """One record as a JSON object in UTF-8. Raises ``Unsendable``."""
    sent = {name: _to_json(name, value, kind_of(columns, name)) for name, value in values.items()}
    try:
        return orjson.dumps(sent)
    except orjson.JSONEncodeError as error:
        bad = next((name for name, value in sent.items() if _is_broken(value)), "")
        if bad:
            raise Unsendable(
                bad, "illegal_characters", "The text holds half a character (a lone surrogate)."
            ) from error
        raise Unsendable("", "wrong_type", f"The record cannot be sent as JSON: {error}") from error


def whole(value: Any) -> int | None:
    """A number that may have come as text, or None if it is none. Ids and counts have at most 18 digits."""
    if isinstance(value, int):
        return None if isinstance(value, bool) else value
    text = value.strip() if isinstance(value, str) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def instant(text: Any) -> datetime | None:
    """A time in any of Marketo's four spellings, or None if it is none of them."""
    if not isinstance(text, str):
        return None
    spelled = text.strip()
    for ending in ("Z+0000", "+0000"):  # assets and older accounts
        spelled = spelled.removesuffix(ending) + "Z" if spelled.endswith(ending) else spelled
    try:
        read = datetime.fromisoformat(spelled)
    except ValueError:
        return None
    # A time without a zone could mean the account's or UTC: rather none than a wrong one.
    return read if read.tzinfo else None


def _to_json(name: str, value: Raw, kind: Kind | None) -> Any:
    if isinstance(value, dict):
        raise Unsendable(name, "wrong_type", "A lookup cannot be stored in a Marketo field.")
    if kind in _EXACT and isinstance(value, str) and value.strip():
        plain = _plain(value)
        if plain is None:
            raise Unsendable(name, "wrong_type", f"{value!r} is not a number.")
        return orjson.Fragment(plain.encode())
    return value


def _plain(text: str) -> str | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    # A huge exponent would be written out in full, digit by digit.
    return format(number, "f") if number.is_finite() and abs(number.adjusted()) < 400 else None


def _whole(text: str) -> Raw:
    plain = _plain(text)
    if plain is None or Decimal(plain) != int(Decimal(plain)):
        return text
    return int(Decimal(plain))


def _is_broken(value: Any) -> bool:
    return isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value)
