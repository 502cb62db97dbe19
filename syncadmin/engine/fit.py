"""Whether two columns can be kept in step: the conversion itself is tried with specimens of what each side can hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from syncadmin.engine.causes import Cause
from syncadmin.engine.fields import Bound, Unconvertible, comparable, outgoing, travels
from syncadmin.engine.records import Raw, Side
from syncadmin.engine.schema import Column, Kind, Option


class Fit(StrEnum):
    """How well, from best to worst. SHORTENS cuts what is longer, LIMITED refuses it; PARTLY takes some values only."""

    FITS = "fits"
    SHORTENS = "shortens"
    LIMITED = "limited"
    RANGE = "range"
    PARTLY = "partly"
    OPTIONS = "options"
    CANNOT = "cannot"


@dataclass(frozen=True, slots=True)
class Fitness:
    """The worst of all ways that values may travel. ``limit`` and ``kind`` are those of the receiving side ``to``.

    ``unmatched`` are the options that find no way, or none back.
    """

    fit: Fit
    to: Side | None = None
    limit: str = ""
    kind: str = ""
    unmatched: tuple[Option, ...] = ()


_ORDER = list(Fit)
_TEXTS = frozenset({Kind.TEXT, Kind.MEMO, Kind.PHONE, Kind.URL, Kind.OTHER})
_WITH_OPTIONS = frozenset({Kind.CHOICE, Kind.MULTICHOICE, Kind.STATE, Kind.STATUS})
_LOOKUPS = frozenset({Kind.LOOKUP, Kind.OWNER, Kind.CUSTOMER})
_ADDRESS = "name@example.com"
_TYPED: Mapping[Kind, tuple[Raw, ...]] = {
    Kind.EMAIL: (_ADDRESS,),
    Kind.INTEGER: (12,),
    Kind.DECIMAL: ("12", "12.5"),
    Kind.MONEY: ("12", "12.5"),
    Kind.BOOLEAN: (True, False),
    Kind.DATE: ("2026-03-04",),
    Kind.DATETIME: ("2026-03-04T09:15:42Z",),
    Kind.GUID: ("3f2504e0-4f89-41d3-9a0c-0305e82c3301",),
}
# What people may have typed into a text; a target that takes some of these and refuses others fits in part.
_TYPED_TEXTS: tuple[Raw, ...] = ("Text", "12", "12.5", "2026-03-04", "true", _ADDRESS)


def fitness(bound: Bound) -> Fitness:
    """The verdict on a pair, whatever values stand there today."""
    sides = travels(bound)
    if not sides:
        return Fitness(Fit.CANNOT)
    return max((_toward(bound, side) for side in sorted(sides)), key=lambda one: _ORDER.index(one.fit))


def unmatched(bound: Bound) -> tuple[Option, ...]:
    """Options of the Dynamics column that find no way to Marketo, or none back where the pair travels back."""
    back = Side.DYNAMICS in travels(bound)
    return tuple(option for option in bound.column.options if not _makes_the_trip(bound, option, back=back))


def _toward(bound: Bound, to: Side) -> Fitness:
    column, target = bound.column, bound.target(to)
    if column.kind in _WITH_OPTIONS and column.options:
        return _of_options(bound, to)
    passed, failed = 0, set[Cause]()
    for raw in _specimens(bound.target(to.other)):
        cause = _refused(bound, to, raw)
        passed += cause is None
        if cause is not None:
            failed.add(cause)
    if not passed:
        return Fitness(Fit.CANNOT, to, kind=target.kind)
    if failed - {Cause.TOO_LONG, Cause.OUT_OF_RANGE}:
        return Fitness(Fit.PARTLY, to, kind=target.kind)
    if _too_wide(bound, to):
        return Fitness(Fit.RANGE, to, f"{target.minimum} to {target.maximum}", target.kind)
    return _of_length(bound, to)


def _of_options(bound: Bound, to: Side) -> Fitness:
    lost = unmatched(bound)
    if len(lost) == len(bound.column.options) and bound.field.kind not in _TEXTS:
        return Fitness(Fit.OPTIONS, to, kind=bound.field.kind, unmatched=lost)
    return Fitness(Fit.OPTIONS if lost else Fit.FITS, to, kind=bound.field.kind, unmatched=lost)


def _makes_the_trip(bound: Bound, option: Option, *, back: bool) -> bool:
    try:
        there = outgoing(bound, Side.MARKETO, comparable(bound, Side.DYNAMICS, option.value))
        if not back:
            return True
        again = outgoing(bound, Side.DYNAMICS, comparable(bound, Side.MARKETO, there.raw))
    except Unconvertible:
        return False
    return str(again.raw) == str(option.value)


def _refused(bound: Bound, to: Side, raw: Raw) -> Cause | None:
    try:
        outgoing(bound, to, comparable(bound, to.other, raw), raw)
    except Unconvertible as error:
        return error.code
    return None


def _specimens(source: Column) -> Iterator[Raw]:
    if source.kind in _TEXTS:
        yield from _TYPED_TEXTS
    elif source.kind in _LOOKUPS:
        yield {"id": "1", "table": "systemuser", "name": "Name"}
    elif source.kind in _TYPED:
        yield from _TYPED[source.kind]
    else:
        yield from (str(option.value) for option in source.options)


def _too_wide(bound: Bound, to: Side) -> bool:
    """Whether the source may hold a number that the target's published range does not."""
    source = bound.target(to.other)
    ends = (source.minimum, source.maximum) if source.kind is Kind.INTEGER else (None, None)
    return any(end is not None and _refused(bound, to, int(end)) is Cause.OUT_OF_RANGE for end in ends)


def _of_length(bound: Bound, to: Side) -> Fitness:
    source, target = bound.target(to.other), bound.target(to)
    most = target.max_length or target.max_bytes
    holds = source.max_length or source.max_bytes
    long = source.kind in _TEXTS | {Kind.EMAIL} and most is not None and (holds is None or holds > most)
    if not long or most is None:
        return Fitness(Fit.FITS, to, kind=target.kind)
    raw = "x" * (most + 1) if source.kind is not Kind.EMAIL else f"{'x' * most}@example.com"
    # Only what the conversion really does with it counts: e-mail addresses are never cut.
    fit = Fit.SHORTENS if _refused(bound, to, raw) is None else Fit.LIMITED
    return Fitness(fit, to, str(most), target.kind)
