"""Who is created where (design 3.2), and that no create can make two records of one person."""

from __future__ import annotations

from collections import Counter

import pytest

from syncadmin.engine.records import Lane
from syncadmin.sandbox.faults import Fault
from syncadmin.services import resolve, setup
from syncadmin.store import creates
from syncadmin.store.models import Decision, Link, PendingWrite, SyncRequest
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)

IDA = {"firstname": "Ida", "lastname": "Solheim", "emailaddress1": "ida@fjord.example"}
PERSON = {"firstName": "Ida", "lastName": "Solheim", "email": "ida@fjord.example"}
CREATES = {"method": "POST", "path": "/rest/v1/leads.json"}


class Killed(BaseException):
    """kill -9 at this very place."""


@pytest.fixture
def world():
    return World()


def people(world):
    return list(world.marketo.rows("person"))


def leads(world):
    return list(world.dynamics.rows("lead"))


def killed_at(world, place):
    """One run whose worker dies at a border."""

    def die(name):
        if name == place:
            raise Killed

    world.border = die
    with pytest.raises(Killed):
        world.sync()
    world.border = lambda name: None


# --- who is created where --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["lead", "contact"])
def test_a_new_record_gets_a_person(world, table):
    guid = world.dynamics.create(table, IDA)
    world.settle()

    person = world.person_of(guid)
    assert (person["email"], person["dynPersonGuid"]) == ("ida@fjord.example", guid)
    assert [line.side for line in world.told(guid, "created")] == ["marketo"]


def test_a_new_person_gets_nothing_in_dynamics(world):
    world.marketo.create("person", PERSON)
    world.settle()

    assert leads(world) == []
    assert world.ours("dynamics") == 0
    assert not Link.objects.exists()


def test_additions_to_the_chosen_list_are_created_by_the_next_run(world):
    chosen, other = world.marketo.add_list("Sync"), world.marketo.add_list("Other")
    setup.change("list_id", chosen, who="ada", now=world.clock())
    world.sync()
    wanted = world.marketo.create("person", PERSON)
    world.marketo.add_to_list(chosen, [wanted])
    world.marketo.add_to_list(other, [world.marketo.create("person", {"lastName": "Vik", "email": "v@x.example"})])
    world.sync()

    assert [lead["lastname"] for lead in leads(world)] == ["Solheim"]
    assert world.record_of(wanted)["new_synctomkto"] is True


def test_an_addition_told_again_does_not_bring_back_who_was_deleted(world):
    chosen = world.marketo.add_list("Sync")
    setup.change("list_id", chosen, who="ada", now=world.clock())
    world.sync()
    person = world.marketo.create("person", PERSON)
    world.marketo.add_to_list(chosen, [person])
    world.sync(2)
    world.dynamics.delete("lead", leads(world)[0]["leadid"])
    world.sync()
    world.marketo.faults.add(Fault("expired_delta", path="/rest/v1/activities.json*"))
    world.settle()

    assert leads(world) == []
    assert SyncRequest.objects.filter(status="created").count() == 1


# --- creates in Marketo ----------------------------------------------------------------------------------------------


def test_somebody_faster_is_read_linked_and_merged(world):
    guid = world.dynamics.create("lead", {**IDA, "jobtitle": "Boss"})
    made = []
    rival = Fault("rival", value=lambda: made.append(world.marketo.create("person", {**PERSON, "city": "Bergen"})))
    rival.method, rival.path = CREATES["method"], CREATES["path"]
    world.marketo.faults.add(rival)
    world.settle()

    assert str(world.link_of(guid).marketo) == made[0]
    assert world.marketo.get("person", made[0])["title"] == "Boss"
    assert world.dynamics.get("lead", guid)["address1_city"] == "Bergen"
    assert len(people(world)) == 1


def test_a_create_applied_without_an_answer_is_found_again(world):
    guid = world.dynamics.create("lead", IDA)
    world.marketo.faults.add(Fault("timeout_after", **CREATES))
    world.sync(2)
    assert (len(people(world)), world.link_of(guid).marketo) == (1, None)

    world.clock.forward(seconds=100)
    world.settle()
    assert world.person_of(guid)["dynPersonGuid"] == guid
    assert len(people(world)) == 1
    assert not PendingWrite.objects.exclude(op="log").exists()
    assert world.quiet()


def test_a_create_that_never_arrived_is_repeated_only_after_the_servers_limit(world):
    guid = world.dynamics.create("lead", IDA)
    world.marketo.faults.add(Fault("timeout_before", **CREATES))
    world.sync(5)
    assert people(world) == []

    world.clock.forward(seconds=100)
    world.settle()
    assert world.person_of(guid)["email"] == "ida@fjord.example"
    assert len(people(world)) == 1


def test_a_person_made_without_an_answer_is_not_given_to_another_record_with_the_address(world):
    """Each record has a person of its own; the contact is looked up first after the person of the lead was made."""
    setup.change("several", "each", who="ada", now=world.clock())
    lead = world.dynamics.create("lead", IDA)
    world.marketo.faults.add(Fault("timeout_after", **CREATES))
    world.sync()
    (made,) = people(world)
    contact = world.dynamics.create("contact", IDA)
    world.sync()
    world.clock.forward(seconds=100)
    world.settle()

    assert world.link_of(lead).marketo == made["id"]
    assert world.person_of(contact)["dynPersonGuid"] == contact
    assert len(people(world)) == 2


def test_a_record_does_not_wait_for_ever_for_a_create_whose_answer_came_after_a_read(world):
    """The answer is stored last: by then the feed has told of the person, and the other record waits for the create."""
    setup.change("several", "each", who="ada", now=world.clock())
    world.settle()
    guids = [world.dynamics.create("lead", IDA), world.dynamics.create("lead", IDA)]
    world.marketo.faults.add(Fault("unavailable", path="/rest/v1/activities/*", times=9))

    def meanwhile(name):
        if name == "create.marketo.answered":
            world.border = lambda name: None
            world.marketo.faults.clear()
            world.clock.forward(seconds=30)
            world.sync()

    world.border = meanwhile
    world.sync()
    world.settle()

    assert {world.person_of(guid)["dynPersonGuid"] for guid in guids} == set(guids)
    assert len(people(world)) == 2


def test_a_record_does_not_wait_for_ever_for_a_create_whose_record_got_another_address(world):
    """The create goes out with the new address, and so nothing about its person speaks of the one it was claimed for."""
    setup.change("several", "each", who="ada", now=world.clock())
    guids = [world.dynamics.create("lead", IDA), world.dynamics.create("lead", IDA)]
    world.marketo.faults.add(Fault("daily_limit", **CREATES))
    world.sync()
    (claimed,) = PendingWrite.objects.filter(op="create").values_list("target", flat=True)
    world.dynamics.edit("lead", claimed, {"emailaddress1": "ida.solheim@fjord.example"})
    world.clock.forward(hours=24)
    world.settle()

    assert {world.person_of(guid)["dynPersonGuid"] for guid in guids} == set(guids)
    assert {row["email"] for row in people(world)} == {"ida@fjord.example", "ida.solheim@fjord.example"}


def test_a_create_without_address_and_answer_is_found_by_our_id(world):
    guid = world.dynamics.create("lead", {"lastname": "Vik"})
    world.marketo.faults.add(Fault("timeout_after", **CREATES))
    world.sync()
    world.clock.forward(seconds=120)
    world.settle()

    assert world.person_of(guid)["dynPersonGuid"] == guid
    assert len(people(world)) == 1


@pytest.mark.parametrize("place", ["create.marketo.sent", "create.marketo.answered", "pair.batch", "pair.look_up"])
def test_a_worker_that_dies_leaves_no_double(world, place):
    guid = world.dynamics.create("lead", IDA)
    killed_at(world, place)
    world.clock.forward(seconds=120)
    world.settle()

    assert world.person_of(guid)["email"] == "ida@fjord.example"
    assert len(people(world)) == 1
    assert world.quiet()


def test_one_create_in_flight_for_each_address(world):
    setup.change("several", "each", who="ada", now=world.clock())
    guids = [world.dynamics.create("lead", IDA) for _ in range(3)]
    seen = []

    def look(name):
        if name == "create.marketo.sent":
            seen.append(Counter(PendingWrite.objects.filter(op="create").values_list("email", flat=True)))

    world.border = look
    world.settle()
    assert [max(counter.values()) for counter in seen] == [1] * len(seen)
    assert {row["dynPersonGuid"] for row in people(world)} == set(guids)


def test_who_waits_for_a_create_is_not_shown_as_one_whose_person_is_on_its_way(world):
    setup.change("several", "each", who="ada", now=world.clock())
    for _ in range(3):
        world.dynamics.create("lead", IDA)
    world.marketo.faults.add(Fault("daily_limit", **CREATES))
    world.sync()

    (write,) = PendingWrite.objects.all()
    assert list(Link.objects.values_list("pk", flat=True)) == [write.link_id]


def test_a_refused_create_does_not_hold_back_the_next_with_its_address(world):
    setup.change("several", "each", who="ada", now=world.clock())
    guids = [world.dynamics.create("lead", IDA) for _ in range(2)]
    world.marketo.faults.add(Fault("partial_batch", value=1, **CREATES))
    world.settle()
    (first,) = people(world)
    assert first["dynPersonGuid"] in guids

    resolve.release([world.failure().pk], "ada", world.clock())
    world.settle()
    assert {row["dynPersonGuid"] for row in people(world)} == set(guids)


def test_a_create_that_was_refused_is_not_tried_again_before_something_in_it_changes(world):
    """What changes meanwhile would not come along, so the answer could only be the same."""
    guid = world.dynamics.create("lead", IDA)
    world.marketo.faults.add(Fault("partial_batch", value=1, **CREATES))
    world.sync()
    assert world.failure().operation == "create"
    world.dynamics.edit("lead", guid, {"mkt_priority": 5})
    world.settle()
    assert (people(world), world.unfinished()) == ([], 0)

    world.dynamics.edit("lead", guid, {"jobtitle": "Boss"})
    world.settle()
    assert world.person_of(guid)["title"] == "Boss"


def test_a_poisoned_create_fails_alone(world):
    world.dynamics.create("lead", IDA)
    world.dynamics.create("lead", {"lastname": "Vik", "emailaddress1": "vik@x.example"})
    world.marketo.faults.add(Fault("partial_batch", value=2, **CREATES))
    world.sync(2)

    (born,) = people(world)
    assert world.link_of(born["dynPersonGuid"]).marketo == born["id"]
    refused = world.failure().link
    assert (refused.marketo, str(refused.dynamics) != born["dynPersonGuid"]) == (None, True)


def test_a_person_we_cannot_see_is_a_failure_and_not_asked_for_without_end(world):
    world.dynamics.create("lead", IDA)
    unseen = []

    def appear():
        unseen.append(world.marketo.create("person", PERSON))

    def vanish():
        while unseen:
            world.marketo.delete("person", unseen.pop())

    world.marketo.faults.add(Fault("rival", value=appear, times=-1, **CREATES))
    world.marketo.faults.add(Fault("rival", path="/rest/v1/leads.json?*", value=vanish, times=-1))
    world.sync()

    assert world.failure().cause == "partition"
    assert not PendingWrite.objects.filter(op="create").exists()


def test_an_update_never_makes_a_person(world):
    guid, person = world.linked()
    world.dynamics.edit("lead", guid, {"jobtitle": "Boss"})
    rival = Fault("rival", value=lambda: world.marketo.delete("person", person), **CREATES)
    world.marketo.faults.add(rival)
    world.sync()

    assert world.marketo.get("person", person) is None
    assert Link.objects.count() == 1


# --- creates in Dynamics ---------------------------------------------------------------------------------------------


def listed(world):
    chosen = world.marketo.add_list("Sync")
    setup.change("list_id", chosen, who="ada", now=world.clock())
    world.sync()
    person = world.marketo.create("person", PERSON)
    world.marketo.add_to_list(chosen, [person])
    return person


@pytest.mark.parametrize("kind", ["timeout_after", "timeout_before", "cut"])
def test_a_create_in_dynamics_without_an_answer_makes_one_record(world, kind):
    person = listed(world)
    world.dynamics.faults.add(Fault(kind, method="POST", path="/api/data/v9.2/*"))
    world.sync()
    world.clock.forward(minutes=5)
    world.settle()

    assert [lead["emailaddress1"] for lead in leads(world)] == ["ida@fjord.example"]
    assert world.record_of(person)["leadid"] == leads(world)[0]["leadid"]
    assert len(people(world)) == 1
    assert not Decision.objects.filter(answered_at=None).exists()


@pytest.mark.parametrize("place", ["sync_person.claimed", "sync_person.answered"])
def test_a_worker_that_dies_while_creating_in_dynamics_leaves_no_double(world, place):
    person = listed(world)
    try:
        killed_at(world, place)
    except pytest.fail.Exception:
        assert len(leads(world)) == 1  # lists are created in bulk, without this border
    world.clock.forward(minutes=5)
    world.settle()

    assert len(leads(world)) == 1
    assert world.record_of(person)["lastname"] == "Solheim"
    assert not Decision.objects.filter(answered_at=None).exists()


def test_nobody_is_made_for_a_record_that_was_deleted_while_its_create_had_no_answer(world):
    guid, person = world.linked()
    world.marketo.delete("person", person)
    world.settle()
    world.marketo.faults.add(Fault("timeout_before", **CREATES))
    world.dynamics.edit("lead", guid, {"jobtitle": "Boss"})
    world.sync()
    world.dynamics.delete("lead", guid)
    world.sync()
    world.clock.forward(seconds=100)
    world.settle()

    assert list(world.marketo.rows("person")) == []


def test_a_create_that_is_sent_while_unsent_ones_are_looked_for_is_left_alone(world):
    """Ended all the same it would be forgotten, and the record given a second person."""
    guid = world.dynamics.create("lead", IDA)
    world.marketo.faults.add(Fault("unavailable", times=-1, **CREATES))
    world.sync(2)
    found = creates.unsent([guid])
    assert found.count() == 1
    PendingWrite.objects.filter(op="create").update(state="sent")

    assert creates.end(found, Lane.LIVE) == 0
    assert PendingWrite.objects.filter(op="create", state="sent").exists()
