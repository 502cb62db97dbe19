"""Stores what a merge decided: agreed values, pending writes, conflicts, failures, and a line of history for each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from syncadmin.engine.merge import FieldResult
from syncadmin.engine.pairing import fold_email
from syncadmin.engine.records import Side
from syncadmin.services import choices, history, kept, outcomes, preview_inputs, superseded
from syncadmin.services.judge import Judgement
from syncadmin.services.rulebook import Rulebook
from syncadmin.store import cases, ledger, text
from syncadmin.store.cases import Case
from syncadmin.store.kinds import Kind
from syncadmin.store.models import UNSENT, Activity, Conflict, Decision, DynamicsRecord, Link, PendingWrite, Run


def judgements(book: Rulebook, judged: Sequence[Judgement], run: Run, now: datetime) -> dict[str, int]:
    """Stores decisions about locked links; answers counts. Runs in the caller's transaction."""
    lines: list[Activity] = []
    for judgement in judged:
        lines += kept.note(judgement, run, now)
    lines += choices.settle([(judgement.case, judgement.reached) for judgement in judged], run, now)
    kept.judged_again([judgement.case.id for judgement in judged if not judgement.broken], now)
    found = ledger.conflicts([row for judgement in judged for row in _conflicts(judgement, run, now)])
    lines += [_conflict_line(row, run, now) for row in found]
    for row in found:
        if row.state == "open":
            ledger.settle_conflicts(row.link_id, [row.key], but=[row.fingerprint])
            ledger.decision(ask(row, run, now))
    lines += superseded.told(judged, run, now)
    writes = _replace_writes(book, judged, run, now)
    _pair_anew(judged)
    told = {line.link_id for line in lines if line.link_id}
    again = {one.case.id for one in judged if any(_on_its_way(one.case, side) for side in one.writes)}
    for merged in (False, True):
        some = [one.case for one in judged if (one.case.id not in again) is merged]
        cases.store_links(some, merged=merged, told=told, now=now)
    ledger.activities(lines)
    return {"writes_planned": len(writes), "conflicts": len(found)}


def _conflicts(judgement: Judgement, run: Run, now: datetime) -> list[Conflict]:
    case, rows = judgement.case, []
    for key, result in judgement.results.items():
        found = result.collision
        if found is None:
            continue
        agreed = case.agreed.get(key)
        parts = [case.id, key, agreed[2] if agreed else 0, found.d, found.m]
        rows.append(
            Conflict(
                link_id=case.id,
                key=key,
                agreed_dynamics=found.agreed_d,
                agreed_marketo=found.agreed_m,
                dynamics_value=found.d,
                marketo_value=found.m,
                winner=found.winner or "",
                rule=found.rule,
                state="decided" if found.winner else "open",
                at=now,
                run=run,
                fingerprint=text.digest(text.dump(parts)),
            )
        )
    return rows


def _conflict_line(row: Conflict, run: Run, now: datetime) -> Activity:
    details = {
        "key": row.key,
        "winner": row.winner,
        "rule": row.rule,
        "agreed": [history.short(row.agreed_dynamics), history.short(row.agreed_marketo)],
        "d": history.short(row.dynamics_value),
        "m": history.short(row.marketo_value),
    }
    return history.line(Kind.CONFLICT, now, link=row.link_id, details=details, run=run)


def ask(row: Conflict, run: Run, now: datetime) -> Decision:
    """The question which of a conflict's two values is to stand."""
    facts = {
        "conflict": row.pk,
        "key": row.key,
        "agreed": [row.agreed_dynamics, row.agreed_marketo],
        "dynamics": row.dynamics_value,
        "marketo": row.marketo_value,
    }
    return Decision(
        kind="ask",
        subject=kept.question(row.link_id, row.key),
        link_id=row.link_id,
        facts=facts,
        choices=["dynamics", "marketo"],
        opened_at=now,
        run=run,
    )


def _replace_writes(book: Rulebook, judged: Sequence[Judgement], run: Run, now: datetime) -> list[PendingWrite]:
    """What was decided before and not sent gives way to what is decided now."""
    ids = [judgement.case.id for judgement in judged]
    for judgement in judged:
        _tell_what_arrived(book, judgement.case, run, now)
    if any(judgement.case.waiting for judgement in judged):
        PendingWrite.objects.filter(link_id__in=ids, op="update", state__in=UNSENT).delete()
    rows = [
        pending(judgement, side, book, run, now)
        for judgement in judged
        for side in judgement.writes
        if not _on_its_way(judgement.case, side)
    ]
    ledger.append_writes(rows)
    return rows


def _tell_what_arrived(book: Rulebook, case: Case, run: Run, now: datetime) -> None:
    """A write that was sent once and waits again may have been applied; nobody else could tell what it replaced."""
    for side, write in case.waiting.items():
        if write.op == "update" and write.state == "waiting" and write.attempts:
            there = case.d if side is Side.DYNAMICS else case.m
            outcomes.arrived(book, side, write, there or {}, run, now)


def _on_its_way(case: Case, side: Side) -> bool:
    """Whether a write to that side was sent and is not answered: the link stays dirty until it is."""
    return side in case.waiting and case.waiting[side].state == "sent"


def pending(judgement: Judgement, side: Side, book: Rulebook, run: Run | None, now: datetime) -> PendingWrite:
    """The write to one side that a judgement asks for."""
    case = judgement.case
    before = case.waiting.get(side)
    target = case.dynamics if side is Side.DYNAMICS else str(case.marketo)
    return PendingWrite(
        link_id=case.id,
        side=side,
        op="update",
        table=case.table if side is Side.DYNAMICS else "person",
        target=target or "",
        values=text.storable(judgement.values(side, book)),
        fields={result.key: _told(case, result) for result in judgement.writes[side]},
        version=case.version if side is Side.DYNAMICS else "",
        state="waiting" if book.options.started else "planned",
        inputs=book.digest if book.options.started else preview_inputs.of(case, book),
        lane=case.lane,
        attempts=before.attempts if before else 0,
        not_before=before.not_before if before else None,
        decided_at=before.decided_at if before else now,
        run_id=run.pk if run else None,
    )


def _told(case: Case, result: FieldResult) -> dict[str, Any]:
    """What the answer to the write will need: what is then agreed, and what history has to tell."""
    agreed = result.agreed
    return {
        "sent": text.storable(result.sent),
        "source": text.storable(result.source),
        "replaced": text.storable(result.replaced),
        "rule": result.rule,
        "agreed": text.storable([agreed.d, agreed.m, agreed.n]) if agreed else None,
        "before": case.agreed.get(result.key),
    }


def _pair_anew(judged: Sequence[Judgement]) -> None:
    """Links whose person is not there yet, or is deleted while Dynamics goes on, are paired anew."""
    renewed = [judgement.case for judgement in judged if judgement.renew_person]
    # What was merged into another record is nobody of its own any more, and pairing would leave its link without anybody.
    gone = DynamicsRecord.objects.filter(guid__in=[case.dynamics for case in renewed], merged_into__isnull=False)
    merged = {str(guid) for guid in gone.values_list("guid", flat=True)} if renewed else set()
    for case in renewed:
        if case.dynamics in merged:
            continue
        Link.objects.filter(pk=case.id).update(marketo=None, marketo_deleted=False)
        case.marketo, case.agreed, case.held = None, {}, {}
    missing = [
        judgement.case
        for judgement in judged
        if judgement.case.marketo is None
        and judgement.case.dynamics
        and not (judgement.case.dynamics_deleted or judgement.case.stopped or judgement.case.filtered)
        and Side.MARKETO not in judgement.case.waiting
    ]
    for case in missing:
        # Somebody may have made that person meanwhile, or erased it: pairing looks, and decides.
        DynamicsRecord.objects.filter(guid=case.dynamics or "").update(due="look_up", lane=case.lane)


def creating(link: int, guid: str, values: dict[str, Any], lane: str, run: Run | None, now: datetime) -> PendingWrite:
    """A create in Marketo. Its values are made when it is sent; here only its address, which must be in flight once."""
    return PendingWrite(
        link_id=link,
        side=Side.MARKETO,
        op="create",
        table="person",
        target=guid,
        email=fold_email(str(values.get("emailaddress1") or "")),
        lane=lane,
        state="waiting",
        decided_at=now,
        run=run,
    )
