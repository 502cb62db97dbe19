"""Comparable form: a Dynamics and a Marketo value that mean the same are equal here, and find their way back.

The pair of column types decides the form; ``convert_*.py`` know the types. Text that has no meaning in the form
(an unknown label, letters in a number) stays text: it differs from everything and fails only when it has to travel.
"""

from __future__ import annotations

from enum import Enum, auto

from syncadmin.engine import convert_choices, convert_dates, convert_text
from syncadmin.engine.causes import Cause
from syncadmin.engine.mapping import Bound, Direction, FieldPair, Invalid, Outgoing, Unconvertible, Winner, pair_key
from syncadmin.engine.records import Comparable, Raw, Side
from syncadmin.engine.schema import Column, Kind, check

__all__ = [
    "Bound",
    "Direction",
    "FieldPair",
    "Form",
    "Invalid",
    "Outgoing",
    "Unconvertible",
    "Winner",
    "comparable",
    "form_of",
    "outgoing",
    "pair_key",
    "places",
    "same",
    "travels",
]

_LOOKUPS = frozenset({Kind.LOOKUP, Kind.OWNER, Kind.CUSTOMER})
_CHOICES = frozenset({Kind.CHOICE, Kind.STATE, Kind.STATUS})
_NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.MONEY})
_DATES = frozenset({Kind.DATE, Kind.DATETIME})
_NEVER_WRITTEN = _LOOKUPS | {Kind.STATE, Kind.STATUS, Kind.OTHER}
# Dynamics answers money with four decimals, whatever the column says.
_MONEY_PLACES = 4


class Form(Enum):
    """How the values of a pair are compared."""

    TEXT = auto()
    FOLDED = auto()
    GUID = auto()
    NAME = auto()
    NUMBER = auto()
    TRUTH = auto()
    DAY = auto()
    INSTANT = auto()
    CHOICE = auto()
    MULTICHOICE = auto()


def form_of(bound: Bound) -> Form:
    here, there = bound.column.kind, bound.field.kind
    # Marketo has no lookups: what travels is the name that the same read annotated.
    if here in _LOOKUPS:
        return Form.NAME
    if Kind.BOOLEAN in (here, there):
        return Form.TRUTH
    if here in _CHOICES:
        return Form.CHOICE
    if here is Kind.MULTICHOICE:
        return Form.MULTICHOICE
    # A plain text on one side takes the form that the typed other side gives it.
    kind = there if here in _PLAIN else here
    if kind in _DATES:
        days = convert_dates.holds_dates(bound.column) or there is Kind.DATE
        return Form.DAY if days else Form.INSTANT
    return _SIMPLE.get(kind, Form.TEXT)


_PLAIN = frozenset({Kind.TEXT, Kind.MEMO, Kind.PHONE, Kind.URL, Kind.OTHER})
_SIMPLE = {
    Kind.EMAIL: Form.FOLDED,
    Kind.GUID: Form.GUID,
    **dict.fromkeys(_NUMBERS, Form.NUMBER),
}
# Only these may be cut: half a number or half an address is a wrong one.
_MAY_BE_CUT = frozenset({Form.TEXT, Form.NAME, Form.CHOICE, Form.MULTICHOICE})


def comparable(bound: Bound, side: Side, raw: Raw) -> Comparable:
    """The common form of one side's raw value; None is empty. Raises Unconvertible for a wrong JSON type."""
    match form_of(bound):
        case Form.NAME:
            return convert_text.name(raw)
        case Form.TRUTH:
            return convert_choices.boolean(bound, side, raw)
        case Form.CHOICE:
            return convert_choices.choice(bound, side, raw)
        case Form.MULTICHOICE:
            return convert_choices.multichoice(bound, side, raw)
        case Form.DAY:
            return convert_dates.day(bound, raw)
        case Form.INSTANT:
            return convert_dates.instant(bound, raw)
        case Form.NUMBER:
            return convert_text.number(raw, places(bound.column))
        case Form.GUID:
            return convert_text.guid(raw)
        case Form.FOLDED:
            return convert_text.folded(raw)
        case Form.TEXT:
            return convert_text.text(raw)


def places(column: Column) -> int | None:
    if column.kind is Kind.INTEGER:
        return None
    return _MONEY_PLACES if column.precision is None and column.kind is Kind.MONEY else column.precision


def outgoing(bound: Bound, to: Side, value: Comparable, spelt: Raw = None) -> Outgoing:
    """What to send to ``to`` for a value in comparable form. Raises Unconvertible, or Invalid for a broken rule.

    ``spelt`` is the raw value it came from: an e-mail address travels as it was typed, not folded.
    """
    target = bound.target(to)
    raw = None if value is None else _raw(bound, to, target, value)
    if (
        isinstance(spelt, str)
        and raw == value
        and form_of(bound) is Form.FOLDED
        and convert_text.folded(spelt) == value
    ):
        raw = convert_text.text(spelt)
    if isinstance(raw, str) and bound.pair.shorten and target.kind in _PLAIN and form_of(bound) in _MAY_BE_CUT:
        raw = convert_text.shortened(target, raw)
    # What metadata shows to be impossible is never sent, so the other side has nothing to refuse.
    problem = check(target, raw, creating=False)
    if problem is not None:
        raise Invalid(problem.code, problem.detail, problem.limit)
    # Read back from the raw value, never guessed: agreed must equal what the next read will answer.
    return Outgoing(raw, comparable(bound, to, raw))


def _raw(bound: Bound, to: Side, target: Column, value: str | bool) -> Raw:
    form = form_of(bound)
    if form is Form.TRUTH:
        return convert_choices.to_boolean(bound, to, value)
    if isinstance(value, bool):
        raise Unconvertible(Cause.WRONG_TYPE, str(value))
    if form is Form.CHOICE:
        return _typed(bound, to, target, convert_choices.to_choice(bound, to, value))
    if form is Form.MULTICHOICE:
        return convert_choices.to_multichoice(bound, to, value)
    return _typed(bound, to, target, value)


def _typed(bound: Bound, to: Side, target: Column, value: Raw) -> Raw:
    """Text in the JSON type that the receiving column takes."""
    if not isinstance(value, str):
        return value
    if target.kind in _DATES:
        return convert_dates.to_date_column(bound, to, value)
    if target.kind in _NUMBERS:
        return convert_text.to_number(target, value, shorten=bound.pair.shorten)
    return value


def same(bound: Bound, d: Comparable, m: Comparable) -> bool:
    """Whether the two are equal, or one is exactly what the other becomes when it is sent over."""
    return d == m or becomes(bound, Side.MARKETO, d, m) or becomes(bound, Side.DYNAMICS, m, d)


def becomes(bound: Bound, to: Side, source: Comparable, target: Comparable) -> bool:
    """Whether sending ``source`` would store what already stands there."""
    # Emptiness is never the result of a conversion; two empty values are equal already.
    if source is None:
        return False
    try:
        return outgoing(bound, to, source).comparable == target
    except Unconvertible:
        return False


def travels(bound: Bound) -> frozenset[Side]:
    """The sides that may be written: by the pair's direction and by what the two columns allow."""
    direction = bound.pair.direction
    sides = set()
    if direction is not Direction.TO_DYNAMICS and bound.field.updatable and not bound.field.crm_managed:
        sides.add(Side.MARKETO)
    if direction is not Direction.TO_MARKETO and _takes_writes(bound.column):
        sides.add(Side.DYNAMICS)
    return frozenset(sides)


def _takes_writes(column: Column) -> bool:
    return column.updatable and not column.computed and column.kind not in _NEVER_WRITTEN
