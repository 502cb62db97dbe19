"""What was decided and gave way before it was sent: its value may stand nowhere any more, so history keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from syncadmin.engine.records import Side
from syncadmin.services import history
from syncadmin.services.judge import Judgement
from syncadmin.services.values import comparables
from syncadmin.store.kinds import Kind
from syncadmin.store.models import UNSENT, Activity, PendingWrite, Run


def told(judged: Sequence[Judgement], run: Run, now: datetime) -> list[Activity]:
    """Lines for each write not yet sent of which a value has moved on; call before the write is replaced."""
    lines = []
    for judgement in judged:
        for side, write in judgement.case.waiting.items():
            if write.op != "update" or write.state not in UNSENT:
                continue
            for moved in Side:
                changes = _changes(judgement, write, moved, "replaced" if moved is side else "source")
                if changes:
                    lines.append(
                        history.line(Kind.SUPERSEDED, now, link=judgement.case.id, side=moved, changes=changes, run=run)
                    )
    return lines


def _changes(judgement: Judgement, write: PendingWrite, moved: Side, name: str) -> list[list[object]]:
    found: list[list[object]] = []
    for key, what in write.fields.items():
        state = judgement.states.get(key)
        known = state is not None and (state.d_known if moved is Side.DYNAMICS else state.m_known)
        if state is None or not known or what[name] is None:
            continue
        # What is shown may be older than the write before this one, which nobody has confirmed yet.
        if moved is Side.MARKETO and name == "replaced" and state.receipt is not None:
            continue
        stands = comparables(state)[0 if moved is Side.DYNAMICS else 1]
        if stands != what[name] and not (name == "replaced" and _in_conflict(judgement, key, moved, what[name])):
            found.append([key, what[name], stands, "superseded"])
    return found


def _in_conflict(judgement: Judgement, key: str, moved: Side, value: object) -> bool:
    """Whether the row of a conflict keeps the value, as what was agreed."""
    found = judgement.results[key].collision
    return found is not None and value == (found.agreed_d if moved is Side.DYNAMICS else found.agreed_m)
