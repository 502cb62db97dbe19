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
    """A line for each write not yet sent whose source has moved on; call before the write is replaced."""
    lines = []
    for judgement in judged:
        for side, write in judgement.case.waiting.items():
            changes = _changes(judgement, side, write)
            if changes:
                lines.append(
                    history.line(
                        Kind.SUPERSEDED, now, link=judgement.case.id, side=side.other, changes=changes, run=run
                    )
                )
    return lines


def _changes(judgement: Judgement, side: Side, write: PendingWrite) -> list[list[object]]:
    if write.op != "update" or write.state not in UNSENT:
        return []
    found: list[list[object]] = []
    for key, what in write.fields.items():
        state = judgement.states.get(key)
        known = state is not None and (state.m_known if side is Side.DYNAMICS else state.d_known)
        if state is None or not known or what["source"] is None:
            continue
        d, m = comparables(state)
        stands = m if side is Side.DYNAMICS else d
        if stands != what["source"]:
            found.append([key, what["source"], stands, "superseded"])
    return found
