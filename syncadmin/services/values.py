"""A field's two current values in comparable form, and the write that puts a value back where it was replaced."""

from __future__ import annotations

from syncadmin.engine.fields import Bound, Unconvertible, comparable, outgoing
from syncadmin.engine.merge import FieldResult, FieldState, Rule, Verdict
from syncadmin.engine.records import Comparable, Raw, Side


def comparables(state: FieldState) -> tuple[Comparable, Comparable]:
    """Both current values in comparable form; one that nobody can read stands as its text."""
    return shown(state.bound, Side.DYNAMICS, state.d), shown(state.bound, Side.MARKETO, state.m)


def shown(bound: Bound, side: Side, raw: Raw) -> Comparable:
    """A side's raw value in comparable form; one that nobody can read stands as its text."""
    try:
        return comparable(bound, side, raw)
    except Unconvertible:
        return str(raw)[:200]


def restoring(
    state: FieldState, value: Comparable, to: Side = Side.MARKETO, rule: Rule = Rule.OVERTAKEN
) -> FieldResult | None:
    """The write that puts a value back; None if it stands there, was refused there before, or cannot be sent.

    What is agreed stays: a value that is back counts as that side's change, and has yet to travel.
    """
    stands = comparables(state)[0 if to is Side.DYNAMICS else 1]
    try:
        out = outgoing(state.bound, to, value)
    except Unconvertible:
        return None
    if out.comparable == stands or (to in state.blocked and state.blocked[to] == out.comparable):
        return None
    key = state.bound.pair.key
    return FieldResult(key, Verdict.WRITE, rule, to, out.raw, out.comparable, value, stands, state.agreed)
