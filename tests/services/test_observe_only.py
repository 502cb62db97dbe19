"""A sync that only observes reads and decides, and writes nothing anywhere: the rehearsal before a start."""

from __future__ import annotations

import json

import pytest

from syncadmin.services import sync_person
from syncadmin.store import options
from syncadmin.store.models import Activity, PendingWrite, SyncRequest
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


def states(world):
    return [json.dumps([list(each.rows(kind)) for kind in kinds], sort_keys=True, default=str) for each, kinds in (
        (world.dynamics, ("lead", "contact")), (world.marketo, ("person",)),
    )]  # fmt: skip


def test_nothing_is_written_until_observing_ends():
    world = World(observe_only=True)
    lead = world.dynamics.create(
        "lead", {"subject": "Pumps", "lastname": "King", "emailaddress1": "king@example.com", "jobtitle": "Boss"}
    )
    long = world.marketo.create("person", {"lastName": "Long", "email": "long@example.com", "title": "x" * 255})
    world.dynamics.create("lead", {"subject": "Valves", "lastname": "Long", "emailaddress1": "long@example.com"})
    new = world.marketo.create("person", {"lastName": "New", "email": "new@example.com"})
    before = states(world)
    logged = {person: len(world.marketo.activities_of(person)) for person in (long, new)}

    sync_person.queue([int(new)], sync_as="lead", source="list", now=world.clock())
    world.settle()

    assert states(world) == before
    assert {person: len(world.marketo.activities_of(person)) for person in (long, new)} == logged
    assert PendingWrite.objects.filter(op="create").count() == 1
    assert Activity.objects.filter(kind="failed").exists()
    assert SyncRequest.objects.get().finished_at is None

    options.write("observe_only", False)
    world.settle()

    assert world.person_of(lead)["title"] == "Boss"
    assert world.record_of(new)["lastname"] == "New"
    assert len(world.marketo.activities_of(long)) > logged[long]
