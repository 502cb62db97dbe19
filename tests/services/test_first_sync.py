"""The main job: what stands on one side reaches the other, and then nothing more happens."""

from __future__ import annotations

import pytest

from syncadmin.store.models import Activity, Link
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_new_lead_becomes_a_person() -> None:
    world = World()
    guid = world.dynamics.create(
        "lead", {"firstname": "Ida", "lastname": "Solheim", "emailaddress1": "ida@fjord.example", "jobtitle": "Boss"}
    )

    world.sync(2)

    person = world.person_of(guid)
    assert person["firstName"] == "Ida"
    assert person["lastName"] == "Solheim"
    assert person["email"] == "ida@fjord.example"
    assert person["title"] == "Boss"
    assert person["dynPersonGuid"] == guid
    assert person["dynPersonType"] == "Lead"
    assert Link.objects.count() == 1
    assert Activity.objects.filter(kind="created").count() == 1


def test_quiet_after_three_runs() -> None:
    world = World()
    world.dynamics.create("lead", {"firstname": "Ida", "lastname": "Solheim", "emailaddress1": "ida@fjord.example"})
    world.sync(3)
    before = (world.dynamics.truth.last_id, world.marketo.truth.last_id)

    world.sync(2)

    assert (world.dynamics.truth.last_id, world.marketo.truth.last_id) == before


def test_edits_travel_both_ways() -> None:
    world = World()
    guid = world.dynamics.create("lead", {"lastname": "Vik", "emailaddress1": "vik@fjord.example"})
    world.sync(2)
    person = str(world.link_of(guid).marketo)

    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    world.sync(1)
    assert world.person_of(guid)["title"] == "Captain"

    world.marketo.edit("person", person, {"city": "Bergen"})
    world.sync(1)
    assert world.dynamics.get("lead", guid)["address1_city"] == "Bergen"
