"""Stores the answers to writes: mirror, agreed values, history and failures in one transaction per batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from syncadmin.connectors.contract import Outcome, Status
from syncadmin.engine.failures import Cause, retry_after
from syncadmin.engine.merge import Rule
from syncadmin.engine.records import Lane, Side, Values
from syncadmin.services import doubles, failing, history, judge, late_calls
from syncadmin.services.rulebook import Rulebook
from syncadmin.services.values import shown
from syncadmin.store import cases, ledger, mirror, own_writes, work
from syncadmin.store.cases import Case
from syncadmin.store.kinds import Kind
from syncadmin.store.models import Activity, Failure, PendingWrite, Run

_LOOKED_AT = (Rule.OVERTAKEN, Rule.CHOSEN)
# An update finds nobody who is there already: a key that is taken, or a duplicate, speaks against its values.
REFUSALS = (Status.REFUSED, Status.EXISTS, Status.DUPLICATE)


@dataclass(frozen=True, slots=True)
class Answered:
    """One write and what the other side said to it."""

    write: PendingWrite
    outcome: Outcome


def updates(
    book: Rulebook,
    side: Side,
    answers: Sequence[Answered],
    sent: datetime,
    run: Run,
    now: datetime,
    repeated: Mapping[str, Values | None] = MappingProxyType({}),
) -> dict[str, int]:
    """Stores the answers to a batch of updates; answers counts. Runs in the caller's transaction.

    ``repeated`` is what stands, by target, where an earlier try of the same write had no answer; None if nobody can look.

    GONE and STALE are left to the caller: they need a notice, or a read. Their links stay dirty. A write that another
    worker has taken over while this one stood still is left to that one, whatever the answer.
    """
    passed = [answer for answer in answers if answer.outcome.status is Status.UPDATED]
    doubles.look(_overwrite_mirror(side, passed, sent), run, now)
    found = {case.id: case for case in cases.lock_bare([answer.write.link_id or 0 for answer in answers])}
    failed = failing.among(list(found))
    left: list[Answered] = []
    moved = work.standing([answer.write for answer in answers])
    lines = _late(side, [answer for answer in passed if answer.write.pk not in moved], found, sent, run, now)
    answers = [answer for answer in answers if answer.write.pk in moved]
    for answer in answers:
        stood = repeated.get(answer.write.target)
        if answer.write.target in repeated:
            arrived(book, side, answer.write, stood, run, now)
        case = found.get(answer.write.link_id or 0)
        if case is not None and (moved[answer.write.pk] or _is_of_another(side, case, answer.write)):
            left.append(answer)
            if answer.outcome.status is Status.UPDATED:
                lines.append(_written(Kind.UPDATED, side, case, answer.write, run, now))
            elif answer.write.attempts > 1 and answer.write.target not in repeated:
                arrived(book, side, answer.write, None, run, now)  # by an earlier try, as far as anybody knows
        elif case is not None:
            if stood is not None:
                case.agreed.update(judge.agreed_on_arrival(book, side, answer.write, stood))
            lines += _update(book, side, case, answer, run, now)
            if answer.outcome.status is Status.UPDATED and case.id in failed:
                failing.mend(case.id, case.marketo, list(Side), list(answer.write.fields), run, now)
                failing.mend(case.id, case.marketo, [side], [""], run, now)
    spoken = {line.link_id for line in lines if line.link_id}
    cases.store_answers(list(found.values()), told=spoken, now=now)
    finished = {answer.write.pk for answer in answers if answer in left or answer.outcome.status is not Status.LATER}
    PendingWrite.objects.filter(pk__among=finished).delete()
    mirror.mark_links([one.write.link_id or 0 for one in answers if one in left or _is_unsettled(one)], Lane.LIVE)
    ledger.activities(lines)
    return {f"{side}_{status}": _number(answers, status) for status in Status}


def _late(
    side: Side, passed: Sequence[Answered], found: Mapping[int, Case], sent: datetime, run: Run, now: datetime
) -> list[Activity]:
    # Dynamics asks for the version that was read, so nothing late replaces anything there.
    if not passed or side is Side.DYNAMICS:
        return []
    writes = [(answer.write, answer.outcome.request_id) for answer in passed]
    return late_calls.carried_out(writes, found, sent, run, now)


def _is_of_another(side: Side, case: Case, write: PendingWrite) -> bool:
    """Whether the link has followed a merge to another record since: the answer tells what happened to the one it left,
    and nothing of what this one agrees to or refuses."""
    return write.target != (case.dynamics if side is Side.DYNAMICS else str(case.marketo))


def _is_unsettled(answer: Answered) -> bool:
    """Whether the link has to be merged again: after a refusal, and where a value that was put back has yet to travel from
    there, or a choice to be noted as carried out."""
    if answer.outcome.status is Status.UPDATED:
        return any(told["rule"] in _LOOKED_AT for told in answer.write.fields.values())
    return answer.outcome.status in (Status.STALE, *REFUSALS)


def _number(answers: Sequence[Answered], status: Status) -> int:
    return sum(1 for answer in answers if answer.outcome.status is status)


def _overwrite_mirror(side: Side, passed: Sequence[Answered], sent: datetime) -> set[str]:
    ordered = sorted(passed, key=lambda answer: answer.write.target)
    if side is Side.DYNAMICS:
        rows = [(a.write.target, a.write.values, a.outcome.version) for a in ordered]
        return own_writes.overwrite_dynamics(rows, sent)
    return own_writes.overwrite_people([(int(a.write.target), a.write.values) for a in ordered], sent)


def _update(book: Rulebook, side: Side, case: Case, answer: Answered, run: Run, now: datetime) -> list[Activity]:
    match answer.outcome.status:
        case Status.UPDATED:
            return _passed(side, case, answer.write, run, now)
        case status if status in REFUSALS:
            return _refused(book, side, case, answer, run, now)
        case Status.LATER:
            pause = now + retry_after(answer.write.attempts)
            work.give_back([answer.write], not_before=pause)
            return _fail(side, case, answer, "", "", run, now) if answer.write.attempts > 1 else []
        case Status.STALE if answer.write.attempts < 2 and not answer.outcome.repeated:
            _note_fields(side, case, answer.write)
            return []
        case _:
            return []


def _passed(side: Side, case: Case, write: PendingWrite, run: Run, now: datetime) -> list[Activity]:
    for key, told in write.fields.items():
        if told["agreed"] is not None:
            case.agreed[key] = told["agreed"]
        case.held.pop(key, None)
        turns = [turn for turn in case.written.get(key, []) if _within_hour(turn[0], now)]
        case.written[key] = [*turns, [now.isoformat(), side, history.short(told["sent"])]][-8:]
    case.written = {key: turns for key, turns in case.written.items() if _within_hour(turns[-1][0], now)}
    case.held.pop(f"*{side}", None)
    return [_written(Kind.UPDATED, side, case, write, run, now)]


def _within_hour(at: str, now: datetime) -> bool:
    return (now - datetime.fromisoformat(at)).total_seconds() < 3600


def _written(kind: Kind, side: Side, case: Case, write: PendingWrite, run: Run, now: datetime) -> Activity:
    changes = history.changes(write.fields)
    return history.line(
        kind, now, link=case.id, side=side, changes=changes, details={"id": write.target, "table": write.table}, run=run
    )


def arrived(
    book: Rulebook, side: Side, write: PendingWrite, values: Values | None, run: Run | None, now: datetime
) -> list[str]:
    """Keys of a write without an answer that was, or may have been, applied; history tells what they replaced.

    A third value says nothing: somebody edited after our write, or instead of it. Better told once too often. So it is
    where nobody knows the ``values``, or whether one is empty.
    """
    found = [key for key, told in write.fields.items() if values is None or _has_moved(book, side, key, told, values)]
    changes = history.changes({key: write.fields[key] for key in found})
    if changes:
        details = {"id": write.target, "table": write.table}
        ledger.activities(
            [history.line(Kind.UPDATED, now, link=write.link_id, side=side, changes=changes, details=details, run=run)]
        )
    return found


def _has_moved(book: Rulebook, side: Side, key: str, told: dict[str, Any], values: Values) -> bool:
    bound = book.bound(key)
    if bound is None:
        return True  # a pair that is gone is not read
    # Marketo may leave empty fields out. For a merge that is not empty, but what may be lost is to be told.
    stands = shown(bound, side, values.get(bound.target(side).name))
    return bool(stands == told["sent"] or stands != told["replaced"])


def _refused(book: Rulebook, side: Side, case: Case, answer: Answered, run: Run, now: datetime) -> list[Activity]:
    """One bad field holds back that field; a refused record holds back that record, until something changes."""
    key = _key_at_fault(book, case, side, answer)
    if key is None:
        case.held[f"*{side}"] = {"why": "refused", "hash": judge.write_hash(answer.write.values)}
        _note_fields(side, case, answer.write)
        return _fail(side, case, answer, "", "", run, now)
    blocked = {**case.held.get(key, {}).get("blocked", {}), str(side): answer.write.fields[key]["sent"]}
    stood = _stood(side, answer.write.fields[key])
    case.held[key] = {**case.held.get(key, {}), **stood, "why": "failure", "blocked": blocked}
    return _fail(side, case, answer, key, answer.outcome.column, run, now)


def _note_fields(side: Side, case: Case, write: PendingWrite) -> None:
    """What a write that is gone now was decided for: either side may move on before the next one is decided."""
    fields = {key: _stood(side, told) for key, told in write.fields.items() if ".@" not in key}
    case.held[f"*{side}"] = {**case.held.get(f"*{side}", {}), "fields": fields}


def _stood(side: Side, told: dict[str, Any]) -> dict[str, Any]:
    """The two values that a write was decided for, as the link notes what it holds back."""
    source, replaced = history.short(told["source"]), history.short(told["replaced"])
    return {"d": source, "m": replaced} if side is Side.MARKETO else {"d": replaced, "m": source}


def _key_at_fault(book: Rulebook, case: Case, side: Side, answer: Answered) -> str | None:
    """The pair whose column the answer names, or the only one there is."""
    if len(answer.write.fields) == 1:
        return str(next(iter(answer.write.fields)))
    for bound in book.bounds[case.table]:
        if bound.target(side).name == answer.outcome.column and bound.pair.key in answer.write.fields:
            return bound.pair.key
    return None


def _fail(side: Side, case: Case, answer: Answered, key: str, column: str, run: Run, now: datetime) -> list[Activity]:
    outcome = answer.outcome
    row = Failure(
        subject=f"link:{case.id}",
        link_id=case.id,
        side=side,
        operation=answer.write.op,
        key=key,
        column=column or outcome.column,
        cause=outcome.cause or Cause.UNKNOWN,
        code=outcome.code,
        message=outcome.message[:4000],
        value={"value": history.short(answer.write.fields.get(key, {}).get("sent"))},
        opened_at=now,
        last_at=now,
        run=run,
    )
    return failing.opened(row, person=case.marketo, table=case.table, guid=case.dynamics, now=now, run=run)
