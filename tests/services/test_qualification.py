"""A lead becomes a contact (design 3.5): the link moves, history goes on, the contact's own filter decides."""

from __future__ import annotations

import pytest

from syncadmin.sandbox.faults import Fault
from syncadmin.services import metadata
from syncadmin.store.models import BudgetUse, Conflict, Decision, DynamicsRecord, Failure, Link
from tests.services.test_creates import CREATES
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world():
    return World()


def qualified(world):
    """A lead in step, qualified; (lead, contact, person)."""
    lead, person = world.linked(jobtitle="Boss")
    return lead, world.dynamics.qualify(lead)["contact"], person


def on_the_contact(world, contact, person):
    link = Link.objects.get()
    assert (str(link.dynamics), link.table, str(link.marketo)) == (contact, "contact", person)
    there = world.marketo.get("person", person)
    assert (there["dynPersonGuid"], there["dynPersonType"]) == (contact, "Contact")
    assert not Decision.objects.exists()
    return link


def test_the_link_moves_to_the_contact_and_history_goes_on(world):
    lead, contact, person = qualified(world)
    before = Link.objects.get().pk
    world.settle()

    assert on_the_contact(world, contact, person).pk == before
    assert world.told(contact, "qualified")[0].details == {"lead": lead, "contact": contact}
    assert len(world.told(contact, "created")) == 1
    assert len(list(world.marketo.rows("person"))) == 1
    assert world.quiet()


@pytest.mark.parametrize("late", ["leads", "contacts"])
def test_whichever_arrives_first_the_other_is_fetched_at_once(world, late):
    _, contact, person = qualified(world)
    world.dynamics.faults.add(Fault("unavailable", path=f"/api/data/v9.2/{late}?*deltatoken*", times=-1))
    world.settle()
    on_the_contact(world, contact, person)

    world.dynamics.faults.clear()
    world.settle()
    on_the_contact(world, contact, person)


def test_dynamics_is_the_authority_from_now_on(world):
    _, contact, person = qualified(world)
    world.settle()
    world.dynamics.edit("contact", contact, {"jobtitle": "Captain"})
    world.marketo.edit("person", person, {"title": "Skipper"})
    world.settle()

    assert world.marketo.get("person", person)["title"] == "Captain"
    assert Conflict.objects.get().winner == "dynamics"


def test_nothing_is_written_to_the_qualified_lead_any_more(world):
    lead, contact, person = qualified(world)
    world.settle()
    before = world.dynamics.get("lead", lead)
    world.marketo.edit("person", person, {"title": "Skipper"})
    world.settle()

    assert world.dynamics.get("contact", contact)["jobtitle"] == "Skipper"
    assert world.dynamics.get("lead", lead) == before


def test_what_the_customers_mapping_changed_counts_as_dynamics_change(world):
    _, contact, person = qualified(world)
    world.dynamics.edit("contact", contact, {"jobtitle": "As mapped"})
    world.settle()

    assert world.marketo.get("person", person)["title"] == "As mapped"
    assert not Conflict.objects.exists()


def test_what_marketo_changed_at_the_same_time_survives(world):
    _, contact, person = qualified(world)
    world.marketo.edit("person", person, {"city": "Bergen"})
    world.settle()

    assert world.dynamics.get("contact", contact)["address1_city"] == "Bergen"
    on_the_contact(world, contact, person)


def test_contact_no_leaves_the_lead_linked_and_going_on(world):
    lead, contact, person = qualified(world)
    world.dynamics.edit("contact", contact, {"new_synctomkto": False})
    world.settle()
    world.dynamics.edit("lead", lead, {"jobtitle": "Captain"})
    world.settle()

    assert str(Link.objects.get().dynamics) == lead
    assert world.marketo.get("person", person)["title"] == "Captain"
    assert world.marketo.get("person", person)["dynPersonType"] == "Lead"


def test_contact_no_becomes_yes_and_takes_the_link(world):
    _, contact, person = qualified(world)
    world.dynamics.edit("contact", contact, {"new_synctomkto": False})
    world.settle()
    world.dynamics.edit("contact", contact, {"new_synctomkto": True})
    world.settle()

    on_the_contact(world, contact, person)


def test_a_lead_that_the_filter_had_stopped_does_not_stand_still_as_a_contact(world):
    lead, person = world.linked()
    world.dynamics.edit("lead", lead, {"new_synctomkto": False})
    world.settle()
    contact = world.dynamics.qualify(lead)["contact"]
    world.dynamics.edit("contact", contact, {"jobtitle": "Boss"})
    world.settle()

    assert on_the_contact(world, contact, person).stopped is False
    assert world.marketo.get("person", person)["title"] == "Boss"


def test_what_was_held_back_of_the_lead_is_held_back_of_the_contact_only_while_it_has_to_be(world):
    lead, person = world.linked(jobtitle="Boss")
    world.marketo.edit("person", person, {"title": "x" * 200})
    world.settle()
    contact = world.dynamics.qualify(lead)["contact"]
    world.settle()
    assert set(world.link_of(contact).held) == {"contact.jobtitle:title"}

    world.marketo.edit("person", person, {"title": "Captain"})
    world.settle()
    assert world.dynamics.get("contact", contact)["jobtitle"] == "Captain"
    assert world.link_of(contact).held == {}


def test_lead_no_contact_yes_is_matched_as_a_new_record(world):
    lead = world.dynamics.create("lead", {"lastname": "Vik", "emailaddress1": "v@x.example", "new_synctomkto": False})
    world.settle()
    assert not list(world.marketo.rows("person"))
    contact = world.dynamics.qualify(lead)["contact"]
    world.settle()

    assert world.person_of(contact)["dynPersonType"] == "Contact"
    assert Link.objects.count() == 1


def test_a_reopened_lead_leaves_the_link_with_the_contact(world):
    lead, contact, person = qualified(world)
    world.settle()
    world.dynamics.reactivate("lead", lead)
    world.settle()

    on_the_contact(world, contact, person)
    assert DynamicsRecord.objects.get(guid=lead).due == ""
    assert len(list(world.marketo.rows("person"))) == 1


def test_qualified_before_its_person_was_made(world):
    lead = world.dynamics.create("lead", {"lastname": "Vik", "emailaddress1": "v@x.example"})
    contact = world.dynamics.qualify(lead)["contact"]
    world.settle()

    assert world.person_of(contact)["email"] == "v@x.example"
    assert len(list(world.marketo.rows("person"))) == 1
    assert Link.objects.count() == 1


def test_who_is_qualified_while_nobody_answered_the_create_gets_no_second_person(world):
    """Without an e-mail: only our own field tells whose person it is."""
    lead = world.dynamics.create("lead", {"lastname": "Vik"})
    world.marketo.faults.add(Fault("timeout_after", method="POST", path="/rest/v1/leads.json"))
    world.sync()
    assert world.link_of(lead).marketo is None
    contact = world.dynamics.qualify(lead, account=False)["contact"]
    world.clock.forward(seconds=100)
    world.settle()

    (person,) = world.marketo.rows("person")
    assert (Link.objects.get().marketo, str(Link.objects.get().dynamics)) == (person["id"], contact)
    assert person["dynPersonGuid"] == contact
    assert world.quiet(2)


def test_whose_person_was_deleted_when_the_lead_was_qualified_goes_on_as_the_contact(world):
    """The lead changed too and asks for a new person, before anybody could be looked up for the contact."""
    lead, person = world.linked(emailaddress1=None, jobtitle="Boss")
    before = world.link_of(lead).pk
    world.marketo.delete("person", person)
    world.dynamics.edit("lead", lead, {"jobtitle": "Captain"})
    contact = world.dynamics.qualify(lead)["contact"]
    world.marketo.faults.add(Fault("unavailable", path="/rest/v1/leads.json*", times=-1))
    world.sync()
    assert (world.link_of(lead).marketo, world.link_of(lead).marketo_deleted) == (None, False)
    world.marketo.faults.clear()
    world.clock.forward(minutes=5)
    world.settle()

    assert on_the_contact(world, contact, str(world.link_of(contact).marketo)).pk == before
    assert len(world.told(contact, "created")) == 2
    assert len(list(world.marketo.rows("person"))) == 1
    assert world.quiet()


def test_qualified_into_a_contact_that_is_linked_already_stops_the_lead_and_asks(world):
    lead, person = world.linked()
    contact, other = world.linked("contact")
    world.dynamics.edit("lead", lead, {"parentcontactid": contact})
    world.dynamics.qualify(lead, contact=False)
    world.settle()
    before = world.dynamics.get("lead", lead)
    world.marketo.edit("person", person, {"title": "Boss"})
    world.settle()

    assert world.dynamics.get("lead", lead) == before
    assert str(world.link_of(contact).marketo) == other
    assert world.question("dynamics_merge").facts["loser_person"] == int(person)


@pytest.mark.parametrize("late", ["leads", "contacts"])
def test_nobody_gets_a_second_person_when_the_lead_a_contact_was_is_merged_into_another(world, late):
    """Without an address; the contact names the other lead by then, which is linked with nobody yet."""
    lead, person = world.linked(emailaddress1=None)
    address = {"lastname": "Vik", "emailaddress1": "vik@fjord.example"}
    master, twin = (world.dynamics.create("lead", address) for _ in range(2))
    world.settle()
    contact = world.dynamics.qualify(lead)["contact"]
    world.dynamics.merge("lead", master, lead)
    world.dynamics.faults.add(Fault("unavailable", path=f"/api/data/v9.2/{late}?*deltatoken*", times=-1))
    world.settle()
    world.dynamics.faults.clear()
    world.settle()

    assert str(world.link_of(contact).marketo) == person
    assert world.marketo.get("person", person)["dynPersonGuid"] == contact
    assert {row["dynPersonGuid"] for row in world.marketo.rows("person")} <= {contact, twin}
    assert [one.details["lead"] for one in world.told(contact, "qualified")] == [master]
    assert world.quiet()


def test_nobody_gets_a_second_person_when_the_lead_a_contact_was_is_merged_away_twice(world):
    """The contact names the last of the three leads, and only the first of them, which is linked, names the contact."""
    first, middle, last = (f"{number:08}-0000-4000-8000-000000000000" for number in (1, 2, 3))
    _, person = world.linked(leadid=first, emailaddress1=None)
    contact = world.dynamics.qualify(first, account=False)["contact"]
    for loser, master in ((first, middle), (middle, last)):
        world.dynamics.create("lead", {"lastname": "Vik", "leadid": master})
        world.dynamics.merge("lead", master, loser)
    world.dynamics.faults.add(Fault("unavailable", path="/api/data/v9.2/leads?*deltatoken*", times=-1))
    world.settle()

    assert str(world.link_of(contact).marketo) == person
    assert [row["id"] for row in world.marketo.rows("person")] == [int(person)]
    world.dynamics.faults.clear()
    world.settle()
    assert [row["dynPersonGuid"] for row in world.marketo.rows("person")] == [contact]


def test_a_record_that_is_in_hand_is_not_asked_for_once_more(world):
    """The lead a contact was is merged into the one it names by now: of the three that come, each is asked for once."""
    lead, _ = world.linked()
    contact = world.dynamics.qualify(lead, account=False)["contact"]
    master = world.dynamics.create("lead", {"lastname": "Vik"})
    world.dynamics.merge("lead", master, lead)
    world.dynamics.faults.add(Fault("unavailable", path="/api/data/v9.2/leads?*deltatoken*", times=-1))
    world.sync()

    assert world.link_of(contact).table == "contact"
    asked = BudgetUse.objects.filter(side="dynamics", purpose__in=["by id", "by contact"])
    assert dict(asked.values_list("purpose", "calls")) == {"by id": 1, "by contact": 1}


def test_no_lead_comes_over_with_its_contact_where_only_contacts_are_synced():
    world = World(leads=False)
    world.settle()
    lead = world.dynamics.create("lead", {"lastname": "Vik", "emailaddress1": "lead@fjord.example"})
    contact = world.dynamics.qualify(lead, account=False)["contact"]
    world.dynamics.edit("contact", contact, {"emailaddress1": "contact@fjord.example"})
    world.dynamics.merge("lead", world.dynamics.create("lead", {"lastname": "Vik"}), lead)
    world.settle()

    assert not DynamicsRecord.objects.filter(table="lead").exists()
    assert [row["email"] for row in world.marketo.rows("person")] == ["contact@fjord.example"]


@pytest.mark.parametrize("table", ["lead", "contact"])
def test_a_deactivated_record_goes_on_syncing(world, table):
    guid, person = world.linked(table)
    world.dynamics.deactivate(table, guid)
    world.settle()
    world.marketo.edit("person", person, {"title": "Boss"})
    world.settle()

    label = {"lead": "Disqualified", "contact": "Inactive"}[table]
    assert world.marketo.get("person", person)["leadStatus"] == label
    assert world.dynamics.get(table, guid)["jobtitle"] == "Boss"


def test_a_refusal_because_inactive_is_a_failure(world):
    guid, person = world.linked()
    world.dynamics.deactivate("lead", guid)
    world.settle()
    world.dynamics.configure(closed_readonly=True)
    world.marketo.edit("person", person, {"title": "Boss"})
    world.settle()

    assert world.failure().cause == "inactive_record"
    assert world.dynamics.get("lead", guid).get("jobtitle") is None


def test_a_new_owner_travels_as_a_name_and_nothing_else_changes(world):
    world.marketo.add_field("dynOwnerName", "Dynamics Owner Name")
    metadata.refresh_schema(world.context())
    world.pair("lead", "ownerid", "dynOwnerName", direction="to_marketo")
    guid, person = world.linked()
    owner = world.dynamics.get("lead", guid)["ownerid"]
    users = [row for row in world.dynamics.rows("systemuser") if not row["isdisabled"] and row["accessmode"] == 0]
    boss = next(row for row in users if row["systemuserid"] != owner)
    before = world.marketo.truth.last_id
    world.dynamics.assign("lead", guid, boss["systemuserid"])
    world.settle()

    assert world.marketo.get("person", person)["dynOwnerName"] == boss["fullname"]
    assert {entry.field for entry in world.marketo.truth.since(before) if entry.action == "update"} == {"dynOwnerName"}


def test_nobody_gets_a_second_person_when_the_contact_of_a_lead_without_email_is_deleted(world):
    """Dynamics empties the lead's contact then, and the person stores the id of the contact."""
    lead, person = world.linked(emailaddress1=None, jobtitle="Boss")
    contact = world.dynamics.qualify(lead)["contact"]
    world.settle()
    on_the_contact(world, contact, person)

    world.dynamics.delete("contact", contact)
    world.settle()

    assert [row["id"] for row in world.marketo.rows("person")] == [int(person)]
    assert str(world.link_of(lead).marketo) == person
    assert world.quiet()


def test_a_failure_of_the_lead_is_closed_when_the_value_passes_on_the_contact(world):
    lead, person = world.linked(jobtitle="Boss")
    world.marketo.edit("person", person, {"title": "x" * 200})
    world.settle()
    contact = world.dynamics.qualify(lead)["contact"]
    world.settle()
    world.marketo.edit("person", person, {"title": "Captain"})
    world.settle()

    assert world.dynamics.get("contact", contact)["jobtitle"] == "Captain"
    assert not Failure.objects.filter(closed_at=None).exists()


def test_a_value_replaced_unseen_that_won_comes_back_although_the_lead_was_qualified_meanwhile(world):
    """The conflict told that Marketo's value had won, and it stood nowhere."""
    lead, person = world.linked(jobtitle="Mate")
    world.dynamics.edit("lead", lead, {"jobtitle": "Boss"})
    rival = lambda: world.marketo.edit("person", person, {"title": "Captain"})  # noqa: E731
    world.marketo.faults.add(Fault("rival", value=rival, **CREATES))
    world.sync()
    assert world.marketo.get("person", person)["title"] == "Boss"
    contact = world.dynamics.qualify(lead, account=False)["contact"]
    world.settle()

    assert Conflict.objects.get().winner == "marketo"
    assert world.dynamics.get("contact", contact)["jobtitle"] == "Captain"
    assert world.marketo.get("person", person)["title"] == "Captain"


def half_contact_of_a_lead(world):
    lead, person = world.linked("lead", jobtitle="Mate")
    contact = world.dynamics.create(
        "contact", {"lastname": "Vik", "jobtitle": "Mate", "emailaddress1": "refused@fjord.example"}
    )
    world.marketo.faults.add(Fault("partial_batch", value=1, **CREATES))
    world.sync(2)
    assert world.link_of(contact).marketo is None
    world.dynamics.edit("lead", lead, {"parentcontactid": contact, "statecode": 1, "statuscode": 3})
    world.dynamics.edit("contact", contact, {"originatingleadid": lead})
    return person, contact


def test_an_edit_in_marketo_survives_when_the_contact_of_a_qualified_lead_had_waited_for_a_person(world):
    """To meet for the first time, the contact's value won over an edit that only Marketo had made."""
    person, contact = half_contact_of_a_lead(world)
    world.marketo.edit("person", person, {"title": "Captain"})
    world.settle()
    assert str(world.link_of(contact).marketo) == person
    assert world.dynamics.get("contact", contact)["jobtitle"] == "Captain"
    assert world.marketo.get("person", person)["title"] == "Captain"


def test_history_goes_on_with_a_contact_that_had_waited_for_a_person(world):
    _, contact = half_contact_of_a_lead(world)
    world.settle()
    assert len(world.told(contact, "created")) == 1
