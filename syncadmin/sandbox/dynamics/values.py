"""Values on their way in: what the API takes for each column type, and the error it gives otherwise.

Stored form: text, int, bool, float (Double), text of a decimal (Decimal, Money), ISO text (DateTime), lower-case GUID.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from typing import Any

from . import errors
from .schema import Column, Table

# XML 1.0 allows tab, line feed and carriage return of the control characters; a lone surrogate is no character.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d)(:\d\d)?(?:\.\d{1,7})?(Z|[+-]\d\d:\d\d)?)?")
_EARLIEST = datetime(1753, 1, 1, tzinfo=UTC)
_RANGE_CODES = {"Integer": "0x8004432f"}


def parse(column: Column, raw: Any, table: Table) -> Any:
    """The stored form of what a caller sent; raises ApiError with the vendor's code."""
    if raw is None:
        return None
    return _READERS[column.type](column, raw, table)


def _shown(raw: Any) -> str:
    return str(raw).lower() if isinstance(raw, bool) else str(raw)


def _text(column: Column, raw: Any, table: Table) -> str | None:
    if not isinstance(raw, str):
        raise errors.wrong_type(table.set, _shown(raw), column.edm)
    if _ILLEGAL.search(raw):
        raise errors.illegal_text(column.name)
    # Lengths count UTF-16 units, so an emoji is two.
    units = len(raw) if raw.isascii() else len(raw.encode("utf-16-le")) // 2
    if column.length is not None and units > column.length:
        raise errors.too_long(column.name, table.name, column.length)
    return raw or None


def _whole(column: Column, raw: Any, table: Table) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int | str):
        raise errors.wrong_type(table.set, _shown(raw), column.edm)
    try:
        return int(raw)
    except ValueError:
        raise errors.wrong_type(table.set, raw if isinstance(raw, str) else str(raw), column.edm) from None


def _integer(column: Column, raw: Any, table: Table) -> int:
    number = _whole(column, raw, table)
    _check_range(column, number, table)
    return number


def _check_range(column: Column, number: Decimal | int, table: Table) -> None:
    low, high = column.min, column.max
    if (low is not None and number < low) or (high is not None and number > high):
        code = _RANGE_CODES.get(column.type, "0x80044330")
        raise errors.out_of_range(code, number, column.name, table.name)


def _number(column: Column, raw: Any, table: Table) -> Decimal:
    if isinstance(raw, bool) or not isinstance(raw, int | float | Decimal | str):
        raise errors.wrong_type(table.set, _shown(raw), column.edm)
    try:
        number = Decimal(str(raw))
    except InvalidOperation:
        raise errors.wrong_type(table.set, _shown(raw), column.edm) from None
    if not number.is_finite():
        raise errors.wrong_type(table.set, _shown(raw), column.edm)
    _check_range(column, number, table)
    return number.quantize(Decimal(1).scaleb(-(column.precision or 0)), ROUND_DOWN)


def _double(column: Column, raw: Any, table: Table) -> float:
    return float(_number(column, raw, table))


def _decimal(column: Column, raw: Any, table: Table) -> str:
    return str(_number(column, raw, table))


def _money(column: Column, raw: Any, table: Table) -> str:
    # Money always answers with four decimals, whatever the precision kept.
    return str(_number(column, raw, table).quantize(Decimal("0.0001")))


def _boolean(column: Column, raw: Any, table: Table) -> bool:
    if not isinstance(raw, bool):
        raise errors.wrong_type(table.set, _shown(raw), column.edm)
    return raw


def _choice(column: Column, raw: Any, table: Table) -> int:
    # Labels are never accepted, not even the right ones; they fail as "no number" above.
    number = _whole(column, raw, table)
    if column.option(number) is None:
        accepted = ",".join(str(option.value) for option in column.options)
        raise errors.out_of_range("0x8004431a", number, column.name, table.name, accepted)
    return number


def _choices(column: Column, raw: Any, table: Table) -> str | None:
    if not isinstance(raw, str):
        raise errors.wrong_type(table.set, _shown(raw), column.edm)
    parts = [part.strip() for part in raw.split(",") if part.strip()]
    return ",".join(str(_choice(column, part, table)) for part in dict.fromkeys(parts)) or None


def _guid(column: Column, raw: Any, table: Table) -> str:
    found = guid(raw)
    if found is None:
        raise errors.wrong_type(table.set, _shown(raw), column.edm)
    return found


def guid(raw: Any) -> str | None:
    """The GUID in its one written form, or None."""
    if not isinstance(raw, str) or len(raw) != 36:
        return None
    try:
        return str(uuid.UUID(raw))
    except ValueError:
        return None


def _when(column: Column, raw: Any, table: Table) -> str:
    if not isinstance(raw, str):
        raise errors.wrong_type(table.set, _shown(raw), column.edm)
    found = moment(raw, shift=column.behavior == "UserLocal")
    if found is None:
        raise errors.bad_date(raw)
    if column.behavior == "DateOnly":
        if "T" in raw:
            raise errors.wrong_type(table.set, raw, "Edm.Date")
        return found[:10]
    return found


def moment(raw: str, shift: bool = True) -> str | None:
    """ISO text in whole seconds with Z, or None if it is no date-time from 1753 on; an offset counts if `shift`."""
    match = _MOMENT.fullmatch(raw)
    if not match:
        return None
    day, minutes, seconds, offset = match.groups()
    zone = "+00:00" if offset in (None, "Z") or not shift else offset
    try:
        when = datetime.fromisoformat(f"{day}T{minutes or '00:00'}{seconds or ':00'}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return None if when < _EARLIEST else stamp(when)


def stamp(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if when.year >= 1000 else when.isoformat()


def unstamp(text: str) -> datetime:
    return datetime.fromisoformat(text)


def day(text: str) -> date:
    return date.fromisoformat(text[:10])


def _unwritable(column: Column, raw: Any, table: Table) -> Any:
    raise errors.wrong_type(table.set, _shown(raw), column.edm)


_READERS: dict[str, Callable[[Column, Any, Table], Any]] = {
    "String": _text,
    "Memo": _text,
    "Integer": _integer,
    "Decimal": _decimal,
    "Money": _money,
    "Double": _double,
    "Boolean": _boolean,
    "Picklist": _choice,
    "State": _choice,
    "Status": _choice,
    "MultiSelectPicklist": _choices,
    "Uniqueidentifier": _guid,
    "DateTime": _when,
    "BigInt": _unwritable,
}
