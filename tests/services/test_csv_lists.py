"""Two public lists of people, loaded as they are, end where they belong, field by field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from syncadmin.sandbox import csvload
from syncadmin.store import options
from syncadmin.store.models import Failure, Link
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
# Dynamics column: Marketo field, as Adobe's own sync pairs them.
SAME = {
    "firstname": "firstName",
    "lastname": "lastName",
    "emailaddress1": "email",
    "companyname": "company",
    "address1_line1": "address",
    "address1_city": "city",
    "address1_stateorprovince": "state",
    "address1_postalcode": "postalCode",
    "telephone1": "phone",
}


def rows_of(name: str, side: str, entity: str) -> list[dict[str, Any]]:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not shipped with the project")
    with path.open("rb") as file:
        return list(csvload.read(file, side, entity)[0])


def assert_same(lead: dict[str, Any], person: dict[str, Any]) -> None:
    """Field by field; blanks around a text are nobody's value."""
    there = {column: lead.get(column) for column in SAME}
    here = {column: (person.get(field) or "").strip() or None for column, field in SAME.items()}
    assert there == here


def test_500_leads_give_500_people() -> None:
    rows = rows_of("us-500.csv", "dynamics", "lead")
    world = World()
    world.dynamics.load("lead", rows)

    world.settle()

    leads = list(world.dynamics.rows("lead"))
    assert len(leads) == 500
    assert Link.objects.filter(dynamics__isnull=False, marketo__isnull=False).count() == 500
    assert len(list(world.marketo.rows("person"))) == 500
    for lead in leads:
        person = world.person_of(lead["leadid"])
        assert_same(lead, person)
    assert Failure.objects.count() == 0


def test_59_people_wait_for_the_list_and_then_are_leads() -> None:
    rows = rows_of("chinook-customers.csv", "marketo", "person")
    world = World()
    list_id = world.marketo.add_list("Create in Dynamics")
    options.write("list_id", list_id)
    ids = world.marketo.load("person", rows)
    world.settle()
    assert list(world.dynamics.rows("lead")) == []

    world.marketo.add_to_list(list_id, ids)
    world.settle()

    leads = list(world.dynamics.rows("lead"))
    assert len(leads) == 59
    for person in (world.marketo.get("person", id) for id in ids):
        assert person is not None
        lead = world.record_of(str(person["id"]))
        assert_same(lead, person)
        assert lead["subject"] == f"{person['firstName']} {person['lastName']} (Marketo)"
