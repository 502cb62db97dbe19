"""Values that a person chose in a conflict: carried out by the merge as long as nobody has changed one since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from syncadmin.engine.choices import Chosen, Reach, reach
from syncadmin.engine.merge import FieldResult, FieldState, Held, Rule, Verdict
from syncadmin.engine.records import Comparable, Side
from syncadmin.services import history
from syncadmin.services.values import comparables, restoring
from syncadmin.store.cases import Case
from syncadmin.store.kinds import Kind
from syncadmin.store.models import Activity, Conflict, Run

_SETTLED = {Reach.DONE: "applied", Reach.PASSED: "passed"}


def look(case: Case, states: Mapping[str, FieldState]) -> tuple[dict[str, FieldState], dict[str, Reach]]:
    """The states with the choices that hold for exactly the two values that stand there, and how far each has come."""
    found, reached = dict(states), {}
    for key, conflict in case.chosen.items():
        state = states.get(key)
        # Nothing is known, or nothing may be done, so the choice goes on waiting.
        if state is None or state.bound.pair.paused or not (state.d_known and state.m_known):
            continue
        chosen = _chosen(conflict)
        reached[key] = reach(state.bound, chosen, *_standing(state))
        if reached[key] is Reach.STANDS:
            found[key] = replace(state, choice=chosen.side)
    return found, reached


def _chosen(conflict: Conflict) -> Chosen:
    # Of a value overwritten unseen our own write is the one that stands, whoever is to decide.
    winner = conflict.winner or (Side.DYNAMICS if conflict.rule == Rule.OVERTAKEN else "")
    return Chosen(
        conflict.dynamics_value, conflict.marketo_value, Side(winner) if winner else None, Side(conflict.chosen)
    )


def _standing(state: FieldState) -> tuple[Comparable, Comparable]:
    """Both values; Marketo may show the one from before our write for a while, and then ours is the one that counts."""
    d, m = comparables(state)
    receipt = state.receipt
    if receipt is not None and not receipt.line and m in (receipt.replaced, *receipt.earlier):
        return d, receipt.sent
    return d, m


def put_back(
    case: Case, states: Mapping[str, FieldState], results: Mapping[str, FieldResult], reached: Mapping[str, Reach]
) -> list[FieldResult]:
    """Writes of chosen values to the sides that had lost them; from there they travel by the same choice."""
    found = []
    for key, how in reached.items():
        state = states[key]
        if how is not Reach.BACK or state.hold == Held.COMPANY or results[key].verdict is Verdict.WRITE:
            continue
        chosen = _chosen(case.chosen[key])
        back = restoring(state, chosen.value(chosen.side), chosen.side, Rule.CHOSEN)
        found += [back] if back is not None else []
    return found


def settle(judged: Iterable[tuple[Case, Mapping[str, Reach]]], run: Run, now: datetime) -> list[Activity]:
    """Notes which choices were carried out, and which were not because a value had changed; lines for the latter."""
    ended = [
        (case, case.chosen[key], how) for case, reached in judged for key, how in reached.items() if how in _SETTLED
    ]
    if not ended:
        return []
    for how, state in _SETTLED.items():
        Conflict.objects.filter(pk__in=[row.pk for _, row, end in ended if end is how]).update(state=state)
    # An earlier choice about the same field gave way to this one.
    for _, row, _how in ended:
        Conflict.objects.filter(link=row.link_id, key=row.key, state="chosen", pk__lt=row.pk).update(state="passed")
    return [_passed(case, row, run, now) for case, row, how in ended if how is Reach.PASSED]


def _passed(case: Case, row: Conflict, run: Run, now: datetime) -> Activity:
    details = {"kind": "conflict", "answer": "passed", "key": row.key, "chosen": row.chosen, "conflict": row.pk}
    return history.line(Kind.DECIDED, now, link=case.id, details=details, who=row.decided_by, run=run)
