"""No screen asks the database more often because there is more to show."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from syncadmin.store import listing
from tests.web.people import CITY, TITLE, World

# What each screen asks, session, user and role included. More is a change somebody has to want.
ASKED = {
    "/": 18,
    "/people/": 8,
    "/people/?q=person": 10,
    "/people/?sort=recent": 8,
    "/people/?q=person&state=failed": 11,
    "/people/1/?kind=held": 24,
    "/people/?state=failed": 8,
    "/people/1/": 23,
    "/failures/": 10,
    "/failures/records/?cause=too_long": 11,
    "/failures/causes/": 5,
    "/decisions/": 12,
    "/conflicts/": 11,
    "/conflicts/?key=lead.jobtitle:title&sort=oldest": 11,
    "/runs/": 6,
    "/runs/1/": 16,
}


def _fill(world: World, number: int, first: int) -> None:
    for place in range(first, first + number):
        link = world.linked(f"Person {place:03}")
        run = world.run()
        world.failure(link, key=TITLE, run=run)
        world.conflict(link, key=CITY, state="open", winner="", run=run)
        world.decision(link=link, facts={"candidates": [{"table": "person", "id": "1", "name": "x", "email": "y"}]})
        world.in_dynamics(f"Person {place:03} alone")
        world.in_marketo(f"Person {place:03} alone")
        for key in (TITLE, CITY):
            world.line(link, "updated", side="marketo", changes=[[key, "a", "b", "one_sided"]], run=run)


def _asked(client: Client, address: str) -> int:
    # The loop does this; a page that finds it undone looks again at a few hundred people itself.
    while listing.catch_up(2_000):
        pass
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


@pytest.mark.parametrize("address", ASKED)
def test_the_number_of_queries_does_not_grow(vic: Client, world: World, address: str) -> None:
    world.connected()
    world.fields()
    _fill(world, 5, 0)
    first = world.linked("First")
    address_of = address.replace("/people/1/", f"/people/{first.pk}/")
    if address == "/runs/1/":
        address_of = f"/runs/{world.run().pk}/"
    # A process asks some things once, the first time anybody shows a page.
    vic.get(address_of)
    few = _asked(vic, address_of)
    _fill(world, 45, 5)
    for _ in range(45):
        world.line(first, "updated", changes=[[TITLE, "a", "b", ""]])
        world.conflict(first)
    assert _asked(vic, address_of) <= few
    assert few <= ASKED[address]
