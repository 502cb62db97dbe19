"""Who is the same person: known link, then lineage, then the Dynamics id Marketo stores, then e-mail, else a decision.

All records that share an e-mail are decided at once, so that the outcome does not depend on which came first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from syncadmin.engine.candidates import Candidate, Match, MatchKind, Reason, Several, fold_email
from syncadmin.engine.records import Ref, Table

__all__ = ["Candidate", "Match", "MatchKind", "Reason", "Several", "fold_email", "match", "match_group"]


def match(
    newcomer: Candidate,
    dynamics_candidates: Iterable[Candidate],
    marketo_candidates: Iterable[Candidate],
    several: Several,
) -> Match:
    """The decision for one unlinked Dynamics record among everything that could be the same person."""
    group = [newcomer, *dynamics_candidates, *marketo_candidates]
    return next(found for found in match_group(group, several) if found.ref == newcomer.ref)


def match_group(group: Iterable[Candidate], several: Several) -> list[Match]:
    """One decision for each unlinked Dynamics record of the group, in the order of their references.

    The group holds all Dynamics records (that pass the filter) and Marketo people with one e-mail, linked or not,
    and whatever one of them names as originating lead, parent contact or stored Dynamics id.
    """
    known = {candidate.ref: candidate for candidate in sorted(group, key=lambda candidate: candidate.ref)}
    decided: dict[Ref, Match] = {}
    # Each step sees what the ones before it linked, so that no person is given away twice.
    for step in (_merged_away, _by_lineage, _by_stored_id):
        for found in step(known, decided):
            decided[found.ref] = found
            _note_link(known, found)
    for email in sorted({fold_email(candidate.email) for candidate in _due(known, decided)}):
        decided.update({found.ref: found for found in _by_email(email, known, decided, several)})
    return [decided[ref] for ref in sorted(decided)]


def _note_link(known: dict[Ref, Candidate], found: Match) -> None:
    if found.kind is MatchKind.LINK and found.partner is not None:
        known[found.ref] = replace(known[found.ref], linked_to=found.partner.id)
        known[found.partner] = replace(known[found.partner], linked_to=found.ref.id)


def _due(known: dict[Ref, Candidate], decided: dict[Ref, Match]) -> list[Candidate]:
    return [
        known[ref]
        for ref in sorted(known)
        if not known[ref].is_person and known[ref].linked_to is None and ref not in decided
    ]


def _merged_away(known: dict[Ref, Candidate], decided: dict[Ref, Match]) -> list[Match]:
    # The loser of a merge is, by definition, the person its master stands for.
    return [Match(one.ref, MatchKind.NOTHING, Reason.MERGED) for one in _due(known, decided) if one.merged]


def _by_lineage(known: dict[Ref, Candidate], decided: dict[Ref, Match]) -> list[Match]:
    found, claimed = [], set()
    for one in _due(known, decided):
        if one.ref.table is Table.CONTACT:
            # Two contacts may name one lead; the first by id takes its link, the other is matched like any record.
            lead = next((lead for lead in _leads_of(one, known) if lead.linked_to and lead.ref not in claimed), None)
            if lead is not None:
                claimed.add(lead.ref)
                found.append(Match(one.ref, MatchKind.ADOPT, Reason.ORIGINATING_LEAD, lead.ref))
        else:
            contact = next((contact for contact in _contacts_of(one, known) if not contact.merged), None)
            if contact is not None:
                found.append(Match(one.ref, MatchKind.NOTHING, Reason.PARENT_CONTACT, contact.ref))
    return found


def _leads_of(contact: Candidate, known: dict[Ref, Candidate]) -> list[Candidate]:
    return [
        lead
        for lead in known.values()
        if lead.ref.table is Table.LEAD
        and (lead.ref.id == contact.originating or lead.parent_contact == contact.ref.id)
    ]


def _contacts_of(lead: Candidate, known: dict[Ref, Candidate]) -> list[Candidate]:
    return [
        contact
        for contact in known.values()
        if contact.ref.table is Table.CONTACT
        and (contact.ref.id == lead.parent_contact or contact.originating == lead.ref.id)
    ]


def _by_stored_id(known: dict[Ref, Candidate], decided: dict[Ref, Match]) -> list[Match]:
    found = []
    for one in _due(known, decided):
        holders = [p for p in known.values() if p.is_person and p.marketo_guid == one.ref.id and not p.linked_to]
        if len(holders) == 1:
            found.append(Match(one.ref, MatchKind.LINK, Reason.STORED_ID, holders[0].ref))
        elif holders:
            found.append(_ask(one, Reason.SEVERAL_PEOPLE, holders))
    return found


def _ask(one: Candidate, why: Reason, among: Iterable[Candidate]) -> Match:
    candidates = tuple(sorted(other.ref for other in among if other.ref != one.ref))
    return Match(one.ref, MatchKind.DECIDE, why, candidates=candidates)


def _by_email(email: str, known: dict[Ref, Candidate], decided: dict[Ref, Match], several: Several) -> list[Match]:
    due = [one for one in _due(known, decided) if fold_email(one.email) == email]
    # Without an address there is nothing to compare: our Dynamics-id field is the only key.
    if not email:
        return [Match(one.ref, MatchKind.CREATE_IN_MARKETO, Reason.NO_EMAIL, by_id=True) for one in due]
    alike = [
        other for other in known.values() if fold_email(other.email) == email and not _stands_behind(other, decided)
    ]
    people = [other for other in alike if other.is_person]
    records = [other for other in alike if not other.is_person]
    pool = [one for one in records if one.in_use] or records
    aside = [_wait(one, pool, Reason.SET_ASIDE) for one in due if one not in pool]
    return aside + _settle([one for one in due if one in pool], pool, people, several)


def _stands_behind(other: Candidate, decided: dict[Ref, Match]) -> bool:
    return other.ref in decided and decided[other.ref].kind is MatchKind.NOTHING


def _wait(one: Candidate, others: Sequence[Candidate], why: Reason) -> Match:
    partner = min(other.ref for other in others)
    return Match(one.ref, MatchKind.WAIT, why, partner, tuple(sorted(other.ref for other in others)))


def _settle(
    due: Sequence[Candidate], pool: Sequence[Candidate], people: Sequence[Candidate], several: Several
) -> list[Match]:
    # Marketo permits doubles, and nothing in them says which one marketing works with.
    free = [person for person in people if not person.linked_to]
    if free and len(people) > 1:
        return [_ask(one, Reason.SEVERAL_PEOPLE, [*pool, *people]) for one in due]
    if len(pool) == 1 and (free or not people):
        return [_pair(one, free) for one in due]
    if several is Several.EACH:
        return _one_each(due, free)
    contacts = [one for one in pool if one.ref.table is Table.CONTACT]
    # Contact first helps only if the contact can really have the person: a link is never taken from a lead.
    if several is Several.CONTACT_FIRST and len(contacts) == 1 and (contacts[0].linked_to or free or not people):
        leads = [_wait(one, contacts, Reason.CONTACT_FIRST) for one in due if one not in contacts]
        return leads + [_pair(one, free) for one in due if one in contacts]
    why = Reason.SEVERAL_RECORDS if len(pool) > 1 else Reason.PERSON_TAKEN
    return [_ask(one, why, [*pool, *people]) for one in due]


def _pair(one: Candidate, free: Sequence[Candidate]) -> Match:
    if free:
        return Match(one.ref, MatchKind.LINK, Reason.EMAIL, free[0].ref)
    return Match(one.ref, MatchKind.CREATE_IN_MARKETO, Reason.NO_MATCH)


def _one_each(due: Sequence[Candidate], free: Sequence[Candidate]) -> list[Match]:
    """A contact, else the first by id, takes the person that is there; every other record gets one of its own."""
    first = min(due, key=lambda one: (one.ref.table is not Table.CONTACT, one.ref.id), default=None)
    return [
        _pair(one, free)
        if one is first and free
        else Match(one.ref, MatchKind.CREATE_IN_MARKETO, Reason.OWN_PERSON, by_id=True)
        for one in due
    ]
