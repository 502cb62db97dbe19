"""Answers no documentation foresees: they cost their own record at most; nothing is blanked, nothing is lost."""

from __future__ import annotations

import pytest

from syncadmin.store.models import Failure
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)
LEADS, PEOPLE = "/api/data/v9.2/leads*", "/rest/v1/leads.json"


@pytest.fixture
def two():
    """Two people in step; something is then wrong with what is answered about the first."""
    world = World()
    first, second = world.linked(jobtitle="Mate", address1_city="Bergen"), world.linked(jobtitle="Cook")
    return world, first, second


def spoil(world, side, id, change):
    """Changes one record in every answer that names it."""
    path, key, rows = (LEADS, "leadid", "value") if side == "dynamics" else (PEOPLE, "id", "result")

    def each(answer):
        for row in answer.get(rows) or [answer]:
            if isinstance(row, dict) and str(row.get(key)) == id:
                change(row)

    world.wires[side].spoil(path, each)


def edit_both_records(world, side, first, second):
    """One edit each, so that both are read again."""
    for guid, person in (first, second):
        if side == "dynamics":
            world.dynamics.edit("lead", guid, {"telephone1": "+47 1"})
        else:
            world.marketo.edit("person", person, {"phone": "+47 1"})


def nothing_lost(world, first, second):
    """The second person went on; the first kept title and town on both sides."""
    (guid, person), (other, another) = first, second
    assert world.dynamics.get("lead", other)["telephone1"] == world.marketo.get("person", another)["phone"] == "+47 1"
    lead, there = world.dynamics.get("lead", guid), world.marketo.get("person", person)
    assert (lead["jobtitle"], lead["address1_city"]) == ("Mate", "Bergen")
    assert (there["title"], there["city"]) == ("Mate", "Bergen")


WRONG = [5, True, {"a": 1}, ["x"], 10**30, 1.5, "x" * 10_000_000]


@pytest.mark.parametrize("value", WRONG, ids=lambda value: str(value)[:12])
@pytest.mark.parametrize("side", ["dynamics", "marketo"])
def test_a_value_of_a_wrong_type_or_size_holds_at_most_its_field(two, side, value):
    world, first, second = two
    name, _there = ("description", "mktoPersonNotes") if side == "dynamics" else ("mktoPersonNotes", "description")
    spoil(world, side, first[0] if side == "dynamics" else first[1], lambda row: row.update({name: value}))
    edit_both_records(world, side, first, second)
    world.sync(2)

    nothing_lost(world, first, second)
    assert world.dynamics.get("lead", first[0]).get("telephone1") == "+47 1"
    assert world.marketo.get("person", first[1]).get("phone") == "+47 1"
    assert world.quiet()


@pytest.mark.parametrize("side", ["dynamics", "marketo"])
def test_an_absent_field_is_never_read_as_empty(two, side):
    world, first, second = two
    spoil(
        world,
        side,
        first[0] if side == "dynamics" else first[1],
        lambda row: row.pop("jobtitle" if side == "dynamics" else "title", None),
    )
    edit_both_records(world, side, first, second)
    world.sync(2)

    nothing_lost(world, first, second)


@pytest.mark.parametrize("side", ["dynamics", "marketo"])
def test_a_page_with_a_row_without_its_id_is_asked_for_until_it_has_one(two, side):
    """Passing over the row would lose whatever it tells; the other direction goes on meanwhile."""
    world, first, second = two
    spoil(
        world,
        side,
        first[0] if side == "dynamics" else first[1],
        lambda row: row.pop("leadid" if side == "dynamics" else "id"),
    )
    edit_both_records(world, side, first, second)
    world.sync(2)
    assert world.failure().cause == "malformed_answer"
    world.wires[side].clean()
    world.sync(3)

    nothing_lost(world, first, second)
    assert not Failure.objects.filter(closed_at=None).exists()


def test_a_number_that_is_no_option_is_a_failure_of_that_field(two):
    world, first, second = two
    spoil(world, "dynamics", first[0], lambda row: row.update({"leadsourcecode": 999}))
    edit_both_records(world, "dynamics", first, second)
    world.sync(2)

    nothing_lost(world, first, second)
    failure = world.failure()
    assert (failure.cause, failure.key) == ("unknown_option", "lead.leadsourcecode:leadSource")


@pytest.mark.parametrize("name", ["Ida \x00 Vik", "Ida \ud800 Vik", "Ida \x07 Vik"])
@pytest.mark.parametrize("side", ["dynamics", "marketo"])
def test_a_name_with_a_character_nobody_can_store_is_a_failure_of_the_name(two, side, name):
    world, first, second = two
    column = "firstname" if side == "dynamics" else "firstName"
    spoil(world, side, first[0] if side == "dynamics" else first[1], lambda row: row.update({column: name}))
    edit_both_records(world, side, first, second)
    world.sync(2)

    nothing_lost(world, first, second)
    assert world.failure().cause == "illegal_characters"
    assert world.quiet()


@pytest.mark.parametrize("name", ["Ida 🚢", "李小龍", "مريم", "Zoë\u200d", "O’Brien-Łuczak"])
def test_names_of_all_kinds_travel_as_they_are(name):
    world = World()
    guid, person = world.linked(firstname=name)
    assert world.marketo.get("person", person)["firstName"] == name

    world.marketo.edit("person", person, {"lastName": name})
    world.sync()
    assert world.dynamics.get("lead", guid)["lastname"] == name
    assert not Failure.objects.exists()


@pytest.mark.parametrize("rows", [None, {}, "none", 7, [None], [7], [[]]])
@pytest.mark.parametrize(("side", "path", "key"), [("dynamics", LEADS, "value"), ("marketo", PEOPLE, "result")])
def test_a_page_of_a_wrong_shape_is_asked_for_again(two, side, path, key, rows):
    world, first, second = two
    world.wires[side].spoil(path, lambda answer: answer.update({key: rows}))
    edit_both_records(world, side, first, second)
    world.sync(2)
    world.wires[side].clean()
    world.clock.forward(minutes=5)
    world.sync(3)

    nothing_lost(world, first, second)
    assert world.dynamics.get("lead", first[0])["telephone1"] == "+47 1"
    assert world.quiet()
