"""The fields of a link that a glance settles: what was agreed stands on both sides, or two first values are equal.

Nearly every field of nearly every merge is one of these; what ``merge_field`` would say of them is known beforehand.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from syncadmin.engine.fields import Bound, Unconvertible
from syncadmin.engine.readers import Reader, reader
from syncadmin.engine.records import Comparable, Side, Values

# Stands for a column that a record does not have: unknown, and therefore never equal.
_UNKNOWN: Any = object()


@dataclass(frozen=True, slots=True)
class Glance:
    """One pair, made ready to be looked at in many links."""

    key: str
    bound: Bound
    dynamics: str
    marketo: str
    read_d: Reader
    read_m: Reader

    def equal(self, agreed: list[Any] | None, d: Any, m: Any) -> tuple[Comparable, Comparable] | None:
        """Both values in comparable form if nothing is to be decided about them, else None."""
        if d is _UNKNOWN or m is _UNKNOWN:
            return None
        try:
            here, there = self.read_d(d), self.read_m(m)
        except Unconvertible:
            return None
        if here != there or (agreed is not None and (here != agreed[0] or there != agreed[1])):
            return None
        return here, there


def glances(bounds: Iterable[Bound]) -> tuple[Glance, ...]:
    return tuple(
        Glance(
            bound.pair.key,
            bound,
            bound.pair.dynamics,
            bound.pair.marketo,
            reader(bound, Side.DYNAMICS),
            reader(bound, Side.MARKETO),
        )
        for bound in bounds
    )


def look(
    pairs: Iterable[Glance], d: Values, m: Values, agreed: Mapping[str, list[Any]], special: Container[str]
) -> tuple[list[Bound], dict[str, list[Any]]]:
    """The pairs that are left to decide, and what equal first values agree on: [Dynamics, Marketo, 1].

    Pairs whose key is ``special`` have more to them than their values, and are left.
    """
    left: list[Bound] = []
    met: dict[str, list[Any]] = {}
    for pair in pairs:
        key = pair.key
        before = agreed.get(key)
        equal = pair.equal(before, d.get(pair.dynamics, _UNKNOWN), m.get(pair.marketo, _UNKNOWN))
        if equal is None or key in special or pair.bound.pair.paused:
            left.append(pair.bound)
        elif before is None:
            met[key] = [*equal, 1]
    return left, met
