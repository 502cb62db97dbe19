"""What is left to do for a value that a person chose in a conflict, and whether it may still be done."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from syncadmin.engine.fields import Bound, becomes, same, travels
from syncadmin.engine.records import Comparable, Side


class Reach(StrEnum):
    """STANDS: both values are those that were shown, so the chosen one is written over the other.

    BACK: the other value won meanwhile and stands on both sides; the chosen one is first put back where it was lost.
    DONE: the chosen value stands on both sides. PASSED: somebody has changed a value since, and nothing is written.
    """

    STANDS = "stands"
    BACK = "back"
    DONE = "done"
    PASSED = "passed"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The two values of a conflict, who won by the rule (None: nobody yet), and the side whose value was chosen."""

    d: Comparable
    m: Comparable
    winner: Side | None
    side: Side

    def value(self, side: Side) -> Comparable:
        return self.d if side is Side.DYNAMICS else self.m


def reach(bound: Bound, chosen: Chosen, d: Comparable, m: Comparable) -> Reach:
    """``d`` and ``m`` stand there now, in comparable form. A value changed since the conflict is never overwritten."""
    now, allowed = {Side.DYNAMICS: d, Side.MARKETO: m}, travels(bound)
    if now[chosen.side] == chosen.value(chosen.side) and same(bound, d, m):
        return Reach.DONE
    if chosen.side.other not in allowed:
        return Reach.PASSED
    if (d, m) == (chosen.d, chosen.m):
        return Reach.STANDS
    if chosen.winner is not chosen.side.other or chosen.side not in allowed:
        return Reach.PASSED
    won = chosen.value(chosen.winner)
    followed = now[chosen.side] == won or becomes(bound, chosen.side, won, now[chosen.side])
    return Reach.BACK if now[chosen.winner] == won and followed else Reach.PASSED
