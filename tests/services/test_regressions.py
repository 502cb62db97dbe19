"""Bugs that were found, each named after what it would have cost the user."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.db import IntegrityError, transaction

from syncadmin.engine.records import Lane
from syncadmin.sandbox.faults import Fault
from syncadmin.services import pair, pull_dynamics
from syncadmin.store import mirror
from syncadmin.store.models import Activity, Conflict, Decision, DynamicsRecord, Failure, Link, MarketoPerson
from tests.services.test_kills import die_at
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return World()


def given_way(world, guid):
    """What the history tells of values that never travelled: side, field, value, what stands there since, and why."""
    return [(line.side, *change) for line in world.told(guid, "superseded") for change in line.changes]


def test_a_record_deleted_while_the_table_is_first_read_is_not_synced_for_ever(world, monkeypatch):
    """Known from "modified since", gone before the tracked read: no delta link ever tells of such a delete."""
    monkeypatch.setattr(pull_dynamics, "backfill", lambda *args: pull_dynamics.NOTHING)
    guid = world.dynamics.create("lead", {"lastname": "Vik", "emailaddress1": "vik@fjord.example"})
    world.sync()
    world.dynamics.delete("lead", guid)
    monkeypatch.undo()
    world.settle()
    assert Link.objects.get(dynamics=guid).dynamics_deleted
    assert world.person_of(guid)["dynDeleted"] is True


def test_what_a_cut_line_hid_is_still_told_in_the_history(world):
    """The connector repeats a batch whose answer was cut; the refusal it then meets is its own first try."""
    guid, person = world.linked(jobtitle="Mate")
    world.marketo.edit("person", person, {"title": "Captain"})
    world.dynamics.faults.add(Fault("cut", path="*$batch*"))
    world.settle()
    assert world.dynamics.get("lead", guid)["jobtitle"] == "Captain"
    changes = [change for line in world.told(guid, "updated") for change in line.changes]
    assert ["lead.jobtitle:title", "Mate", "Captain", "one_sided"] in changes


def test_a_read_without_an_answer_before_a_write_stops_nothing_else(world):
    guid, person = world.linked(jobtitle="Mate")
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    world.marketo.faults.add(Fault("timeout_before", path="/rest/v1/leads.json*", times=4))
    world.settle()
    assert world.marketo.get("person", person)["title"] == "Captain"


def test_a_read_beside_our_write_does_not_undo_it_later(world):
    """Begun after the write was marked, answered before it was applied: such a read brings the old value back."""
    guid, person = world.linked(jobtitle="Mate")
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    world.sync()
    with transaction.atomic():
        values = {**MarketoPerson.objects.get(person=person).values, "title": "Mate"}
        row = mirror.PersonRow(int(person), values, email=str(values["email"]), dynamics_guid=guid)
        mirror.store_people([row], seen=world.clock(), lane=Lane.LIVE)
    world.settle()
    assert world.dynamics.get("lead", guid)["jobtitle"] == "Captain"
    assert world.marketo.get("person", person)["title"] == "Captain"


def test_an_edit_told_by_a_slow_answer_is_not_passed_over(world):
    """The feed was asked first and answered last; a read by id in between saw less, but its cursor tells nothing."""
    guid, _person = world.linked(jobtitle="Mate")
    before = DynamicsRecord.objects.get(guid=guid)
    asked = world.clock()
    world.clock.sleep(2)
    read_by_id = {**before.values, "fax": "1"}
    _store(guid, read_by_id, version(before, 1), world.clock())
    _store(guid, {**read_by_id, "jobtitle": "Captain"}, version(before, 2), asked)
    assert DynamicsRecord.objects.get(guid=guid).values["jobtitle"] == "Captain"
    _store(guid, read_by_id, version(before, 1), world.clock())
    assert DynamicsRecord.objects.get(guid=guid).values["jobtitle"] == "Captain"


def test_a_database_put_back_over_there_is_believed(world):
    """Its versions begin again at lower numbers; reads far apart cannot overlap."""
    guid, _person = world.linked(jobtitle="Mate")
    before = DynamicsRecord.objects.get(guid=guid)
    world.clock.sleep(3600)
    _store(guid, {**before.values, "jobtitle": "Deckhand"}, 'W/"1"', world.clock())
    assert DynamicsRecord.objects.get(guid=guid).values["jobtitle"] == "Deckhand"


def version(row: DynamicsRecord, later: int) -> str:
    return f'W/"{int(row.version.strip("W/").strip(chr(34))) + later}"'


def _store(guid: str, values: dict[str, object], version: str, seen: datetime) -> None:
    with transaction.atomic():
        mirror.store_dynamics([mirror.DynamicsRow("lead", guid, values, version)], seen=seen, lane=Lane.LIVE)


def test_what_an_unreadable_answer_hid_is_still_told_in_the_history(world):
    guid, person = world.linked(jobtitle="Mate")
    world.marketo.edit("person", person, {"title": "Captain"})
    world.dynamics.faults.add(Fault("empty", path="*$batch*"))
    world.settle()
    assert world.dynamics.get("lead", guid)["jobtitle"] == "Captain"
    changes = [change for line in world.told(guid, "updated") for change in line.changes]
    assert changes.count(["lead.jobtitle:title", "Mate", "Captain", "one_sided"]) == 1


def test_a_write_that_never_left_us_is_not_blamed_on_marketo(world):
    """Killed between the mark and the call, taken over more than a quarter of an hour later."""
    guid, person = world.linked(jobtitle="Mate")
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    die_at(world, "push.marketo.sent")
    world.clock.forward(minutes=20)
    world.settle()
    assert world.marketo.get("person", person)["title"] == "Captain"
    assert not Failure.objects.exists()


def test_what_a_lost_write_replaced_is_told_although_somebody_edited_since(world):
    guid, person = world.linked(jobtitle="Mate")
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    die_at(world, "push.marketo.answered")
    world.marketo.edit("person", person, {"title": "Admiral"})
    world.clock.forward(minutes=5)
    world.settle()
    told = [change[1] for line in world.told(guid, "updated") for change in line.changes]
    assert "Mate" in told


@pytest.mark.parametrize("table", ["lead", "contact"])
@pytest.mark.parametrize("since", ["Mate", "Admiral"])
def test_an_edit_is_not_undone_by_our_own_value_whose_answer_was_lost(world, table, since):
    """Somebody takes back in Dynamics, or edits again, what Marketo has carried out and never answered."""
    guid, person = world.linked(table, jobtitle="Mate")
    world.dynamics.edit(table, guid, {"jobtitle": "Captain"})
    world.marketo.faults.add(Fault("cut", path="*/rest/v1/leads*", skip=1))
    world.sync()
    assert world.marketo.get("person", person)["title"] == "Captain"
    world.dynamics.edit(table, guid, {"jobtitle": since})
    world.clock.forward(minutes=5)
    world.settle()
    assert (world.dynamics.get(table, guid)["jobtitle"], world.marketo.get("person", person)["title"]) == (since,) * 2
    assert not Conflict.objects.exists()


@pytest.mark.parametrize("table", ["lead", "contact"])
@pytest.mark.parametrize("since", ["Captain", None])
def test_an_edit_is_not_undone_by_what_a_create_brought_whose_answer_was_lost(table, since):
    """Marketo made the person and never said so; somebody edits the record before the create is taken over."""
    world = World()
    guid = world.dynamics.create(table, {"lastname": "Vik", "emailaddress1": "v@x.example", "jobtitle": "Mate"})
    world.marketo.faults.add(Fault("timeout_after", method="POST", path="/rest/v1/leads.json"))
    world.sync()
    world.dynamics.edit(table, guid, {"jobtitle": since, "mobilephone": "1"})
    world.clock.forward(minutes=5)
    world.settle()

    (person,) = world.marketo.rows("person")
    assert (world.dynamics.get(table, guid).get("jobtitle"), person.get("title"), person["mobilePhone"]) == (
        since,
        since,
        "1",
    )
    assert not Conflict.objects.exists()


@pytest.mark.parametrize("table", ["lead", "contact"])
@pytest.mark.parametrize("since", ["Mate", "Admiral"])
def test_an_edit_in_marketo_is_not_undone_by_our_own_value_either(world, table, since):
    """The write waits for its third try; the feed of Dynamics tells first that an earlier one was carried out."""
    guid, person = world.linked(table, jobtitle="Mate")
    world.marketo.edit("person", person, {"title": "Captain"})
    world.dynamics.faults.add(Fault("cut", path="*$batch*", times=-1))
    world.sync()
    assert world.dynamics.get(table, guid)["jobtitle"] == "Captain"
    world.dynamics.faults.clear()
    world.marketo.edit("person", person, {"title": since})
    world.settle()
    assert (world.dynamics.get(table, guid)["jobtitle"], world.marketo.get("person", person)["title"]) == (since,) * 2
    assert not Conflict.objects.exists()


@pytest.mark.parametrize("table", ["lead", "contact"])
@pytest.mark.parametrize("since", ["Mate", "Admiral"])
def test_an_edit_in_marketo_is_not_undone_by_our_own_value_when_it_is_seen_before_our_next_write(world, table, since):
    """Another field is on its way to the person, who is read before that: the write to Dynamics is over by then."""
    guid, person = world.linked(table, jobtitle="Mate")
    world.marketo.edit("person", person, {"title": "Captain"})
    world.dynamics.edit(table, guid, {"mobilephone": "1"})
    world.dynamics.faults.add(Fault("cut", path="*$batch*"))

    def meanwhile(name):
        if name == "push.dynamics.answered":
            world.border = lambda name: None
            world.marketo.edit("person", person, {"title": since})

    world.border = meanwhile
    world.sync()
    assert world.marketo.get("person", person)["mobilePhone"] == "1"
    world.settle()
    assert (world.dynamics.get(table, guid)["jobtitle"], world.marketo.get("person", person)["title"]) == (since,) * 2
    assert not Conflict.objects.exists()


def test_a_contact_merged_into_one_that_a_lead_became_holds_up_nobody(world):
    """Both links wanted the contact, every look-up ended there, and no new record ever got its person."""
    lead, _ = world.linked("lead")
    loser, _ = world.linked("contact", emailaddress1="loser@x.example")
    contact = world.dynamics.qualify(lead, account=False)["contact"]
    world.dynamics.merge("contact", contact, loser)
    other = world.dynamics.create("lead", {"lastname": "Other", "emailaddress1": "other@x.example"})
    world.settle()
    assert world.person_of(other)["lastName"] == "Other"
    assert world.link_of(contact).marketo is not None
    assert list(Decision.objects.values_list("kind", flat=True)) == ["dynamics_merge"]


def test_a_record_that_cannot_be_paired_holds_up_nobody_else(world, monkeypatch):
    """A broken constraint was taken for another worker that was faster, for ever."""
    decide, bad = pair._decide, world.dynamics.create("lead", {"lastname": "Bad", "emailaddress1": "bad@x.example"})

    def broken(ctx, book, records, lane, run):
        if any(one.guid == bad for one in records):
            raise IntegrityError("duplicate key")
        return decide(ctx, book, records, lane, run)

    monkeypatch.setattr(pair, "_decide", broken)
    good = world.dynamics.create("lead", {"lastname": "Good", "emailaddress1": "good@x.example"})
    world.settle()
    assert world.person_of(good)["lastName"] == "Good"
    assert Failure.objects.get().subject == f"dynamics:{bad}"


def test_a_merge_in_dynamics_does_not_empty_what_only_the_loser_had_filled():
    world = World()
    guid, person = world.linked(jobtitle="Captain")
    master = world.dynamics.create("lead", {"lastname": "Master", "emailaddress1": "master@x.example"})
    world.dynamics.merge("lead", master, guid)
    world.settle()

    assert str(Link.objects.get(marketo=int(person)).dynamics) == master
    assert world.marketo.get("person", person)["title"] == "Captain"
    assert world.dynamics.get("lead", master)["jobtitle"] == "Captain"


def test_a_person_whose_record_was_deleted_is_taken_by_the_next_one_and_not_made_twice():
    world = World()
    guid, person = world.linked()
    email = world.marketo.get("person", person)["email"]
    world.dynamics.delete("lead", guid)
    world.settle()
    again = world.dynamics.create("contact", {"lastname": "Again", "emailaddress1": email})
    world.settle()

    assert [str(row["id"]) for row in world.marketo.rows("person")] == [person]
    link = Link.objects.get()
    assert (str(link.dynamics), link.table, str(link.marketo)) == (again, "contact", person)
    assert not world.marketo.get("person", person).get("dynDeleted")


def test_a_value_that_never_arrived_because_it_changed_again_can_still_be_looked_up(world):
    """Dynamics is down while somebody in Marketo writes one value and, an hour later, another."""
    guid, person = world.linked(jobtitle="Mate")
    world.dynamics.faults.add(Fault("unavailable", path="*$batch*", times=50, value=1))
    world.marketo.edit("person", person, {"title": "Captain"})
    world.sync()
    world.marketo.edit("person", person, {"title": "Admiral"})
    world.dynamics.faults.clear()
    world.clock.forward(hours=1)
    world.settle()

    assert world.dynamics.get("lead", guid)["jobtitle"] == "Admiral"
    key = "lead.jobtitle:title"
    assert [line.changes for line in world.told(guid, "superseded")] == [[[key, "Captain", "Admiral", "superseded"]]]


def test_a_value_that_stood_in_marketo_under_a_failure_can_still_be_looked_up():
    """Marketo keeps Dynamics' value out; what colleagues there write meanwhile travels nowhere, one after the other."""
    world = World(receipt_patience=60)
    guid, person = world.linked("contact", jobtitle="Mate")
    world.marketo.block_field_updates("title")
    world.dynamics.edit("contact", guid, {"jobtitle": "Captain"})
    world.sync()
    world.clock.forward(seconds=70)
    world.sync(2)
    world.marketo.edit("person", person, {"title": "Bosun"})
    world.sync()
    world.marketo.edit("person", person, {"title": "Admiral"})
    world.sync(2)

    key = "contact.jobtitle:title"
    assert world.marketo.get("person", person)["title"] == "Admiral"
    found = set(given_way(world, guid))
    assert found == {("marketo", key, "Mate", "Bosun", "held"), ("marketo", key, "Bosun", "Admiral", "held")}
    assert world.quiet(3)


def test_a_value_that_stood_under_a_failure_can_still_be_looked_up_after_somebody_released_it():
    """Dynamics takes no empty last name; the failure is released just before a colleague there writes another one."""
    world = World()
    guid, person = world.linked("lead", lastname="Vik")
    world.marketo.edit("person", person, {"lastName": None})
    world.sync()
    world.dynamics.edit("lead", guid, {"lastname": "Viken"})
    world.release()
    world.sync(2)

    changes = given_way(world, guid)
    assert changes == [("dynamics", "lead.lastname:lastName", "Vik", "Viken", "held")]
    assert world.quiet(3)


@pytest.mark.parametrize("released", [False, True])
def test_a_value_of_a_write_that_was_refused_as_a_whole_can_still_be_looked_up(released):
    """Marketo says no to two fields at once; before it is asked again, a colleague in Dynamics replaces one of them."""
    world = World()
    guid, person = world.linked("lead", jobtitle="Mate", telephone1="1")
    world.marketo.faults.add(Fault("partial_batch", method="POST", path="/rest/v1/leads.json", value=1))
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain", "telephone1": "2"})
    world.sync()
    assert world.failure().key == ""
    world.dynamics.edit("lead", guid, {"jobtitle": "Admiral"})
    if released:
        world.release()
    world.sync(2)

    there = world.marketo.get("person", person)
    assert (there["title"], there["phone"]) == ("Admiral", "2")
    changes = given_way(world, guid)
    assert changes == [("dynamics", "lead.jobtitle:title", "Captain", "Admiral", "held")]
    assert world.quiet(3)


def test_a_value_of_a_refused_write_that_somebody_takes_back_can_still_be_looked_up():
    world = World()
    guid, _person = world.linked("lead", jobtitle="Mate", telephone1="1")
    world.marketo.faults.add(Fault("partial_batch", method="POST", path="/rest/v1/leads.json", value=1))
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain", "telephone1": "2"})
    world.sync()
    world.dynamics.edit("lead", guid, {"jobtitle": "Mate", "telephone1": "1"})
    world.sync(2)

    changes = set(given_way(world, guid))
    keys = ("lead.jobtitle:title", "Captain", "Mate"), ("lead.telephone1:phone", "2", "1")
    assert changes == {("dynamics", *change, "held") for change in keys}
    assert not Failure.objects.filter(closed_at=None).exists()
    assert world.quiet(3)


def test_a_value_that_was_about_to_be_replaced_and_that_its_own_side_replaced_can_still_be_looked_up():
    """Only blanks are filled, so two values stand; then both sides come to one by themselves, and our write is late."""
    world = World(first_contact="blanks")
    world.marketo.create("person", {"lastName": "Vik", "email": "v@x.example", "title": "Mate"})
    guid = world.dynamics.create("lead", {"lastname": "Vik", "emailaddress1": "v@x.example", "jobtitle": "Captain"})
    world.settle()
    person = str(world.link_of(guid).marketo)
    world.marketo.edit("person", person, {"title": "Admiral"})

    def meanwhile(name):
        if name == "push.dynamics.sent":
            world.border = lambda name: None
            world.dynamics.edit("lead", guid, {"jobtitle": "Admiral"})

    world.border = meanwhile
    world.sync(2)

    changes = set(given_way(world, guid))
    key = "lead.jobtitle:title"
    assert changes == {("marketo", key, "Mate", "Admiral", "held"), ("dynamics", key, "Captain", "Admiral", "held")}
    assert world.quiet(3)


def test_a_value_that_was_decided_about_and_taken_back_before_it_was_sent_can_still_be_looked_up():
    world = World()
    guid, person = world.linked("lead", jobtitle="Mate")
    world.marketo.faults.add(Fault("unavailable", path="/rest/v1/leads.json", times=9))
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    world.sync()
    world.dynamics.edit("lead", guid, {"jobtitle": "Mate"})
    world.marketo.faults.clear()
    world.clock.forward(minutes=5)
    world.sync(2)

    changes = given_way(world, guid)
    assert changes == [("dynamics", "lead.jobtitle:title", "Captain", "Mate", "superseded")]
    assert world.marketo.get("person", person)["title"] == "Mate"
    assert world.quiet(3)


def test_a_value_that_stood_in_dynamics_alone_can_still_be_looked_up_after_its_record_was_deleted():
    """Only blanks are filled, so Marketo never had it; the record comes back with another one."""
    world = World(first_contact="blanks")
    world.marketo.create("person", {"lastName": "Vik", "email": "v@x.example", "title": "Mate"})
    guid = world.dynamics.create("lead", {"lastname": "Vik", "emailaddress1": "v@x.example", "jobtitle": "Captain"})
    world.settle()
    row = world.dynamics.get("lead", guid)
    world.dynamics.delete("lead", guid)
    world.settle()
    world.dynamics.restore("lead", guid, {**row, "jobtitle": "Admiral"})
    world.settle()

    assert world.person_of(guid)["title"] == "Admiral"
    changes = set(given_way(world, guid))
    assert changes == {("dynamics", "lead.jobtitle:title", "Captain", None, "held")}
    assert world.quiet(2)


@pytest.mark.parametrize("turn", ["qualified", "merged", "stopped", "deleted"])
def test_what_an_unreadable_answer_hid_is_still_told_although_the_record_went_its_way_since(world, turn):
    guid, person = world.linked(jobtitle="Mate")
    world.marketo.edit("person", person, {"title": "Captain"})
    world.dynamics.faults.add(Fault("garbage", path="*$batch*"))
    world.sync()
    assert world.dynamics.get("lead", guid)["jobtitle"] == "Captain"
    link = world.link_of(guid).pk
    match turn:
        case "qualified":
            world.dynamics.qualify(guid, account=False)
        case "merged":
            world.dynamics.merge("lead", world.dynamics.create("lead", {"lastname": "Vik"}), guid)
        case "stopped":
            world.dynamics.edit("lead", guid, {"new_synctomkto": False})
        case "deleted":
            world.dynamics.delete("lead", guid)
    world.sync(2)

    lines = Activity.objects.filter(link=link, kind="updated")
    assert ["lead.jobtitle:title", "Mate", "Captain", "one_sided"] in [one for line in lines for one in line.changes]


@pytest.mark.parametrize("border", ["push.dynamics.sent", "push.dynamics.answered"])
def test_what_a_cut_line_hid_is_still_told_although_the_record_is_deleted_beside_the_second_try(world, border):
    guid, person = world.linked(jobtitle="Mate")
    link = world.link_of(guid).pk
    world.marketo.edit("person", person, {"title": "Captain"})
    # All that one call of the connector tries; the write is then sent once more in the same run.
    world.dynamics.faults.add(Fault("cut", path="*$batch*", times=4))
    passed = []

    def meanwhile(name):
        passed.append(name)
        if name == border and passed.count("push.dynamics.sent") == 2:
            assert world.dynamics.get("lead", guid)["jobtitle"] == "Captain"
            world.dynamics.delete("lead", guid)

    world.border = meanwhile
    world.sync(3)

    lines = Activity.objects.filter(link=link, kind="updated")
    assert ["lead.jobtitle:title", "Mate", "Captain", "one_sided"] in [one for line in lines for one in line.changes]
