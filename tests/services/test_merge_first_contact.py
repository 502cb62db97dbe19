"""Two records that are known on both sides meet for the first time."""

from __future__ import annotations

import pytest

from syncadmin.store.models import Conflict
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


def met(table, here, there, *, before=lambda world: None, **chosen):
    world = World(**chosen)
    before(world)
    person = world.marketo.create("person", {"lastName": "Vik", "email": "ida@fjord.example", **there})
    guid = world.dynamics.create(table, {"lastname": "Vik", "emailaddress1": "Ida@fjord.example", **here})
    world.settle()
    assert str(world.link_of(guid).marketo) == person
    return world, guid, person


def values(world, table, guid, person, column="jobtitle", field="title"):
    return world.dynamics.get(table, guid).get(column), world.marketo.get("person", person).get(field)


@pytest.mark.parametrize("first", ["rule", "dynamics", "blanks"])
def test_a_filled_value_fills_an_empty_one_in_every_setting(first):
    world, *ids = met("lead", {"jobtitle": "Mate"}, {"city": "Oslo"}, first_contact=first)

    assert values(world, "lead", *ids) == ("Mate", "Mate")
    assert values(world, "lead", *ids, "address1_city", "city") == ("Oslo", "Oslo")
    assert not Conflict.objects.exists()
    assert world.quiet()


@pytest.mark.parametrize(
    ("table", "first", "here", "there"),
    [
        ("lead", "rule", "Boss", "Boss"),
        ("contact", "rule", "Mate", "Mate"),
        ("lead", "dynamics", "Mate", "Mate"),
        ("contact", "dynamics", "Mate", "Mate"),
        ("lead", "blanks", "Mate", "Boss"),
        ("contact", "blanks", "Mate", "Boss"),
    ],
)
def test_two_filled_values_are_settled_as_the_wizard_was_told(table, first, here, there):
    world, *ids = met(table, {"jobtitle": "Mate"}, {"title": "Boss"}, first_contact=first)

    assert values(world, table, *ids) == (here, there)
    assert world.quiet(2)


def test_after_only_blanks_the_next_edit_travels():
    world, guid, person = met("lead", {"jobtitle": "Mate"}, {"title": "Boss"}, first_contact="blanks")
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    world.sync()

    assert values(world, "lead", guid, person) == ("Captain", "Captain")


def test_the_value_that_lost_on_first_contact_is_kept():
    _world, *_ids = met("lead", {"jobtitle": "Mate"}, {"title": "Boss"})

    conflict = Conflict.objects.get()
    assert (conflict.dynamics_value, conflict.marketo_value, conflict.winner) == ("Mate", "Boss", "marketo")
    assert (conflict.agreed_dynamics, conflict.rule) == (None, "first_rule")


@pytest.mark.parametrize("first", ["rule", "dynamics", "blanks"])
@pytest.mark.parametrize("table", ["lead", "contact"])
@pytest.mark.parametrize("side", ["dynamics", "marketo"])
def test_yes_to_not_being_mailed_wins_whatever_the_rule(table, side, first):
    here, there = (True, False) if side == "dynamics" else (False, True)
    world, *ids = met(table, {"donotbulkemail": here}, {"unsubscribed": there}, first_contact=first)

    assert values(world, table, *ids, "donotbulkemail", "unsubscribed") == (True, True)
    assert world.quiet()


def test_after_first_contact_consent_is_a_field_like_any_other():
    world, guid, person = met("contact", {"donotbulkemail": True}, {})
    world.dynamics.edit("contact", guid, {"donotbulkemail": False})
    world.sync()

    assert not world.marketo.get("person", person).get("unsubscribed")
