"""Three values of one field, agreed and current on both sides, give one verdict.

Each side is compared with its own agreed value, so a conversion that loses something never makes two sides correct
each other for ever. First contact (nothing agreed yet) stands in ``first_contact.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from syncadmin.engine.fields import Bound, Unconvertible, becomes, comparable, same, travels
from syncadmin.engine.first_contact import meet
from syncadmin.engine.records import Comparable, Side, Table
from syncadmin.engine.rules import winner
from syncadmin.engine.verdicts import (
    Agreed,
    Collision,
    FieldResult,
    FieldState,
    FirstContact,
    Held,
    OpenReceipt,
    Rule,
    Sides,
    Verdict,
    agree,
    held,
    write,
)

__all__ = [
    "Agreed",
    "Collision",
    "FieldResult",
    "FieldState",
    "FirstContact",
    "Held",
    "OpenReceipt",
    "Rule",
    "Verdict",
    "merge_field",
    "merge_link",
]

_RULES = {Table.LEAD: Rule.COLLISION_LEAD, Table.CONTACT: Rule.COLLISION_CONTACT}


def merge_link(states: Sequence[FieldState], *, table: Table, first: FirstContact) -> list[FieldResult]:
    """One result for each state, in order. Of two pairs that would write one column, the later waits a run."""
    results: list[FieldResult] = []
    taken: set[tuple[Side, str]] = set()
    for state in states:
        result = merge_field(state, table=table, first=first)
        if result.verdict is Verdict.WRITE and result.to is not None:
            place = (result.to, state.bound.target(result.to).name)
            # Written together, one of the two would be lost unseen; a run later it is a collision with a trace.
            result = held(state.bound, Held.SHARED_COLUMN) if place in taken else result
            taken.add(place)
        results.append(result)
    return results


def merge_field(state: FieldState, *, table: Table, first: FirstContact) -> FieldResult:
    """The verdict on one field of one link. Never raises for a value, however malformed."""
    bound = state.bound
    if bound.pair.paused:
        return held(bound, Held.PAUSED)
    if not (state.d_known and state.m_known):
        return FieldResult(bound.pair.key, Verdict.NOTHING)
    try:
        sides = Sides(state.d, _read(bound, Side.DYNAMICS, state), state.m, _read(bound, Side.MARKETO, state))
    except _Unreadable as unreadable:
        return unreadable.result
    pending, late = _pending(state, sides.m), _is_late(state, sides.m)
    if late and state.agreed is not None:
        # Nobody wants that value: it is neither an edit nor to be put back before its line tells what stood there.
        state = replace(state, agreed=replace(state.agreed, m=sides.m))
    elif pending and state.receipt is not None:
        # Marketo may answer an old value for a while after a write; taking it for an edit would undo the write.
        sides = replace(sides, m=state.receipt.sent)
    result = _restrained(state, _decide(state, sides, table, first))
    if (pending or late) and result.verdict is Verdict.NOTHING:
        return replace(result, held=Held.RECEIPT)
    return result


class _Unreadable(Exception):
    def __init__(self, result: FieldResult) -> None:
        super().__init__(result.key)
        self.result = result


def _read(bound: Bound, side: Side, state: FieldState) -> Comparable:
    try:
        return comparable(bound, side, state.d if side is Side.DYNAMICS else state.m)
    except Unconvertible as error:
        failed = error.problem(bound.target(side).name)
        raise _Unreadable(FieldResult(bound.pair.key, Verdict.FAILED, to=side.other, problem=failed)) from error


def _pending(state: FieldState, m: Comparable) -> bool:
    """Whether Marketo shows the value from before our write, while no line says that someone put it there."""
    receipt, agreed = state.receipt, state.agreed
    if receipt is None or receipt.line or m == receipt.sent:
        return False
    # A later write may have been confirmed before this one: then it is not this one that is waited for.
    if agreed is not None and agreed.m != receipt.sent:
        return False
    return m in (receipt.replaced, *receipt.earlier)


def _is_late(state: FieldState, m: Comparable) -> bool:
    """Whether Marketo shows what a late call of ours put there over what has been agreed since."""
    return state.agreed is not None and m != state.agreed.m and m in state.late


def _decide(state: FieldState, sides: Sides, table: Table, first: FirstContact) -> FieldResult:
    if state.choice is not None:
        return _chosen(state, sides, state.choice)
    if state.agreed is None:
        return meet(state.bound, sides, table, first)
    changed_d, changed_m = sides.d != state.agreed.d, sides.m != state.agreed.m
    if changed_d and changed_m:
        return _both(state, state.agreed, sides, table)
    if changed_d or changed_m:
        return _one(state, state.agreed, sides, Side.DYNAMICS if changed_d else Side.MARKETO)
    # Two different agreed values are what "only blanks are filled" left standing on first contact.
    apart = Held.FIRST_BLANKS if not same(state.bound, sides.d, sides.m) else None
    return FieldResult(state.bound.pair.key, Verdict.NOTHING, held=apart)


def _chosen(state: FieldState, sides: Sides, choice: Side) -> FieldResult:
    bound, to = state.bound, choice.other
    if same(bound, sides.d, sides.m):
        return agree(bound, sides, state.agreed)
    if to not in travels(bound):
        return held(bound, Held.DIRECTION)
    return write(bound, sides, to, Rule.CHOSEN, state.agreed)


def _one(state: FieldState, agreed: Agreed, sides: Sides, source: Side) -> FieldResult:
    """One side changed: it travels, if direction and blank rule allow."""
    bound, to = state.bound, source.other
    if sides.d == sides.m or becomes(bound, to, sides.value(source), sides.value(to)):
        return agree(bound, sides, agreed)
    allowed = travels(bound)
    if to not in allowed:
        return held(bound, Held.DIRECTION)
    if sides.blank(source) and not bound.pair.blanks_travel:
        return held(bound, Held.BLANK)
    return write(bound, sides, to, Rule.ONE_SIDED if len(allowed) > 1 else Rule.ONE_WAY, agreed)


def _both(state: FieldState, agreed: Agreed, sides: Sides, table: Table) -> FieldResult:
    """Both changed: to the same, or it is a collision, or the source of a one-way pair replaces the target."""
    bound = state.bound
    if same(bound, sides.d, sides.m):
        return agree(bound, sides, agreed)
    allowed = travels(bound)
    # On a one-way pair the target was kept, not agreed on: replacing it is no collision.
    if len(allowed) < 2:
        source = next((side.other for side in allowed), None)
        return held(bound, Held.DIRECTION) if source is None else _one(state, agreed, sides, source)
    wins, rule = _winner(bound, sides, table)
    collision = Collision(agreed.d, agreed.m, sides.d, sides.m, wins, rule)
    if wins is None:
        return replace(held(bound, Held.ASK), rule=rule, collision=collision)
    return write(bound, sides, wins.other, rule, agreed, collision)


def _winner(bound: Bound, sides: Sides, table: Table) -> tuple[Side | None, Rule]:
    # A blank that may not travel cannot win; both blank never comes here, those are equal.
    blank = [side for side in Side if sides.blank(side)]
    if blank and not bound.pair.blanks_travel:
        return blank[0].other, Rule.BLANK
    by_table = bound.pair.winner == "table"
    return winner(table, bound.pair.winner), _RULES[table] if by_table else Rule.COLLISION_FIELD


def _restrained(state: FieldState, result: FieldResult) -> FieldResult:
    """What holds a decided result back: a hold on the field, or a value that this side refused before."""
    moves = result.verdict in (Verdict.WRITE, Verdict.FAILED)
    # Values read through from a company record are nobody's edit, so not even equality is agreed on.
    if state.hold == Held.COMPANY and (moves or result.verdict is Verdict.AGREE):
        return held(state.bound, Held.COMPANY)
    # A failure under a hold would be told again each run; the hold has been told already.
    if state.hold and moves and state.choice is None:
        return replace(held(state.bound, Held(state.hold)), collision=result.collision)
    if result.verdict is Verdict.WRITE and any(
        side is result.to and refused == result.sent for side, refused in state.blocked.items()
    ):
        return replace(held(state.bound, Held.FAILURE), to=result.to, sent=result.sent)
    return result
