"""The list of people says what links, records and their matters say, whoever changed them and however."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connections, transaction

from syncadmin.services import listing as service
from syncadmin.services import merges
from syncadmin.store import listing, locks
from syncadmin.store.models import (
    Conflict,
    Decision,
    DynamicsRecord,
    Failure,
    Link,
    ListedPerson,
    ListedWord,
    MarketoPerson,
    PendingWrite,
    Touched,
)
from syncadmin.store.models.listing import STATES
from tests.web.people import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return World()


def _listed() -> dict[str, list[str]]:
    """By name, the states that hold; caught up first."""
    while listing.catch_up(1_000):
        pass
    return {row.name: [state for state in STATES if getattr(row, state)] for row in ListedPerson.objects.all()}


def _words(name: str) -> set[str]:
    person = ListedPerson.objects.get(name=name).pk
    return set(ListedWord.objects.filter(person=person).values_list("word", flat=True))


def test_each_matter_comes_and_goes(world: World) -> None:
    link = world.linked("Ada")
    assert _listed() == {"Ada": ["in_step"]}
    failure = world.failure(link)
    conflict = world.conflict(link, state="open")
    decision = world.decision(link=link)
    write = world.writing(link)
    assert _listed() == {"Ada": ["waiting", "failed", "conflict", "decision"]}
    Failure.objects.filter(pk=failure.pk).update(closed_at=world.now)
    Conflict.objects.filter(pk=conflict.pk).update(state="decided")
    Decision.objects.filter(pk=decision.pk).delete()
    PendingWrite.objects.filter(pk=write.pk).delete()
    assert _listed() == {"Ada": ["in_step"]}


def test_a_log_entry_to_be_written_is_nothing_to_wait_for(world: World) -> None:
    link = world.linked("Ada")
    world.writing(link, op="log")
    assert _listed() == {"Ada": ["in_step"]}


@pytest.mark.parametrize(
    ("given", "states"),
    [
        ({"dirty": True}, ["waiting"]),
        ({"stopped": True}, ["stopped"]),
        ({"dynamics_deleted": True}, ["deleted"]),
        ({"marketo_deleted": True}, ["deleted"]),
        ({"marketo": None}, ["waiting"]),
    ],
)
def test_a_change_of_a_link_shows(world: World, given: dict[str, Any], states: list[str]) -> None:
    link = world.linked("Ada")
    _listed()
    Link.objects.filter(pk=link.pk).update(**given)
    MarketoPerson.objects.all().update(name="Somebody")
    assert _listed()["Ada"] == states


def test_records_are_listed_while_they_are_alone(world: World) -> None:
    record, person = world.in_dynamics("Here"), world.in_marketo("There")
    assert _listed() == {"Here": ["only_dynamics"], "There": ["only_marketo"]}
    link = Link.objects.create(dynamics=record.guid, marketo=person.person, name="Both", linked_at=world.now)
    assert _listed() == {"Both": ["in_step"]}
    assert set(ListedWord.objects.values_list("word", flat=True)) == {"both"}
    Link.objects.filter(pk=link.pk).update(marketo=None)
    assert _listed() == {"Both": ["waiting"], "There": ["only_marketo"]}
    link.delete()
    assert _listed() == {"Here": ["only_dynamics"], "There": ["only_marketo"]}
    MarketoPerson.objects.all().delete()
    assert _listed() == {"Here": ["only_dynamics"]}


def test_a_record_alone_has_its_own_matters(world: World) -> None:
    record, person = world.in_dynamics("Here", due="waiting"), world.in_marketo("There")
    world.failure(subject=f"marketo:{person.person}")
    assert _listed() == {"Here": ["waiting", "only_dynamics"], "There": ["failed", "only_marketo"]}
    world.decision(subject=f"lead:{record.guid}")
    DynamicsRecord.objects.update(due="decision")
    assert _listed()["Here"] == ["decision", "only_dynamics"]
    DynamicsRecord.objects.update(deleted_at=world.now)
    assert _listed()["Here"] == ["deleted"]
    assert not ListedPerson.objects.get(name="Here").present
    DynamicsRecord.objects.update(filtered=True)
    assert "Here" not in _listed()


def test_who_is_renamed_is_found_under_the_new_name_only(world: World) -> None:
    link = world.linked("Ada Byron")
    _listed()
    Link.objects.filter(pk=link.pk).update(name="Ada Núñez", email="ada@nunez.example")
    _listed()
    assert _words("Ada Núñez") == {"ada", "nunez", "ada@nunez.example"}
    assert ListedPerson.objects.get().sorted == "ada nunez"


def test_who_has_no_name_stands_under_the_address(world: World) -> None:
    world.linked("Zoe")
    Link.objects.update(name="", email="Info@Example.org")
    _listed()
    assert ListedPerson.objects.get().sorted == "info@example.org"


def test_who_was_gone_before_anything_was_read_of_them_is_not_listed(world: World) -> None:
    merges.remember_gone([4711], world.now)
    assert _listed() == {}
    merges.remember_gone([4711], world.now)
    assert MarketoPerson.objects.get(person=4711).deleted_at == world.now


def test_a_change_that_the_list_does_not_show_is_no_note(world: World) -> None:
    link = world.linked("Ada")
    failure = world.failure(link)
    _listed()
    Link.objects.filter(pk=link.pk).update(agreed={}, held={}, lane="retry")
    Failure.objects.filter(pk=failure.pk).update(attempts=9)
    MarketoPerson.objects.update(values={"title": "x"}, hash="y")
    assert not Touched.objects.exists()


def test_catching_up_twice_changes_nothing(world: World) -> None:
    for name in ("Ada", "Bo", "Cy"):
        world.linked(name)
    before = _listed()
    ids = set(ListedPerson.objects.values_list("pk", flat=True))
    for link in Link.objects.all():
        Touched.objects.create(links=[link.pk])
    assert _listed() == before
    assert set(ListedPerson.objects.values_list("pk", flat=True)) == ids


def test_a_few_notes_at_a_time(world: World) -> None:
    for number in range(5):
        world.in_dynamics(f"Person {number}")
    assert [listing.catch_up(2) for _ in range(4)] == [2, 2, 1, 0]
    assert ListedPerson.objects.count() == 5


def test_the_page_itself_takes_what_was_touched_just_now(world: World) -> None:
    assert not service.glance()
    for number in range(service.SIP + 1):
        Touched.objects.create(people=[number])
    assert service.glance()
    assert not service.glance()


@pytest.mark.django_db(transaction=True)
def test_one_session_at_a_time_catches_up() -> None:
    world = World()
    world.linked("Ada")
    other = connections.create_connection("default")
    try:
        with transaction.atomic():
            assert locks.try_in_transaction(locks.Lock.LISTING)
            before = connections["default"]
            connections["default"] = other
            try:
                assert listing.catch_up(100) == 0
            finally:
                connections["default"] = before
        assert listing.catch_up(100) > 0
    finally:
        other.close()


def test_a_statement_is_noted_at_once_but_not_in_one_note_however_much_it_changes(world: World) -> None:
    people = [MarketoPerson(person=number, name=f"P {number}", seen_at=world.now) for number in range(1_200)]
    MarketoPerson.objects.bulk_create(people)
    assert sorted(Touched.objects.values_list("size", flat=True)) == [200, 500, 500]
    # A note is taken whole, and no other once there are enough.
    taken = [listing.catch_up(501) for _ in range(2)]
    assert taken in ([700, 500], [1_000, 200])
    assert ListedPerson.objects.count() == 1_200
