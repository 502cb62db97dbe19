from __future__ import annotations

import itertools

import pytest

from syncadmin.engine.pairing import Candidate, MatchKind, Reason, Several, fold_email, match, match_group
from syncadmin.engine.records import Ref, Table

MAIL = "ida@fjord.example"


def lead(id, **facts):
    return Candidate(Ref(Table.LEAD, id), facts.pop("email", MAIL), **facts)


def contact(id, **facts):
    return Candidate(Ref(Table.CONTACT, id), facts.pop("email", MAIL), **facts)


def person(id, **facts):
    return Candidate(Ref(Table.PERSON, id), facts.pop("email", MAIL.upper()), **facts)


def decided(*group, several=Several.ASK):
    """Decisions by record id, the same for every order of the group."""
    orders = {tuple(match_group(order, several)) for order in itertools.islice(itertools.permutations(group), 24)}
    assert len(orders) == 1
    return {found.ref.id: (found.kind, found.reason, found.partner and found.partner.id) for found in orders.pop()}


LINK, CREATE, WAIT, DECIDE = MatchKind.LINK, MatchKind.CREATE_IN_MARKETO, MatchKind.WAIT, MatchKind.DECIDE


def test_alone_it_gets_a_person_by_email():
    assert decided(lead("a")) == {"a": (CREATE, Reason.NO_MATCH, None)}
    assert not match_group([lead("a")], Several.ASK)[0].by_id


def test_without_an_email_it_gets_a_person_by_id():
    found = match_group([lead("a", email=" "), contact("b", email="")], Several.ASK)
    assert [(one.kind, one.by_id) for one in found] == [(CREATE, True), (CREATE, True)]


def test_one_record_and_one_person_are_linked_by_folded_email():
    assert decided(lead("a", email=" IDA@fjord.example"), person("1")) == {"a": (LINK, Reason.EMAIL, "1")}


def test_a_linked_record_is_not_decided_again():
    assert decided(lead("a", linked_to="1"), person("1", linked_to="a")) == {}


def test_the_stored_id_comes_before_the_email():
    group = lead("a"), lead("b", email="other@x.example"), person("1", marketo_guid="b"), person("2")
    assert decided(*group) == {"a": (DECIDE, Reason.SEVERAL_PEOPLE, None), "b": (LINK, Reason.STORED_ID, "1")}


def test_two_people_with_the_same_stored_id_ask():
    assert decided(lead("a"), person("1", marketo_guid="a"), person("2", marketo_guid="a"))["a"][:2] == (
        DECIDE,
        Reason.SEVERAL_PEOPLE,
    )


def test_a_lead_takes_the_person_of_the_contact_it_became_once_that_is_gone():
    gone = lead("a", email="", qualified=True, parent_contact="c"), person("1", email="", marketo_guid="c")
    assert decided(*gone) == {"a": (LINK, Reason.STORED_ID, "1")}
    assert decided(*gone, contact("c", email="", linked_to="1"))["a"][0] is MatchKind.NOTHING


def test_of_two_leads_of_one_contact_that_is_gone_only_one_takes_the_person():
    leads = [lead(id, email="", parent_contact="c") for id in ("a", "b")]
    found = decided(*leads, person("1", email="", marketo_guid="c"))
    assert sorted(kind for kind, *_ in found.values()) == [CREATE, LINK]


def test_a_contact_takes_over_the_link_of_its_originating_lead():
    group = lead("a", qualified=True, linked_to="1"), contact("c", originating="a"), person("1", linked_to="a")
    assert decided(*group) == {"c": (MatchKind.ADOPT, Reason.ORIGINATING_LEAD, "a")}


def test_a_link_is_adopted_through_the_leads_parent_contact_too():
    group = lead("a", qualified=True, linked_to="1", parent_contact="c"), contact("c", email="new@x.example")
    assert decided(*group) == {"c": (MatchKind.ADOPT, Reason.ORIGINATING_LEAD, "a")}


def test_a_link_without_a_person_is_adopted_unless_the_contact_has_one_too():
    former = lead("a", email="", qualified=True, parent_contact="c", half=True)
    assert decided(former, contact("c", email=""))["c"] == (MatchKind.ADOPT, Reason.ORIGINATING_LEAD, "a")
    assert decided(former, contact("c", email="", half=True))["c"] == (CREATE, Reason.NO_EMAIL, None)


def test_of_two_contacts_of_one_lead_only_one_takes_its_link():
    """The other would wait for a link that has moved, for ever."""
    group = lead("a", email="", qualified=True, linked_to="1"), person("1", email="", linked_to="a")
    contacts = [contact(id, email=f"{id}@x.example", originating="a") for id in ("b", "c")]
    found = decided(*group, *contacts)
    assert found == {
        "b": (MatchKind.ADOPT, Reason.ORIGINATING_LEAD, "a"),
        "c": (CREATE, Reason.NO_MATCH, None),
    }


def test_a_contact_does_not_take_the_link_of_a_lead_that_names_another_one():
    """Two qualified leads were merged: both contacts name the master, and each lead still names its own."""
    master = lead("a", email="", qualified=True, linked_to="1", parent_contact="d")
    loser = lead("b", email="", qualified=True, merged=True, linked_to="2", parent_contact="c")
    contacts = [contact(id, email=f"{id}@x.example", originating="a") for id in ("c", "d")]
    assert decided(master, loser, *contacts) == {
        "c": (MatchKind.ADOPT, Reason.ORIGINATING_LEAD, "b"),
        "d": (MatchKind.ADOPT, Reason.ORIGINATING_LEAD, "a"),
    }
    # Where that one is gone, or was merged away itself, the other may have it.
    gone = [contact("c", email="", originating="a"), contact("d", email="", merged=True)]
    for left in (gone, gone[:1]):
        assert decided(master, *left)["c"] == (MatchKind.ADOPT, Reason.ORIGINATING_LEAD, "a")


def test_a_lead_does_not_stand_behind_a_contact_that_was_merged_away():
    """That one gets nobody, so nobody would be made for either of the two."""
    found = decided(lead("a", parent_contact="c"), contact("c", merged=True))
    assert found == {"a": (CREATE, Reason.NO_MATCH, None), "c": (MatchKind.NOTHING, Reason.MERGED, None)}


@pytest.mark.parametrize("linked", [None, "1"])
def test_a_lead_stands_behind_its_contact(linked):
    group = (
        lead("a", qualified=True, parent_contact="c"),
        contact("c", linked_to=linked),
        person("1", linked_to=linked and "c"),
    )
    found = decided(*group)
    assert found["a"] == (MatchKind.NOTHING, Reason.PARENT_CONTACT, "c")
    assert linked or found["c"] == (LINK, Reason.EMAIL, "1")


@pytest.mark.parametrize("state", [{"active": False}, {"disqualified": True}, {"qualified": True}])
def test_records_out_of_use_are_set_aside_while_another_remains(state):
    assert decided(lead("a", **state), lead("b"), person("1")) == {
        "a": (WAIT, Reason.SET_ASIDE, "b"),
        "b": (LINK, Reason.EMAIL, "1"),
    }
    assert decided(lead("a", **state), person("1")) == {"a": (LINK, Reason.EMAIL, "1")}


def test_a_merged_record_is_never_paired():
    assert decided(lead("a", merged=True, active=False)) == {"a": (MatchKind.NOTHING, Reason.MERGED, None)}


@pytest.mark.parametrize("people", [(), (person("1"),)])
def test_two_records_ask_by_default_and_name_the_candidates(people):
    group = lead("a"), contact("b"), *people
    assert {kind for kind, _, _ in decided(*group).values()} == {DECIDE}
    found = match(group[0], group[1:2], people, Several.ASK)
    assert found.candidates == (Ref(Table.CONTACT, "b"), *(one.ref for one in people))


def test_contact_first_links_the_only_contact_and_lets_leads_wait():
    group = lead("a"), contact("b"), person("1")
    assert decided(*group, several=Several.CONTACT_FIRST) == {
        "a": (WAIT, Reason.CONTACT_FIRST, "b"),
        "b": (LINK, Reason.EMAIL, "1"),
    }
    assert decided(
        lead("a"), contact("b", linked_to="1"), person("1", linked_to="b"), several=Several.CONTACT_FIRST
    ) == {"a": (WAIT, Reason.CONTACT_FIRST, "b")}


def test_contact_first_asks_where_it_does_not_help():
    for group in [
        (contact("a"), contact("b"), person("1")),
        (lead("a"), lead("b"), person("1")),
        (lead("a", linked_to="1"), contact("b"), person("1", linked_to="a")),
    ]:
        assert {kind for kind, _, _ in decided(*group, several=Several.CONTACT_FIRST).values()} == {DECIDE}


def test_a_person_for_each():
    assert decided(lead("a"), contact("b"), person("1"), several=Several.EACH) == {
        "a": (CREATE, Reason.OWN_PERSON, None),
        "b": (LINK, Reason.EMAIL, "1"),
    }
    assert decided(lead("a", linked_to="1"), lead("b"), person("1", linked_to="a"), several=Several.EACH) == {
        "b": (CREATE, Reason.OWN_PERSON, None)
    }
    assert all(one.by_id for one in match_group([lead("a"), lead("b")], Several.EACH))


@pytest.mark.parametrize("several", list(Several))
def test_doubles_in_marketo_always_ask(several):
    assert decided(lead("a"), person("1"), person("2"), several=several)["a"][0] is DECIDE


def test_a_person_linked_elsewhere_is_not_taken():
    group = lead("a"), lead("x", email="x@x.example", linked_to="1"), person("1", linked_to="x")
    assert decided(*group) == {"a": (DECIDE, Reason.PERSON_TAKEN, None)}
    assert decided(*group, several=Several.EACH) == {"a": (CREATE, Reason.OWN_PERSON, None)}


def test_no_two_records_get_one_person():
    states = [{}, {"active": False}, {"qualified": True}, {"linked_to": "1"}]
    for several, one, two, three in itertools.product(Several, states, states, states):
        records = [
            lead("a", **one),
            contact("b", **{**two, "linked_to": None}),
            lead("c", **{**three, "linked_to": None}),
        ]
        taken = "a" if one.get("linked_to") else None
        found = match_group([*records, person("1", linked_to=taken)], several)
        partners = [match.partner for match in found if match.kind is LINK]
        assert len(partners) == len(set(partners))
        assert not (taken and partners)
        assert len([match for match in found if match.kind is CREATE and not match.by_id]) <= 1


def test_fold_email():
    assert fold_email("  Ida@FJORD.example ") == "ida@fjord.example"
    assert fold_email(None) == ""
