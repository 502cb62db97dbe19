"""Text of every kind, numbers and truth values: to comparable form and back."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from syncadmin.engine.causes import Cause
from syncadmin.engine.mapping import Unconvertible
from syncadmin.engine.records import Raw, Side
from syncadmin.engine.schema import Column, Kind, utf16_length

_YES = frozenset({"true", "1", "yes"})
_NO = frozenset({"false", "0", "no"})
# What a float or money column may hold at most, here and there; more digits are an attack, not an amount.
_MOST_DIGITS = 40
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?")


def wrong_type(raw: object) -> Unconvertible:
    return Unconvertible(Cause.WRONG_TYPE, str(raw)[:80])


def text(raw: Raw) -> str | None:
    """Trimmed, line ends unified, ``""`` is empty. Numbers become their text.

    A truth value is of another type: a field that has just become a checkbox says *false* of everybody.
    """
    if isinstance(raw, str):
        return (raw if "\r" not in raw else raw.replace("\r\n", "\n").replace("\r", "\n")).strip() or None
    if raw is None:
        return None
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise wrong_type(raw)
    return str(raw)


def folded(raw: Raw) -> str | None:
    value = text(raw)
    return None if value is None else value.casefold()


def guid(raw: Raw) -> str | None:
    value = folded(raw)
    return value.strip("{}") or None if value else None


def name(raw: Raw) -> str | None:
    """A lookup's display name; Marketo holds the same as plain text."""
    if not isinstance(raw, dict):
        return text(raw)
    shown = raw.get("name")
    # The name comes from an annotation of the same read; without it nothing is known about the value.
    if raw.get("id") and not shown:
        raise Unconvertible(Cause.MALFORMED_ANSWER, str(raw.get("id")))
    return text(shown)


def truth(raw: Raw) -> str | bool | None:
    """True or False in any of the spellings in use; other text stays text, and fails when it has to travel."""
    if isinstance(raw, bool):
        return raw
    value = folded(raw)
    if value is None:
        return None
    return True if value in _YES else False if value in _NO else value


def parse_number(value: str) -> Decimal | None:
    """The number a text spells, or None. Neither NaN nor infinity counts as one."""
    if len(value) > _MOST_DIGITS or not _NUMBER.fullmatch(value):
        return None
    return Decimal(value)


def number(raw: Raw, places: int | None) -> str | None:
    """Plain decimal text without trailing zeros, rounded to ``places`` if given; other text stays text."""
    if isinstance(raw, bool):
        raise wrong_type(raw)
    value = text(raw)
    if value is None:
        return None
    parsed = parse_number(value)
    return value if parsed is None else plain(rounded(parsed, places))


def rounded(value: Decimal, places: int | None) -> Decimal:
    if places is None:
        return value
    try:
        return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    except InvalidOperation:  # more digits than a decimal context holds: no column takes it, the range check says so
        return value


def plain(value: Decimal) -> str:
    shown = format(value, "f")
    shown = shown.rstrip("0").rstrip(".") if "." in shown else shown
    # A tiny negative amount rounds to minus nothing.
    return "0" if shown in ("-0", "") else shown


def to_number(column: Column, value: str, *, shorten: bool) -> Raw:
    """The raw number for an integer, decimal or money column; rounds to a whole number only where allowed."""
    parsed = parse_number(value)
    if parsed is None:
        raise wrong_type(value)
    if column.kind is not Kind.INTEGER:
        return plain(rounded(parsed, column.precision))
    # Marketo refuses 14.1 in an integer; rounding unasked would change what somebody typed.
    whole = rounded(parsed, 0)
    if whole != parsed and not shorten:
        raise wrong_type(value)
    return int(whole)


def shortened(column: Column, value: str) -> str:
    """The longest beginning of the text that fits the column, never ending inside a character or in a blank."""
    if column.max_length is not None:
        value = value[: column.max_length]
        # Dynamics counts UTF-16 units, so a text of emoji is longer there than it looks here.
        while column.side is Side.DYNAMICS and utf16_length(value) > column.max_length:
            value = value[:-1]
    if column.max_bytes is not None:
        value = value.encode(errors="surrogatepass")[: column.max_bytes].decode(errors="ignore")
    return value.rstrip()
