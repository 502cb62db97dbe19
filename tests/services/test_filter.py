"""The filter column (design 3.6): No stays away, Yes and empty come over; stopping and starting lose nothing."""

from __future__ import annotations

import pytest

from syncadmin.sandbox.faults import Fault
from syncadmin.services import setup
from syncadmin.store.models import Activity, Conflict, DynamicsRecord, Link, PendingWrite
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)

VIK = {"lastname": "Vik", "emailaddress1": "vik@x.example"}


@pytest.fixture
def world():
    return World()


def people(world):
    return list(world.marketo.rows("person"))


@pytest.mark.parametrize(("value", "synced"), [(False, 0), (True, 1), (None, 1)])
def test_no_stays_away_and_yes_or_empty_comes_over(world, value, synced):
    world.dynamics.create("lead", {**VIK, "new_synctomkto": value})
    world.settle()

    assert len(people(world)) == synced


def test_an_absent_column_lets_everybody_over(world):
    setup.change("filter_column", "new_nosuchcolumn", who="ada", now=world.clock())
    world.dynamics.create("lead", {**VIK, "new_synctomkto": False})
    world.settle()

    assert len(people(world)) == 1


def test_of_a_record_never_synced_only_id_filter_and_version_are_kept(world):
    guid = world.dynamics.create("lead", {**VIK, "firstname": "Ida", "new_synctomkto": False})
    world.settle()

    row = DynamicsRecord.objects.get(guid=guid)
    assert (row.values, row.email, row.name, row.filtered) == ({}, "", "", True)
    assert row.version != ""


def test_no_to_yes_starts_the_sync(world):
    guid = world.dynamics.create("lead", {**VIK, "new_synctomkto": False})
    world.settle()
    world.dynamics.edit("lead", guid, {"new_synctomkto": True})
    world.settle()

    assert world.person_of(guid)["email"] == "vik@x.example"
    assert str(Activity.objects.get(kind="filter_started").dynamics) == guid


def stopped(world):
    guid, person = world.linked()
    world.dynamics.edit("lead", guid, {"new_synctomkto": False})
    world.settle()
    return guid, person


def test_yes_to_no_stops_it_and_the_person_stays(world):
    guid, person = stopped(world)

    assert world.link_of(guid).stopped is True
    assert world.marketo.get("person", person)["lastName"] == "Vik"
    assert len(world.told(guid, "filter_stopped")) == 1
    assert world.logged(person) == ["Stop sync"]


def test_stopped_means_both_ways(world):
    guid, person = stopped(world)
    world.dynamics.edit("lead", guid, {"jobtitle": "Boss"})
    world.marketo.edit("person", person, {"city": "Bergen"})
    before = world.ours("dynamics"), world.ours("marketo")
    world.settle()

    assert (world.ours("dynamics"), world.ours("marketo")) == before
    assert "jobtitle" not in DynamicsRecord.objects.get(guid=guid).values or (
        DynamicsRecord.objects.get(guid=guid).values["jobtitle"] is None
    )
    assert not PendingWrite.objects.exists()


def test_started_again_it_merges_against_what_was_agreed_last(world):
    guid, person = stopped(world)
    world.dynamics.edit("lead", guid, {"jobtitle": "Boss", "address1_city": "Oslo"})
    world.marketo.edit("person", person, {"phone": "555", "city": "Bergen"})
    world.settle()
    world.dynamics.edit("lead", guid, {"new_synctomkto": True})
    world.settle()

    there, lead = world.marketo.get("person", person), world.dynamics.get("lead", guid)
    assert (there["title"], there["city"]) == ("Boss", "Bergen")
    assert (lead["telephone1"], lead["address1_city"]) == ("555", "Bergen")
    assert Conflict.objects.get().key == "lead.address1_city:city"
    assert world.logged(person) == ["Stop sync", "Start sync"]
    assert Link.objects.count() == 1


def test_a_change_made_together_with_the_no_does_not_travel(world):
    guid, person = world.linked()
    world.dynamics.edit("lead", guid, {"new_synctomkto": False, "jobtitle": "Boss"})
    world.settle()

    assert "title" not in world.marketo.get("person", person)


def test_a_delete_is_followed_while_stopped(world):
    guid, person = stopped(world)
    world.dynamics.delete("lead", guid)
    world.settle()

    assert world.link_of(guid).dynamics_deleted is True
    assert world.marketo.get("person", person)["dynDeleted"] is True


def test_a_merge_in_marketo_is_followed_while_stopped(world):
    guid, person = stopped(world)
    winner = world.marketo.create("person", {"lastName": "Vik", "email": "w@x.example"})
    world.marketo.merge(winner, [person])
    world.settle()

    assert (str(world.link_of(guid).marketo), world.link_of(guid).stopped) == (winner, True)


def test_a_qualification_is_followed_while_stopped(world):
    guid, person = stopped(world)
    contact = world.dynamics.qualify(guid)["contact"]
    world.settle()

    link = Link.objects.get()
    assert (str(link.dynamics), str(link.marketo), link.stopped) == (contact, person, False)


def test_nobody_is_made_for_a_record_whose_create_never_arrived_before_the_no(world):
    """Nobody knows yet whether it did; when it shows that it did not, there is nobody left to be made."""
    guid = world.dynamics.create("lead", VIK)
    world.marketo.faults.add(Fault("timeout_before", method="POST", path="/rest/v1/leads.json"))
    world.sync()
    world.dynamics.edit("lead", guid, {"new_synctomkto": False})
    world.clock.forward(seconds=100)
    world.settle()

    assert people(world) == []
    assert not world.unfinished()


def test_the_yes_makes_a_new_person_for_one_who_was_deleted(world):
    guid, person = world.linked()
    world.marketo.delete("person", person)
    world.settle()
    world.dynamics.edit("lead", guid, {"new_synctomkto": False})
    world.sync()
    world.dynamics.edit("lead", guid, {"new_synctomkto": True, "jobtitle": "Boss"})
    world.settle()

    assert world.person_of(guid)["title"] == "Boss"
