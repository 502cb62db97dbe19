"""What records tell about themselves beside their values: filtered, restored, merged, deleted.

A delete is believed only from a notice or from the system's own "does not exist". Everything here runs in the
transaction that stores the page which told it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import Exists, OuterRef
from django.db.models.functions import Greatest

from syncadmin.connectors.contract import Merged
from syncadmin.engine.records import Lane, Side
from syncadmin.engine.rules import too_many_deletes
from syncadmin.services import doubles, dropped, failing, history, merges, questions
from syncadmin.services.context import Context
from syncadmin.services.rulebook import Rulebook
from syncadmin.store import creates, ledger, mirror, sweeps, work
from syncadmin.store.kinds import Kind
from syncadmin.store.mirror import Change, DynamicsRow, PersonRow
from syncadmin.store.models import (
    UNSENT,
    Activity,
    Decision,
    DynamicsRecord,
    Link,
    MarketoPerson,
    PendingWrite,
    Receipt,
    Run,
)


def dynamics_changed(
    ctx: Context, book: Rulebook, changes: Sequence[Change], rows: Iterable[DynamicsRow], run: Run | None
) -> None:
    """Follows filter, restore and merge of leads and contacts that a page changed."""
    now = ctx.now()
    by_guid = {row.guid: row for row in rows}
    masters = sweeps.masters([change.id for change in changes if change.was is None])
    for change in changes:
        row, was = by_guid[change.id], change.was or {}
        if was.get("deleted_at"):
            _restored(change, run, now)
        if row.filtered and was and not was["filtered"]:
            _stopped(change, run, now)
        elif was and was["filtered"] and not row.filtered:
            _started(change, run, now)
            merges.master_synced(row.guid, run, now)
        elif row.guid in masters and not row.filtered:
            merges.master_synced(row.guid, run, now)
        if row.merged_into and was.get("merged_into") is None:
            merges.in_dynamics(row.guid, row.merged_into, run, now)
        if row.qualified and row.parent_contact and was and not was["qualified"]:
            merges.qualified_into(row.guid, row.parent_contact, run, now)
    followed = [change for change in changes if not by_guid[change.id].filtered]
    doubles.noticed(followed, {row.guid: row.email for row in by_guid.values()}, run, now)


def _stopped(change: Change, run: Run | None, now: datetime) -> None:
    """The filter says No: nothing is read into fields or written until it says Yes again."""
    if change.link is None:
        ledger.activities([history.line(Kind.FILTER_STOPPED, now, dynamics=change.id, run=run)])
        return
    link = Link.objects.select_for_update().get(pk=change.link)
    Link.objects.filter(pk=link.pk).update(stopped=True)
    dropped.updates([link.pk], run, now)
    creates.end(PendingWrite.objects.filter(link=link, op="create", state__in=UNSENT), Lane.LIVE)
    _tell(link, Kind.FILTER_STOPPED, "Stop sync", Side.DYNAMICS, run, now)


def _started(change: Change, run: Run | None, now: datetime) -> None:
    if change.link is None:
        ledger.activities([history.line(Kind.FILTER_STARTED, now, dynamics=change.id, run=run)])
        return
    link = Link.objects.select_for_update().get(pk=change.link)
    Link.objects.filter(pk=link.pk).update(stopped=merges.is_left_alone(link), dirty=True)
    _tell(link, Kind.FILTER_STARTED, "Start sync", Side.DYNAMICS, run, now)


def _restored(change: Change, run: Run | None, now: datetime) -> None:
    """A deleted record is back under its id: its link revives."""
    if change.link is None:
        return
    link = Link.objects.select_for_update().get(pk=change.link)
    Link.objects.filter(pk=link.pk).update(dynamics_deleted=False, dirty=True)
    _tell(link, Kind.RESTORED, "", Side.DYNAMICS, run, now)


def _tell(link: Link, kind: Kind, result: str, side: Side, run: Run | None, now: datetime) -> None:
    """One line here and, with a result, one in the person's Marketo activity log."""
    ledger.activities([history.line(kind, now, link=link.pk, side=side, run=run)])
    if result and link.marketo is not None and not link.marketo_deleted:
        entry = history.log_entry(result, now, person=link.marketo, link=link.pk, run=run, attributes=history.crm(link))
        ledger.writes([entry])


def dynamics_gone(
    ctx: Context, book: Rulebook, guids: Sequence[str], run: Run | None, seen: datetime | None = None
) -> None:
    """Records that Dynamics says are deleted, asked at ``seen`` if that is known. Unknown ids are ignored; too many at
    once are held for a person."""
    if not guids:
        return
    now = ctx.now()
    known = list(DynamicsRecord.objects.filter(guid__in=guids, deleted_at__isnull=True).values_list("guid", flat=True))
    linked = Link.objects.filter(dynamics__in=known, dynamics_deleted=False)
    if _too_many(book, Side.DYNAMICS, linked.count(), run):
        _hold(Side.DYNAMICS, [str(guid) for guid in known], run, now)
        return
    apply_dynamics_deletes([str(guid) for guid in known], run, now, seen=seen)


def apply_dynamics_deletes(
    guids: Sequence[str], run: Run | None, now: datetime, who: str = "", seen: datetime | None = None
) -> None:
    """The records are gone: the people stay, and are told so."""
    if seen is not None:
        # A read begun before the notice knows nothing of it, even if it is stored only now; a later one tells a restore.
        DynamicsRecord.objects.filter(guid__in=guids, seen_at__lt=seen).update(seen_at=seen)
    asked = DynamicsRecord.objects.filter(guid__in=guids, due="decision")
    for table, guid, email in asked.values_list("table", "guid", "email"):
        questions.forget(table, str(guid), email, now)
    DynamicsRecord.objects.filter(guid__in=guids).update(deleted_at=now, due="")
    links = list(Link.objects.select_for_update().filter(dynamics__in=guids, dynamics_deleted=False).order_by("id"))
    ids = [link.pk for link in links]
    dropped.updates(ids, run, now, [Side.DYNAMICS])
    unsent = PendingWrite.objects.filter(link_id__in=ids, op="create", side=Side.MARKETO, state__in=UNSENT)
    creates.end(unsent, Lane.LIVE)
    failing.close(ids, [Side.DYNAMICS], now)
    Link.objects.filter(pk__in=ids).update(dynamics_deleted=True)
    # One that had a person before keeps its history.
    told = Activity.objects.filter(link=OuterRef("pk"))
    ended = Link.objects.filter(~Exists(told), pk__in=ids, marketo__isnull=True)
    creates.end(PendingWrite.objects.filter(link__in=ended, op="create"), Lane.LIVE)
    ended.delete()
    mirror.mark_links(ids, Lane.LIVE)
    _tell_deleted([link for link in links if link.marketo is not None], Side.DYNAMICS, run, now, who)
    mirror.mark_waiting(DynamicsRecord.objects.filter(guid__in=guids).values_list("email", flat=True), Lane.LIVE)


def _tell_deleted(links: Sequence[Link], side: Side, run: Run | None, now: datetime, who: str) -> None:
    lines: list[Activity] = [
        history.line(Kind.DELETED, now, link=link.pk, side=side, who=who, run=run) for link in links
    ]
    ledger.activities(lines)
    if side is Side.DYNAMICS:
        ledger.writes(
            [
                history.log_entry(
                    "Deleted in Dynamics",
                    now,
                    person=link.marketo,
                    link=link.pk,
                    run=run,
                    attributes=history.crm(link),
                )
                for link in links
                if link.marketo is not None and not link.marketo_deleted
            ]
        )


def people_gone(ctx: Context, book: Rulebook, people: Sequence[int], run: Run | None) -> None:
    """People that Marketo says are deleted. A person merged away is no delete: the merge is told by itself."""
    if not people:
        return
    now = ctx.now()
    known = list(
        MarketoPerson.objects.filter(person__in=people, deleted_at__isnull=True).values_list("person", flat=True)
    )
    linked = Link.objects.filter(marketo__in=people, marketo_deleted=False)
    gone = sorted({*known, *(person for person in linked.values_list("marketo", flat=True) if person)})
    if _too_many(book, Side.MARKETO, linked.count(), run):
        _hold(Side.MARKETO, [str(person) for person in gone], run, now)
        return
    # A merge that is told later may name one of whom nothing else was ever known.
    merges.remember_gone(sorted({*people} - {*gone}), now)
    apply_people_deletes(gone, run, now)


def apply_people_deletes(people: Sequence[int | None], run: Run | None, now: datetime, who: str = "") -> None:
    """The people are gone: the Dynamics records stay, and their next change makes new people."""
    wanted = sorted({person for person in people if person is not None})
    # An id never returns: a read begun before this is stored in vain.
    MarketoPerson.objects.filter(person__in=wanted).update(deleted_at=now, seen_at=Greatest("seen_at", now))
    links = list(Link.objects.select_for_update().filter(marketo__in=wanted, marketo_deleted=False).order_by("id"))
    ids = [link.pk for link in links]
    dropped.updates(ids, run, now, [Side.MARKETO])
    PendingWrite.objects.filter(target__in=[str(person) for person in wanted], op="log").delete()
    Receipt.objects.filter(link_id__in=ids, how="").update(how="e", settled_at=now)
    failing.close(ids, [Side.MARKETO], now)
    Link.objects.filter(pk__in=ids).update(marketo_deleted=True)
    _tell_deleted(links, Side.MARKETO, run, now, who)
    pair_without(wanted, run, now)


def pair_without(people: Sequence[int], run: Run | None, now: datetime) -> None:
    """Records that wait because of these people, or ask about them, are paired without them."""
    gone = list(MarketoPerson.objects.filter(person__in=people).values_list("person", "email", "dynamics_guid"))
    mirror.mark_waiting([email for _, email, _ in gone], Lane.LIVE)
    named = [guid for *_, guid in gone if guid]
    DynamicsRecord.objects.filter(guid__in=named, due__in=["waiting", "decision"]).update(due="pair")
    for person, _, _ in gone:
        ledger.withdraw_decision("match", f"marketo:{person}", now=now)
    doubles.look({email for _, email, _ in gone if email}, run, now)


def _too_many(book: Rulebook, side: Side, told: int, run: Run | None) -> bool:
    """Whether what a run was told to be deleted, on however many pages, is more than is believed without asking."""
    limits, found = book.options, work.checkpoint(f"{side}.deletes", lock=True)
    number = run.pk if run else 0
    count = told + (int(found.position["count"]) if found.position.get("run") == number else 0)
    work.move(found, "", as_of=None, run=None, position={"run": number, "count": count})
    if not told or count <= limits.deletes_at_least:
        return False
    return too_many_deletes(count, Link.objects.count(), limits.deletes_at_least, limits.deletes_share)


def _hold(side: Side, ids: Sequence[str], run: Run | None, now: datetime) -> None:
    """One entry for all deletes held on a side, however many pages tell them."""
    held = Decision.objects.filter(kind="deletes_held", subject=side, answered_at__isnull=True).first()
    told = {**(held.facts["told"] if held else {}), **dict.fromkeys(ids, now.isoformat())}
    facts = {"side": side, "ids": list(told), "told": told}
    ledger.decision(
        Decision(
            kind="deletes_held",
            subject=side,
            facts={**facts, "count": len(facts["ids"])},
            choices=["apply", "refuse"],
            opened_at=now,
            run=run,
        )
    )


def people_changed(
    ctx: Context, book: Rulebook, changes: Sequence[Change], rows: Iterable[PersonRow], run: Run | None
) -> None:
    """A person who names a Dynamics record in our field has that record paired anew, if it has no partner."""
    by_id = {str(row.person): row for row in rows}
    named = [by_id[change.id].dynamics_guid for change in changes if change.link is None]
    guids = [guid for guid in named if guid]
    if guids:
        DynamicsRecord.objects.filter(guid__in=guids, due__in=["waiting", "decision"]).update(due="pair")
    doubles.noticed(changes, {id: row.email for id, row in by_id.items()}, run, ctx.now())


def not_as_before(winners: Sequence[int], seen: datetime) -> None:
    """Winners of a merge that nobody answers for any more: what stood in them before it says nothing of them now."""
    MarketoPerson.objects.filter(person__in=winners, seen_at__lte=seen).update(values={}, hash="", seen_at=seen)


def people_merged(ctx: Context, book: Rulebook, merged: Sequence[Merged], run: Run | None) -> None:
    """Merges in Marketo, each told once however often the feed repeats it."""
    for merge in merged:
        for loser in merge.losers:
            merges.in_marketo(int(loser), int(merge.winner), run, ctx.now())
        pair_without([int(loser) for loser in merge.losers], run, ctx.now())
    # The delete of a winner may have been told before its merge.
    moved = Link.objects.filter(marketo__in=merges.last_of(merge.winner for merge in merged), marketo_deleted=False)
    gone = MarketoPerson.objects.filter(person__in=moved.values("marketo"), deleted_at__isnull=False)
    if gone:
        apply_people_deletes([one.person for one in gone], run, ctx.now())
