"""What a link leaves behind when one of its records becomes another: nothing is lost, asked or open without a reason."""

from __future__ import annotations

import pytest

from syncadmin.sandbox.faults import Fault
from syncadmin.store.models import Conflict, Failure
from tests.services.test_kills import die_at
from tests.services.test_moved_links import open_questions, people, refused
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)
CREATES = {"method": "POST", "path": "/rest/v1/leads.json"}
FEED = "/rest/v1/activities/leadchanges.json*"


@pytest.fixture
def world():
    return World()


def written_and_killed(world):
    """A lead's edit reached the person; the worker died before it could store so."""
    lead, person = world.linked("lead", jobtitle="Mate")
    world.dynamics.edit("lead", lead, {"jobtitle": "Captain"})
    die_at(world, "push.marketo.answered", wait=20)
    return lead, person


def in_step(world, guid, person, value):
    world.settle()
    world.clock.forward(seconds=120)
    world.settle()
    assert str(world.link_of(guid).marketo) == person
    assert world.marketo.get("person", person).get("title") == value
    assert world.dynamics.get("lead", guid).get("jobtitle") == value


def test_a_write_to_marketo_that_was_lost_is_not_taken_for_the_masters(world):
    lead, person = written_and_killed(world)
    master = world.dynamics.create("lead", {"lastname": "Vik"})
    world.dynamics.merge("lead", master, lead)
    in_step(world, master, person, "Captain")


def test_a_write_to_marketo_that_was_lost_is_not_taken_for_the_new_records(world):
    lead, person = written_and_killed(world)
    address = world.dynamics.get("lead", lead)["emailaddress1"]
    world.dynamics.delete("lead", lead)
    new = world.dynamics.create("lead", {"lastname": "Vik", "emailaddress1": address})
    in_step(world, new, person, "Captain")


@pytest.mark.parametrize("address", ["m@fjord.example", None])
def test_a_create_that_was_carried_out_is_found_by_the_master(world, address):
    own = None if address is None else "l@fjord.example"
    lead = world.dynamics.create("lead", {"lastname": "Vik", "emailaddress1": own})
    die_at(world, "create.marketo.answered", wait=20)
    master = world.dynamics.create("lead", {"lastname": "Vik", "emailaddress1": address})
    world.dynamics.merge("lead", master, lead)
    world.settle()
    world.clock.forward(seconds=120)
    world.settle()
    assert len(people(world)) == 1


def test_a_value_replaced_unseen_that_won_comes_back_although_the_lead_was_merged_meanwhile(world):
    loser, person = world.linked("lead", jobtitle="Mate")
    world.dynamics.edit("lead", loser, {"jobtitle": "Boss"})
    rival = lambda: world.marketo.edit("person", person, {"title": "Captain"})  # noqa: E731
    world.marketo.faults.add(Fault("rival", value=rival, **CREATES))
    world.sync()
    assert world.marketo.get("person", person)["title"] == "Boss"
    master = world.dynamics.create("lead", {"lastname": "Vik"})
    world.dynamics.merge("lead", master, loser)
    world.settle()
    assert str(world.link_of(master).marketo) == person
    assert Conflict.objects.get().winner == "marketo"
    assert world.marketo.get("person", person)["title"] == "Captain"
    assert world.dynamics.get("lead", master)["jobtitle"] == "Captain"


def test_a_value_replaced_unseen_comes_back_when_its_person_was_given_to_a_master(world):
    loser, person = world.linked("lead", jobtitle="Mate")
    master = refused(world, "lead")
    world.marketo.faults.add(Fault("late_events", path=FEED, times=2, value=60))
    world.dynamics.edit("lead", loser, {"jobtitle": "Captain"})
    world.marketo.faults.add(Fault("rival", value={"id": person, "changes": {"title": "Boss"}}, **CREATES))
    world.sync()
    assert world.marketo.get("person", person)["title"] == "Captain"
    world.dynamics.merge("lead", master, loser)
    world.sync()
    assert str(world.link_of(master).marketo) == person
    world.clock.forward(seconds=60)
    world.settle()
    assert Conflict.objects.filter(rule="overtaken", winner="marketo").exists()
    assert world.marketo.get("person", person)["title"] == "Boss"


def test_a_lost_create_of_a_record_merged_away_leaves_no_question_about_nobody(world):
    master, person = world.linked("contact")
    loser = world.dynamics.create("contact", {"lastname": "Vik", "emailaddress1": "x@fjord.example"})
    die_at(world, "create.marketo.sent", wait=20)
    world.dynamics.merge("contact", master, loser)
    world.settle()
    world.clock.forward(seconds=120)
    world.settle()
    assert people(world) == [person]
    assert open_questions() == []


def test_a_master_whose_create_never_came_takes_the_losers_person_and_nothing_is_asked(world):
    loser, person = world.linked("contact", emailaddress1="same@fjord.example")
    master = world.dynamics.create("contact", {"lastname": "Vik", "emailaddress1": "x@fjord.example"})
    die_at(world, "create.marketo.sent", wait=20)
    world.dynamics.edit("contact", master, {"emailaddress1": "same@fjord.example"})
    world.dynamics.merge("contact", master, loser)
    world.settle()
    world.clock.forward(seconds=120)
    world.settle()
    assert str(world.link_of(master).marketo) == person
    assert "dynamics_merge" not in open_questions()


def asked_world():
    world = World()
    world.pair("lead", "jobtitle", "title", winner="ask")
    lead, person = world.linked("lead", jobtitle="Mate")
    world.dynamics.edit("lead", lead, {"jobtitle": "Captain"})
    world.marketo.edit("person", person, {"title": "Boss"})
    world.sync(2)
    assert open_questions() == ["ask"]
    return world, lead, person


def test_a_question_about_a_field_ends_when_the_master_agrees():
    world, lead, person = asked_world()
    master = world.dynamics.create("lead", {"lastname": "Vik", "jobtitle": "Boss"})
    world.dynamics.merge("lead", master, lead)
    world.settle()
    assert str(world.link_of(master).marketo) == person
    assert open_questions() == []


def test_a_question_about_a_field_ends_when_the_lead_becomes_a_contact():
    world, lead, person = asked_world()
    contact = world.dynamics.qualify(lead, account=False)["contact"]
    world.settle()
    assert world.dynamics.get("contact", contact)["jobtitle"] == world.marketo.get("person", person)["title"]
    assert open_questions() == []


def test_a_question_about_a_field_ends_when_its_record_loses_a_merge():
    world, lead, _ = asked_world()
    master, _ = world.linked("lead")
    world.dynamics.merge("lead", master, lead)
    world.settle()
    assert open_questions() == ["dynamics_merge"]


def failing(world):
    lead, person = world.linked("lead", jobtitle="Mate")
    world.dynamics.edit("lead", lead, {"jobtitle": "Captain"})
    world.marketo.faults.add(Fault("partial_batch", value=1, **CREATES))
    world.sync(2)
    assert world.failure().key == "lead.jobtitle:title"
    return lead, person


def test_a_failure_closed_by_a_qualification_is_told_as_closed(world):
    lead, person = failing(world)
    contact = world.dynamics.qualify(lead, account=False)["contact"]
    world.settle()
    assert not Failure.objects.filter(closed_at=None).exists()
    assert world.logged(person) == ["Failed", "Repaired"]
    assert len(world.told(contact, "mended")) == 1
