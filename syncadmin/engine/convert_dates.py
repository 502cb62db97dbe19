"""Dates and instants: to comparable form ("2026-03-04", "2026-03-04T09:15:42Z") and back."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, tzinfo

from syncadmin.engine.causes import Cause
from syncadmin.engine.convert_text import text, wrong_type
from syncadmin.engine.mapping import Bound, Unconvertible
from syncadmin.engine.records import Raw, Side
from syncadmin.engine.schema import Column, DateBehaviour, Kind

# Marketo spells instants with Z, +0000, Z+0000 or an offset; fractions of a second are cut by both systems.
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:\.\d+)?(?:Z?([+-])(\d\d):?(\d\d)|Z)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# Dynamics' date and time columns begin here (0x80040239 below).
_EARLIEST = "1753-01-01"


def holds_dates(column: Column) -> bool:
    """Whether the column means a calendar date rather than an instant."""
    return column.kind is Kind.DATE or column.behaviour is DateBehaviour.DATE_ONLY or column.shows_date_only


def parse_instant(value: str) -> datetime | None:
    """The instant a text spells, whole seconds; a text without an offset is UTC."""
    match = _INSTANT.fullmatch(value)
    if not match:
        return None
    day, clock, sign, hours, minutes = match.groups()
    try:
        return datetime.fromisoformat(
            f"{day}T{clock}{sign}{hours}:{minutes}" if sign else f"{day}T{clock}+00:00"
        ).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_date(value: str) -> date | None:
    if not _DATE.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _zone(bound: Bound) -> tzinfo:
    """In which zone the column's instants are read as dates: a zone-independent one is never shifted."""
    # Its text is the same for every reader, so shifting it would invent another date.
    apart = bound.column.behaviour is DateBehaviour.ZONE_INDEPENDENT
    return UTC if apart else bound.zone


def day(bound: Bound, raw: Raw) -> str | None:
    """A calendar date; an instant is the date it falls on in the organisation's zone."""
    value = _checked(raw)
    if value is None or parse_date(value):
        return value
    moment = parse_instant(value)
    return (moment and _date_in(_zone(bound), moment)) or value


def _date_in(zone: tzinfo, moment: datetime) -> str | None:
    try:
        return moment.astimezone(zone).date().isoformat()
    except OverflowError:  # at the ends of the calendar
        return None


def instant(bound: Bound, raw: Raw) -> str | None:
    """An instant in UTC, whole seconds; a bare date is its midnight."""
    value = _checked(raw)
    if value is None:
        return None
    moment = parse_instant(value) or _midnight(value, _zone(bound))
    return value if moment is None else _spelt(moment)


def to_date_column(bound: Bound, side: Side, value: str) -> Raw:
    """The raw value of a column that holds a date or an instant; raises for a text that is neither."""
    column = bound.target(side)
    spelt = _raw(bound, column, value)
    if spelt is None:
        raise wrong_type(value)
    # ISO text of four-digit years sorts as the dates do.
    if side is Side.DYNAMICS and spelt < _EARLIEST:
        raise Unconvertible(Cause.OUT_OF_RANGE, value, f"{_EARLIEST} to 9999-12-31")
    return spelt


def _raw(bound: Bound, column: Column, value: str) -> str | None:
    zone = _zone(bound)
    moment = parse_instant(value)
    if column.kind is Kind.DATE or column.behaviour is DateBehaviour.DATE_ONLY:
        return _date_in(zone, moment) if moment else value if parse_date(value) else None
    moment = moment or _midnight(value, zone)
    return None if moment is None else _spelt(moment)


def _midnight(value: str, zone: tzinfo) -> datetime | None:
    parsed = parse_date(value)
    if parsed is None:
        return None
    try:
        return datetime.combine(parsed, time(), zone).astimezone(UTC)
    except OverflowError:
        return None


def _spelt(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def _checked(raw: Raw) -> str | None:
    # A bare number could be seconds, milliseconds or days: no guess.
    if isinstance(raw, bool | int):
        raise wrong_type(raw)
    return text(raw)
