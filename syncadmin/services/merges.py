"""Records merged over there: the link follows the master or winner; two links meeting need a decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Greatest

from syncadmin.engine.records import Lane, Side, Table
from syncadmin.services import dropped, endings, history, linking
from syncadmin.store import creates, ledger, mirror
from syncadmin.store.kinds import Kind
from syncadmin.store.models import UNSENT, Decision, DynamicsRecord, Link, MarketoPerson, PendingWrite, Receipt, Run


def in_dynamics(loser: str, master: str, run: Run | None, now: datetime) -> None:
    """``loser`` was merged into ``master`` and deactivated there."""
    if loser == master:
        return  # the master is gone: a link of the loser's has nobody to follow, and goes on with the record that is left
    same = [*_became(master), *_was(master)]
    links = {str(link.dynamics): link for link in _locked(dynamics__in=[loser, master, *same])}
    moved = links.get(loser)
    if moved is None:
        return
    stays = next((links[guid] for guid in (master, *same) if guid in links), None)
    details = {"loser": loser, "master": str(stays.dynamics) if stays else master}
    if stays is None:
        found = DynamicsRecord.objects.filter(guid=master, filtered=False, deleted_at__isnull=True).first()
        if found is None:
            return  # kept away by the filter or not read yet: ``master_synced`` takes this up when it comes
        # Whatever was asked about it, or waited for, is answered by the link: pairing sees to that.
        DynamicsRecord.objects.filter(guid=master).update(due="pair", lane=Lane.LIVE)
        _drop_waiting(moved, run, now)
        endings.of_fields(moved, run, now)
        # The master is another record with values and a filter of its own: the two meet for the first time, so what it
        # leaves empty empties nothing. A question about the person goes on keeping the link still.
        Link.objects.filter(pk=moved.pk).update(
            dynamics=UUID(master), table=found.table, name=found.name, email=found.email, agreed={},
            held=endings.to_put_back(moved),
            stopped=moved.stopped and moved.marketo_deleted,
        )  # fmt: skip
        mirror.mark_links([moved.pk], Lane.LIVE)
        ledger.activities([history.line(Kind.MERGED, now, link=moved.pk, side=Side.DYNAMICS, details=details, run=run)])
        return
    _both_linked(moved, stays, details, run, now)


def _became(lead: str) -> list[str]:
    """The contact that a lead stands behind, reopened or not, the one it names first: to Dynamics the two are one."""
    named = DynamicsRecord.objects.filter(guid=lead).values_list("parent_contact", flat=True).first()
    there = DynamicsRecord.objects.filter(table=Table.CONTACT, filtered=False, deleted_at=None, merged_into=None)
    found = there.filter(Q(guid=named) | Q(originating_lead=lead)).values_list("guid", flat=True)
    return [str(guid) for guid in sorted(found, key=lambda guid: (guid != named, guid))]


def _was(contact: str) -> list[str]:
    """The lead that was qualified into this contact, whose link has yet to move."""
    leads = DynamicsRecord.objects.filter(parent_contact=contact, qualified=True, deleted_at=None, merged_into=None)
    return [str(guid) for guid in leads.values_list("guid", flat=True)]


def master_synced(master: str, run: Run | None, now: datetime) -> None:
    """A record is read for the first time, or the filter lets it in: what was merged into it before goes its way now."""
    losers = DynamicsRecord.objects.filter(merged_into=master, deleted_at__isnull=True).order_by("id")
    for loser in losers.values_list("guid", flat=True):
        in_dynamics(str(loser), master, run, now)


def qualified_into(lead: str, contact: str, run: Run | None, now: datetime) -> None:
    """A linked lead was qualified into a contact that has a person of its own: to Dynamics the two are one now."""
    links = {str(link.dynamics): link for link in _locked(dynamics__in=[lead, contact])}
    if contact in links and _has_nobody(links[contact]):
        # Nobody there to merge with: paired anew, the contact takes the lead's link, with what was agreed and its history.
        DynamicsRecord.objects.filter(guid=contact, deleted_at=None).update(due="pair", lane=Lane.LIVE)
    elif lead in links and contact in links:
        _both_linked(links[lead], links[contact], {"loser": lead, "master": contact}, run, now)


def _both_linked(moved: Link, stays: Link, details: Mapping[str, object], run: Run | None, now: datetime) -> None:
    """If both have a person, the loser's goes on existing in Marketo, flagged; only somebody there can merge the two."""
    if moved.marketo_deleted and _withdraw("links_meeting", moved, now):
        return  # its person was merged into the other's before: now the two are one on both sides
    if stays.marketo_deleted and _withdraw("links_meeting", stays, now):
        _give(moved, stays, run, now)
        return
    told = [history.line(Kind.MERGED, now, link=link.pk, side=Side.DYNAMICS, details=details, run=run)
            for link in (moved, stays)]  # fmt: skip
    ledger.activities(told)
    if _has_nobody(stays) and moved.marketo is not None and not moved.marketo_deleted:
        _give(moved, stays, run, now)
        return
    Link.objects.filter(pk=moved.pk).update(stopped=True, dynamics_deleted=True)
    _drop_waiting(moved, run, now)
    endings.of_fields(moved, run, now)
    mirror.mark_links([moved.pk], Lane.LIVE)
    if _has_nobody(moved):
        return
    facts = {**details, "loser_person": moved.marketo, "master_person": stays.marketo}
    _open("dynamics_merge", f"dynamics:{details['loser']}", moved, facts, ["done", "keep"], run, now)


def _has_nobody(link: Link) -> bool:
    """Whether the link has no person, and none is being made for it."""
    return link.marketo is None and not PendingWrite.objects.filter(link=link, op="create", state="sent").exists()


def _give(giver: Link, taker: Link, run: Run | None, now: datetime) -> None:
    """The person of one link becomes the other's, as on first contact; the giver's record is nobody's any more."""
    person = giver.marketo
    _drop_waiting(giver, run, now)
    for link in (giver, taker):
        endings.of_fields(link, run, now)
    endings.hand_on(giver, taker)
    Link.objects.filter(pk=giver.pk).update(marketo=None, stopped=True, dynamics_deleted=True)
    taken = {
        "agreed": {},
        "held": endings.to_put_back(giver),
        "written": {},
        "marketo_deleted": False,
        "stopped": is_kept_away(taker),
    }
    Link.objects.filter(pk=taker.pk).update(marketo=person, **taken)
    mirror.mark_links([taker.pk], Lane.LIVE)


def is_kept_away(link: Link) -> bool:
    """Whether the filter says No to the link's record: then it stands still, whatever else speaks for going on."""
    return link.dynamics is not None and DynamicsRecord.objects.filter(guid=link.dynamics, filtered=True).exists()


def is_left_alone(link: Link) -> bool:
    """Whether the link waits for an answer about a merge, or was left without its person by one or by its answer: the
    filter's yes does not speak for making another."""
    about = Decision.objects.filter(kind__in=["links_meeting", "dynamics_merge"])
    gone = MarketoPerson.objects.filter(person__in=[link.marketo], merged_into__isnull=False)
    if about.filter(link=link, answered_at=None).exists() or gone.exists():
        return True
    passed_over = {
        "kind": "links_meeting",
        "answer__choice": "keep_loser",
        "facts__winner_record__1": str(link.dynamics),
    }
    return link.marketo is None and about.filter(**passed_over).exists()


def _withdraw(kind: str, link: Link, now: datetime) -> bool:
    """Whether the question about this link was open or answered; it is not open any more."""
    endings.withdraw([kind], [link.pk], now)
    return Decision.objects.filter(kind=kind, link=link).exists()


def in_marketo(loser: int, winner: int, run: Run | None, now: datetime) -> None:
    """``loser`` was merged into ``winner``; its id is dead for ever."""
    if MarketoPerson.objects.filter(person=loser, merged_into=winner).exists():
        return
    remember_gone([loser], now)
    MarketoPerson.objects.filter(person=loser).update(
        deleted_at=now, merged_into=winner, seen_at=Greatest("seen_at", now)
    )
    # It may have been merged itself, and that been told before.
    winner = _last(winner)
    linking.complete_lost(winner, run, now)
    links = {link.marketo: link for link in _locked(marketo__in=[loser, winner])}
    moved = links.get(loser)
    if moved is None:
        return
    PendingWrite.objects.filter(target=str(loser), op="log").update(target=str(winner))
    _drop_waiting(moved, run, now)
    Receipt.objects.filter(link=moved, how="").update(how="e", settled_at=now)
    details = {"loser": loser, "winner": winner}
    if winner not in links:
        Link.objects.filter(pk=moved.pk).update(marketo=winner, marketo_deleted=False, agreed=_to_tell_anew(moved))
        mirror.mark_links([moved.pk], Lane.LIVE)
        ledger.activities([history.line(Kind.MERGED, now, link=moved.pk, side=Side.MARKETO, details=details, run=run)])
        return
    # The winner may have taken over what the loser's fields said about a Dynamics record.
    Link.objects.filter(pk=links[winner].pk).update(agreed=_to_tell_anew(links[winner]))
    mirror.mark_links([links[winner].pk], Lane.LIVE)
    if _withdraw("dynamics_merge", moved, now):
        Link.objects.filter(pk=moved.pk).update(marketo_deleted=True)
        return  # their records were merged before, and this one's lost
    if _withdraw("dynamics_merge", links[winner], now):
        _give(links[winner], moved, run, now)
        return
    Link.objects.filter(pk=moved.pk).update(marketo_deleted=True, stopped=True)
    facts = {
        **details,
        "loser_record": [moved.table, str(moved.dynamics)],
        "winner_record": [links[winner].table, str(links[winner].dynamics)],
    }
    choices = ["keep_winner", "keep_loser", "new_person"]
    _open("links_meeting", f"marketo:{loser}", moved, facts, choices, run, now)
    ledger.activities(
        [history.line(Kind.MERGED, now, link=link.pk, side=Side.MARKETO, details=details, run=run)
         for link in (moved, links[winner])]
    )  # fmt: skip


def remember_gone(people: Iterable[int], now: datetime) -> None:
    """Whoever is not known by now is known to be gone; of others this says nothing."""
    rows = [MarketoPerson(person=person, seen_at=now, deleted_at=now) for person in people]
    MarketoPerson.objects.bulk_create(rows, ignore_conflicts=True)


def last_of(winners: Iterable[str]) -> list[int]:
    """Who stands for these people now, after all merges that were told."""
    return sorted({_last(int(winner)) for winner in winners})


def _last(person: int) -> int:
    passed = {person}
    while further := MarketoPerson.objects.filter(person=person).values_list("merged_into", flat=True).first():
        if further in passed:  # two that name each other are nobody's truth, and nothing to wait for
            break
        person = further
        passed.add(person)
    return person


def _to_tell_anew(link: Link) -> dict[str, object]:
    """What is agreed, without our own three fields: whatever stands there now, the next run sets it right."""
    return {key: agreed for key, agreed in link.agreed.items() if ".@" not in key}


def _locked(**which: object) -> list[Link]:
    return list(Link.objects.select_for_update().filter(**which).order_by("id"))


def _drop_waiting(link: Link, run: Run | None, now: datetime) -> None:
    """What was decided for the two records as they were: not sent any more, or no word for the two that are linked now."""
    endings.of_writes([link.pk])
    dropped.updates([link.pk], run, now)
    creates.end(PendingWrite.objects.filter(link=link, op="create", state__in=UNSENT), Lane.LIVE)


def _open(
    kind: str, subject: str, link: Link, facts: Mapping[str, object], choices: list[str], run: Run | None, now: datetime
) -> None:
    opened = ledger.decision(
        Decision(kind=kind, subject=subject, link=link, facts=dict(facts), choices=choices, opened_at=now, run=run)
    )
    if opened is not None:
        ledger.activities(
            [history.line(Kind.DECISION, now, link=link.pk, details={"kind": kind, "decision": opened.pk}, run=run)]
        )
