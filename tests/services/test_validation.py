"""What metadata shows to be impossible is not sent; what Dynamics refuses is taken at its word."""

from __future__ import annotations

import pytest

from syncadmin.engine.records import Table
from syncadmin.services import sync_person
from syncadmin.services.sync_person import Asked
from syncadmin.store.models import Failure
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


def prepared(column, field, kind):
    world = World(started=False)
    if kind:
        world.marketo.add_field(field, field, kind)
    world.set_up()
    world.pair("lead", column, field)
    return world


IMPOSSIBLE = [
    ("jobtitle", "title", "", "x" * 101, "too_long"),
    ("leadsourcecode", "leadSource", "", "Carrier pigeon", "unknown_option"),
    ("nvk_interests", "testInterests", "string", "Cranes; Boats", "unknown_option"),
    ("numberofemployees", "testHeads", "integer", -5, "out_of_range"),
    ("numberofemployees", "testText", "string", "a dozen", "wrong_type"),
    ("revenue", "testText", "string", "12 kr", "wrong_type"),
    ("nvk_discount", "testShare", "float", 100.5, "out_of_range"),
    ("nvk_renewalon", "testText", "string", "next week", "wrong_type"),
    ("nvk_renewalon", "testDay", "date", "1500-01-01", "out_of_range"),
    ("emailaddress1", "email", "", "ida@fjord", "malformed_email"),
    ("lastname", "lastName", "", None, "required_empty"),
    ("donotphone", "testText", "string", "perhaps", "wrong_type"),
]


@pytest.mark.parametrize(("column", "field", "kind", "value", "cause"), IMPOSSIBLE)
def test_what_metadata_shows_to_be_impossible_is_not_sent(column, field, kind, value, cause):
    world = prepared(column, field, kind)
    guid, person = world.linked(jobtitle="Mate")
    before, calls = world.dynamics.get("lead", guid), world.dynamics.truth.last_id
    world.marketo.edit("person", person, {field: value})
    world.sync()

    failure = world.failure()
    assert (failure.cause, failure.side, failure.key) == (cause, "dynamics", f"lead.{column}:{field}")
    assert world.dynamics.get("lead", guid) == before
    assert world.dynamics.truth.last_id == calls
    assert world.marketo.get("person", person).get(field) == value
    assert world.quiet(2)


def test_an_address_marketo_cannot_take_is_a_failure_of_that_field():
    world = World()
    guid, person = world.linked(jobtitle="Mate")
    world.dynamics.edit("lead", guid, {"emailaddress1": "ø@fjord.example", "jobtitle": "Captain"})
    world.sync()

    assert (world.failure().cause, world.failure().side) == ("non_ascii_email", "marketo")
    assert world.marketo.get("person", person)["email"] == "lead1@fjord.example"
    assert world.marketo.get("person", person)["title"] == "Captain"


def test_a_person_whose_address_marketo_cannot_take_is_made_without_it():
    world = World()
    guid = world.dynamics.create("lead", {"lastname": "Vik", "emailaddress1": "ø@fjord.example"})
    world.sync(3)

    assert world.person_of(guid)["lastName"] == "Vik"
    assert "email" not in world.person_of(guid)
    assert world.failure().cause == "non_ascii_email"
    assert world.quiet()


# --- what Dynamics refuses -------------------------------------------------------------------------------------------


def vetoed():
    world = World()
    guid, person = world.linked(jobtitle="Mate", address1_city="Bergen")
    world.dynamics.configure(
        vetoes=[{"entity": "lead", "column": "jobtitle", "value": "Boss", "message": "No bosses here."}]
    )
    world.marketo.edit("person", person, {"title": "Boss", "city": "Oslo"})
    world.sync()
    return world, guid, person


def test_what_a_plug_in_refuses_is_told_in_its_words_and_not_sent_again():
    world, guid, _person = vetoed()

    failure = world.failure()
    assert (failure.cause, failure.code) == ("refused_by_plugin", "0x80040265")
    assert "No bosses here." in failure.message
    assert world.dynamics.get("lead", guid)["jobtitle"] == "Mate"
    attempts = failure.attempts
    world.sync(3)
    assert world.failure().attempts == attempts
    assert world.quiet()


def test_a_value_that_is_another_records_key_is_told_and_not_given_up_in_silence():
    world = World(started=False)
    world.marketo.add_field("number", "Number", "integer")
    world.set_up()
    world.pair("contact", "nvk_marketoid", "number")
    world.linked("contact", nvk_marketoid=1)
    guid, person = world.linked("contact", nvk_marketoid=2)
    world.marketo.edit("person", person, {"number": 1, "title": "Boss"})
    world.sync()

    failure = world.failure()
    assert (failure.link, failure.cause, failure.code) == (world.link_of(guid), "key_taken", "0x80060892")
    assert world.quiet(2)
    world.marketo.edit("person", person, {"number": 3})
    world.sync()
    there = world.dynamics.get("contact", guid)
    assert (there["nvk_marketoid"], there["jobtitle"]) == (3, "Boss")
    assert not Failure.objects.filter(closed_at=None).exists()


def test_a_refused_record_holds_only_itself():
    world = World()
    guid, person = world.linked(jobtitle="Mate")
    other, second = world.linked(jobtitle="Mate")
    world.dynamics.configure(vetoes=[{"entity": "lead", "column": "jobtitle", "value": "Boss"}])
    world.marketo.edit("person", person, {"title": "Boss"})
    world.marketo.edit("person", second, {"title": "Captain"})
    world.sync()

    assert world.dynamics.get("lead", guid)["jobtitle"] == "Mate"
    assert world.dynamics.get("lead", other)["jobtitle"] == "Captain"
    assert world.failure().link == world.link_of(guid)


def test_a_refused_record_is_tried_again_when_a_value_changes():
    world, guid, person = vetoed()
    world.marketo.edit("person", person, {"title": "Captain"})
    world.sync()

    assert world.dynamics.get("lead", guid)["jobtitle"] == "Captain"
    assert world.dynamics.get("lead", guid)["address1_city"] == "Oslo"
    assert not Failure.objects.filter(closed_at=None).exists()


def test_a_refusal_ends_when_the_values_go_back():
    world, guid, person = vetoed()
    world.marketo.edit("person", person, {"title": "Mate", "city": "Bergen"})
    world.sync(2)

    assert not Failure.objects.filter(closed_at=None).exists()
    assert "*dynamics" not in world.link_of(guid).held
    assert world.quiet()


def test_a_refused_record_goes_on_reading_the_other_way():
    world, guid, person = vetoed()
    world.dynamics.edit("lead", guid, {"telephone1": "+47 1"})
    world.sync()

    assert world.marketo.get("person", person)["phone"] == "+47 1"


def test_a_column_the_sync_user_may_not_write_holds_only_that_column():
    world = World()
    guid, person = world.linked(jobtitle="Mate", address1_city="Bergen")
    world.dynamics.configure(secured={"lead": {"jobtitle": ["update"]}})
    world.marketo.edit("person", person, {"title": "Boss", "city": "Oslo"})
    world.sync(2)

    assert world.dynamics.get("lead", guid)["address1_city"] == "Oslo"
    assert world.dynamics.get("lead", guid)["jobtitle"] == "Mate"
    assert world.failure().cause == "permission_column"
    assert world.quiet()


def test_a_closed_record_that_refuses_is_a_failure_until_it_is_opened():
    world = World()
    guid, person = world.linked(jobtitle="Mate")
    world.dynamics.configure(closed_readonly=True)
    world.dynamics.deactivate("lead", guid)
    world.sync()
    world.marketo.edit("person", person, {"title": "Boss"})
    world.sync()
    assert world.failure().cause == "inactive_record"

    world.dynamics.configure(closed_readonly=False)
    world.dynamics.reactivate("lead", guid)
    world.release()
    world.sync(2)

    assert world.dynamics.get("lead", guid)["jobtitle"] == "Boss"
    assert not Failure.objects.filter(closed_at=None).exists()


# --- creates ---------------------------------------------------------------------------------------------------------


def ask(world, **values):
    person = world.marketo.create("person", values)
    return sync_person.ask(world.context(), Asked(int(person), Table.LEAD))


@pytest.mark.parametrize(
    ("values", "cause"),
    [
        ({"firstName": "Ida", "email": "ida@fjord.example"}, "last_name_missing"),
        ({"lastName": "Vik", "email": "ida@fjord"}, "malformed_email"),
    ],
)
def test_a_create_that_breaks_a_rule_of_the_forms_is_not_sent(values, cause):
    world = World()
    answer = ask(world, **values)

    assert answer.status == "failed"
    assert world.failure().cause == cause
    assert not list(world.dynamics.rows("lead"))


def test_a_bad_value_beside_the_required_ones_keeps_only_itself_out_of_a_create():
    world = World()
    answer = ask(world, lastName="Vik", email="vik@fjord.example", title="x" * 150)
    world.sync(2)

    assert answer.status == "created"
    assert "jobtitle" not in world.dynamics.get("lead", answer.crm_id)
    assert world.failure().cause == "too_long"


def test_a_required_column_gets_its_default_on_create_only():
    world = World()
    answer = ask(world, firstName="Ida", lastName="Vik", email="vik@fjord.example")

    assert world.dynamics.get("lead", answer.crm_id)["subject"] == "Ida Vik (Marketo)"
    world.dynamics.edit("lead", answer.crm_id, {"subject": "Crane"})
    world.sync(2)
    assert world.dynamics.get("lead", answer.crm_id)["subject"] == "Crane"


def test_a_pairs_own_default_fills_a_required_column():
    world = World()
    world.pair("lead", "lastname", "lastName", default="Unknown ({email})")
    answer = ask(world, firstName="Ida", email="ida@fjord.example")

    assert answer.status == "created"
    assert world.dynamics.get("lead", answer.crm_id)["lastname"] == "Unknown (ida@fjord.example)"
