"""Bugs that were found, each named after what it would have cost the user."""

from __future__ import annotations

import pytest

from syncadmin.services import pull_dynamics
from syncadmin.store.models import Link
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return World()


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
