"""What a value of each data type may look like: on the way in, at rest and in an activity's text."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from .answers import moment, stamp

TEXT_BYTES = 30_000
_WHOLE = re.compile(r"[+-]?\d+\Z")
# Marketo checks little more than the @; outer blanks stay as they came.
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\Z")
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}
# 32-bit signed, as the field type table says.
_WHOLE_RANGE = range(-(2**31), 2**31)


class BadValue(ValueError):
    """The value does not fit the field."""


def coerce(kind: str, length: int | None, value: Any, *, ascii_email: bool = True) -> Any:
    """The value as stored; None for an empty one (a boolean is never empty: false). Raises BadValue.

    Imports and screens take e-mail addresses beyond ASCII, the API does not: `ascii_email`.
    """
    if value is None or value == "":
        return False if kind == "boolean" else None
    if kind in ("integer", "score", "percent"):
        return _whole(value)
    if kind in ("float", "currency"):
        return _number(value)
    if kind == "boolean":
        return _truth(value)
    if kind == "date":
        return _date(value)
    if kind == "datetime":
        return _datetime(value)
    text = _text(length if kind != "text" else None, value)
    # Text areas are bounded in bytes, all other text in characters.
    if kind == "text" and len(text.encode("utf-8", "replace")) > TEXT_BYTES:
        raise BadValue
    if kind == "email" and not (_EMAIL.match(text.strip()) and (text.isascii() or not ascii_email)):
        raise BadValue
    return text


def _whole(value: Any) -> int:
    if isinstance(value, bool):
        raise BadValue
    # JSON has one number type: 14.0 is whole, 14.1 is refused and not rounded.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and _WHOLE.match(value.strip()):
        value = int(value)
    if not isinstance(value, int) or value not in _WHOLE_RANGE:
        raise BadValue
    return value


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise BadValue
    try:
        found = Decimal(str(value).strip())
    except InvalidOperation:
        raise BadValue from None
    if not found.is_finite():
        raise BadValue
    # Whole amounts read back without a decimal point, as recorded answers show them.
    return int(found) if found == found.to_integral_value() and abs(found) < 2**53 else float(found)


def _truth(value: Any) -> bool:
    if isinstance(value, bool | int | str):
        found = _TRUTHS.get(str(value).strip().lower())
        if found is not None:
            return found
    raise BadValue


def _date(value: Any) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except (ValueError, TypeError):
        raise BadValue from None


def _datetime(value: Any) -> str:
    if not isinstance(value, str):
        raise BadValue
    try:
        return stamp(moment(value))
    except ValueError:
        raise BadValue from None


def _text(length: int | None, value: Any) -> str:
    if not isinstance(value, str | int | float):
        raise BadValue
    # Numbers are stringified by the vendor, booleans in lower case.
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if length is not None and len(text) > length:
        raise BadValue
    return text


def spoken(value: Any, words: tuple[str, str] = ("false", "true")) -> str | None:
    """The value as an activity prints it: text, or None when empty."""
    if value is None:
        return None
    if isinstance(value, bool):
        return words[value]
    return str(value)


def key(value: Any) -> str:
    """Under which two values are the same to a look-up: case and outer blanks do not count."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value).strip().casefold()
