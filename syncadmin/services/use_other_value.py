"""Another outcome for conflicts: one, the chosen ones, or all that a filter lets through.

Nothing is written here. The next run carries a choice out, unless somebody has changed one of the values since; until
then it can be taken back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Case, CharField, Count, Q, QuerySet, Value, When

from syncadmin.engine.records import Lane, Side
from syncadmin.services import history, kept
from syncadmin.store import cases, ledger, mirror
from syncadmin.store.kinds import Kind
from syncadmin.store.models import Activity, AuditEntry, Conflict, Decision, PendingWrite
from syncadmin.store.queries.conflicts import ConflictFilter, chosen_by

# So many links are locked at a time; a run that wants one of them waits that long.
BATCH = 2_000

OTHER = "other"
USES = (OTHER, *Side)


@dataclass(frozen=True, slots=True)
class Which:
    """The conflicts meant: those with these ids, or all that the filter lets through."""

    ids: tuple[int, ...] | None = None
    wanted: ConflictFilter = field(default_factory=ConflictFilter)

    def rows(self) -> QuerySet[Conflict]:
        return chosen_by(self.wanted) if self.ids is None else Conflict.objects.filter(pk__in=self.ids)


@dataclass(frozen=True, slots=True)
class Effect:
    """How many conflicts get Dynamics' value and how many Marketo's; ``left`` stay, since nothing can be chosen."""

    dynamics: int
    marketo: int
    left: int

    @property
    def together(self) -> int:
        return self.dynamics + self.marketo


def preview(which: Which, use: str) -> Effect:
    """What ``choose`` would do now. ``use`` is one of ``USES``."""
    told = _open_to(which.rows(), use).aggregate(
        dynamics=Count("pk", filter=Q(to=Side.DYNAMICS)), marketo=Count("pk", filter=Q(to=Side.MARKETO))
    )
    return Effect(told["dynamics"], told["marketo"], which.rows().count() - told["dynamics"] - told["marketo"])


def waiting(which: Which) -> Effect:
    """How many choices no run has carried out yet, by the side whose value was chosen."""
    rows = which.rows()
    told = rows.filter(state="chosen").aggregate(
        dynamics=Count("pk", filter=Q(chosen=Side.DYNAMICS)), marketo=Count("pk", filter=Q(chosen=Side.MARKETO))
    )
    return Effect(told["dynamics"], told["marketo"], rows.count() - told["dynamics"] - told["marketo"])


def choose(which: Which, use: str, who: str, now: datetime) -> Effect:
    """Has the next run use those values; answers for how many."""
    done = {Side.DYNAMICS: 0, Side.MARKETO: 0}
    for ids in _batches(_open_to(which.rows(), use)):
        for side in _choose(ids, use, who, now):
            done[side] += 1
    effect = Effect(done[Side.DYNAMICS], done[Side.MARKETO], 0)
    if effect.together:
        _audit("use value", f"conflicts: {effect.together}, {use}", who, now)
    return effect


def _open_to(rows: QuerySet[Conflict], use: str) -> QuerySet[Conflict]:
    """Those a value can be chosen for, with the side it is ``to`` come from."""
    settled = Q(state="decided") & ~Q(rule="by_itself")
    if use == OTHER:
        beaten = Case(When(winner=Side.DYNAMICS, then=Value(Side.MARKETO.value)), default=Value(Side.DYNAMICS.value))
        return rows.filter(settled).exclude(winner="").annotate(to=beaten)
    return rows.filter(settled | Q(state="open")).exclude(winner=use).annotate(to=Value(use, output_field=CharField()))


def _batches(rows: QuerySet[Conflict]) -> Iterator[list[int]]:
    after = 0
    while ids := list(rows.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        yield ids
        after = ids[-1]


@transaction.atomic
def _choose(ids: Sequence[int], use: str, who: str, now: datetime) -> list[Side]:
    _lock(ids)
    found = _open_to(Conflict.objects.filter(pk__in=ids), use)
    rows = list(found.select_for_update(of=("self",)).order_by("pk"))
    sides = {row.pk: Side(getattr(row, "to")) for row in rows}  # noqa: B009
    for side in Side:
        mine = [pk for pk, to in sides.items() if to is side]
        Conflict.objects.filter(pk__in=mine).update(state="chosen", chosen=side, decided_by=who, decided_at=now)
    asked = {kept.question(row.link_id, row.key): sides[row.pk] for row in rows if not row.winner}
    for side in Side:
        subjects = [subject for subject, to in asked.items() if to is side]
        _questions(subjects).update(answer={"choice": side.value}, answered_at=now, answered_by=who)
    mirror.mark_links([row.link_id for row in rows], Lane.RETRY)
    ledger.activities(_line(row, sides[row.pk].value, who, now) for row in rows)
    return list(sides.values())


def _questions(subjects: Sequence[str]) -> QuerySet[Decision]:
    return Decision.objects.filter(kind="ask", subject__in=subjects, answered_at__isnull=True)


def _lock(ids: Sequence[int]) -> None:
    """Links before conflicts, in the order of their ids, as every step of a run locks them."""
    cases.lock(Conflict.objects.filter(pk__in=ids).values_list("link_id", flat=True))


@dataclass(frozen=True, slots=True)
class TakenBack:
    """``late`` are choices that a run had already begun to carry out."""

    done: int
    late: int


def take_back(which: Which, who: str, now: datetime) -> TakenBack:
    """Has choices that no run has carried out yet forgotten: the rule's outcome stands, or it is asked again."""
    done = late = 0
    for ids in _batches(which.rows().filter(state="chosen")):
        back = _take_back(ids, who, now)
        done, late = done + back, late + len(ids) - back
    if done:
        _audit("take value back", f"conflicts: {done}", who, now)
    return TakenBack(done, late)


@transaction.atomic
def _take_back(ids: Sequence[int], who: str, now: datetime) -> int:
    _lock(ids)
    rows = list(Conflict.objects.filter(pk__in=ids, state="chosen").select_for_update(of=("self",)).order_by("pk"))
    sent = PendingWrite.objects.filter(link_id__in=[row.link_id for row in rows], op="update", state="sent")
    on_the_way = {(link, key) for link, told in sent.values_list("link_id", "fields") for key in told}
    back = [row for row in rows if (row.link_id, row.key) not in on_the_way]
    mine = Conflict.objects.filter(pk__in=[row.pk for row in back])
    state = Case(When(winner="", then=Value("open")), default=Value("decided"))
    mine.update(state=state, chosen="", decided_by="", decided_at=None)
    _ask_again([row for row in back if not row.winner])
    mirror.mark_links([row.link_id for row in back], Lane.RETRY)
    ledger.activities(_line(row, "back", who, now) for row in back)
    return len(back)


def _ask_again(rows: Sequence[Conflict]) -> None:
    """Reopens the newest answered question about each of these, unless another one is open."""
    wanted = {kept.question(row.link_id, row.key): row.pk for row in rows}
    asked = Decision.objects.filter(kind="ask", subject__in=wanted)
    opened = set(asked.filter(answered_at__isnull=True).values_list("subject", flat=True))
    latest = {row.subject: row.pk for row in asked.order_by("pk") if row.facts.get("conflict") == wanted[row.subject]}
    ids = [pk for subject, pk in latest.items() if subject not in opened]
    Decision.objects.filter(pk__in=ids).update(answer=None, answered_at=None, answered_by="", due=False)


def _line(row: Conflict, answer: str, who: str, now: datetime) -> Activity:
    details = {"kind": "conflict", "answer": answer, "key": row.key, "conflict": row.pk}
    return history.line(Kind.DECIDED, now, link=row.link_id, details=details, who=who)


def _audit(action: str, subject: str, who: str, now: datetime) -> None:
    AuditEntry.objects.create(at=now, who=who, action=action, subject=subject)
