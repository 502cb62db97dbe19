"""What stays where it is after a merge, and why: noted on the link once, told once, failures opened and closed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from syncadmin.engine.failures import Cause
from syncadmin.engine.merge import FieldResult, Held, Verdict
from syncadmin.engine.records import Side
from syncadmin.services import failing, history
from syncadmin.services.judge import Judgement
from syncadmin.services.values import comparables
from syncadmin.store import ledger
from syncadmin.store.kinds import Kind
from syncadmin.store.models import Activity, Failure, Run

# These are noted on the link but told by nobody: they pass by themselves or say nothing new.
_QUIET = frozenset({Held.RECEIPT, Held.FIRST_BLANKS, Held.FAILURE, Held.SHARED_COLUMN})
_FAILURES = frozenset({Held.FAILURE, Held.TWO_AUTOMATIONS})
# Of these it is told what stood there once it changes; under a receipt stands what our write's own line tells.
_PASSING = _QUIET - {Held.RECEIPT}


def note(judgement: Judgement, run: Run, now: datetime) -> list[Activity]:
    """Brings the link's ``held`` and failures up to date; lines of history for what is new."""
    if judgement.broken:
        return _broken(judgement, run, now)
    lines = _refused(judgement, run, now)
    for key, result in judgement.results.items():
        lines += _note(judgement, key, result, run, now)
        lines += _fail(judgement, key, result, run, now)
    _pass_records(judgement, run, now)
    return lines


def _note(judgement: Judgement, key: str, result: FieldResult, run: Run, now: datetime) -> list[Activity]:
    case, known = judgement.case, judgement.case.held.get(key, {})
    if _unknown(judgement, key, result):
        return []
    lines = _gave_way(judgement, key, known, run, now)
    why = Held.FAILURE if result.verdict is Verdict.FAILED else result.held
    if known.get("why") == Held.ASK and result.collision is None:
        _withdraw(judgement, key, now)
    if known.get("why") in _FAILURES and why not in _FAILURES and result.verdict is not Verdict.WRITE:
        failing.mend(case.id, case.marketo, list(Side), [key], run, now)
    if why is None:
        if "overtaken" not in known:
            case.held.pop(key, None)
        return lines
    d, m = comparables(judgement.states[key])
    entry = {"why": str(why), "d": history.short(d), "m": history.short(m)}
    case.held[key] = {**entry, **{name: known[name] for name in ("blocked", "overtaken") if name in known}}
    told = {name: known.get(name) for name in entry} == entry
    if told or why in _QUIET:
        return lines
    details = {"key": key, "reason": str(why), "d": entry["d"], "m": entry["m"]}
    return [*lines, history.line(Kind.HELD, now, link=case.id, details=details, run=run)]


def _unknown(judgement: Judgement, key: str, result: FieldResult) -> bool:
    """Whether a living record's answers leave the field out: then what is noted of it holds."""
    state = judgement.states[key]
    left_out = result.verdict is Verdict.NOTHING and not (state.d_known and state.m_known)
    return left_out and not judgement.case.dynamics_deleted


def _gave_way(judgement: Judgement, key: str, known: dict[str, Any], run: Run, now: datetime) -> list[Activity]:
    """A line for each value that was quietly held and that its own side has replaced since."""
    if known.get("why") not in _PASSING or "d" not in known:
        return []
    state = judgement.states[key]
    stands = dict(zip(Side, comparables(state), strict=True))
    # A record that was deleted holds nothing any more.
    seen = {
        Side.DYNAMICS: (state.d_known or judgement.case.dynamics_deleted, known["d"]),
        Side.MARKETO: (state.m_known, known["m"]),
    }
    return [
        history.line(
            Kind.SUPERSEDED,
            now,
            link=judgement.case.id,
            side=side,
            changes=[[key, held, stands[side], "held"]],
            run=run,
        )
        for side, (answered, held) in seen.items()
        if answered and held is not None and held != history.short(stands[side])
    ]


def _refused(judgement: Judgement, run: Run, now: datetime) -> list[Activity]:
    """What a write that was not carried out as a whole holds back is told like one held field's: see ``_gave_way``."""
    held, lines = judgement.case.held, list[Activity]()
    for side in Side:
        whole = held.get(f"*{side}", {})
        fields = {key: stood for key, stood in whole.get("fields", {}).items() if key in judgement.states}
        for key, stood in fields.items():
            untold = _untold(stood, judgement.results[key])
            lines += _gave_way(judgement, key, {"why": Held.FAILURE, **untold}, run, now)
            whole["fields"][key] = _stands(judgement, key, stood)
        if side in judgement.writes:
            whole.pop("fields", None)  # sent anew: whatever happens to it now is told of that write
        if not whole:
            held.pop(f"*{side}", None)
    return lines


def _untold(stood: dict[str, Any], result: FieldResult) -> dict[str, Any]:
    """Without what the row of a conflict keeps as agreed."""
    found = result.collision
    agreed = {"d": history.short(found.agreed_d), "m": history.short(found.agreed_m)} if found else {}
    return {name: None if name in agreed and value == agreed[name] else value for name, value in stood.items()}


def _stands(judgement: Judgement, key: str, stood: dict[str, Any]) -> dict[str, Any]:
    """What is to be noted of a field's two values; one that was not answered is as it was."""
    state = judgement.states[key]
    d, m = comparables(state)
    return {
        "d": history.short(d) if state.d_known or judgement.case.dynamics_deleted else stood["d"],
        "m": history.short(m) if state.m_known else stood["m"],
    }


def _withdraw(judgement: Judgement, key: str, now: datetime) -> None:
    """Nobody has to decide any more: the two values came together, or somebody has chosen."""
    ledger.settle_conflicts(judgement.case.id, [key])
    ledger.withdraw_decision("ask", question(judgement.case.id, key), now=now)


def question(link: int, key: str) -> str:
    """What a decision about one field of one link is known by."""
    return f"link:{link}:{key}"[:100]


def _pass_records(judgement: Judgement, run: Run, now: datetime) -> None:
    """A refused record passes when there is nothing left to write to that side."""
    case = judgement.case
    for side in Side:
        settled = judgement.compared and side not in judgement.writes and side not in judgement.refused
        if settled and case.held.pop(f"*{side}", None):
            failing.mend(case.id, case.marketo, [side], [""], run, now)


def _fail(judgement: Judgement, key: str, result: FieldResult, run: Run, now: datetime) -> list[Activity]:
    """Opens a failure for a value that cannot travel, and for a field that two automations fight over."""
    case = judgement.case
    if result.verdict is Verdict.FAILED and result.problem:
        cause, message, column = str(result.problem.code), result.problem.detail, result.problem.column
        value: Any = {"value": history.short(result.source), "limit": result.problem.limit}
    elif result.held is Held.TWO_AUTOMATIONS:
        d, m = comparables(judgement.states[key])
        cause, message, column = "two_automations", "", ""
        value = {"d": history.short(d), "m": history.short(m)}
    else:
        return []
    row = Failure(
        subject=f"link:{case.id}",
        link_id=case.id,
        side=result.to or Side.DYNAMICS,
        operation="update",
        key=key,
        column=column,
        cause=cause,
        message=message,
        value=value,
        opened_at=now,
        last_at=now,
        run=run,
    )
    return failing.opened(row, person=case.marketo, table=case.table, guid=case.dynamics, now=now, run=run)


def _broken(judgement: Judgement, run: Run, now: datetime) -> list[Activity]:
    """A fault of ours about this one link: it is told and waits for another value, and nobody else waits for it."""
    case = judgement.case
    row = Failure(
        subject=broken(case.id),
        link_id=case.id,
        side=Side.DYNAMICS,
        operation="merge",
        cause=Cause.UNKNOWN,
        message=judgement.broken[:4000],
        opened_at=now,
        last_at=now,
        run=run,
    )
    return failing.opened(row, person=case.marketo, table=case.table, guid=case.dynamics, now=now, run=run)


def broken(link: int) -> str:
    """The subject of a failure to judge a link at all."""
    return f"merge:{link}"


def judged_again(links: list[int], now: datetime) -> None:
    """Closes what was broken about links that could be judged this time."""
    for row in Failure.objects.filter(subject__among={broken(link) for link in links}, closed_at=None):
        ledger.close_failures(row.subject, row.side, [""], now=now)
