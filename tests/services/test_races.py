"""Somebody edits the Dynamics record in the moment before our write arrives there."""

from __future__ import annotations

import pytest

from syncadmin.sandbox.faults import Fault
from syncadmin.store.models import Conflict
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


def raced(table, changes, **more):
    """Marketo's edit is on its way to Dynamics when somebody edits the record there."""
    world = World()
    guid, person = world.linked(table, jobtitle="Mate", address1_city="Bergen")
    rival = {"entity": table, "id": guid, "changes": changes}
    world.dynamics.faults.add(Fault("rival", method="PATCH", path=f"/api/data/v9.2/{table}s({guid})*", value=rival))
    world.marketo.edit("person", person, {"title": "Boss", **more})
    return world, guid, person


def both(world, table, guid, person, column, field):
    return world.dynamics.get(table, guid).get(column), world.marketo.get("person", person).get(field)


@pytest.mark.parametrize("table", ["lead", "contact"])
def test_an_edit_of_another_column_survives_and_ours_is_written_in_the_same_run(table):
    world, guid, person = raced(table, {"address1_city": "Oslo"})

    run = world.sync()

    assert run.counts["dynamics_stale"] == 1
    assert world.dynamics.get(table, guid)["jobtitle"] == "Boss"
    assert world.dynamics.get(table, guid)["address1_city"] == "Oslo"
    world.sync()
    assert world.marketo.get("person", person)["city"] == "Oslo"
    assert not Conflict.objects.exists()
    assert world.quiet()


@pytest.mark.parametrize(("table", "value", "wins"), [("lead", "Boss", "marketo"), ("contact", "Chief", "dynamics")])
def test_an_edit_of_the_same_column_is_a_collision_by_the_rule(table, value, wins):
    world, guid, person = raced(table, {"jobtitle": "Chief"})

    world.sync()

    assert both(world, table, guid, person, "jobtitle", "title") == (value, value)
    conflict = Conflict.objects.get()
    assert (conflict.dynamics_value, conflict.marketo_value, conflict.winner) == ("Chief", "Boss", wins)
    assert world.quiet(2)


def test_the_same_edit_by_somebody_else_is_no_conflict():
    world, guid, person = raced("lead", {"jobtitle": "Boss"})

    world.sync(2)

    assert both(world, "lead", guid, person, "jobtitle", "title") == ("Boss", "Boss")
    assert not Conflict.objects.exists()


def test_a_rival_who_edits_again_and_again_does_not_hold_the_run():
    world = World()
    guid, person = world.linked(jobtitle="Mate")
    numbers = iter(range(1000))

    def rival():
        world.dynamics.edit("lead", guid, {"address1_city": f"Town {next(numbers)}"}, by="rival")

    world.dynamics.faults.add(
        Fault("rival", method="PATCH", path=f"/api/data/v9.2/leads({guid})*", times=4, value=rival)
    )
    world.marketo.edit("person", person, {"title": "Boss"})
    world.sync(3)

    assert world.dynamics.get("lead", guid)["jobtitle"] == "Boss"
    assert world.marketo.get("person", person)["city"] == "Town 3"


def test_a_record_deleted_right_before_our_write_is_followed_as_deleted():
    world = World()
    guid, person = world.linked(jobtitle="Mate")
    fault = Fault(
        "rival",
        method="PATCH",
        path=f"/api/data/v9.2/leads({guid})*",
        value=lambda: world.dynamics.delete("lead", guid),
    )
    world.dynamics.faults.add(fault)
    world.marketo.edit("person", person, {"title": "Boss"})
    world.sync(2)

    assert world.link_of(guid).dynamics_deleted is True
    assert world.marketo.get("person", person)["dynDeleted"] is True
    assert world.dynamics.get("lead", guid) is None
    assert world.quiet()


def test_a_person_deleted_right_before_our_write_is_not_made_anew_by_it():
    world = World()
    guid, person = world.linked(jobtitle="Mate")
    fault = Fault(
        "rival", method="POST", path="/rest/v1/leads.json", value=lambda: world.marketo.delete("person", person)
    )
    world.marketo.faults.add(fault)
    world.dynamics.edit("lead", guid, {"jobtitle": "Boss"})
    world.sync()

    assert world.marketo.get("person", person) is None
    assert world.dynamics.get("lead", guid)["jobtitle"] == "Boss"
