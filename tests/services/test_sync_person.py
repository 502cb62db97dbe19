"""Sync Person to Microsoft, through both real connectors against both sandboxes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from syncadmin.engine.records import Table
from syncadmin.sandbox.faults import Fault
from syncadmin.services import cycle, resolve, setup, suppression, sync_person
from syncadmin.services.sync_person import Asked
from syncadmin.store.models import Activity, Decision, DynamicsRecord, Failure, Link, PendingWrite, Receipt, SyncRequest
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)

ADA = {
    "firstName": "Ada",
    "lastName": "Lovelace",
    "email": "ada@example.com",
    "company": "Engines",
    "title": "Countess",
}


@pytest.fixture
def world():
    return World()


def ask(world, person, sync_as=Table.LEAD, **more):
    return sync_person.ask(world.context(), Asked(int(person), sync_as, **more))


def log_results(person):
    """The results waiting to be posted to the person's activity log, oldest first."""
    waiting = PendingWrite.objects.filter(op="log", target=str(person)).order_by("id")
    return [row.values["primary"] for row in waiting]


def nobody_there(world):
    return not list(world.dynamics.rows("lead")) and not list(world.dynamics.rows("contact"))


# --- created ---------------------------------------------------------------------------------------------------------


def test_a_lead_is_created_at_once_with_every_paired_field(world):
    person = world.marketo.create("person", ADA)
    answer = ask(world, person)

    assert (answer.status, answer.crm_entity) == ("created", "lead")
    lead = world.dynamics.get("lead", answer.crm_id)
    wanted = {"firstname": "Ada", "lastname": "Lovelace", "emailaddress1": "ada@example.com", "companyname": "Engines"}
    assert {name: lead[name] for name in wanted} == wanted
    assert lead["jobtitle"] == "Countess"
    assert lead["subject"] == "Ada Lovelace (Marketo)"
    assert lead["new_synctomkto"] is True


def test_who_was_merged_into_one_that_is_deleted_is_nobody_to_be_linked_with(world):
    loser, master = (world.dynamics.create("contact", {"lastname": "Vik", "emailaddress1": ADA["email"]}) for _ in "ab")
    world.dynamics.merge("contact", master, loser)
    world.dynamics.delete("contact", master)
    answer = ask(world, world.marketo.create("person", ADA))

    # Dynamics' own duplicate detection knows the loser still; nobody is offered it.
    assert (answer.status, Decision.objects.get().facts["candidates"]) == ("decision", [])


def test_the_person_carries_id_type_and_state_at_once(world):
    person = world.marketo.create("person", ADA)
    answer = ask(world, person)

    there = world.marketo.get("person", person)
    assert there["dynPersonGuid"] == answer.crm_id
    assert there["dynPersonType"] == "Lead"
    assert not there.get("dynDeleted")
    # The write left its receipts, like any other write to Marketo.
    assert set(Receipt.objects.values_list("field", flat=True)) >= {"dynPersonGuid", "dynPersonType"}
    assert not PendingWrite.objects.exclude(op="log").exists()


def test_what_was_created_is_linked_agreed_and_told(world):
    person = world.marketo.create("person", ADA)
    answer = ask(world, person)

    link = Link.objects.get()
    assert (str(link.dynamics), link.marketo, link.table) == (answer.crm_id, int(person), "lead")
    assert link.agreed["lead.lastname:lastName"] == ["Lovelace", "Lovelace", 1]
    assert set(Activity.objects.values_list("kind", flat=True)) >= {"created", "requested"}
    assert log_results(person) == ["Created"]
    request = SyncRequest.objects.get()
    assert (request.status, request.crm_id, request.crm_entity) == ("created", answer.crm_id, "lead")
    assert request.finished_at is not None


def test_a_contact_if_asked(world):
    person = world.marketo.create("person", ADA)
    answer = ask(world, person, Table.CONTACT)

    assert (answer.status, answer.crm_entity) == ("created", "contact")
    assert world.dynamics.get("contact", answer.crm_id)["lastname"] == "Lovelace"
    assert world.marketo.get("person", person)["dynPersonType"] == "Contact"


def test_the_loop_has_nothing_to_repair_afterwards(world):
    person = world.marketo.create("person", ADA)
    ask(world, person)
    world.settle()

    assert len(list(world.dynamics.rows("lead"))) == 1
    assert len(list(world.marketo.rows("person"))) == 1
    assert not Failure.objects.filter(closed_at=None).exists()
    assert not Decision.objects.exists()


# --- owner -----------------------------------------------------------------------------------------------------------


def test_the_owner_is_set_by_address_or_id(world):
    boss = next(row["systemuserid"] for row in world.dynamics.rows("systemuser") if row.get("lastname") == "Lin")
    first = ask(world, world.marketo.create("person", ADA), assign_to="Mei.Lin@Sandbox.example")
    second = ask(world, world.marketo.create("person", {**ADA, "email": "b@example.com"}), assign_to=boss.upper())

    for answer in (first, second):
        assert answer.status == "created"
        assert world.dynamics.get("lead", answer.crm_id)["ownerid"] == boss
        assert answer.message == ""


@pytest.mark.parametrize(
    ("assign_to", "cause"),
    [("who@sandbox.example", "owner_unknown"), ("gone.hansen@sandbox.example", "owner_disabled")],
)
def test_an_owner_who_cannot_own_is_said_and_noted(world, assign_to, cause):
    person = world.marketo.create("person", ADA)
    answer = ask(world, person, assign_to=assign_to)

    assert answer.status == "created"
    assert assign_to in answer.message
    failure = Failure.objects.get()
    assert (failure.cause, failure.column, failure.closed_at) == (cause, "ownerid", None)
    assert failure.link == Link.objects.get()
    assert log_results(person) == ["Failed", "Created"]


# --- already there ---------------------------------------------------------------------------------------------------


def test_a_repeat_is_harmless(world):
    person = world.marketo.create("person", ADA)
    first = ask(world, person)
    before = world.dynamics.truth.last_id
    second = ask(world, person)

    assert (second.status, second.crm_id) == ("exists", first.crm_id)
    assert world.dynamics.truth.last_id == before
    assert log_results(person) == ["Created", "Already there"]


def test_asked_as_contact_while_a_lead_is_linked(world):
    person = world.marketo.create("person", ADA)
    first = ask(world, person)
    answer = ask(world, person, Table.CONTACT)

    assert (answer.status, answer.crm_entity, answer.crm_id) == ("exists", "lead", first.crm_id)
    assert not list(world.dynamics.rows("contact"))


@pytest.mark.parametrize("table", ["lead", "contact"])
def test_one_record_with_the_address_is_linked_and_not_changed(world, table):
    guid = world.dynamics.create(table, {"lastname": "King", "emailaddress1": "ADA@example.com "})
    person = world.marketo.create("person", ADA)
    answer = ask(world, person)

    assert (answer.status, answer.crm_entity, answer.crm_id) == ("exists", table, guid)
    assert world.dynamics.get(table, guid)["lastname"] == "King"
    link = Link.objects.get()
    assert (str(link.dynamics), link.marketo, link.dirty, link.agreed) == (guid, int(person), True, {})
    assert log_results(person) == ["Already there"]


def test_a_known_record_with_an_untidy_address_is_found(world):
    """Dynamics compares blanks at the start; what we have read is known by its folded address."""
    setup.change("filter_column", "no_such_column", who="ada", now=world.clock())
    guid = world.dynamics.create("lead", {"lastname": "King", "emailaddress1": "  ada@EXAMPLE.com"})
    world.sync()
    world.marketo.delete("person", str(Link.objects.get().marketo))
    Link.objects.all().delete()
    person = world.marketo.create("person", ADA)

    assert (ask(world, person).status, ask(world, person).crm_id) == ("exists", guid)


def test_set_aside_records_give_way_to_one_in_use(world):
    old = world.dynamics.create("lead", {"lastname": "Old", "emailaddress1": "ada@example.com"})
    world.dynamics.deactivate("lead", old)
    contact = world.dynamics.create("contact", {"lastname": "New", "emailaddress1": "ada@example.com"})
    answer = ask(world, world.marketo.create("person", ADA))

    assert (answer.status, answer.crm_id) == ("exists", contact)


def test_the_id_that_marketo_stores_goes_before_the_address(world):
    guid = world.dynamics.create("contact", {"lastname": "Byron", "emailaddress1": "other@example.com"})
    world.dynamics.create("lead", {"lastname": "Double", "emailaddress1": "ada@example.com"})
    person = world.marketo.create("person", {**ADA, "dynPersonGuid": guid})

    assert ask(world, person).crm_id == guid


def test_a_record_the_filter_excludes_is_said_and_not_linked(world):
    guid = world.dynamics.create(
        "lead", {"lastname": "King", "emailaddress1": "ada@example.com", "new_synctomkto": False}
    )
    answer = ask(world, world.marketo.create("person", ADA))

    assert (answer.status, answer.crm_id) == ("exists", guid)
    assert "new_synctomkto" in answer.message
    assert not Link.objects.exists()


# --- decisions -------------------------------------------------------------------------------------------------------


def two_candidates(world):
    lead = world.dynamics.create("lead", {"lastname": "King", "emailaddress1": "ada@example.com"})
    contact = world.dynamics.create("contact", {"lastname": "Byron", "emailaddress1": "ada@example.com"})
    return lead, contact


def test_several_candidates_are_listed_and_nothing_is_created(world):
    lead, contact = two_candidates(world)
    before = world.dynamics.truth.last_id
    person = world.marketo.create("person", ADA)
    answer = ask(world, person)

    assert (answer.status, answer.crm_id) == ("decision", "")
    assert world.dynamics.truth.last_id == before
    assert not Link.objects.exists()
    decision = Decision.objects.get()
    assert (decision.kind, decision.subject) == ("match", f"marketo:{person}")
    assert {face["id"] for face in decision.facts["candidates"]} == {lead, contact}
    assert decision.choices == [f"link:contact:{contact}", f"link:lead:{lead}", "separate"] or decision.choices == [
        f"link:lead:{lead}",
        f"link:contact:{contact}",
        "separate",
    ]
    assert ask(world, person).status == "decision"
    assert Decision.objects.count() == 1


def test_after_separate_was_chosen_a_record_of_its_own_is_created(world):
    two_candidates(world)
    person = world.marketo.create("person", ADA)
    ask(world, person)
    Decision.objects.update(answer={"choice": "separate"}, answered_at=world.clock(), answered_by="ada")
    answer = ask(world, person)

    assert answer.status == "created"
    assert len(list(world.dynamics.rows("lead"))) == 2


def test_the_record_of_another_person_is_a_question(world):
    first = ask(world, world.marketo.create("person", ADA))
    twin = world.marketo.create("person", {**ADA, "firstName": "Augusta"})
    answer = ask(world, twin)

    assert answer.status == "decision"
    assert "another person" in answer.message
    assert Decision.objects.get().choices == ["separate"]
    assert str(Link.objects.get().dynamics) == first.crm_id


def test_answering_for_the_person_settles_the_question_about_the_record(world):
    guid = world.dynamics.create("lead", {"lastname": "King", "emailaddress1": "ada@example.com"})
    person = world.marketo.create("person", ADA)
    world.marketo.create("person", {**ADA, "firstName": "Augusta"})
    world.settle()
    record = world.question("match")
    assert ask(world, person).status == "decision"
    resolve.answer(Decision.objects.get(subject=f"marketo:{person}").pk, f"link:lead:{guid}", "ada", world.clock())

    assert str(world.link_of(guid).marketo) == person
    record.refresh_from_db()
    assert record.answer == {"choice": "withdrawn"}
    assert not Decision.objects.filter(answered_at=None).exists()


# --- failed ----------------------------------------------------------------------------------------------------------


def test_without_a_last_name_nothing_is_sent_and_the_next_run_heals_it(world):
    person = world.marketo.create("person", {"firstName": "Cher", "email": "cher@example.com"})
    answer = ask(world, person)

    assert answer.status == "failed"
    assert "last name" in answer.message
    assert nobody_there(world)
    failure = Failure.objects.get()
    assert (failure.cause, failure.subject, failure.side) == ("last_name_missing", f"marketo:{person}", "dynamics")
    assert not Link.objects.exists()
    assert not PendingWrite.objects.exclude(op="log").exists()

    world.marketo.edit("person", person, {"lastName": "Sarkisian"})
    world.settle()
    assert [row["lastname"] for row in world.dynamics.rows("lead")] == ["Sarkisian"]
    assert not Failure.objects.filter(closed_at=None).exists()


def test_nobody_has_this_id(world):
    answer = ask(world, 999_999)

    assert (answer.status, answer.message) == ("failed", "Marketo has no person with this id.")
    assert SyncRequest.objects.get().status == "failed"
    assert nobody_there(world)


def test_an_erased_person_is_left_alone(world):
    person = world.marketo.create("person", ADA)
    suppression.suppress([], "ada@example.com", world.clock())
    answer = ask(world, person)

    assert answer.status == "failed"
    assert "erased" in answer.message
    assert nobody_there(world)


def test_a_table_that_is_not_synced(world):
    setup.change("contacts", False, who="ada", now=world.clock())
    answer = ask(world, world.marketo.create("person", ADA), Table.CONTACT)

    assert answer.status == "failed"
    assert nobody_there(world)


# --- trouble ---------------------------------------------------------------------------------------------------------


def test_queued_while_dynamics_is_away_and_done_by_the_loop(world):
    world.dynamics.faults.add(Fault("unavailable", method="*", path="/api/*", times=100))
    person = world.marketo.create("person", ADA)
    started = world.clock()
    answer = ask(world, person)

    assert answer.status == "queued"
    assert (world.clock() - started).total_seconds() <= 5
    assert nobody_there(world)
    world.dynamics.faults.clear()
    world.clock.forward(minutes=2)
    world.sync(2)
    assert [row["lastname"] for row in world.dynamics.rows("lead")] == ["Lovelace"]
    assert SyncRequest.objects.get().status == "created"
    assert log_results(person) in ([], ["Created"])


def test_a_create_that_arrived_without_an_answer_makes_no_second_record(world):
    world.dynamics.faults.add(Fault("timeout_after", method="POST", path="/api/data/v9.2/leads*", times=1))
    person = world.marketo.create("person", ADA)
    first = ask(world, person)
    assert first.status in ("created", "queued")
    second = ask(world, person)

    assert second.status in ("created", "exists")
    assert len(list(world.dynamics.rows("lead"))) == 1
    assert second.crm_id == next(iter(world.dynamics.rows("lead")))["leadid"]
    assert not PendingWrite.objects.filter(op="create").exists()


@pytest.mark.parametrize("since", ["Chief", None])
@pytest.mark.parametrize("table", ["lead", "contact"])
def test_an_edit_after_a_create_without_an_answer_survives_when_that_one_arrives_late(world, table, since):
    person = world.marketo.create("person", ADA)
    world.dynamics.faults.add(Fault("timeout_before", path="*$batch*", times=8))
    assert ask(world, person, Table(table)).status == "queued"
    world.dynamics.faults.clear()
    sent = PendingWrite.objects.get(op="create", side="dynamics")
    world.marketo.edit("person", person, {"title": since, "mobilePhone": "1"})

    def meanwhile(name):
        if name == "sync_person.claimed":
            world.border = lambda name: None
            world.dynamics.create(table, {**sent.values, f"{table}id": sent.target})

    world.border = meanwhile
    world.settle()

    there = world.marketo.get("person", person)
    (row,) = world.dynamics.rows(table)
    assert (row.get("jobtitle"), there.get("title")) == (since, since)
    assert (row.get("mobilephone"), there.get("mobilePhone")) == ("1", "1")


def test_while_the_loop_runs_a_lost_answer_makes_neither_twin_nor_question(world):
    world.dynamics.faults.add(Fault("timeout_after", method="POST", path="/api/data/v9.2/leads*", times=2))
    ask(world, world.marketo.create("person", ADA))
    world.settle()

    assert len(list(world.dynamics.rows("lead"))) == 1
    assert len(list(world.marketo.rows("person"))) == 1
    assert not Decision.objects.exists()
    assert Link.objects.get().dynamics is not None


class Killed(BaseException):
    """The process dies here."""


def killed_on_the_way(world, border):
    """Somebody is asked for, and the process that answers dies at that border; who it was."""

    def die(name):
        if name == border:
            raise Killed

    person = world.marketo.create("person", ADA)
    world.border = die
    with pytest.raises(Killed):
        ask(world, person)
    world.border = lambda name: None
    return person


@pytest.mark.parametrize("border", ["sync_person.claimed", "sync_person.answered"])
def test_a_process_killed_on_the_way_is_followed_by_the_loop(world, border):
    person = killed_on_the_way(world, border)
    world.sync()
    # Others have read the new record by now, and the request is still the dead process's.
    world.settle()

    lead = next(iter(world.dynamics.rows("lead")))
    assert len(list(world.dynamics.rows("lead"))) == 1
    assert len(list(world.marketo.rows("person"))) == 1
    assert not Decision.objects.exists()
    assert (str(Link.objects.get().dynamics), Link.objects.get().marketo) == (lead["leadid"], int(person))
    assert SyncRequest.objects.get().status == "created"
    assert world.marketo.get("person", person)["dynPersonGuid"] == lead["leadid"]
    assert not PendingWrite.objects.exclude(op="log").exists()


def test_a_lead_qualified_before_its_creates_answer_was_stored_gives_its_person_to_the_contact(world):
    """The process died over the answer; a colleague in Dynamics sees the lead and qualifies it at once."""

    person = killed_on_the_way(world, "sync_person.answered")
    lead = next(iter(world.dynamics.rows("lead")))["leadid"]
    contact = world.dynamics.qualify(lead, account=False)["contact"]
    world.sync()
    assert not Failure.objects.exists()
    world.clock.forward(minutes=1)
    world.settle()

    link = Link.objects.get()
    assert (link.table, str(link.dynamics), str(link.marketo)) == ("contact", contact, person)
    assert len(list(world.marketo.rows("person"))) == 1
    assert world.marketo.get("person", person)["dynPersonGuid"] == contact
    assert not Decision.objects.exists() and not Failure.objects.exists()
    assert world.quiet(2)


def test_a_person_does_not_stand_still_because_a_stalled_process_claimed_what_another_one_had_created(world):
    person = world.marketo.create("person", ADA)

    def stall(_answer):
        world.clock.forward(seconds=20)
        assert ask(world, person).status == "created"

    world.wires["dynamics"].spoil("/api/data/v9.2/systemusers", stall, times=1)
    assert ask(world, person, assign_to="ada.sorensen@sandbox.example").status == "queued"

    assert SyncRequest.objects.get().status == "created"
    assert not PendingWrite.objects.filter(op="create").exists()
    world.marketo.edit("person", person, {"title": "Programmer"})
    world.settle()
    (lead,) = world.dynamics.rows("lead")
    assert lead["jobtitle"] == "Programmer"
    assert world.quiet(2)


def test_an_answer_to_a_create_that_comes_back_late_does_not_undo_what_was_agreed_since(world):
    person = world.marketo.create("person", {**ADA, "title": "Programmer"})
    met = []

    def stall(name):
        if name != "sync_person.answered" or met:
            return
        met.append(name)
        world.clock.forward(seconds=60)
        world.sync(2)
        (lead,) = world.dynamics.rows("lead")
        world.dynamics.edit("lead", lead["leadid"], {"jobtitle": "Countess"})
        world.sync(2)
        assert world.marketo.get("person", person)["title"] == "Countess"
        world.dynamics.edit("lead", lead["leadid"], {"jobtitle": "Analyst"})

    world.border = stall
    assert ask(world, person).status == "created"
    world.settle()

    (lead,) = world.dynamics.rows("lead")
    assert (lead["jobtitle"], world.marketo.get("person", person)["title"]) == ("Analyst", "Analyst")
    assert Activity.objects.filter(kind="created").count() == 1
    assert world.quiet(2)


def test_nobody_gets_a_second_record_because_a_run_linked_the_person_during_the_look_up():
    world = World(detect_duplicates=False)
    world.settle()
    person = world.marketo.create("person", ADA)

    def meanwhile(_answer):
        world.dynamics.create("lead", {"lastname": "Lovelace", "emailaddress1": ADA["email"]})
        cycle.once(world.context())

    world.wires["dynamics"].spoil("/api/data/v9.2/systemusers", meanwhile, times=1)
    assert ask(world, person, assign_to="ada.sorensen@sandbox.example").status == "queued"
    world.settle()

    assert len(list(world.dynamics.rows("lead"))) == 1
    assert SyncRequest.objects.get().status == "exists"
    assert Link.objects.get().dynamics is not None
    assert world.marketo.get("person", person)["leadStatus"] == "Open"
    assert world.quiet(2)


def test_two_who_ask_at_the_same_time_get_one_record(world):
    person = world.marketo.create("person", ADA)

    def run():
        try:
            return ask(world, person)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        answers = [each.result(timeout=60) for each in [pool.submit(run) for _ in range(3)]]

    assert "created" in {answer.status for answer in answers} <= {"created", "exists", "queued"}
    assert len(list(world.dynamics.rows("lead"))) == 1
    assert Link.objects.count() == 1


def test_two_people_with_one_address_at_the_same_time(world):
    people = [world.marketo.create("person", {**ADA, "firstName": name}) for name in ("Ada", "Augusta")]

    def run(person):
        try:
            return ask(world, person)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = [each.result(timeout=60) for each in [pool.submit(run, person) for person in people]]

    assert sorted(answer.status for answer in answers) in (["created", "decision"], ["created", "queued"])
    world.clock.forward(minutes=1)
    world.settle()
    assert len(list(world.dynamics.rows("lead"))) == 1
    assert Decision.objects.filter(subject__startswith="marketo:").count() == 1


def test_paused_means_queued(world):
    setup.change("paused", True, who="ada", now=world.clock())
    answer = ask(world, world.marketo.create("person", ADA))

    assert answer.status == "queued"
    assert nobody_there(world)


def test_a_deleted_record_is_made_anew_on_the_same_link(world):
    person = world.marketo.create("person", ADA)
    first = ask(world, person)
    link = Link.objects.get().pk
    world.dynamics.delete("lead", first.crm_id)
    second = ask(world, person)

    assert second.status == "created"
    assert second.crm_id != first.crm_id
    assert (Link.objects.get().pk, str(Link.objects.get().dynamics)) == (link, second.crm_id)
    world.settle()
    there = world.marketo.get("person", person)
    assert (there["dynPersonGuid"], bool(there.get("dynDeleted"))) == (second.crm_id, False)
    assert Link.objects.get().dynamics_deleted is False


def test_what_a_cut_line_hid_is_still_told_when_the_deleted_record_is_made_anew(world):
    guid, person = world.linked(jobtitle="Mate")
    world.marketo.edit("person", person, {"title": "Captain"})
    world.dynamics.faults.add(Fault("cut", path="*$batch*", times=8))
    world.sync()
    assert world.dynamics.get("lead", guid)["jobtitle"] == "Captain"
    world.dynamics.delete("lead", guid)
    answer = ask(world, person)
    world.settle()

    assert answer.status == "created"
    changes = [change for line in world.told(answer.crm_id, "updated") for change in line.changes]
    assert ["lead.jobtitle:title", "Mate", "Captain", "one_sided"] in changes


def test_marketo_does_not_take_the_ids_now(world):
    world.marketo.faults.add(Fault("unavailable", method="POST", path="/rest/v1/leads.json", times=50))
    person = world.marketo.create("person", ADA)
    answer = ask(world, person)

    assert answer.status == "created"
    assert Link.objects.get().dirty is True
    world.marketo.faults.clear()
    world.clock.forward(minutes=3)
    world.settle()
    assert world.marketo.get("person", person)["dynPersonGuid"] == answer.crm_id


# --- the list --------------------------------------------------------------------------------------------------------


def test_people_of_a_list_are_created_by_the_next_run(world):
    people = [world.marketo.create("person", {**ADA, "email": f"{n}@example.com"}) for n in range(3)]
    ctx = world.context()
    assert sync_person.queue([int(each) for each in people], sync_as="lead", source="list", now=ctx.now()) == 3
    assert sync_person.queue([int(each) for each in people], sync_as="lead", source="list", now=ctx.now()) == 0
    assert nobody_there(world)

    step = sync_person.finish_requests(ctx)
    assert step.counts == {"requests_created": 3}
    assert len(list(world.dynamics.rows("lead"))) == 3
    assert DynamicsRecord.objects.count() == 3


def test_reading_a_whole_list_does_not_bring_back_the_deleted(world):
    person = int(world.marketo.create("person", ADA))
    ctx = world.context()
    sync_person.queue([person], sync_as="lead", source="list", now=ctx.now())
    sync_person.finish_requests(ctx)

    assert sync_person.queue([person], sync_as="lead", source="list", now=ctx.now(), again=False) == 0
    assert sync_person.queue([person], sync_as="lead", source="list", now=ctx.now()) == 1


def test_who_is_on_the_list_at_the_start_is_created_once(world):
    people = [world.marketo.create("person", {**ADA, "email": f"{n}@example.com"}) for n in range(2)]
    list_id = world.marketo.add_list("Chosen")
    world.marketo.add_to_list(list_id, people)
    world.clock.forward(hours=2)
    setup.change("list_id", list_id, who="ada", now=world.clock())
    world.settle()

    leads = [row["leadid"] for row in world.dynamics.rows("lead")]
    assert len(leads) == 2
    world.dynamics.delete("lead", leads[0])
    world.clock.forward(hours=25)
    world.settle()
    assert [row["leadid"] for row in world.dynamics.rows("lead")] == leads[1:]


def test_whoever_is_added_to_the_list_again_after_a_delete_is_created_again(world):
    person = world.marketo.create("person", ADA)
    list_id = world.marketo.add_list("Chosen")
    setup.change("list_id", list_id, who="ada", now=world.clock())
    world.sync()
    world.marketo.add_to_list(list_id, [person])
    world.settle()
    first = next(iter(world.dynamics.rows("lead")))["leadid"]
    world.dynamics.delete("lead", first)
    world.settle()
    world.marketo.remove_from_list(list_id, [person])
    world.marketo.add_to_list(list_id, [person])
    world.settle()

    assert [row["leadid"] for row in world.dynamics.rows("lead")] != [first]
    assert len(list(world.dynamics.rows("lead"))) == 1
    assert Link.objects.get().dynamics_deleted is False


def test_a_double_in_marketo_is_asked_about_and_nothing_is_linked() -> None:
    world = World()
    guid = world.dynamics.create("lead", {"lastname": "Singh", "emailaddress1": "singh@fjord.example"})
    pressed = world.marketo.create("person", {"email": "singh@fjord.example", "lastName": "Yildiz"})
    world.marketo.create("person", {"email": "singh@fjord.example", "lastName": "Singh"})
    world.sync()

    answer = ask(world, pressed)

    assert answer.status == "decision"
    assert not Link.objects.filter(dynamics=guid, marketo__isnull=False).exists()
    assert [lead["lastname"] for lead in world.dynamics.rows("lead")] == ["Singh"]


@pytest.mark.parametrize("arrives", [True, False])
def test_a_person_who_is_deleted_beside_a_create_without_an_answer_leaves_nothing_under_way(world, arrives):
    """The record stood in Dynamics for ever without a link or a history, and the create as sent."""
    person = killed_on_the_way(world, "sync_person.answered" if arrives else "sync_person.claimed")
    world.marketo.delete("person", person)
    for _ in range(20):
        world.settle()

    assert not PendingWrite.objects.exclude(op="log").exists()
    made = [row["leadid"] for row in world.dynamics.rows("lead")]
    assert len(made) == arrives
    assert [str(link.dynamics) for link in Link.objects.all()] == made
    assert SyncRequest.objects.get().status == ("created" if arrives else "failed")
    assert not list(world.marketo.rows("person"))
    assert world.quiet()
