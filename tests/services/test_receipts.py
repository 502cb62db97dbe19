"""What became of a value we sent to Marketo: the five ways, with and without the request id in the account's log."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncadmin.connectors.contract import Line
from syncadmin.sandbox.faults import Fault
from syncadmin.services import own_lines, rulebook
from syncadmin.store.models import Conflict, Decision, Failure, Receipt
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)
MARKS = pytest.mark.parametrize("marks", [True, False], ids=["request id", "no request id"])
FEED = "/rest/v1/activities/leadchanges.json*"
# Long reads are sent as POST too, with the real method in the query.
WRITE, READ = "/rest/v1/leads.json", "/rest/v1/leads.json[?]*"
PAIR = "jobtitle:title"


def linked(table="lead", marks=True, **rules):
    world = World(receipt_patience=60)
    world.marketo.set_knobs(write_marks=marks)
    if rules:
        world.pair(table, "jobtitle", "title", **rules)
    guid, person = world.linked(table, jobtitle="Mate")
    world.sync(2)
    Receipt.objects.all().delete()
    return world, guid, person


def title(world, guid, person, table="lead"):
    return world.dynamics.get(table, guid).get("jobtitle"), world.marketo.get("person", person).get("title")


def rival_before_write(world, person, changes, **more):
    """Somebody edits the person between our look and our write."""
    world.marketo.faults.add(
        Fault("rival", method="POST", path=WRITE, value={"id": person, "changes": changes, **more})
    )


def hold_back_lines(world, seconds):
    world.marketo.faults.add(Fault("late_events", path=FEED, times=1, value=seconds))


def patience_over(world):
    world.clock.forward(seconds=70)


# --- a: confirmed ----------------------------------------------------------------------------------------------------


@MARKS
def test_our_line_confirms_the_write(marks):
    world, guid, person = linked(marks=marks)
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    world.sync()
    receipt = Receipt.objects.get()
    assert (receipt.how, receipt.replaced, receipt.sent) == ("", "Mate", "Captain")
    assert bool(receipt.request_id)

    world.sync()

    receipt.refresh_from_db()
    assert receipt.how == "a"
    assert title(world, guid, person) == ("Captain", "Captain")
    assert world.quiet()


def test_no_run_waits_for_a_receipt():
    world, guid, person = linked()
    hold_back_lines(world, 3600)
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    world.sync()
    world.dynamics.edit("lead", guid, {"jobtitle": "Admiral"})
    world.sync()

    assert title(world, guid, person) == ("Admiral", "Admiral")


@MARKS
def test_lines_that_come_twice_change_nothing(marks):
    world, guid, _person = linked(marks=marks)
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    world.sync()
    world.marketo.faults.add(Fault("duplicate_events", path=FEED, times=3))
    world.sync(3)

    assert Receipt.objects.get().how == "a"
    assert len(Receipt.objects.get().lines) == 1
    assert not Conflict.objects.exists()


# --- b: overtaken ----------------------------------------------------------------------------------------------------


def test_a_value_we_overwrote_unseen_is_a_conflict_of_the_contact_that_the_lead_became():
    """The line comes after the lead was qualified; under the lead's field nobody would look for it."""
    world, lead, person = linked()
    world.marketo.faults.add(Fault("late_events", path=FEED, times=2, value=60))
    world.dynamics.edit("lead", lead, {"jobtitle": "Captain"})
    rival_before_write(world, person, {"title": "Boss"})
    world.sync()
    contact = world.dynamics.qualify(lead, account=False)["contact"]
    world.sync()
    assert world.link_of(contact).table == "contact"
    world.clock.forward(seconds=30)
    world.sync(3)

    assert title(world, contact, person, "contact") == ("Captain", "Captain")
    conflict = Conflict.objects.get()
    assert (conflict.key, conflict.marketo_value, conflict.winner) == (f"contact.{PAIR}", "Boss", "dynamics")


@MARKS
def test_for_a_lead_a_value_we_overwrote_unseen_comes_back(marks):
    world, guid, person = linked(marks=marks)
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    rival_before_write(world, person, {"title": "Boss"})

    world.sync(3)

    assert title(world, guid, person) == ("Boss", "Boss")
    conflict = Conflict.objects.get()
    assert (conflict.dynamics_value, conflict.marketo_value) == ("Captain", "Boss")
    assert (conflict.winner, conflict.rule) == ("marketo", "overtaken")
    (line,) = world.told(guid, "overtaken")
    assert line.changes == [[f"lead.{PAIR}", "Boss", "Captain", "overtaken"]]
    world.sync(2)
    assert title(world, guid, person) == ("Boss", "Boss")
    assert world.quiet(2)


@MARKS
def test_for_a_contact_our_value_stays_and_the_other_is_told(marks):
    world, guid, person = linked("contact", marks=marks)
    world.dynamics.edit("contact", guid, {"jobtitle": "Captain"})
    rival_before_write(world, person, {"title": "Boss"})

    world.sync(3)

    assert title(world, guid, person, "contact") == ("Captain", "Captain")
    assert (Conflict.objects.get().winner, Conflict.objects.get().marketo_value) == ("dynamics", "Boss")
    assert world.told(guid, "overtaken")[0].changes[0][1] == "Boss"
    assert world.quiet(2)


@pytest.mark.parametrize(("choice", "value"), [("dynamics", "Captain"), ("marketo", "Boss")])
def test_where_the_pair_asks_the_overwritten_value_is_asked_about(choice, value):
    world, guid, person = linked(winner="ask")
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    rival_before_write(world, person, {"title": "Boss"})
    world.sync(3)
    assert title(world, guid, person) == ("Captain", "Captain")
    assert Conflict.objects.get().state == "open"

    world.answer("ask", choice)
    world.sync(3)

    assert title(world, guid, person) == (value, value)
    assert not Conflict.objects.filter(state="open").exists()
    assert not Decision.objects.filter(answered_at=None).exists()


def test_a_blank_that_we_filled_unseen_comes_back():
    world, guid, person = linked()
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    rival_before_write(world, person, {"title": None})

    world.sync(5)

    assert title(world, guid, person) == (None, None)
    assert world.quiet()


def test_an_edit_before_our_second_look_is_a_plain_collision():
    world, guid, person = linked()
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    world.marketo.faults.add(Fault("rival", path=READ, value={"id": person, "changes": {"title": "Boss"}}))
    world.sync()

    assert title(world, guid, person) == ("Boss", "Boss")
    conflict = Conflict.objects.get()
    assert (conflict.winner, conflict.rule) == ("marketo", "collision_lead")
    world.sync()
    assert world.quiet()


def test_a_rival_in_another_field_changes_nothing():
    world, guid, person = linked()
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    rival_before_write(world, person, {"city": "Oslo"})

    world.sync(2)

    assert title(world, guid, person) == ("Captain", "Captain")
    assert world.dynamics.get("lead", guid)["address1_city"] == "Oslo"
    assert not Conflict.objects.exists()


# --- c: no line, ours stands -----------------------------------------------------------------------------------------


@MARKS
def test_without_a_line_our_standing_value_is_enough(marks):
    world, guid, _person = linked(marks=marks)
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    world.sync()
    hold_back_lines(world, 7200)
    world.sync()
    assert Receipt.objects.get().how == ""

    patience_over(world)
    world.sync()

    assert Receipt.objects.get().how == "c"
    assert not Failure.objects.exists()
    assert world.quiet(2)


@MARKS
def test_a_late_line_after_the_settlement_still_saves_the_overwritten_value(marks):
    world, guid, person = linked(marks=marks)
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    rival_before_write(world, person, {"title": "Boss"})
    world.sync()
    hold_back_lines(world, 3600)
    world.sync()
    patience_over(world)
    world.sync()
    assert Receipt.objects.get().how == "c"
    assert title(world, guid, person) == ("Captain", "Captain")

    world.clock.forward(hours=2)
    world.sync(4)

    assert title(world, guid, person) == ("Boss", "Boss")
    assert Conflict.objects.get().rule == "overtaken"
    assert world.quiet()


def test_a_settled_receipt_is_forgotten_after_a_week():
    world, guid, _ = linked()
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    world.sync(2)
    world.clock.forward(days=6)
    world.sync()
    assert Receipt.objects.count() == 1

    world.clock.forward(days=2)
    world.sync()

    assert not Receipt.objects.exists()


# --- d: dropped ------------------------------------------------------------------------------------------------------


def blocked():
    world, guid, person = linked()
    world.marketo.block_field_updates("title")
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    world.sync()
    return world, guid, person


def test_a_write_that_marketo_ignored_becomes_a_failure():
    world, guid, person = blocked()
    world.sync()
    assert not Failure.objects.exists()
    patience_over(world)
    world.sync()

    failure = world.failure()
    assert (failure.cause, failure.key, failure.side) == ("dropped_by_marketo", f"lead.{PAIR}", "marketo")
    assert Receipt.objects.get().how == "d"
    assert title(world, guid, person) == ("Captain", "Mate")
    assert world.link_of(guid).agreed[f"lead.{PAIR}"][:2] == ["Mate", "Mate"]
    assert world.told(guid, "dropped")[0].changes == [[f"lead.{PAIR}", "Captain", "Mate", "dropped"]]
    assert world.logged(person) == ["Failed"]
    assert world.quiet(3)


def test_a_dropped_value_is_tried_again_when_it_changes():
    world, guid, person = blocked()
    patience_over(world)
    world.sync()
    world.marketo.unblock_field_updates("title")
    world.dynamics.edit("lead", guid, {"jobtitle": "Admiral"})
    world.sync(2)

    assert title(world, guid, person) == ("Admiral", "Admiral")
    assert not Failure.objects.filter(closed_at=None).exists()
    assert world.logged(person) == ["Failed", "Repaired"]


def test_while_a_write_is_unconfirmed_the_old_value_is_no_edit():
    world, guid, person = blocked()
    world.marketo.edit("person", person, {"city": "Oslo"})
    world.sync(2)

    assert title(world, guid, person) == ("Captain", "Mate")
    assert world.dynamics.get("lead", guid)["address1_city"] == "Oslo"


def test_two_dropped_writes_in_a_row_take_nothing_back_to_dynamics():
    world, guid, person = blocked()
    world.dynamics.edit("lead", guid, {"jobtitle": "Admiral"})
    world.sync()
    world.marketo.edit("person", person, {"city": "Oslo"})
    world.sync()
    patience_over(world)
    world.sync(2)
    patience_over(world)
    world.sync(2)

    assert title(world, guid, person) == ("Admiral", "Mate")
    assert world.link_of(guid).agreed[f"lead.{PAIR}"][:2] == ["Mate", "Mate"]
    assert world.failure().cause == "dropped_by_marketo"
    assert not Conflict.objects.exists()
    assert world.quiet(2)


def test_who_takes_our_write_back_in_marketo_does_not_lose_to_the_next_edit_in_dynamics():
    """Until its line comes, the value put back looks like a read from before our write; the next write replaces it."""
    world, guid, person = linked()
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    world.sync()
    hold_back_lines(world, 30)
    world.marketo.edit("person", person, {"title": "Mate"})
    world.dynamics.edit("lead", guid, {"jobtitle": "Admiral"})
    world.sync()
    assert title(world, guid, person) == ("Admiral", "Admiral")

    world.clock.forward(seconds=40)
    world.sync(4)

    assert title(world, guid, person) == ("Mate", "Mate")
    conflict = Conflict.objects.get()
    assert (conflict.rule, conflict.dynamics_value, conflict.marketo_value) == ("overtaken", "Admiral", "Mate")
    assert world.quiet(2)


def two_writes(first, second, sent_again):
    """Two open receipts of one field, ten minutes apart, and the line of the first one."""
    world, guid, person = linked(marks=False)
    link, sent = world.link_of(guid).pk, world.clock()
    facts = {"link_id": link, "person": int(person), "key": f"lead.{PAIR}", "field": "title", "rule": "one_sided"}
    earlier = Receipt.objects.create(**facts, replaced=first, sent=second, at=sent)
    later = Receipt.objects.create(**facts, replaced=second, sent=sent_again, at=sent + timedelta(minutes=1))
    line = Line("g1", person, sent, "title", first, second, source="Web service API")
    return earlier, later, line


def test_an_edit_in_dynamics_is_not_undone_by_our_own_line_that_comes_late():
    """To the receipt of a later write it would look as if somebody had put the earlier value back."""
    earlier, later, line = two_writes("Mate", "Captain", "Mate")
    own_lines.note(rulebook.load(), [line], later.at, last=True)
    earlier.refresh_from_db(), later.refresh_from_db()
    assert [known[4] for known in earlier.lines] == [True]
    assert later.lines == []


def test_a_line_told_twice_is_not_taken_for_a_second_write_of_the_same_value():
    earlier, later, line = two_writes("Mate", "Captain", "Captain")
    own_lines.note(rulebook.load(), [line], later.at, last=True)
    own_lines.note(rulebook.load(), [line], later.at, last=True)
    earlier.refresh_from_db(), later.refresh_from_db()
    assert len(earlier.lines) == 1
    assert later.lines == []


def test_no_failure_is_reported_for_a_write_that_a_later_one_has_outlived():
    """Set, taken back and set again within a minute: the one in the middle may leave no line at all."""
    world, guid, person = linked()
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    world.sync(2)
    confirmed = Receipt.objects.get()
    assert confirmed.how == "a"
    facts = {"link": confirmed.link, "person": int(person), "key": confirmed.key, "field": "title", "rule": "one_sided"}
    Receipt.objects.all().delete()
    middle = Receipt.objects.create(**facts, replaced="Captain", sent="Mate", at=confirmed.at)
    Receipt.objects.create(**facts, replaced="Mate", sent="Captain", at=confirmed.at, how="a", settled_at=world.clock())
    patience_over(world)
    world.sync()

    middle.refresh_from_db()
    assert middle.how == "e"
    assert not Failure.objects.exists()
    assert title(world, guid, person) == ("Captain", "Captain")


def test_a_released_dropped_value_is_tried_again():
    world, guid, person = blocked()
    patience_over(world)
    world.sync()
    world.marketo.unblock_field_updates("title")

    world.release()
    world.sync(2)

    assert title(world, guid, person) == ("Captain", "Captain")
    assert not Failure.objects.filter(closed_at=None).exists()


# --- e: a third value ------------------------------------------------------------------------------------------------


@MARKS
def test_a_third_value_is_somebodys_edit(marks):
    world, guid, person = linked(marks=marks)
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    world.sync()
    world.marketo.edit("person", person, {"title": "Boss"})
    world.sync()

    assert title(world, guid, person) == ("Boss", "Boss")
    assert not Conflict.objects.exists()
    world.sync()
    assert world.quiet()


def test_a_third_value_without_a_line_is_somebodys_edit():
    world, guid, person = linked()
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    world.sync()
    world.marketo.edit("person", person, {"title": "Boss"})
    hold_back_lines(world, 7200)
    world.sync()
    patience_over(world)
    world.sync()

    assert title(world, guid, person) == ("Boss", "Boss")
    assert Receipt.objects.filter(how="e").exists()


@MARKS
def test_an_old_value_that_somebody_put_back_is_an_edit_because_a_line_says_so(marks):
    world, guid, person = linked(marks=marks)
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    world.sync()
    world.marketo.edit("person", person, {"title": "Mate"})
    world.sync()

    assert title(world, guid, person) == ("Mate", "Mate")
    world.sync()
    assert world.quiet()


def test_another_program_that_writes_the_same_value_later_is_not_taken_for_us():
    world, guid, person = linked(marks=False)
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    world.sync()
    hold_back_lines(world, 7200)
    world.sync()
    patience_over(world)
    world.sync()
    world.clock.forward(minutes=30)
    world.marketo.edit("person", person, {"title": "Boss"})
    world.sync()
    world.marketo.edit("person", person, {"title": "Captain"}, by="api:other")
    world.sync(3)

    assert title(world, guid, person) == ("Captain", "Captain")
    assert not Conflict.objects.exists()
    assert not world.told(guid, "overtaken")
