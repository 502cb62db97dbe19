"""What a person decides: release or ignore a failure, answer a decision, pause and resume the loop.

    Refused
    ├── AlreadySettled      somebody else, or the sync itself, was faster
    ├── NotAChoice          the answer is none of the choices
    └── Overtaken           the answer no longer fits what is there

Whatever is decided here only marks rows; the next run carries it out.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from syncadmin.services import answers
from syncadmin.services.answers import AlreadySettled, NotAChoice, Overtaken, Refused
from syncadmin.store import cases, ledger, options
from syncadmin.store.kinds import Kind
from syncadmin.store.models import Activity, AuditEntry, Decision, DynamicsRecord, Failure, Link

__all__ = [
    "AlreadySettled",
    "NotAChoice",
    "Overtaken",
    "Refused",
    "answer",
    "ignore",
    "pause",
    "release",
    "release_cause",
    "resume",
]

# Links are locked while their batch is released; a run that wants one of them waits as long.
BATCH = 500


def pause(who: str, now: datetime) -> None:
    """The loop starts nothing new; what changes meanwhile is read later."""
    _set_paused(True, who, now)


def resume(who: str, now: datetime) -> None:
    _set_paused(False, who, now)


@transaction.atomic
def _set_paused(paused: bool, who: str, now: datetime) -> None:
    before = options.write("paused", paused)
    if before != paused:
        action = "pause" if paused else "resume"
        AuditEntry.objects.create(at=now, who=who, action=action, subject="loop", before=before, after=paused)


def release(ids: Iterable[int], who: str, now: datetime) -> int:
    """Lets the next run try these failures again; answers how many were still open."""
    wanted = sorted(set(ids))
    released = sum(_release(wanted[start : start + BATCH], who, now) for start in range(0, len(wanted), BATCH))
    _audit("release", f"{released} failures", who, now)
    return released


def release_cause(cause: str, who: str, now: datetime) -> int:
    """Lets the next run try every open failure of a cause again, those put aside excepted."""
    released, after = 0, 0
    while True:
        found = Failure.objects.filter(cause=cause, closed_at__isnull=True, ignored=False, pk__gt=after)
        ids = list(found.order_by("pk").values_list("pk", flat=True)[:BATCH])
        if not ids:
            break
        released, after = released + _release(ids, who, now), ids[-1]
    _audit("release", f"{released} failures: {cause}", who, now)
    return released


@transaction.atomic
def ignore(ids: Iterable[int], who: str, now: datetime) -> int:
    """Puts failures aside: they are no longer counted, and close themselves as ever when the record passes."""
    changed = Failure.objects.filter(pk__in=list(ids), closed_at__isnull=True, ignored=False)
    rows = list(changed.select_for_update(of=("self",)).select_related("link").order_by("pk"))
    Failure.objects.filter(pk__in=[row.pk for row in rows]).update(ignored=True)
    ledger.activities(_told(row, "ignore", who, now) for row in rows)
    _audit("ignore", f"{len(rows)} failures", who, now)
    return len(rows)


@transaction.atomic
def answer(decision_id: int, choice: str, who: str, now: datetime) -> None:
    """Settles a decision. Raises ``Refused``; then nothing has changed."""
    row = Decision.objects.select_for_update(of=("self",)).select_related("link").filter(pk=decision_id).first()
    if row is not None and row.answered_by == who and row.answer == {"choice": choice}:
        return  # a double click
    if row is None or row.answered_at is not None:
        raise AlreadySettled("This decision has been settled already.")
    if choice not in row.choices:
        raise NotAChoice("This answer is not one of the choices.")
    answers.carry_out(row, choice, who, now)
    row.answer, row.answered_at, row.answered_by = {"choice": choice}, now, who
    row.save(update_fields=["answer", "answered_at", "answered_by"])
    ledger.activities([answers.line(row, Kind.DECIDED, {"kind": row.kind, "answer": choice}, who, now)])
    AuditEntry.objects.create(at=now, who=who, action="answer", subject=f"{row.kind} {row.subject}", after=choice)


@transaction.atomic
def _release(ids: list[int], who: str, now: datetime) -> int:
    """Links before failures, each in order of id, as every step of a run locks them."""
    links = Failure.objects.filter(pk__in=ids, link__isnull=False).values_list("link_id", flat=True)
    locked = {row.pk: row for row in Link.objects.select_for_update().filter(pk__in=set(links)).order_by("pk")}
    found = Failure.objects.filter(pk__in=ids, closed_at__isnull=True)
    rows = list(found.select_for_update(of=("self",)).select_related("link").order_by("pk"))
    for row in rows:
        if row.link_id in locked:
            _let_go(locked[row.link_id], row)
    Link.objects.bulk_update(locked.values(), ["held", "written", "dirty", "lane"])
    _wake_records([row.subject for row in rows if row.link_id is None], now)
    Failure.objects.filter(pk__in=[row.pk for row in rows]).update(next_try_at=now, ignored=False)
    ledger.activities(_told(row, "release", who, now) for row in rows)
    return len(rows)


def _let_go(link: Link, failure: Failure) -> None:
    """What the failure held back is decided anew. Values that our writes replaced unseen stay noted."""
    key = failure.key or f"*{failure.side}"
    # The mark stays until the next merge, which closes the failure if there is nothing left to send.
    if key in link.held:
        link.held[key] = cases.let_go(link.held[key])
    link.written.pop(failure.key, None)
    if not link.dirty:
        link.dirty, link.lane = True, "retry"


def _wake_records(subjects: list[str], now: datetime) -> None:
    """Records without a link are paired again; a Sync Person request that failed is taken up again."""
    by_side: dict[str, list[str]] = {"dynamics": [], "marketo": []}
    for subject in subjects:
        side, _colon, key = subject.partition(":")
        if key and side in by_side:
            by_side[side].append(key)
    DynamicsRecord.objects.filter(guid__in=by_side["dynamics"], due="").update(due="pair", lane="retry")
    answers.take_up_requests([int(key) for key in by_side["marketo"]], ("failed",), now)


def _told(row: Failure, choice: str, who: str, now: datetime) -> Activity:
    side, _colon, key = row.subject.partition(":")
    return Activity(
        link_id=row.link_id,
        dynamics=row.link.dynamics if row.link else key if side == "dynamics" and key else None,
        marketo=row.link.marketo if row.link else int(key) if side == "marketo" and key else None,
        at=now,
        kind=Kind.DECIDED,
        side=row.side,
        details={"kind": "failure", "answer": choice, "cause": row.cause, "key": row.key},
        who=who,
    )


def _audit(action: str, subject: str, who: str, now: datetime) -> None:
    AuditEntry.objects.create(at=now, who=who, action=action, subject=subject)
