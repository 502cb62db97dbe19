"""Judges one link: puts what is known about it before the engine, and sorts the verdicts by side.

Nothing is stored here; ``record.judgements`` does that.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from syncadmin.engine.choices import Reach
from syncadmin.engine.fields import Bound
from syncadmin.engine.glance import look
from syncadmin.engine.merge import Agreed, FieldResult, FieldState, Held, OpenReceipt, Verdict, merge_link
from syncadmin.engine.own_fields import own_values
from syncadmin.engine.receipts import LATE, LineSeen, SentReceipt, left_ours
from syncadmin.engine.records import Raw, Ref, Side
from syncadmin.engine.rules import alternating
from syncadmin.services import choices
from syncadmin.services.rulebook import Rulebook
from syncadmin.services.values import restoring, shown
from syncadmin.store import text
from syncadmin.store.cases import Case
from syncadmin.store.models import MOVED, PendingWrite

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Judgement:
    """What was decided for one link: results by key and, for each side, what is to be written.

    Fields that need no decision have no result. ``compared``: both records were there, and may be.
    ``refused`` are sides that refused exactly this write before. ``broken`` says why nothing could be decided.
    ``reached`` tells, by key, how far the values that a person chose have come.
    """

    case: Case
    results: Mapping[str, FieldResult]
    states: Mapping[str, FieldState]
    writes: dict[Side, list[FieldResult]] = field(default_factory=dict)
    refused: set[Side] = field(default_factory=set)
    broken: str = ""
    renew_person: bool = False
    reached: dict[str, Reach] = field(default_factory=dict)
    compared: bool = False

    def values(self, side: Side, book: Rulebook) -> dict[str, Raw]:
        """The raw columns to send to a side."""
        bounds = {bound.pair.key: bound for bound in book.bounds[self.case.table]}
        return {bounds[result.key].target(side).name: result.raw for result in self.writes.get(side, ())}


def judge_all(found: Iterable[Case], book: Rulebook, now: datetime) -> list[Judgement]:
    """Decides links one by one. A fault of ours about one of them is its own: it says so and the others go on."""
    judged: list[Judgement] = []
    for case in found:
        before = dict(case.agreed), {key: dict(held) for key, held in case.held.items()}
        try:
            judged.append(judge(case, book, now))
        except Exception as error:  # whatever it is: logged here and told as a failure of the link
            log.exception("link %s cannot be judged", case.id)
            case.agreed, case.held = before
            judged.append(Judgement(case, {}, {}, broken=f"{type(error).__name__}: {error}"))
    return judged


def judge(case: Case, book: Rulebook, now: datetime) -> Judgement:
    """Decides one link. Pure but for the case it is handed, whose ``agreed`` and ``held`` it brings up to date."""
    case.agreed.update(_tried(case, book))
    bounds, compared = _bounds(case, book)
    found = {bound.pair.key: _state_of(case, bound, now) for bound in bounds}
    states, reached = choices.look(case, found)
    results = {result.key: result for result in merge_link(list(states.values()), table=case.table, first=book.first)}
    judged = Judgement(case, results, states, reached=reached, compared=compared)
    if case.marketo_deleted:
        judged.renew_person = not case.dynamics_deleted and _changed_since(judged)
        return judged
    for result in results.values():
        if result.verdict is Verdict.AGREE and result.agreed:
            case.agreed[result.key] = [result.agreed.d, result.agreed.m, result.agreed.n]
        if result.verdict is Verdict.WRITE and result.to is not None:
            judged.writes.setdefault(result.to, []).append(result)
    _restore_overtaken(judged, book)
    for back in choices.put_back(case, states, results, reached):
        if back.to is not None:
            judged.writes.setdefault(back.to, []).append(back)
    for side in list(judged.writes):
        if _refused_as_it_is(case, side, judged.values(side, book)):
            del judged.writes[side]
            judged.refused.add(side)
    return judged


def _changed_since(judged: Judgement) -> bool:
    """Whether Dynamics changed what was agreed on with a person who is gone.

    A field that was never agreed on, of a new pair perhaps, is no change by standing there: from now on its changes count.
    """
    known = {key: state for key, state in judged.states.items() if not _is_own(state.bound)}
    for key, state in known.items():
        if state.agreed is None and state.d_known:
            nothing = shown(state.bound, Side.MARKETO, None)
            judged.case.agreed[key] = [shown(state.bound, Side.DYNAMICS, state.d), nothing, 1]
    return any(_moved(judged.results[key]) for key, state in known.items() if state.agreed is not None)


def _moved(result: FieldResult) -> bool:
    """Whether Dynamics' side of a field changed since it was agreed: a write to Marketo, or one that failed."""
    return result.verdict in (Verdict.WRITE, Verdict.FAILED) and result.to is Side.MARKETO


def _is_own(bound: Bound) -> bool:
    """Whether the pair tells Marketo about the record itself: its id, its type, whether it is deleted."""
    return bound.pair.dynamics.startswith("@")


def _bounds(case: Case, book: Rulebook) -> tuple[Sequence[Bound], bool]:
    """The pairs that something is to be decided about, and whether there was anything to compare.

    What a glance settles is agreed on here.
    """
    if case.dynamics is None or case.marketo is None:
        return (), False
    bounds = book.bounds[case.table]
    stopped = case.stopped or case.filtered
    if stopped or case.dynamics_deleted or case.marketo_deleted:
        # Of a stopped person nothing is told but the delete.
        own = [bound for bound in bounds if _is_own(bound)]
        return (bounds, True) if not stopped else (own, True) if case.dynamics_deleted else ((), False)
    values = {**(case.d or {}), **own_values(Ref(case.table, case.dynamics))}
    left, met = look(book.glances[case.table], values, case.m or {}, case.agreed, _special(case, bounds))
    case.agreed.update(met)
    return left, True


def _special(case: Case, bounds: Iterable[Bound]) -> set[str]:
    """Keys of fields with more to them than two values and what was agreed."""
    company = {bound.pair.key for bound in bounds if bound.field.company_class} if case.company_linked else set[str]()
    refused = {key for side in Side for key in case.held.get(f"*{side}", {}).get("fields", ())}
    waiting = {key for write in case.waiting.values() for key in write.fields}
    return {*case.held, *refused, *waiting, *case.receipts, *case.chosen, *company}


def _state_of(case: Case, bound: Bound, now: datetime) -> FieldState:
    dynamics = case.dynamics or ""
    if _is_own(bound):
        source: Mapping[str, Raw] = own_values(Ref(case.table, dynamics), deleted=case.dynamics_deleted)
    else:
        source = {} if case.dynamics_deleted else case.d or {}
    return _state(case, bound, source, now, seen=case.m if not case.marketo_deleted else _as_agreed(case, bound))


def _as_agreed(case: Case, bound: Bound) -> dict[str, Any]:
    """A deleted person's values are gone: only what Dynamics changed counts."""
    agreed = case.agreed.get(bound.pair.key)
    return {bound.pair.marketo: agreed[1] if agreed else None}


def _state(
    case: Case, bound: Bound, source: Mapping[str, Raw], now: datetime, seen: Mapping[str, Raw] | None
) -> FieldState:
    key, there = bound.pair.key, seen or {}
    agreed = case.agreed.get(key)
    return FieldState(
        bound=bound,
        agreed=Agreed(*agreed) if agreed else None,
        d=source.get(bound.pair.dynamics),
        m=there.get(bound.pair.marketo),
        d_known=bound.pair.dynamics in source,
        m_known=bound.pair.marketo in there,
        receipt=_open_receipt(case, key),
        blocked={Side(side): value for side, value in case.held.get(key, {}).get("blocked", {}).items()},
        hold=_hold(case, bound, now),
        late=tuple(receipt.sent for receipt in case.receipts.get(key, ()) if receipt.rule == LATE),
    )


def _open_receipt(case: Case, key: str) -> OpenReceipt | None:
    found = [receipt for receipt in case.receipts.get(key, ()) if receipt.rule != LATE]
    if not found:
        return None
    *older, receipt = found
    lines = [LineSeen(guid, datetime.fromisoformat(at), old, new, ours) for guid, at, old, new, ours in receipt.lines]
    back = left_ours(SentReceipt(receipt.sent, receipt.replaced, receipt.at, receipt.request_id), lines)
    earlier = tuple(one.replaced for one in older)
    return OpenReceipt(receipt.replaced, receipt.sent, back, earlier)


def _hold(case: Case, bound: Bound, now: datetime) -> str:
    if bound.field.company_class and case.company_linked:
        return Held.COMPANY
    if case.held.get(bound.pair.key, {}).get("why") == Held.TWO_AUTOMATIONS:
        return Held.TWO_AUTOMATIONS
    turns = [
        (datetime.fromisoformat(at), Side(side), value) for at, side, value in case.written.get(bound.pair.key, ())
    ]
    return Held.TWO_AUTOMATIONS if alternating(turns, now) else ""


def _restore_overtaken(judged: Judgement, book: Rulebook) -> None:
    """A value that our write replaced unseen, and that the rule lets win, goes back to Marketo first.

    What is agreed stays, so the restored value then counts as Marketo's change and travels to Dynamics.
    """
    for key, held in list(judged.case.held.items()):
        if "overtaken" not in held or key not in judged.states:
            continue
        result = judged.results[key]
        # Two that meet after a merge have nothing agreed: what stands there instead of the value that won must not go over.
        meets = judged.states[key].agreed is None and result in judged.writes.get(Side.DYNAMICS, ())
        if meets or result.verdict in (Verdict.NOTHING, Verdict.AGREE):
            back = restoring(judged.states[key], held["overtaken"])
            if back is not None:
                judged.writes.setdefault(Side.MARKETO, []).append(back)
                if meets:
                    _leave_out(judged, result, Side.DYNAMICS)
                continue
        del held["overtaken"]


def _leave_out(judged: Judgement, result: FieldResult, side: Side) -> None:
    left = [other for other in judged.writes.pop(side) if other is not result]
    if left:
        judged.writes[side] = left


def _refused_as_it_is(case: Case, side: Side, values: Mapping[str, Raw]) -> bool:
    """Whether the side refused exactly this write before; it is not sent again until something in it changes."""
    refused = case.held.get(f"*{side}")
    return refused is not None and refused.get("hash") == write_hash(values)


def agreed_on_arrival(
    book: Rulebook, side: Side, write: PendingWrite, values: Mapping[str, Raw]
) -> dict[str, list[Any]]:
    """What is agreed on, by pair key, after a write without an answer: where the value sent stands, it was carried out.

    Else our own value would count as an edit of that side, and win against what was edited on the other one meanwhile.
    """
    found: dict[str, list[Any]] = {}
    for key, told in write.fields.items():
        bound = book.bound(key)
        if bound is None or told["agreed"] is None or told["sent"] == told["replaced"]:
            continue
        name = bound.target(side).name
        if name in values and shown(bound, side, values[name]) == told["sent"]:
            found[key] = told["agreed"]
    return found


def _tried(case: Case, book: Rulebook) -> dict[str, list[Any]]:
    """As ``agreed_on_arrival``, of the writes that were sent once and wait again."""
    found: dict[str, list[Any]] = {}
    for side, write in case.waiting.items():
        target, values = (case.dynamics, case.d) if side is Side.DYNAMICS else (str(case.marketo), case.m)
        tried = write.op == "update" and write.state == "waiting" and write.attempts
        if tried and write.target == target and write.inputs != MOVED:
            found |= agreed_on_arrival(book, side, write, values or {})
    return found


def write_hash(values: Mapping[str, Raw]) -> str:
    """What a refused write is known by."""
    return text.digest(text.dump(dict(values)))
