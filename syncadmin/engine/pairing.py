"""Who is the same person: known link, then lineage, then the Dynamics id Marketo stores, then e-mail, else a decision.

All records that share an e-mail are decided at once, so that the outcome does not depend on which came first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
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
    for email, alike in sorted(_grouped(known.values(), lambda candidate: fold_email(candidate.email)).items()):
        decided.update({found.ref: found for found in _by_email(email, alike, decided, several)})
    return [decided[ref] for ref in sorted(decided)]


def _note_link(known: dict[Ref, Candidate], found: Match) -> None:
    if found.kind is MatchKind.LINK and found.partner is not None:
        known[found.ref] = replace(known[found.ref], linked_to=found.partner.id)
        known[found.partner] = replace(known[found.partner], linked_to=found.ref.id)


def _grouped(candidates: Iterable[Candidate], key: Callable[[Candidate], str | None]) -> dict[str, list[Candidate]]:
    """Candidates by a text they have; a full page is decided at once, so nothing here may look at every pair."""
    found: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        value = key(candidate)
        if value is not None:
            found[value].append(candidate)
    return found


def _due(candidates: Iterable[Candidate], decided: Mapping[Ref, Match]) -> list[Candidate]:
    return [one for one in candidates if not one.is_person and one.linked_to is None and one.ref not in decided]


def _merged_away(known: dict[Ref, Candidate], decided: dict[Ref, Match]) -> list[Match]:
    # The loser of a merge is, by definition, the person its master stands for.
    return [Match(one.ref, MatchKind.NOTHING, Reason.MERGED) for one in _due(known.values(), decided) if one.merged]


def _by_lineage(known: dict[Ref, Candidate], decided: dict[Ref, Match]) -> list[Match]:
    leads = _grouped(known.values(), lambda one: one.parent_contact)
    contacts = _grouped(known.values(), lambda one: one.originating)
    found, claimed = [], set()
    for one in _due(known.values(), decided):
        if one.ref.table is Table.CONTACT:
            kin = _kin(known, Ref(Table.LEAD, one.originating or ""), leads[one.ref.id])
            kin = [lead for lead in kin if not _is_of_another(known, lead, one)]
            # Two contacts may name one lead; the first by id takes its link, the other is matched like any record.
            lead = next((lead for lead in kin if _may_give(lead, one) and lead.ref not in claimed), None)
            if lead is not None:
                claimed.add(lead.ref)
                found.append(Match(one.ref, MatchKind.ADOPT, Reason.ORIGINATING_LEAD, lead.ref))
        else:
            kin = _kin(known, Ref(Table.CONTACT, one.parent_contact or ""), contacts[one.ref.id])
            contact = next((contact for contact in kin if not contact.merged), None)
            if contact is not None:
                found.append(Match(one.ref, MatchKind.NOTHING, Reason.PARENT_CONTACT, contact.ref))
    return found


def _is_of_another(known: Mapping[Ref, Candidate], lead: Candidate, contact: Candidate) -> bool:
    """Whether the lead names another contact that is there. After a merge of two leads, both contacts name the master."""
    named = known.get(Ref(Table.CONTACT, lead.parent_contact or ""))
    return named is not None and named.ref != contact.ref and not named.merged


def _may_give(lead: Candidate, contact: Candidate) -> bool:
    """Whether the lead has a link to hand on: with its person or, as a contact can have one only, with its history."""
    return bool(lead.linked_to) or (lead.half and not contact.half)


def _kin(known: Mapping[Ref, Candidate], named: Ref, naming: Iterable[Candidate]) -> list[Candidate]:
    """The record that this one names and those that name it, of the other Dynamics table."""
    own = [known[named]] if named in known else []
    return own + [other for other in naming if other.ref.table is named.table and other.ref != named]


def _by_stored_id(known: dict[Ref, Candidate], decided: dict[Ref, Match]) -> list[Match]:
    people = _grouped(known.values(), lambda one: one.marketo_guid if one.is_person and not one.linked_to else None)
    found, taken = [], set()
    for one in _due(known.values(), decided):
        holders = [person for id in _ids(known, one) for person in people[id] if person.ref not in taken]
        if len(holders) == 1:
            taken.add(holders[0].ref)
            found.append(Match(one.ref, MatchKind.LINK, Reason.STORED_ID, holders[0].ref))
        elif holders:
            found.append(_ask(one, Reason.SEVERAL_PEOPLE, holders))
    return found


def _ids(known: Mapping[Ref, Candidate], one: Candidate) -> list[str]:
    """Its own id; and that of the contact it became, or of the lead it was, if that one is gone: the same human."""
    lead = one.ref.table is Table.LEAD
    kin = Ref(Table.CONTACT, one.parent_contact or "") if lead else Ref(Table.LEAD, one.originating or "")
    return [one.ref.id, kin.id] if kin.id and kin not in known else [one.ref.id]


def _ask(one: Candidate, why: Reason, among: Iterable[Candidate]) -> Match:
    candidates = tuple(sorted(other.ref for other in among if other.ref != one.ref))
    return Match(one.ref, MatchKind.DECIDE, why, candidates=candidates)


def _by_email(email: str, group: Sequence[Candidate], decided: Mapping[Ref, Match], several: Several) -> list[Match]:
    due = _due(group, decided)
    if not email:
        return [Match(one.ref, MatchKind.CREATE_IN_MARKETO, Reason.NO_EMAIL, by_id=True) for one in due]
    alike = [other for other in group if not _stands_behind(other, decided)]
    people = [other for other in alike if other.is_person]
    # One merged away may keep its link while its master's person is another one; nobody waits for it.
    records = [other for other in alike if not other.is_person and not other.merged]
    pool = [one for one in records if one.in_use] or records
    aside = [_wait(one, pool, Reason.SET_ASIDE) for one in due if one not in pool]
    return aside + _settle([one for one in due if one in pool], pool, people, several)


def _stands_behind(other: Candidate, decided: Mapping[Ref, Match]) -> bool:
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
