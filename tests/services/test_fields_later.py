"""Fields that are changed while the sync runs: filled back, taken out, given other rules, paused and healed."""

from __future__ import annotations

import pytest

from syncadmin.engine.causes import Cause
from syncadmin.engine.fields import Direction, FieldPair, Winner, pair_key
from syncadmin.engine.records import Table
from syncadmin.services import choose_fields, metadata
from syncadmin.store import fieldsets, options
from syncadmin.store.models import Activity, Conflict, Decision, Failure
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


def pairs() -> list[FieldPair]:
    return fieldsets.pairs(options.read().field_version)


def without(world: World, table: Table, column: str) -> None:
    kept = [pair for pair in pairs() if (pair.table, pair.dynamics) != (table, column)]
    choose_fields.save_fields(kept, who="ada", now=world.clock())


def test_a_new_pair_is_filled_back_from_both_sides_for_people_nobody_touches() -> None:
    world = World()
    first, _ = world.linked(websiteurl="https://fjord.example")
    second, person = world.linked()
    world.marketo.edit("person", person, {"website": "https://dal.example"})
    world.sync(8)  # every first read is over by now

    world.pair("lead", "websiteurl", "website")
    world.settle()

    assert world.person_of(first)["website"] == "https://fjord.example"
    assert world.dynamics.get("lead", second)["websiteurl"] == "https://dal.example"
    assert world.quiet(2)


def test_taking_a_pair_out_blanks_nothing_and_closes_what_it_had_opened() -> None:
    world = World()
    guid, person = world.linked(jobtitle="Boss")
    world.marketo.edit("person", person, {"title": "x" * 200})
    world.sync(2)
    assert world.failure().key == "lead.jobtitle:title"

    without(world, Table.LEAD, "jobtitle")
    world.settle()

    assert not Failure.objects.filter(closed_at=None).exists()
    assert world.dynamics.get("lead", guid)["jobtitle"] == "Boss"
    assert world.marketo.get("person", person)["title"] == "x" * 200
    assert "lead.jobtitle:title" not in world.link_of(guid).held
    assert world.quiet(2)


def test_a_question_about_a_pair_that_was_taken_out_is_withdrawn() -> None:
    world = World()
    world.pair("lead", "jobtitle", "title", winner=Winner.ASK)
    guid, person = world.linked(jobtitle="Boss")
    world.dynamics.edit("lead", guid, {"jobtitle": "Head"})
    world.marketo.edit("person", person, {"title": "Chief"})
    world.sync(2)
    assert world.question("ask").facts["key"] == "lead.jobtitle:title"

    without(world, Table.LEAD, "jobtitle")
    world.settle()

    assert not Decision.objects.filter(answered_at=None).exists()
    assert not Conflict.objects.filter(state="open").exists()


def test_what_a_direction_had_held_back_travels_when_it_may() -> None:
    world = World()
    world.pair("lead", "jobtitle", "title", direction=Direction.TO_MARKETO)
    guid, person = world.linked(jobtitle="Boss")
    world.marketo.edit("person", person, {"title": "Chief"})
    world.sync(2)
    assert world.dynamics.get("lead", guid)["jobtitle"] == "Boss"

    world.pair("lead", "jobtitle", "title", direction=Direction.BOTH)
    world.settle()

    assert world.dynamics.get("lead", guid)["jobtitle"] == "Chief"


def test_an_option_map_changes_what_stands_in_marketo() -> None:
    world = World()
    guid, _ = world.linked(leadqualitycode=1)
    world.settle()
    world.pair("lead", "leadqualitycode", "rating", options={"1": "A-class"})
    world.settle()
    assert world.person_of(guid)["rating"] == "A-class"
    assert world.dynamics.get("lead", guid)["leadqualitycode"] == 1
    assert world.quiet(2)


def test_a_column_taken_away_and_made_anew_is_filled_again_and_blanks_nothing() -> None:
    world = World()
    world.dynamics.add_column("lead", "new_colour", type="String", ops="cru", length=50)
    metadata.refresh_schema(world.context())
    world.pair("lead", "new_colour", "middleName")
    guid, _ = world.linked(new_colour="Blue")
    world.settle()
    assert world.person_of(guid)["middleName"] == "Blue"

    world.dynamics.remove_column("lead", "new_colour")
    world.clock.forward(hours=1)
    world.settle()
    key = pair_key(Table.LEAD, "new_colour", "middleName")
    assert fieldsets.paused()[key].code == "gone"
    assert world.person_of(guid)["middleName"] == "Blue"

    world.dynamics.add_column("lead", "new_colour", type="String", ops="cru", length=50)
    world.clock.forward(hours=1)
    world.settle()

    assert fieldsets.paused() == {}
    assert world.person_of(guid)["middleName"] == "Blue"
    assert world.dynamics.get("lead", guid)["new_colour"] == "Blue"
    assert world.quiet(2)


def test_a_change_in_the_very_run_that_finds_the_column_again_blanks_nothing() -> None:
    world = World()
    world.dynamics.add_column("lead", "new_colour", type="String", ops="cru", length=50)
    metadata.refresh_schema(world.context())
    world.pair("lead", "new_colour", "middleName")
    guid, _ = world.linked(new_colour="Blue")
    world.settle()
    world.dynamics.remove_column("lead", "new_colour")
    world.clock.forward(hours=1)
    world.sync(1)

    world.dynamics.add_column("lead", "new_colour", type="String", ops="cru", length=50)
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    world.clock.forward(hours=1)
    world.settle()

    assert world.person_of(guid)["middleName"] == "Blue"
    assert world.dynamics.get("lead", guid)["new_colour"] == "Blue"


def test_a_field_that_changes_its_type_and_back_heals() -> None:
    world = World()
    world.marketo.add_field("colour", "Colour")
    metadata.refresh_schema(world.context())
    world.pair("lead", "middlename", "colour")
    guid, _ = world.linked(middlename="Blue")
    world.settle()

    world.marketo.change_field("colour", kind="integer")
    world.clock.forward(hours=1)
    world.settle()
    assert fieldsets.paused()["lead.middlename:colour"].code == "retyped"
    world.dynamics.edit("lead", guid, {"middlename": "Green"})
    world.settle()
    assert world.dynamics.get("lead", guid)["middlename"] == "Green"

    world.marketo.change_field("colour", kind="string")
    world.clock.forward(hours=1)
    world.settle()
    assert fieldsets.paused() == {}
    assert world.dynamics.get("lead", guid)["middlename"] == world.person_of(guid)["colour"]
    assert not Failure.objects.filter(closed_at=None).exists()


def retyped_as_checkbox() -> tuple[World, str, str]:
    """A lead and a person in step, with an empty pair of texts of which one has just become a checkbox."""
    world = World()
    world.marketo.add_field("colour", "Colour")
    metadata.refresh_schema(world.context())
    world.pair("lead", "middlename", "colour")
    guid, person = world.linked()
    world.settle()

    world.marketo.change_field("colour", kind="boolean")
    return world, guid, person


def test_a_value_read_while_a_field_was_a_checkbox_fills_nothing_when_it_is_text_again() -> None:
    world, guid, person = retyped_as_checkbox()
    world.clock.forward(hours=1)
    world.settle()
    assert fieldsets.paused()["lead.middlename:colour"].code == "retyped"
    world.marketo.edit("person", person, {"title": "Captain"})
    world.settle()
    world.marketo.change_field("colour", kind="string")
    world.clock.forward(hours=1)
    world.settle()

    assert fieldsets.paused() == {}
    assert not world.dynamics.get("lead", guid).get("middlename")
    assert not world.person_of(guid).get("colour")
    assert not [line for line in world.told(guid, "updated") if "colour" in str(line.changes)]


def test_a_checkbox_that_nobody_has_heard_of_yet_fills_no_text_with_false() -> None:
    """The field's new type is known an hour later at the latest; people were read with it until then."""
    world, guid, person = retyped_as_checkbox()
    world.marketo.edit("person", person, {"title": "Captain"})
    world.settle()
    assert world.dynamics.get("lead", guid).get("jobtitle") == "Captain"
    assert not world.dynamics.get("lead", guid).get("middlename")
    assert [failure.cause for failure in Failure.objects.filter(closed_at=None)] == [Cause.WRONG_TYPE]

    world.clock.forward(hours=1)
    world.settle()
    assert fieldsets.paused()["lead.middlename:colour"].code == "retyped"
    world.marketo.change_field("colour", kind="string")
    world.clock.forward(hours=1)
    world.settle()
    assert fieldsets.paused() == {}
    assert not world.dynamics.get("lead", guid).get("middlename")
    assert not Failure.objects.filter(closed_at=None).exists()


def test_a_pair_added_later_brings_no_deleted_person_back() -> None:
    """Whoever was deleted in Marketo was made again, with every field, by a setting."""
    world = World()
    world.marketo.add_field("colour", "Colour")
    metadata.refresh_schema(world.context())
    guid, person = world.linked("lead", middlename="Red")
    world.settle()
    world.marketo.delete("person", person)
    world.settle()

    world.pair("lead", "middlename", "colour")
    world.settle()
    assert not list(world.marketo.rows("person"))

    world.dynamics.edit("lead", guid, {"middlename": "Green"})
    world.settle()
    assert world.person_of(guid)["colour"] == "Green"
    assert world.quiet()


def test_values_of_a_pair_that_was_away_are_read_anew_before_they_count() -> None:
    world = World()
    guid, person = world.linked("contact", jobtitle="Boss")
    world.settle()
    without(world, Table.CONTACT, "jobtitle")
    world.settle()
    world.dynamics.edit("contact", guid, {"jobtitle": "Head"})
    world.marketo.edit("person", person, {"title": "Chief"})
    world.settle()

    world.pair("contact", "jobtitle", "title")
    world.settle()

    # Dynamics wins for a contact, whatever was read first.
    assert world.person_of(guid)["title"] == "Head"
    assert world.dynamics.get("contact", guid)["jobtitle"] == "Head"
    assert Activity.objects.filter(kind="updated").exists()
