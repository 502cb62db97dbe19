"""Fields of the built-in sync that a plain account lacks are offered, and made only when somebody asks."""

from __future__ import annotations

import pytest

from syncadmin.services import offered_fields
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


def test_nothing_offered_is_made_by_itself() -> None:
    world = World()
    _, person = world.linked(statuscode=2)
    assert "dynStatusReason" in {field.name for field in offered_fields.offered()}
    assert "dynStatusReason" not in (world.marketo.get("person", person) or {})


def test_a_field_asked_for_is_made_paired_and_filled_for_everyone() -> None:
    world = World()
    _, person = world.linked(statuscode=2)

    offered_fields.make(world.context(), ["dynStatusReason"], who="ada")
    world.settle()

    assert world.marketo.get("person", person)["dynStatusReason"] == "Contacted"
    assert "dynStatusReason" not in {field.name for field in offered_fields.offered()}


def test_what_is_not_offered_is_not_made() -> None:
    world = World()
    with pytest.raises(offered_fields.NotMade, match="Not offered: dynNothing"):
        offered_fields.make(world.context(), ["dynNothing"], who="ada")
