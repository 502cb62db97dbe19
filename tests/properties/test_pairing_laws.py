"""Pairing over random groups: nobody is given away twice, order does not matter, and carrying it out comes to rest."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from syncadmin.engine.pairing import Candidate, MatchKind, Several, match_group
from syncadmin.engine.records import Ref, Table

MAILS = st.sampled_from(["ida@x.example", "IDA@x.example ", "ada@x.example", ""])
SETTINGS = settings(max_examples=400, derandomize=True, database=None, deadline=None, phases=(Phase.generate,))


@st.composite
def groups(draw):
    """Up to three leads, two contacts and three people, some linked, some tied by lineage or a stored id."""
    guids = [f"l{n}" for n in range(draw(st.integers(0, 3)))] + [f"c{n}" for n in range(draw(st.integers(0, 2)))]
    people = [str(n) for n in range(draw(st.integers(0, 3)))]
    free = list(people)
    found = []
    for guid in guids:
        linked = free.pop() if free and draw(st.booleans()) and draw(st.booleans()) else None
        tie = draw(st.sampled_from([None, None, *guids]))
        facts = {name: draw(st.sampled_from([False, False, True])) for name in ("merged", "qualified", "disqualified")}
        kin = {"originating": tie} if guid[0] == "c" else {"parent_contact": tie}
        table = Table.CONTACT if guid[0] == "c" else Table.LEAD
        found.append(Candidate(Ref(table, guid), draw(MAILS), linked_to=linked, **facts, **kin))
    holders = {one.linked_to: one.ref.id for one in found if one.linked_to}
    for person in people:
        stored = draw(st.sampled_from([None, None, *guids]))
        found.append(
            Candidate(Ref(Table.PERSON, person), draw(MAILS), linked_to=holders.get(person), marketo_guid=stored)
        )
    return found


def test_pairing_keeps_its_laws_and_reaches_every_decision():
    seen: Counter[MatchKind] = Counter()

    @SETTINGS
    @given(groups(), st.sampled_from(list(Several)), st.randoms(use_true_random=False))
    def law(group, several, random):
        found = match_group(group, several)
        shuffled = list(group)
        random.shuffle(shuffled)
        assert match_group(shuffled, several) == found
        seen.update(one.kind for one in found)
        due = {one.ref for one in group if not one.is_person and one.linked_to is None}
        assert [one.ref for one in found] == sorted(due)
        taken = {one.ref.id for one in group if one.is_person and one.linked_to}
        given_away = [one.partner.id for one in found if one.kind is MatchKind.LINK]
        assert len(given_away) == len(set(given_away))
        assert not taken & set(given_away)
        adopted = [one.partner for one in found if one.kind is MatchKind.ADOPT]
        assert len(adopted) == len(set(adopted))
        assert all(one.candidates or one.partner for one in found if one.kind in (MatchKind.DECIDE, MatchKind.WAIT))

    law()
    assert {kind: seen[kind] for kind in MatchKind if seen[kind] < 15} == {}


def test_links_once_made_are_never_made_again():
    @SETTINGS
    @given(groups(), st.sampled_from(list(Several)))
    def law(group, several):
        links = {one.ref: one.partner for one in match_group(group, several) if one.kind is MatchKind.LINK}
        back = {partner: ref for ref, partner in links.items()}
        later = [
            replace(one, linked_to=links[one.ref].id)
            if one.ref in links
            else replace(one, linked_to=back[one.ref].id)
            if one.ref in back
            else one
            for one in group
        ]
        again = [one for one in match_group(later, several) if one.kind is MatchKind.LINK]
        assert again == []

    law()
