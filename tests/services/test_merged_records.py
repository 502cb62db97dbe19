"""Merges on both sides (design 3.5): the link follows; two links meeting are a question."""

from __future__ import annotations

import pytest

from syncadmin.sandbox.faults import Fault
from syncadmin.services import answers
from syncadmin.store.models import Decision, Failure, Link
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)
LOW, MID, HIGH = (f"{number:08}-0000-4000-8000-000000000000" for number in (1, 2, 3))


@pytest.fixture
def world():
    return World()


def open_questions():
    return list(Decision.objects.filter(answered_at=None).values_list("kind", flat=True))


# --- in Dynamics -----------------------------------------------------------------------------------------------------


def test_the_link_follows_a_master_that_had_nobody(world):
    loser, person = world.linked("contact")
    master = world.dynamics.create("contact", {"lastname": "Vik", "new_synctomkto": False})
    world.settle()
    world.dynamics.edit("contact", master, {"new_synctomkto": True, "jobtitle": "Boss"})
    world.dynamics.merge("contact", master, loser)
    world.settle()

    assert str(Link.objects.get(marketo=int(person)).dynamics) == master
    there = world.marketo.get("person", person)
    assert (there["dynPersonGuid"], there["title"]) == (master, "Boss")
    assert len(list(world.marketo.rows("person"))) == 1
    assert open_questions() == []


def test_the_link_follows_a_master_when_the_filter_lets_it_in(world):
    loser, person = world.linked("contact")
    master = world.dynamics.create("contact", {"lastname": "Vik", "jobtitle": "Boss", "new_synctomkto": False})
    world.dynamics.merge("contact", master, loser)
    world.settle()
    assert str(Link.objects.get(marketo=int(person)).dynamics) == loser

    world.dynamics.edit("contact", master, {"new_synctomkto": True})
    world.settle()

    assert str(Link.objects.get(marketo=int(person)).dynamics) == master
    assert world.marketo.get("person", person)["title"] == "Boss"
    assert len(list(world.marketo.rows("person"))) == 1
    assert len(world.told(master, "merged")) == 1
    assert open_questions() == []


def test_a_person_does_not_stand_still_because_the_filter_had_stopped_a_record_that_is_merged_away(world):
    loser, person = world.linked("contact")
    master = world.dynamics.create("contact", {"lastname": "Vik", "new_synctomkto": False})
    world.dynamics.edit("contact", loser, {"new_synctomkto": False})
    world.settle()
    assert world.link_of(loser).stopped is True

    world.dynamics.edit("contact", master, {"new_synctomkto": True, "jobtitle": "Boss"})
    world.dynamics.merge("contact", master, loser)
    world.settle()

    assert (world.link_of(master).stopped, str(world.link_of(master).marketo)) == (False, person)
    assert world.marketo.get("person", person)["title"] == "Boss"


def test_who_was_deleted_in_marketo_is_not_left_waiting_for_a_person_when_the_record_is_merged_away(world):
    """The filter keeps the master away, so the link stays with the loser, which is nobody of its own any more."""
    loser, person = world.linked("contact")
    master = world.dynamics.create("contact", {"lastname": "Vik", "new_synctomkto": False})
    world.settle()
    world.dynamics.edit("contact", loser, {"jobtitle": "Boss"})
    world.dynamics.merge("contact", master, loser)
    world.marketo.delete("person", person)
    world.settle()

    link = world.link_of(loser)
    assert (str(link.marketo), link.marketo_deleted) == (person, True)
    assert world.quiet()


def both(world, table="contact"):
    """Two linked records, the second merged into the first: (master, its person, loser, its person)."""
    master, first = world.linked(table)
    loser, second = world.linked(table)
    world.dynamics.merge(table, master, loser)
    world.settle()
    return master, first, loser, second


def test_the_losers_person_is_flagged_and_listed(world):
    master, first, loser, second = both(world)

    assert world.marketo.get("person", second)["dynDeleted"] is True
    assert not world.marketo.get("person", first).get("dynDeleted")
    facts = world.question("dynamics_merge").facts
    assert (facts["master"], facts["loser"]) == (master, loser)
    assert (facts["master_person"], facts["loser_person"]) == (int(first), int(second))


def test_the_master_goes_on_and_the_loser_is_left_alone(world):
    master, first, loser, second = both(world)
    before = world.dynamics.get("contact", loser)
    world.marketo.edit("person", first, {"title": "Boss"})
    world.marketo.edit("person", second, {"title": "Clerk"})
    world.settle()

    assert world.dynamics.get("contact", master)["jobtitle"] == "Boss"
    assert world.dynamics.get("contact", loser) == before


def test_merging_the_people_too_settles_it(world):
    master, first, _loser, second = both(world)
    world.marketo.merge(first, [second])
    world.settle()

    assert str(world.link_of(master).marketo) == first
    assert open_questions() == []
    assert not world.marketo.get("person", first).get("dynDeleted")
    assert world.quiet()


def test_merging_the_people_the_other_way_round_settles_it_too(world):
    master, first, _loser, second = both(world)
    world.marketo.merge(second, [first])
    world.settle()

    assert str(world.link_of(master).marketo) == second
    assert world.marketo.get("person", second)["dynPersonGuid"] == master
    assert not world.marketo.get("person", second).get("dynDeleted")
    assert open_questions() == []


@pytest.mark.parametrize("choice", ["done", "keep"])
def test_after_the_answer_nothing_is_asked_again(world, choice):
    master, first, _, second = both(world)
    world.answer("dynamics_merge", choice)
    if choice == "done":
        world.marketo.merge(first, [second])
    world.settle()

    assert str(world.link_of(master).marketo) == first
    assert open_questions() == []


@pytest.mark.parametrize("synced", [True, False])
def test_who_was_merged_away_gets_no_person_when_the_master_is_deleted(world, synced):
    """Dynamics empties the loser's master then, and only says that it was merged."""
    loser = world.linked("contact")[0] if synced else world.dynamics.create("contact", {"lastname": "Vik"})
    master = world.dynamics.create("contact", {"lastname": "Vik"})
    world.dynamics.merge("contact", master, loser)
    if synced:
        world.settle()
    world.dynamics.delete("contact", master)
    world.settle()

    assert world.dynamics.get("contact", loser).get("masterid") is None
    assert [row["dynDeleted"] for row in world.marketo.rows("person")] == [True] * synced
    assert world.quiet()


def test_a_lead_merged_into_one_that_became_a_contact_and_was_reopened_is_asked_about(world):
    loser, second = world.linked()
    master, first = world.linked()
    contact = world.dynamics.qualify(master, account=False)["contact"]
    world.settle()
    world.dynamics.reactivate("lead", master)
    world.settle()
    world.dynamics.merge("lead", master, loser)
    world.settle()

    assert str(world.link_of(contact).marketo) == first
    assert world.question("dynamics_merge").facts["loser_person"] == int(second)
    assert world.marketo.get("person", second)["dynDeleted"] is True
    assert world.quiet()


def test_a_lead_merged_into_one_that_is_a_contact_by_now_is_asked_about(world):
    """The master's person belongs to its contact, so the loser's link cannot follow."""
    master = world.dynamics.create("lead", {"lastname": "Vik"})
    contact = world.dynamics.qualify(master, account=False)["contact"]
    loser, person = world.linked("lead")
    world.dynamics.merge("lead", master, loser)
    world.settle()

    assert not Link.objects.filter(dynamics=master).exists()
    assert world.link_of(contact).stopped is False
    assert (world.link_of(loser).stopped, world.marketo.get("person", person)["dynDeleted"]) == (True, True)
    assert open_questions() == ["dynamics_merge"]
    assert world.question("dynamics_merge").facts["master"] == contact


@pytest.mark.parametrize("who", ["lead", "contact"])
def test_a_lead_merged_into_one_that_names_a_contact_or_is_named_by_one_is_asked_about(world, who):
    """Written into one of them by hand; the other has never heard of it. Else there would be two people."""
    if who == "lead":
        contact, first = world.linked("contact")
        master = world.dynamics.create("lead", {"lastname": "Vik", "parentcontactid": contact})
    else:
        master, first = world.linked("lead")
        contact = world.dynamics.create("contact", {"lastname": "Vik", "originatingleadid": master})
    loser, second = world.linked("lead")
    world.dynamics.merge("lead", master, loser)
    world.settle()

    assert str(world.link_of(contact).marketo) == first
    facts = world.question("dynamics_merge").facts
    assert (facts["master"], facts["loser_person"]) == (contact, int(second))
    assert not Link.objects.filter(dynamics=master).exists()
    assert world.quiet()


def test_a_lead_merged_into_one_with_two_contacts_is_asked_about_with_the_one_it_names(world):
    """Whoever is asked to merge the two people is not told the wrong one."""
    named, first = world.linked("contact")
    master = world.dynamics.create("lead", {"lastname": "Vik", "parentcontactid": named})
    world.linked("contact", originatingleadid=master, contactid="00000000-0000-4000-8000-000000000000")
    loser, _ = world.linked("lead")
    world.dynamics.merge("lead", master, loser)
    world.settle()

    facts = world.question("dynamics_merge").facts
    assert (facts["master"], facts["master_person"]) == (named, int(first))


@pytest.mark.parametrize("alike", [True, False], ids=["one address", "two addresses"])
def test_two_leads_that_were_qualified_and_merged_before_a_run_saw_it_keep_a_person_each(world, alike):
    """The sync was paused meanwhile. Both contacts name the master by then; each lead still names its own."""
    master, first = world.linked("lead", emailaddress1="kari@fjord.example")
    loser, second = world.linked("lead", emailaddress1="ola@fjord.example")
    one = world.dynamics.qualify(master, account=False)["contact"]
    other = world.dynamics.qualify(loser, account=False)["contact"]
    world.dynamics.merge("lead", master, loser)
    assert world.dynamics.get("contact", other)["originatingleadid"] == master
    if alike:
        world.dynamics.edit("contact", other, {"emailaddress1": "kari@fjord.example"})
    world.settle()

    assert (str(world.link_of(one).marketo), str(world.link_of(other).marketo)) == (first, second)
    assert sorted(str(row["id"]) for row in world.marketo.rows("person")) == sorted([first, second])
    assert not open_questions()
    world.dynamics.edit("contact", other, {"jobtitle": "Mate"})
    world.settle()
    assert world.marketo.get("person", second)["title"] == "Mate"
    assert world.quiet()


def test_nobody_is_asked_about_a_contact_that_the_filter_keeps_away(world):
    """The lead it was goes on for itself, and so does what is merged into that."""
    master, _ = world.linked("lead")
    contact = world.dynamics.qualify(master, account=False)["contact"]
    world.settle()
    world.dynamics.edit("contact", contact, {"new_synctomkto": False})
    loser, person = world.linked("lead")
    world.dynamics.merge("lead", master, loser)
    world.settle()

    assert str(world.link_of(master).marketo) == person
    assert not world.marketo.get("person", person).get("dynDeleted")
    assert open_questions() == []


def test_nobody_is_asked_about_a_contact_that_was_deleted(world):
    """The person would be flagged as one that is not in Dynamics, for the sake of a record that is not there either."""
    master, _ = world.linked("lead")
    contact = world.dynamics.qualify(master, account=False)["contact"]
    world.settle()
    world.dynamics.edit("lead", master, {"new_synctomkto": False})
    world.settle()
    world.dynamics.delete("contact", contact)
    loser, person = world.linked("lead")
    world.dynamics.merge("lead", master, loser)
    world.settle()

    assert (str(world.link_of(loser).marketo), world.link_of(loser).stopped) == (person, False)
    assert not world.marketo.get("person", person).get("dynDeleted")
    assert open_questions() == []


def test_nobody_is_asked_about_a_lead_that_was_deleted(world):
    """Its link had stayed with it, as the filter kept its contact away; now that takes the link of its loser."""
    lead, _ = world.linked("lead")
    contact = world.dynamics.qualify(lead, account=False)["contact"]
    world.dynamics.edit("contact", contact, {"new_synctomkto": False})
    world.settle()
    world.dynamics.delete("lead", lead)
    loser, person = world.linked("contact")
    world.dynamics.edit("contact", contact, {"new_synctomkto": True})
    world.dynamics.merge("contact", contact, loser)
    world.settle()

    assert str(world.link_of(contact).marketo) == person
    assert not world.marketo.get("person", person).get("dynDeleted")
    assert open_questions() == []


# --- in Marketo ------------------------------------------------------------------------------------------------------


def test_the_link_follows_the_winner(world):
    guid, loser = world.linked()
    winner = world.marketo.create("person", {"lastName": "Vik", "email": "w@x.example", "city": "Bergen"})
    world.settle()
    world.marketo.merge(winner, [loser])
    world.settle()

    assert str(Link.objects.get().marketo) == winner
    assert world.marketo.get("person", winner)["dynPersonGuid"] == guid
    assert world.dynamics.get("lead", guid)["address1_city"] == "Bergen"
    assert len(world.told(guid, "merged")) == 1
    assert open_questions() == []


def test_the_winner_is_told_whose_record_it_has_now_whatever_it_said_before(world):
    """It was the person of a record that is long gone; with that id, and called deleted, marketing would pass it over."""
    guid, loser = world.linked()
    gone = "00000000-0000-4000-8000-000000000000"
    before = {"dynPersonGuid": gone, "dynPersonType": "Contact", "dynDeleted": True}
    winner = world.marketo.create("person", {"lastName": "Vik", "email": "w@x.example", **before})
    world.settle()
    world.marketo.merge(winner, [loser])
    world.settle()

    there = world.marketo.get("person", winner)
    assert (there["dynPersonGuid"], there["dynPersonType"], bool(there.get("dynDeleted"))) == (guid, "Lead", False)


def test_the_winner_keeps_its_own_link(world):
    guid, winner = world.linked()
    loser = world.marketo.create("person", {"lastName": "Vik", "email": "w@x.example"})
    world.settle()
    world.marketo.merge(winner, [loser])
    world.settle()

    assert str(world.link_of(guid).marketo) == winner
    assert open_questions() == []


def test_a_merge_told_twice_or_late_is_told_once(world):
    guid, loser = world.linked()
    winner = world.marketo.create("person", {"lastName": "Vik", "email": "w@x.example"})
    world.settle()
    world.marketo.faults.add(Fault("duplicate_events", path="/rest/v1/activities.json*", times=3))
    world.marketo.merge(winner, [loser])
    world.sync(5)

    assert str(world.link_of(guid).marketo) == winner
    assert len(world.told(guid, "merged")) == 1


def test_nothing_is_emptied_in_dynamics_when_the_winner_is_deleted_before_it_could_be_read(world):
    """We knew the winner from before the merge, when it had no phone; then the merge gave it one, and it was deleted."""
    guid, loser = world.linked(telephone1="+47 55")
    winner = world.marketo.create("person", {"lastName": "Vik", "email": "w@x.example"})
    world.settle()
    world.marketo.merge(winner, [loser])
    # Its delete is told a run later.
    world.marketo.faults.add(Fault("unavailable", path="/rest/v1/activities/deletedleads.json*", times=9))
    world.marketo.delete("person", winner)
    world.sync()
    assert str(world.link_of(guid).marketo) == winner
    world.marketo.faults.clear()
    world.settle()

    assert world.dynamics.get("lead", guid)["telephone1"] == "+47 55"
    assert world.link_of(guid).marketo_deleted is True
    world.dynamics.edit("lead", guid, {"telephone1": "+47 56"})
    world.settle()
    assert world.person_of(guid)["phone"] == "+47 56"


def test_a_delete_that_was_told_before_the_merge_is_not_forgotten(world):
    """Otherwise the record would wait for ever for a person who is not there."""
    guid, loser = world.linked(telephone1="+47 55")
    winner = world.marketo.create("person", {"lastName": "Vik", "email": "w@x.example"})
    world.marketo.merge(winner, [loser])
    world.marketo.delete("person", winner)
    world.marketo.faults.add(Fault("late_events", path="/rest/v1/activities.json*", times=9, value=60))
    world.sync()
    assert str(world.link_of(guid).marketo) == loser
    world.marketo.faults.clear()
    world.clock.forward(seconds=60)
    world.settle()

    assert (str(world.link_of(guid).marketo), world.link_of(guid).marketo_deleted) == (winner, True)
    world.dynamics.edit("lead", guid, {"telephone1": "+47 56"})
    world.settle()
    assert world.person_of(guid)["phone"] == "+47 56"


def test_the_link_follows_two_merges_of_which_the_second_was_told_first(world):
    guid, loser = world.linked()
    winner = world.marketo.create("person", {"lastName": "Vik", "email": "w@x.example"})
    last = world.marketo.create("person", {"lastName": "Vik", "email": "l@x.example", "city": "Bergen"})
    world.marketo.merge(winner, [loser])
    world.marketo.faults.add(Fault("late_events", path="/rest/v1/activities*", times=9, value=60))
    world.sync()
    world.marketo.faults.clear()
    world.marketo.merge(last, [winner])
    world.sync()
    assert str(world.link_of(guid).marketo) == loser
    world.clock.forward(seconds=60)
    world.settle()

    assert str(world.link_of(guid).marketo) == last
    assert world.marketo.get("person", last)["dynPersonGuid"] == guid
    assert world.dynamics.get("lead", guid)["address1_city"] == "Bergen"
    assert world.quiet(2)


def test_what_waits_for_the_losers_activity_log_is_told_in_the_winners(world):
    guid, loser = world.linked()
    winner = world.marketo.create("person", {"lastName": "Vik", "email": "w@x.example"})
    world.settle()
    world.marketo.faults.add(Fault("unavailable", path="/rest/v1/activities/external.json*", times=-1))
    world.dynamics.edit("lead", guid, {"new_synctomkto": False})
    world.sync()
    world.marketo.merge(winner, [loser])
    world.sync()
    world.marketo.faults.clear()
    world.clock.forward(minutes=5)
    world.settle()

    assert world.logged(winner) == ["Stop sync"]


def test_what_the_winner_says_is_not_taken_for_the_value_that_was_replaced_in_the_loser():
    """The feed is late, so the write to the loser was not confirmed. The winner's own value would never travel."""
    world = World(receipt_patience=60)
    guid, loser = world.linked(jobtitle="Mate")
    winner = world.marketo.create("person", {"lastName": "Vik", "email": "w@x.example", "title": "Mate"})
    world.settle()
    world.marketo.faults.add(Fault("late_events", path="/rest/v1/activities/leadchanges.json*", times=-1, value=300))
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    world.sync()
    world.marketo.merge(winner, [loser])
    world.sync(2)
    assert world.dynamics.get("lead", guid)["jobtitle"] == "Mate"

    world.clock.forward(seconds=70)
    world.settle()
    assert world.marketo.get("person", winner)["title"] == "Mate"
    assert not Failure.objects.exists()


def meeting(world):
    """Two links whose people are merged: (record of the winner, winner, record of the loser)."""
    stays, winner = world.linked(jobtitle="Stays")
    moved, loser = world.linked(jobtitle="Moved")
    world.marketo.merge(winner, [loser])
    world.settle()
    return stays, winner, moved


def test_two_links_meeting_in_one_person_are_asked_about(world):
    stays, winner, moved = meeting(world)

    facts = world.question("links_meeting").facts
    assert (facts["winner_record"], facts["loser_record"]) == (["lead", stays], ["lead", moved])
    assert str(world.link_of(stays).marketo) == winner
    before = world.ours("marketo")
    world.dynamics.edit("lead", moved, {"jobtitle": "Other"})
    world.settle()
    assert world.ours("marketo") == before


def test_keep_the_winners_record(world):
    stays, winner, moved = meeting(world)
    world.answer("links_meeting", "keep_winner")
    world.dynamics.edit("lead", moved, {"jobtitle": "Other"})
    world.dynamics.edit("lead", stays, {"jobtitle": "Boss"})
    world.settle()

    assert world.marketo.get("person", winner)["title"] == "Boss"
    assert len(list(world.marketo.rows("person"))) == 1
    assert open_questions() == []


def test_keep_the_losers_record(world):
    stays, winner, moved = meeting(world)
    world.answer("links_meeting", "keep_loser")
    world.settle()

    assert str(world.link_of(moved).marketo) == winner
    assert world.marketo.get("person", winner)["dynPersonGuid"] == moved
    world.dynamics.edit("lead", stays, {"jobtitle": "Nobody's"})
    world.marketo.edit("person", winner, {"city": "Bergen"})
    world.settle()
    assert world.dynamics.get("lead", moved)["address1_city"] == "Bergen"
    assert world.marketo.get("person", winner)["title"] != "Nobody's"
    assert len(list(world.marketo.rows("person"))) == 1
    assert open_questions() == []


def test_an_answer_does_not_sync_a_record_that_the_filter_keeps_away(world):
    """Whoever said "do not sync" while the question was open would see the record synced all the same."""
    _, winner, moved = meeting(world)
    world.dynamics.edit("lead", moved, {"new_synctomkto": False, "jobtitle": "Secret"})
    world.sync()
    with pytest.raises(answers.Overtaken):
        world.answer("links_meeting", "new_person")
    world.answer("links_meeting", "keep_loser")
    world.settle()
    assert world.link_of(moved).stopped
    assert [row["title"] for row in world.marketo.rows("person")] == ["Stays"]

    world.dynamics.edit("lead", moved, {"new_synctomkto": True})
    world.settle()
    assert (str(world.link_of(moved).marketo), world.link_of(moved).stopped) == (winner, False)
    assert world.marketo.get("person", winner)["dynPersonGuid"] == moved


def test_the_filters_yes_makes_no_second_person_while_the_question_is_open(world):
    """Else the question is answered by a person nobody asked for, and the two doubles are there to stay."""
    _, winner, moved = meeting(world)
    world.dynamics.edit("lead", moved, {"new_synctomkto": False})
    world.sync()
    world.dynamics.edit("lead", moved, {"new_synctomkto": True, "jobtitle": "Again"})
    world.settle()
    assert world.link_of(moved).stopped
    assert [str(row["id"]) for row in world.marketo.rows("person")] == [winner]
    assert open_questions() == ["links_meeting"]

    world.answer("links_meeting", "keep_loser")
    world.settle()
    assert (str(world.link_of(moved).marketo), world.link_of(moved).stopped) == (winner, False)


def test_a_merge_told_again_after_the_answer_is_not_asked_about_again(world):
    """Marketo's feed is read from further back, and tells what somebody has settled since."""
    stays, _, _ = meeting(world)
    world.answer("links_meeting", "keep_winner")
    world.settle()
    world.marketo.faults.add(Fault("expired_delta", path="/rest/v1/activities.json*"))
    world.settle()

    assert open_questions() == []
    assert len(world.told(stays, "merged")) == 1


def test_the_filters_no_outlives_a_merge_of_the_records_that_answers_the_question(world):
    """The record that nobody is to sync gets the person all the same, and must not be shown as one that is synced."""
    stays, winner, moved = meeting(world)
    world.dynamics.edit("lead", moved, {"new_synctomkto": False, "jobtitle": "Secret"})
    world.sync()
    world.dynamics.merge("lead", moved, stays)
    world.settle()
    assert (str(world.link_of(moved).marketo), world.link_of(moved).stopped) == (winner, True)
    assert [row["title"] for row in world.marketo.rows("person")] == ["Stays"]
    assert open_questions() == []

    world.dynamics.edit("lead", moved, {"new_synctomkto": True})
    world.settle()
    assert (world.link_of(moved).stopped, world.marketo.get("person", winner)["dynPersonGuid"]) == (False, moved)


def test_the_filters_yes_makes_no_second_person_after_the_question_was_answered(world):
    """Whoever kept the winner's record said that the other one is nobody; its No and Yes say nothing else."""
    _, winner, moved = meeting(world)
    world.answer("links_meeting", "keep_winner")
    world.settle()
    world.dynamics.edit("lead", moved, {"new_synctomkto": False})
    world.sync()
    world.dynamics.edit("lead", moved, {"new_synctomkto": True, "jobtitle": "Again"})
    world.settle()

    assert world.link_of(moved).stopped
    assert [str(row["id"]) for row in world.marketo.rows("person")] == [winner]


def test_a_new_person_for_the_losers_record(world):
    stays, winner, moved = meeting(world)
    world.answer("links_meeting", "new_person")
    world.settle()

    assert world.person_of(moved)["title"] == "Moved"
    assert str(world.person_of(moved)["id"]) != winner
    assert str(world.link_of(stays).marketo) == winner
    assert open_questions() == []


def test_a_merge_into_a_person_whose_create_nobody_answered_is_asked_about(world):
    """Found as soon as somebody merges; not made once more for a record whose person has another link by then."""
    first, loser = world.linked("lead")
    guid = world.dynamics.create("lead", {"lastname": "Vik"})
    world.marketo.faults.add(Fault("timeout_after", method="POST", path="/rest/v1/leads.json*", times=1))
    world.sync()
    (made,) = [row["id"] for row in world.marketo.rows("person") if row.get("dynPersonGuid") == guid]
    world.marketo.merge(str(made), [loser])
    world.clock.forward(seconds=120)
    world.settle()

    facts = world.question("links_meeting").facts
    assert (facts["winner_record"][1], facts["loser_record"][1]) == (guid, first)
    assert str(Link.objects.get(marketo=int(made)).dynamics) == guid
    assert len(list(world.marketo.rows("person"))) == 1


@pytest.mark.parametrize("table", ["lead", "contact"])
def test_the_question_about_two_doubles_is_over_when_somebody_merges_them_in_dynamics(world, table):
    loser, person = world.linked(table, emailaddress1="t@fjord.example")
    twin = world.dynamics.create(table, {"lastname": "T", "emailaddress1": "t@fjord.example"})
    world.settle()
    assert open_questions() == ["match"]
    world.dynamics.merge(table, twin, loser)
    world.settle()

    assert str(world.link_of(twin).marketo) == person
    assert open_questions() == []


@pytest.mark.parametrize("table", ["lead", "contact"])
@pytest.mark.parametrize("ids", [(LOW, MID, HIGH), (HIGH, MID, LOW), (MID, LOW, HIGH)])
def test_nobody_gets_a_second_person_when_a_record_was_merged_away_twice_between_two_runs(world, table, ids):
    first, middle, last = ids
    _, person = world.linked(table, **{f"{table}id": first})
    for one in (middle, last):
        world.dynamics.create(table, {"lastname": "Vik", f"{table}id": one})
    world.dynamics.merge(table, middle, first)
    world.dynamics.merge(table, last, middle)
    world.settle()

    assert str(Link.objects.get(marketo=int(person)).dynamics) == last
    assert Link.objects.count() == 1


def test_the_filters_yes_makes_no_second_person_for_the_record_that_was_not_kept(world):
    stays, winner, _ = meeting(world)
    world.answer("links_meeting", "keep_loser")
    world.settle()
    world.dynamics.edit("lead", stays, {"new_synctomkto": False})
    world.sync()
    world.dynamics.edit("lead", stays, {"new_synctomkto": True, "emailaddress1": "new@x.example"})
    world.settle()

    assert [str(row["id"]) for row in world.marketo.rows("person")] == [winner]


def test_the_contact_that_the_lead_names_is_asked_about_although_two_contacts_name_the_lead(world):
    master, first = world.linked("lead")
    named = world.dynamics.qualify(master, account=False)["contact"]
    world.settle()
    world.linked("contact", originatingleadid=master, contactid="00000000-0000-4000-8000-000000000000")
    loser, _ = world.linked("lead")
    world.dynamics.merge("lead", master, loser)
    world.settle()

    facts = Decision.objects.get(kind="dynamics_merge").facts
    assert (facts["master"], facts["master_person"]) == (named, int(first))


def test_a_failure_of_a_record_that_is_merged_away_does_not_stay_open_for_its_master(world):
    lead, _ = world.linked(jobtitle="Mate")
    world.dynamics.edit("lead", lead, {"jobtitle": "Captain"})
    world.marketo.faults.add(Fault("partial_batch", value=1, method="POST", path="/rest/v1/leads.json"))
    world.sync(2)
    assert Failure.objects.filter(closed_at=None).count() == 1
    master = world.dynamics.create("lead", {"lastname": "Vik", "jobtitle": "Mate"})
    world.dynamics.merge("lead", master, lead)
    world.settle()

    assert not Failure.objects.filter(closed_at=None).exists()
