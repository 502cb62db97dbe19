"""Settles what writes to Marketo left behind, from its change lines and from the value that stands there now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from syncadmin.engine.failures import Cause
from syncadmin.engine.merge import Agreed
from syncadmin.engine.receipts import LATE, LineSeen, SentReceipt, Settled, Settlement, left_ours, overtaken, settle
from syncadmin.engine.records import Lane, Ref, Side, Table, Values
from syncadmin.services import failing, history, record
from syncadmin.services.context import Context
from syncadmin.services.pull_people import store_people
from syncadmin.services.rulebook import Rulebook
from syncadmin.services.step import NOTHING, Step, did
from syncadmin.services.values import shown
from syncadmin.store import cases, ledger, mirror, receipts, text
from syncadmin.store.cases import Case
from syncadmin.store.kinds import Kind
from syncadmin.store.models import Activity, Conflict, Failure, PendingWrite, Receipt, Run

_BATCH, _TOLD = 300, 1_000
# A line that comes later than this after the settlement is nobody's any more.
KEPT = timedelta(days=7)


def settle_by_lines(ctx: Context, book: Rulebook, run: Run) -> Step:
    """Settles receipts that have lines."""
    with transaction.atomic():
        now = ctx.now()
        told = _answered().select_for_update(skip_locked=True, of=("self",)).exclude(lines=[])
        rows = list(told.order_by("id")[:_TOLD])
        # A line of somebody else's had the person read again, so the mirror knows what stands there since.
        values = cases.person_values([row.person for row in rows])
        seen = {row.pk: any(not line[4] for line in row.lines) and row.person in values for row in rows}
        chains = _chains(rows)
        ready = [(row, _judge(row, chains, values[row.person] if seen[row.pk] else None, book, now)) for row in rows]
        ready = [(row, found) for row, found in ready if found.kind is not Settled.OPEN]
        if not ready:
            return NOTHING
        counts = _settle(book, ready, chains, run, now)
    return did(len(rows) == _TOLD, **counts)


def _answered() -> QuerySet[Receipt]:
    """Open receipts of writes that were answered or taken over: what was not may never have left us."""
    lost = PendingWrite.objects.filter(link=OuterRef("link"), side=Side.MARKETO, op="update", state="sent")
    return Receipt.objects.filter(~Exists(lost), how="")


def settle_by_age(ctx: Context, book: Rulebook, run: Run) -> Step:
    """Settles receipts that no line came for: reads the people and looks at what stands there."""
    now = ctx.now()
    patience = timedelta(seconds=book.options.receipt_patience)
    old = list(_answered().filter(at__lte=now - patience).order_by("at", "id")[:_BATCH])
    if not old:
        return NOTHING
    people = sorted({row.person for row in old})
    fields = book.person_fields()
    refs = [Ref(Table.PERSON, str(person)) for person in people]
    found = ctx.marketo.for_work(Lane.RETRY, "receipts").fetch(refs, fields).records
    by_id = {int(record.ref.id): record.values for record in found}
    with transaction.atomic():
        rows = list(Receipt.objects.select_for_update().filter(pk__in=[row.pk for row in old], how="").order_by("id"))
        store_people(ctx, book, found, Lane.RETRY, now, run)
        chains = _chains(rows)
        ready = [(row, _judge(row, chains, by_id.get(row.person), book, now)) for row in rows]
        # Nobody answered for that person: deleted or out of sight; there is nothing to compare with any more.
        ready = [(row, Settlement(Settled.CHANGED) if row.person not in by_id else how) for row, how in ready]
        counts = _settle(book, [pair for pair in ready if pair[1].kind is not Settled.OPEN], chains, run, now)
    return did(len(old) == _BATCH, **counts)


# The receipts of one field of one link of which it is not known that they were carried out, oldest first.
_Chains = dict[tuple[int, str], list[Receipt]]


def _chains(rows: Sequence[Receipt]) -> _Chains:
    """The fields of these receipts with all that are in doubt: a value may be sent before the last one is confirmed."""
    known = {row.pk: row for row in rows}
    others = Receipt.objects.filter(link__among={row.link_id for row in rows}, how__in=["", Settled.CHANGED]).exclude(
        pk__among=set(known)
    )
    found: _Chains = {}
    doubtful = [one for one in others if not one.how or not left_ours(_sent(one), _lines(one))]
    for receipt in sorted([*rows, *doubtful], key=lambda one: one.pk):
        found.setdefault((receipt.link_id, receipt.key), []).append(receipt)
    return found


def _judge(row: Receipt, chains: _Chains, person: Values | None, book: Rulebook, now: datetime) -> Settlement:
    """How a receipt ends, as far as is known now; ``person`` is None if nobody looked."""
    bound = book.bound(row.key)
    if bound is None:
        return Settlement(Settled.CHANGED)
    known = person is not None and row.field in person
    current = shown(bound, Side.MARKETO, person[row.field]) if person is not None and known else None
    patience = timedelta(seconds=book.options.receipt_patience)
    # What a late call replaced comes back, whoever wrote it.
    chain = () if row.rule == LATE else chains.get((row.link_id, row.key), ())
    before = [one for one in chain if one.pk < row.pk]
    earlier = [value for one in before for value in (one.replaced, one.sent)]
    waiting = any(not one.how for one in before)
    return settle(_sent(row), _lines(row), current, now, patience, known=known, earlier=earlier, earlier_open=waiting)


def _sent(row: Receipt) -> SentReceipt:
    return SentReceipt(row.sent, row.replaced, row.at, row.request_id)


def _lines(row: Receipt) -> list[LineSeen]:
    return [LineSeen(guid, datetime.fromisoformat(at), old, new, ours) for guid, at, old, new, ours in row.lines]


# Only these ends change what is known of a link.
_OF_LINKS = (Settled.OVERTAKEN, Settled.DROPPED)


def _settle(
    book: Rulebook, ready: Sequence[tuple[Receipt, Settlement]], chains: _Chains, run: Run, now: datetime
) -> dict[str, int]:
    concerned = cases.lock([row.link_id for row, judged in ready if judged.kind in _OF_LINKS])
    found = {case.id: case for case in cases.load(concerned)} if concerned else {}
    counts: dict[str, int] = {}
    lines: list[Activity] = []
    dirty: list[int] = []
    for row, judged in ready:
        case = found.get(row.link_id)
        how = Settlement(Settled.CHANGED) if judged.kind is Settled.DROPPED and _outlived(row) else judged
        if case is not None and how.kind is Settled.OVERTAKEN:
            lines += _overtaken(book, case, row, how, run, now)
            dirty.append(case.id)
        elif case is not None and how.kind is Settled.DROPPED:
            later = next((one for one in chains[row.link_id, row.key] if _takes_over(one, row)), None)
            lines += _dropped(case, row, run, now) if later is None else _handed_on(row, later)
            dirty.append(case.id)
        elif how.kind is Settled.CHANGED:
            dirty.append(row.link_id)
        row.how, row.settled_at = str(how.kind), now
        counts[f"receipts_{how.kind}"] = counts.get(f"receipts_{how.kind}", 0) + 1
    receipts.settle([row for row, _ in ready], now)
    cases.store_links(list(found.values()), merged=False)
    mirror.mark_links(dirty, Lane.LIVE)
    ledger.activities(lines)
    return counts


def _overtaken(book: Rulebook, case: Case, row: Receipt, how: Settlement, run: Run, now: datetime) -> list[Activity]:
    """Our write replaced a value nobody had seen: the conflict is told, and the rule applied to that value now."""
    bound = book.bound(row.key)
    agreed = case.agreed.get(row.key) or [row.sent, row.sent, 1]
    if bound is None:
        return []
    stands = shown(bound, Side.MARKETO, (case.m or {}).get(bound.pair.marketo)) == row.sent
    late = row.rule == LATE
    result = overtaken(bound, _sent(row), Agreed(*agreed), how.value, stands=stands, table=case.table, late=late)
    if late and result.to is Side.MARKETO and row.key in case.agreed:
        # Nobody's edit: until the value that belongs there is back, it is what both sides know of.
        case.agreed[row.key] = [agreed[0], row.sent, *agreed[2:]]
    if result.to is Side.MARKETO:
        case.held[row.key] = {**case.held.get(row.key, {}), "why": "receipt", "overtaken": result.sent}
    if result.collision is not None:
        for conflict in ledger.conflicts([_conflict(case, row, result.collision.winner or "", how, run, now)]):
            if conflict.state == "open":
                ledger.decision(record.ask(conflict, run, now))
    details = {"key": row.key, "restored": result.to is Side.MARKETO}
    changes = [[row.key, how.value, row.sent, "overtaken"]]
    return [
        history.line(Kind.OVERTAKEN, now, link=case.id, side=Side.MARKETO, changes=changes, details=details, run=run)
    ]


def _conflict(case: Case, row: Receipt, winner: str, how: Settlement, run: Run, now: datetime) -> Conflict:
    parts = [case.id, row.key, row.pk, how.line]
    return Conflict(
        link_id=case.id,
        key=row.key,
        agreed_dynamics=(row.before or [None, None])[0],
        agreed_marketo=row.replaced,
        dynamics_value=row.sent,
        marketo_value=how.value,
        winner=winner,
        rule="overtaken",
        state="decided" if winner else "open",
        at=now,
        run=run,
        fingerprint=text.digest(text.dump(parts)),
    )


def _dropped(case: Case, row: Receipt, run: Run, now: datetime) -> list[Activity]:
    """Marketo said yes and kept its value: agreed goes back, and this value is not sent again."""
    if row.before is None:
        case.agreed.pop(row.key, None)
    else:
        case.agreed[row.key] = row.before
    blocked = {**case.held.get(row.key, {}).get("blocked", {}), str(Side.MARKETO): row.sent}
    case.held[row.key] = {**case.held.get(row.key, {}), "why": "failure", "blocked": blocked}
    failure = Failure(
        subject=f"link:{case.id}",
        link_id=case.id,
        side=Side.MARKETO,
        operation="update",
        key=row.key,
        column=row.field,
        cause=Cause.DROPPED_BY_MARKETO,
        value={"value": history.short(row.sent)},
        opened_at=now,
        last_at=now,
        run=run,
    )
    changes = [[row.key, row.sent, row.replaced, "dropped"]]
    told = history.line(Kind.DROPPED, now, link=case.id, side=Side.MARKETO, changes=changes, run=run)
    return [told, *failing.opened(failure, person=case.marketo, table=case.table, guid=case.dynamics, now=now, run=run)]


def _outlived(row: Receipt) -> bool:
    """Whether a later write of the field has been settled, or went out late: what stands there is its value, dropped or
    not this one."""
    later = Receipt.objects.filter(link_id=row.link_id, key=row.key, pk__gt=row.pk)
    return later.filter(Q(rule=LATE) | ~Q(how__in=["", Settled.DROPPED])).exists()


def _takes_over(one: Receipt, row: Receipt) -> bool:
    return one.pk > row.pk and not one.how and one.rule != LATE


def _handed_on(row: Receipt, later: Receipt) -> list[Activity]:
    """A newer value was sent meanwhile: if that one is dropped too, this is what everything goes back to."""
    later.before, later.replaced = row.before, row.replaced
    later.save(update_fields=["before", "replaced"])
    return []


def purge(now: datetime) -> int:
    """Forgets receipts settled more than a week ago."""
    return Receipt.objects.filter(settled_at__lt=now - KEPT).delete()[0]
