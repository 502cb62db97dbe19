"""Makes links: with a person who is there, or with one that is about to be created."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from syncadmin.engine.records import Lane, Ref, Side
from syncadmin.services import endings, history, judge, record, rulebook
from syncadmin.store import creates, ledger, links, mirror
from syncadmin.store.kinds import Kind
from syncadmin.store.models import Link, MarketoPerson, PendingWrite, Run, Worker, WriteState


@dataclass(frozen=True, slots=True)
class Pair:
    """A Dynamics record and the person it is to be linked with, and why."""

    ref: Ref
    person: int
    how: str


def link(ref: Ref, person: int, *, how: str, lane: Lane, run: Run | None, now: datetime, who: str = "") -> Link:
    """Links one record; as ``link_all``."""
    link_all([Pair(ref, person, how)], lane=lane, run=run, now=now, who=who)
    return Link.objects.get(dynamics=ref.id)


def link_all(pairs: Sequence[Pair], *, lane: Lane, run: Run | None, now: datetime, who: str = "") -> None:
    """Links Dynamics records and people, all without a partner, and has them merged.

    A link that waits for its create in Marketo takes the person instead; the link of a person whose record was deleted
    goes on with the new record, and so does its history. Violates the unique constraint if a person is
    somebody else's by now: the caller's transaction then fails and is tried anew.
    """
    if not pairs:
        return
    guids = [pair.ref.id for pair in pairs]
    creates.end(creates.unsent(guids), lane)
    wanted = [(pair.ref.id, pair.person) for pair in pairs]
    widowed = links.widowed(wanted)
    links.pass_on([(guid, heir) for guid, _, heir in widowed], now)
    heirs = [heir for _, _, heir in widowed]
    endings.of_writes(heirs)
    # The two records are one by now, whoever of them had the person.
    endings.withdraw(["dynamics_merge", "ask"], heirs, now)
    again = [(guid, person) for guid, person, _ in widowed]
    made = links.take_over(again, lane=lane)
    made |= links.join([pair for pair in wanted if pair not in again], lane=lane, now=now)
    # The same question may have been asked about either of the two; answering one must not leave the other standing.
    asked = [subject for pair in pairs for subject in (f"{pair.ref.table}:{pair.ref.id}", f"marketo:{pair.person}")]
    ledger.withdraw_decisions("match", asked, now=now)
    ledger.activities(
        [
            history.line(
                Kind.LINKED,
                now,
                link=made[pair.ref.id],
                details={"how": pair.how, "table": pair.ref.table, "dynamics": pair.ref.id, "marketo": pair.person},
                who=who,
                run=run,
            )
            for pair in pairs
        ]
    )


def complete(lost: PendingWrite, people: Collection[int], *, lane: Lane, run: Run | None, now: datetime) -> bool:
    """A create that nobody answered had been carried out: the half link it was made for takes the person who names its
    record, or the one that this has been merged into since. A record that was qualified meanwhile would not be paired any
    more, only its contact, which takes a whole link.

    False: several name it, or one of the two has a partner by now. That is for pairing to decide.
    """
    half = Link.objects.select_for_update().filter(pk=lost.link_id or 0, marketo=None).first()
    if half is None or len(people) != 1 or Link.objects.filter(marketo__in=people).exists():
        return False
    (person,) = people
    Link.objects.filter(pk=half.pk).update(marketo=person, agreed=_brought(lost, half, person))
    mirror.mark_links([half.pk], lane)
    ledger.withdraw_decisions("match", [f"marketo:{person}"], now=now)
    details = {"how": "stored_id", "table": half.table, "dynamics": str(half.dynamics), "marketo": person}
    ledger.activities([history.line(Kind.LINKED, now, link=half.pk, details=details, run=run)])
    return True


def _brought(lost: PendingWrite, half: Link, person: int) -> dict[str, Any]:
    """What is agreed on after a create that nobody answered, where the value it brought stands.

    As on first contact, our own value would win against what was edited in Dynamics meanwhile.
    """
    if str(half.dynamics) != lost.target:
        return {}
    known = MarketoPerson.objects.filter(person=person).values_list("values", flat=True).first()
    return judge.agreed_on_arrival(rulebook.load(), Side.MARKETO, lost, known or {})


def complete_lost(person: int, run: Run | None, now: datetime) -> bool:
    """A person is there whose create nobody answered, seen before the take-over asked for it.

    The record it was made for has a whole link from now on, and others with its address need not wait for the create.
    True: the worker who sent it lives, and is about to store the answer or to ask for it.
    """
    named = MarketoPerson.objects.filter(person=person).values_list("dynamics_guid", flat=True).first()
    creating = PendingWrite.objects.filter(target=str(named), op="create", side=Side.MARKETO, state=WriteState.SENT)
    sent = creating.first()
    if sent is None:
        return False
    if Worker.objects.filter(name=sent.owner, lease_until__gt=now).exists():
        return True
    alike = MarketoPerson.objects.filter(dynamics_guid=named, deleted_at=None).values_list("person", flat=True)
    if complete(sent, {person, *alike}, lane=Lane.LIVE, run=run, now=now):
        creates.end(creating, Lane.LIVE)
    return False


def create_person(ref: Ref, *, by_id: bool, lane: Lane, run: Run | None, now: datetime, who: str = "") -> bool:
    """Claims one create; as ``create_people``. False: one is in flight for the same e-mail."""
    return not create_people([(ref, by_id)], lane=lane, run=run, now=now)


def create_people(wanted: Sequence[tuple[Ref, bool]], *, lane: Lane, run: Run | None, now: datetime) -> set[str]:
    """Claims creates in Marketo for Dynamics records, by our id where asked. Answers the GUIDs that have to wait.

    Those have the e-mail of a create that is in flight already; they are paired anew when it is over.
    """
    if not wanted:
        return set()
    by_id = {ref.id: own for ref, own in wanted}
    claimed = links.claim(list(by_id), lane=lane, now=now)
    writes = []
    for claim in claimed:
        write = record.creating(claim.link, claim.guid, claim.values, lane, run, now)
        write.values = {"by_id": by_id[claim.guid]}
        writes.append(write)
    under_way = {write.target for write in ledger.writes(writes)}
    late = [claim for claim in claimed if claim.guid not in under_way]
    Link.objects.filter(pk__in=[claim.link for claim in late if claim.fresh]).delete()
    return {claim.guid for claim in late}
