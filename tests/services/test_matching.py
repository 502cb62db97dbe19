"""Who is who (design 3.2): known link, lineage, the id that Marketo stores, e-mail; and what waits or is asked."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction

from syncadmin.engine.records import Lane, Ref, Table
from syncadmin.services import linking, resolve, setup, sync_person
from syncadmin.store import staging
from syncadmin.store.models import Activity, Decision, DynamicsRecord, Failure, Link
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)

IDA = {"firstname": "Ida", "lastname": "Solheim", "emailaddress1": "ida@fjord.example"}
PERSON = {"firstName": "Ida", "lastName": "Solheim", "email": "ida@fjord.example"}


@pytest.fixture
def world():
    return World()


def people(world):
    return list(world.marketo.rows("person"))


def waiting(guid):
    row = DynamicsRecord.objects.get(guid=guid)
    return row.due, row.wait_for


def how(guid):
    link = Link.objects.get(dynamics=guid)
    return Activity.objects.get(link=link, kind="linked").details["how"]


# --- in its order ----------------------------------------------------------------------------------------------------


def test_the_address_matches_whatever_its_case_and_blanks(world):
    person = world.marketo.create("person", {**PERSON, "email": "Ida@Fjord.example"})
    guid = world.dynamics.create("lead", {**IDA, "emailaddress1": " IDA@fjord.EXAMPLE "})
    world.sync()

    assert str(world.link_of(guid).marketo) == person
    assert how(guid) == "email"
    assert len(people(world)) == 1


def test_the_stored_id_goes_before_the_address(world):
    guid = world.dynamics.create("lead", IDA)
    named = world.marketo.create("person", {"lastName": "Holm", "email": "x@y.example", "dynPersonGuid": guid.upper()})
    world.marketo.create("person", PERSON)
    world.sync()

    assert str(world.link_of(guid).marketo) == named
    assert how(guid) == "stored_id"


def test_a_stored_id_held_by_two_people_is_asked(world):
    guid = world.dynamics.create("lead", IDA)
    for number in (1, 2):
        world.marketo.create("person", {"lastName": "Holm", "email": f"{number}@y.example", "dynPersonGuid": guid})
    world.sync()

    assert not Link.objects.exists()
    assert world.question("match").facts["reason"] == "several_people"


def test_the_lead_a_contact_comes_from_goes_before_the_stored_id(world):
    lead = world.dynamics.create("lead", IDA)
    world.sync()
    person = world.link_of(lead).marketo
    contact = world.dynamics.create("contact", {**IDA, "emailaddress1": "other@x.example", "originatingleadid": lead})
    world.marketo.create("person", {"lastName": "Holm", "dynPersonGuid": contact})
    world.settle()

    link = Link.objects.get(marketo=person)
    assert (str(link.dynamics), link.table) == (contact, "contact")
    assert Link.objects.count() == 1


def test_a_known_link_goes_before_everything(world):
    guid = world.dynamics.create("lead", IDA)
    world.sync()
    before = world.link_of(guid).marketo
    world.marketo.create("person", {"lastName": "Holm", "email": "h@y.example", "dynPersonGuid": guid})
    world.settle()

    assert world.link_of(guid).marketo == before
    assert Link.objects.count() == 1


def test_without_an_address_a_person_of_its_own_is_made_by_our_id(world):
    guid = world.dynamics.create("lead", {"lastname": "Vik"})
    world.marketo.create("person", {"lastName": "Vik"})
    world.settle()

    assert world.person_of(guid)["dynPersonGuid"] == guid
    assert len(people(world)) == 2


# --- set aside -------------------------------------------------------------------------------------------------------


def test_a_disqualified_lead_gives_way_to_the_active_one(world):
    old = world.dynamics.create("lead", IDA)
    world.dynamics.deactivate("lead", old)
    new = world.dynamics.create("lead", IDA)
    person = world.marketo.create("person", PERSON)
    world.sync()

    assert str(world.link_of(new).marketo) == person
    assert waiting(old) == ("waiting", f"set_aside:{new}")
    assert Link.objects.count() == 1


def test_an_inactive_record_alone_is_linked_all_the_same(world):
    old = world.dynamics.create("contact", IDA)
    world.dynamics.deactivate("contact", old)
    person = world.marketo.create("person", PERSON)
    world.sync()

    assert str(world.link_of(old).marketo) == person


def test_the_loser_of_an_old_merge_gets_nobody(world):
    master, loser = (world.dynamics.create("contact", IDA) for _ in range(2))
    world.dynamics.merge("contact", master, loser)
    world.settle()

    assert len(people(world)) == 1
    assert world.person_of(master)["email"] == "ida@fjord.example"
    assert not Link.objects.filter(dynamics=loser).exists()
    assert not Decision.objects.exists()


def test_a_lead_qualified_before_we_came_stands_behind_its_contact(world):
    lead = world.dynamics.create("lead", IDA)
    contact = world.dynamics.qualify(lead)["contact"]
    world.settle()

    assert str(Link.objects.get().dynamics) == contact
    assert waiting(lead) == ("", "parent_contact")
    assert len(people(world)) == 1


# --- somebody else is faster -------------------------------------------------------------------------------------------


def linked_while_somebody_waits(world, record, person, begun):
    """Links the two in a transaction that ends when another session waits for it."""
    try:
        with transaction.atomic():
            linking.link(
                Ref(Table.LEAD, record), person, how="sync_person", lane=Lane.LIVE, run=None, now=world.clock()
            )
            begun.wait(timeout=30)
            late = time.monotonic() + 30
            waits = "SELECT 1 FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            while not staging.query(waits) and time.monotonic() < late:
                time.sleep(0.01)
    finally:
        connection.close()


def test_nobody_is_left_unpaired_because_two_others_were_faster_one_after_the_other(world):
    """One clash ends the page; the second befalls the other record, when it is decided about alone."""
    people, asked_about = [], []
    for number in (1, 2):
        known = {"lastname": "Vik", "emailaddress1": f"twin{number}@fjord.example"}
        people.append(world.marketo.create("person", {"lastName": "Vik", "email": known["emailaddress1"]}))
        asked_about.append(world.dynamics.create("lead", known))
        world.dynamics.create("lead", known)
    world.settle()
    assert not Link.objects.exists()
    new = [world.dynamics.create("lead", {"lastname": "New", "emailaddress1": f"{n}@fjord.example"}) for n in (1, 2)]
    for guid, person in zip(new, people, strict=True):
        world.marketo.edit("person", person, {"dynPersonGuid": guid})

    begun = Barrier(3)
    with ThreadPoolExecutor(2) as pool:
        others = [
            pool.submit(linked_while_somebody_waits, world, guid, int(person), begun)
            for guid, person in zip(asked_about, people, strict=True)
        ]
        begun.wait(timeout=30)
        world.sync()
        for other in others:
            other.result(timeout=60)

    assert [str(world.link_of(guid).marketo) for guid in asked_about] == people
    world.settle()
    assert {world.person_of(guid)["email"] for guid in new} == {"1@fjord.example", "2@fjord.example"}
    assert not Failure.objects.exists()


# --- several ---------------------------------------------------------------------------------------------------------


def two(world):
    return world.dynamics.create("lead", IDA), world.dynamics.create("contact", IDA)


def test_two_records_with_one_address_are_asked_about_once(world):
    lead, contact = two(world)
    person = world.marketo.create("person", PERSON)
    world.settle()

    assert not Link.objects.exists()
    asked = Decision.objects.get()
    assert asked.subject == "email:ida@fjord.example"
    assert {face["id"] for face in asked.facts["records"]} == {lead, contact}
    assert [face["id"] for face in asked.facts["candidates"]] == [person]
    assert asked.choices == [f"first:contact:{contact}", f"first:lead:{lead}", "each"]
    assert asked.shape == "several_records/contact_first+each"
    assert len(people(world)) == 1
    assert world.ours("marketo") == 0


def test_contact_first_links_the_contact_and_its_leads_wait(world):
    setup.change("several", "contact_first", who="ada", now=world.clock())
    lead, contact = two(world)
    person = world.marketo.create("person", PERSON)
    world.settle()

    assert str(world.link_of(contact).marketo) == person
    assert waiting(lead) == ("waiting", f"contact_first:{contact}")
    assert not Decision.objects.exists()


def test_a_closed_lead_does_not_wait_for_a_contact_that_is_merged_away(world):
    """The contact's link stays with its person as long as nobody has said what becomes of that one."""
    setup.change("several", "contact_first", who="ada", now=world.clock())
    master, _first = world.linked("contact")
    lead, contact = two(world)
    person = world.marketo.create("person", PERSON)
    world.settle()
    assert waiting(lead) == ("waiting", f"contact_first:{contact}")

    world.dynamics.deactivate("lead", lead)
    world.dynamics.merge("contact", master, contact)
    world.settle()

    assert str(world.link_of(lead).marketo) == person


def test_contact_first_with_two_contacts_asks(world):
    setup.change("several", "contact_first", who="ada", now=world.clock())
    for _ in range(2):
        world.dynamics.create("contact", IDA)
    world.settle()

    assert not Link.objects.exists()
    assert Decision.objects.filter(kind="match", answered_at=None).count() == 1


def test_a_person_for_each_as_adobes_sync_does(world):
    setup.change("several", "each", who="ada", now=world.clock())
    lead, contact = two(world)
    world.settle()

    assert {row["dynPersonGuid"] for row in people(world)} == {lead, contact}
    assert [row["email"] for row in people(world)] == ["ida@fjord.example"] * 2
    assert not Decision.objects.exists()


def test_doubles_in_marketo_are_asked_about_whatever_the_setting(world):
    setup.change("several", "each", who="ada", now=world.clock())
    doubles = [world.marketo.create("person", PERSON) for _ in range(2)]
    world.dynamics.create("lead", IDA)
    world.settle()

    assert not Link.objects.exists()
    question = world.question("match")
    assert question.facts["reason"] == "several_people"
    assert question.choices == [*(f"link:person:{person}" for person in doubles), "separate"]


# --- waiting ones are paired anew ------------------------------------------------------------------------------------


def test_the_waiting_one_is_paired_when_the_other_is_deleted(world):
    setup.change("several", "contact_first", who="ada", now=world.clock())
    lead, contact = two(world)
    world.settle()
    world.dynamics.delete("contact", contact)
    world.settle()

    assert waiting(lead)[0] != "waiting"


def test_a_question_goes_away_when_one_candidate_gets_another_address(world):
    lead, contact = two(world)
    world.settle()
    world.dynamics.edit("contact", contact, {"emailaddress1": "else@fjord.example"})
    world.settle()

    assert world.person_of(lead)["email"] == "ida@fjord.example"
    assert world.person_of(contact)["email"] == "else@fjord.example"
    assert not Decision.objects.filter(answered_at=None).exists()
    assert set(Decision.objects.values_list("answer__choice", flat=True)) == {"withdrawn"}


def test_a_question_goes_away_when_one_candidate_is_deleted(world):
    lead, contact = two(world)
    world.settle()
    world.dynamics.delete("lead", lead)
    world.settle()

    assert world.person_of(contact)["email"] == "ida@fjord.example"
    assert not Decision.objects.filter(answered_at=None).exists()


def test_a_question_goes_away_when_the_filter_takes_one_out(world):
    lead, contact = two(world)
    world.settle()
    world.dynamics.edit("lead", lead, {"new_synctomkto": False})
    world.settle()

    assert Link.objects.get().dynamics is not None and str(Link.objects.get().dynamics) == contact
    assert not Decision.objects.filter(answered_at=None).exists()


def test_a_question_goes_away_when_the_double_in_marketo_is_deleted(world):
    first, second = (world.marketo.create("person", PERSON) for _ in range(2))
    guid = world.dynamics.create("lead", IDA)
    world.settle()
    world.marketo.delete("person", second)
    world.settle()

    assert str(world.link_of(guid).marketo) == first
    assert not Decision.objects.filter(answered_at=None).exists()


def test_a_question_goes_away_when_the_doubles_are_merged(world):
    first, second = (world.marketo.create("person", PERSON) for _ in range(2))
    guid = world.dynamics.create("lead", IDA)
    world.settle()
    world.marketo.merge(first, [second])
    world.settle()

    assert str(world.link_of(guid).marketo) == first
    assert not Decision.objects.filter(answered_at=None).exists()


def test_the_one_set_aside_is_linked_when_the_active_one_moves_away(world):
    old = world.dynamics.create("lead", IDA)
    world.dynamics.deactivate("lead", old)
    new = world.dynamics.create("lead", IDA)
    world.settle()
    world.dynamics.edit("lead", new, {"emailaddress1": "new@fjord.example"})
    world.settle()

    assert world.person_of(new)["email"] == "new@fjord.example"
    assert world.person_of(old)["email"] == "ida@fjord.example"


# --- a link stays ----------------------------------------------------------------------------------------------------


def test_a_link_is_not_matched_again_when_an_address_changes(world):
    guid = world.dynamics.create("lead", IDA)
    world.sync()
    before = world.link_of(guid).marketo
    world.dynamics.edit("lead", guid, {"emailaddress1": "ida.solheim@fjord.example"})
    world.settle()

    assert world.link_of(guid).marketo == before
    assert world.person_of(guid)["email"] == "ida.solheim@fjord.example"
    assert len(people(world)) == 1


def test_an_address_that_belongs_to_another_person_travels_and_both_are_listed(world):
    ida = world.dynamics.create("lead", IDA)
    kari = world.dynamics.create("lead", {"lastname": "Kari", "emailaddress1": "kari@fjord.example"})
    world.sync(2)
    world.dynamics.edit("lead", ida, {"emailaddress1": "kari@fjord.example"})
    world.settle()

    assert world.person_of(ida)["email"] == "kari@fjord.example"
    question = world.question("doubles")
    assert {face["id"] for face in question.facts["candidates"]} >= {ida, kari}
    assert Link.objects.count() == 2


def test_an_address_that_belongs_to_another_record_travels_and_both_are_listed(world):
    ida = world.dynamics.create("lead", IDA)
    kari = world.dynamics.create("lead", {"lastname": "Kari", "emailaddress1": "kari@fjord.example"})
    world.sync(2)
    person = str(world.link_of(ida).marketo)
    world.marketo.edit("person", person, {"email": "Kari@fjord.example"})
    world.settle()

    assert world.dynamics.get("lead", ida)["emailaddress1"] == "Kari@fjord.example"
    assert {face["id"] for face in world.question("doubles").facts["candidates"]} >= {person, kari}


def test_possible_doubles_are_asked_about_once(world):
    ida = world.dynamics.create("lead", IDA)
    world.dynamics.create("lead", {"lastname": "Kari", "emailaddress1": "kari@fjord.example"})
    world.sync(2)
    world.dynamics.edit("lead", ida, {"emailaddress1": "kari@fjord.example"})
    world.settle()
    world.answer("doubles", "separate")
    world.dynamics.edit("lead", ida, {"jobtitle": "Boss"})
    world.settle()

    assert world.person_of(ida)["title"] == "Boss"
    assert Decision.objects.filter(kind="doubles").count() == 1


def test_possible_doubles_go_away_with_the_address(world):
    ida = world.dynamics.create("lead", IDA)
    world.dynamics.create("lead", {"lastname": "Kari", "emailaddress1": "kari@fjord.example"})
    world.sync(2)
    world.dynamics.edit("lead", ida, {"emailaddress1": "kari@fjord.example"})
    world.settle()
    world.dynamics.edit("lead", ida, {"emailaddress1": "ida@fjord.example"})
    world.settle()

    assert not Decision.objects.filter(answered_at=None).exists()


def test_who_was_merged_away_is_nobodys_double(world):
    """Nobody could do anything about it: the two records are one, and the two people are asked about already."""
    (ida, _), (kari, _) = world.linked("contact"), world.linked("contact")
    world.dynamics.merge("contact", ida, kari)
    world.settle()
    world.dynamics.edit("contact", kari, {"emailaddress1": world.dynamics.get("contact", ida)["emailaddress1"]})
    world.settle()

    assert list(Decision.objects.values_list("kind", flat=True)) == ["dynamics_merge"]


def test_a_record_that_the_filter_keeps_away_is_nobodys_double(world):
    """Of it we know an old address only."""
    (ida, _), (kari, person) = world.linked(), world.linked(emailaddress1="kari@fjord.example")
    world.dynamics.edit("lead", kari, {"new_synctomkto": False})
    world.settle()
    world.marketo.edit("person", person, {"email": "kari.moe@fjord.example"})
    world.settle()
    world.dynamics.edit("lead", ida, {"emailaddress1": "kari@fjord.example"})
    world.settle()

    assert world.person_of(ida)["email"] == "kari@fjord.example"
    assert not Decision.objects.exists()


def test_somebody_elses_twin_in_dynamics_is_found_in_the_next_run(world):
    guid = world.dynamics.create("lead", IDA)
    world.sync()
    twin = world.dynamics.create("lead", IDA, by="rival")
    world.sync()

    assert world.question("match").subject == f"lead:{twin}"
    assert str(Link.objects.get().dynamics) == guid
    assert len(people(world)) == 1


# --- answers ---------------------------------------------------------------------------------------------------------


def test_the_chosen_person_is_linked_and_merged_as_on_first_contact(world):
    first, second = (world.marketo.create("person", {**PERSON, "title": f"Boss {n}"}) for n in (1, 2))
    guid = world.dynamics.create("lead", {**IDA, "telephone1": "555 1"})
    world.settle()
    world.answer("match", f"link:person:{second}")
    world.settle()

    assert str(world.link_of(guid).marketo) == second
    assert world.dynamics.get("lead", guid)["jobtitle"] == "Boss 2"
    assert world.marketo.get("person", second)["phone"] == "555 1"
    assert "phone" not in world.marketo.get("person", first)
    assert not Decision.objects.filter(answered_at=None).exists()


def test_separate_makes_a_person_of_its_own_although_the_address_is_in_use(world):
    guid = world.dynamics.create("lead", IDA)
    world.sync()
    twin = world.dynamics.create("lead", {**IDA, "firstname": "Oda"})
    world.sync()
    world.answer("match", "separate")
    world.settle()

    assert world.person_of(twin)["firstName"] == "Oda"
    assert world.person_of(guid)["firstName"] == "Ida"
    assert len(people(world)) == 2
    assert not Decision.objects.filter(answered_at=None).exists()


@pytest.mark.parametrize("there", [True, False], ids=["somebody there", "nobody there"])
def test_this_one_first_the_others_wait(world, there):
    lead, contact = two(world)
    person = world.marketo.create("person", PERSON) if there else None
    world.settle()
    world.answer("match", f"first:lead:{lead}")
    world.settle()

    assert person is None or str(world.link_of(lead).marketo) == person
    assert waiting(contact) == ("waiting", f"chosen:{lead}")
    assert len(people(world)) == 1
    assert how(lead) in ("chosen", "create") if there else True
    world.dynamics.edit("contact", contact, {"jobtitle": "Boss"})
    world.settle()
    assert waiting(contact) == ("waiting", f"chosen:{lead}"), "what was said holds for the same records"
    assert not Decision.objects.filter(answered_at=None).exists()


def test_who_was_asked_about_from_both_sides_is_answered_for_both(world):
    """The two records are one question, the person that asks for a record in Dynamics is another: of the same three."""
    lead, _contact = two(world)
    person = world.marketo.create("person", PERSON)
    world.sync()
    sync_person.queue([int(person)], sync_as="lead", source="list", now=world.clock())
    world.settle()
    subjects = Decision.objects.filter(answered_at=None).values_list("subject", flat=True)
    assert set(subjects) == {"email:ida@fjord.example", f"marketo:{person}"}
    asked = Decision.objects.get(subject="email:ida@fjord.example")
    resolve.answer(asked.pk, f"first:lead:{lead}", "ada", world.clock())
    world.settle()

    assert str(world.link_of(lead).marketo) == person
    assert not Decision.objects.filter(answered_at=None).exists()


def test_what_was_said_is_asked_again_when_another_record_joins(world):
    lead, _contact = two(world)
    world.settle()
    world.answer("match", f"first:lead:{lead}")
    world.settle()
    third = world.dynamics.create("lead", IDA)
    world.settle()

    asked = world.question("match")
    assert third in {face["id"] for face in asked.facts["records"]}
    assert asked.choices == ["wait", "each"]
    world.answer("match", "wait")
    world.settle()
    assert waiting(third) == ("waiting", f"chosen:{lead}")
    assert not Decision.objects.filter(answered_at=None).exists()


def test_each_gets_a_person_of_its_own(world):
    lead, contact = two(world)
    person = world.marketo.create("person", PERSON)
    world.settle()
    world.answer("match", "each")
    world.settle()

    assert str(world.link_of(contact).marketo) == person
    assert world.person_of(lead)["dynPersonGuid"] == lead
    assert len(people(world)) == 2
    assert not Decision.objects.filter(answered_at=None).exists()


def test_the_twin_of_a_linked_record_can_wait(world):
    guid = world.dynamics.create("lead", IDA)
    world.sync()
    twin = world.dynamics.create("lead", IDA, by="rival")
    world.sync()
    assert world.question("match").choices == ["wait", "separate"]
    world.answer("match", "wait")
    world.settle()

    assert waiting(twin) == ("waiting", f"chosen:{guid}")
    assert len(people(world)) == 1
    assert not Decision.objects.filter(answered_at=None).exists()


def test_a_question_about_two_is_over_when_both_move_on(world):
    lead, contact = two(world)
    world.settle()
    world.dynamics.edit("contact", contact, {"emailaddress1": "else@fjord.example"})
    world.dynamics.edit("lead", lead, {"emailaddress1": "other@fjord.example"})
    world.settle()

    assert {world.person_of(lead)["email"], world.person_of(contact)["email"]} == {
        "else@fjord.example",
        "other@fjord.example",
    }
    assert not Decision.objects.filter(answered_at=None).exists()
