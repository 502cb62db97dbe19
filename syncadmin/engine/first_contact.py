"""Two records meet for the first time: nothing is agreed yet, so nobody can have changed anything."""

from __future__ import annotations

from dataclasses import replace

from syncadmin.engine.fields import Bound, same, travels
from syncadmin.engine.records import Side, Table
from syncadmin.engine.rules import winner
from syncadmin.engine.verdicts import (
    Collision,
    FieldResult,
    FirstContact,
    Held,
    Rule,
    Sides,
    agree,
    held,
    write,
)


def meet(bound: Bound, sides: Sides, table: Table, first: FirstContact) -> FieldResult:
    """A filled value fills an empty one; two different filled ones are settled as the wizard was told."""
    if same(bound, sides.d, sides.m):
        return agree(bound, sides, None)
    if bound.pair.consent and True in (sides.d, sides.m):
        return _send(bound, sides, Side.DYNAMICS if sides.d is True else Side.MARKETO, Rule.CONSENT)
    # Past this point a false in Marketo says nothing, so it may be overwritten but overwrites nobody.
    empty = [side for side in Side if _empty(sides, side)]
    allowed = travels(bound)
    if len(allowed) < 2:
        source = next((side.other for side in allowed), None)
        if source is None or source in empty:
            return held(bound, Held.DIRECTION)
        return _send(bound, sides, source, Rule.FIRST_FILL if empty else Rule.ONE_WAY)
    if empty:
        return _send(bound, sides, empty[0].other, Rule.FIRST_FILL)
    return _settle(bound, sides, table, first)


def _empty(sides: Sides, side: Side) -> bool:
    """Marketo reads false where nothing was ever set, so its false counts as empty here."""
    return sides.blank(side) or (side is Side.MARKETO and sides.m is False)


def _send(bound: Bound, sides: Sides, source: Side, rule: Rule) -> FieldResult:
    # A yes that may not travel is at least not overwritten by the other side's no.
    if source.other not in travels(bound):
        return held(bound, Held.DIRECTION)
    return write(bound, sides, source.other, rule, None)


def _settle(bound: Bound, sides: Sides, table: Table, first: FirstContact) -> FieldResult:
    if first is FirstContact.BLANKS:
        # Both values stand, each agreed for its own side: later edits of either travel as one-sided changes.
        return replace(agree(bound, sides, None), rule=Rule.FIRST_BLANKS, held=Held.FIRST_BLANKS)
    by_dynamics = first is FirstContact.DYNAMICS
    wins = Side.DYNAMICS if by_dynamics else winner(table, bound.pair.winner)
    rule = Rule.FIRST_DYNAMICS if by_dynamics else Rule.FIRST_RULE
    # Nothing was agreed, so nobody changed anything; the loser's value is kept all the same.
    collision = Collision(None, None, sides.d, sides.m, wins, rule)
    if wins is None:
        return replace(held(bound, Held.ASK), rule=rule, collision=collision)
    return write(bound, sides, wins.other, rule, None, collision)
