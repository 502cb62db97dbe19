"""A failure: told once when it opens and once when it closes, tried again at the right time, in nobody else's way."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from syncadmin.sandbox.faults import Fault
from syncadmin.store.models import Activity, Failure
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


def too_long():
    world = World()
    guid, person = world.linked(jobtitle="Mate")
    world.marketo.edit("person", person, {"title": "x" * 150})
    world.sync()
    return world, guid, person


def test_a_failure_is_told_once_here_and_once_in_marketo_however_often_it_is_tried():
    world, guid, person = too_long()
    for number in range(3):
        world.marketo.edit("person", person, {"title": "x" * (151 + number)})
        world.sync()

    assert len(world.told(guid, "failed")) == 1
    assert world.logged(person) == ["Failed"]
    assert Failure.objects.count() == 1


def test_a_failure_closes_itself_and_says_so_once():
    world, guid, person = too_long()
    world.marketo.edit("person", person, {"title": "Captain"})
    world.sync(2)

    assert world.dynamics.get("lead", guid)["jobtitle"] == "Captain"
    assert Failure.objects.get().closed_at is not None
    assert len(world.told(guid, "mended")) == 1
    assert world.logged(person) == ["Failed", "Repaired"]
    assert world.quiet(2)


def test_what_the_persons_log_says_about_a_failure():
    world, guid, person = too_long()
    (row,) = [row for row in world.marketo.activities_of(person) if row.get("p") == "Failed"]

    said = row["a"]
    assert (said["CRM Entity"], said["CRM Record ID"]) == ("lead", guid)
    assert (said["Error Code"], said["Fields"]) == ("too_long", "lead.jobtitle:title")
    assert said["Error Message"] == "The value of jobtitle is longer than 100."
    assert said["Run ID"]


def test_a_failure_of_a_value_waits_for_another_value_not_for_time():
    world, _guid, _person = too_long()
    failure = world.failure()
    assert failure.next_try_at is None
    attempts = failure.attempts
    world.clock.forward(days=2)
    world.sync(2)

    assert world.failure().attempts == attempts


def test_a_failure_ends_when_the_other_side_comes_to_the_same_value():
    world, _guid, person = too_long()
    world.marketo.edit("person", person, {"title": "Mate"})
    world.sync(2)

    assert not Failure.objects.filter(closed_at=None).exists()
    assert world.quiet()


def test_longer_columns_heal_what_was_too_long():
    world, guid, _person = too_long()
    world.dynamics.configure(schema_expires_delta=False)
    world.dynamics.add_column("lead", "jobtitle", type="String", format="Text", length=400, ops="cru", custom=False)
    world.clock.forward(hours=2)
    world.sync(2)

    assert world.dynamics.get("lead", guid)["jobtitle"] == "x" * 150
    assert not Failure.objects.filter(closed_at=None).exists()


def test_an_unknown_option_is_healed_by_a_new_option():
    world = World()
    guid, person = world.linked()
    world.marketo.edit("person", person, {"leadSource": "Pigeon"})
    world.sync()
    assert world.failure().cause == "unknown_option"
    world.dynamics.configure(schema_expires_delta=False)
    world.dynamics.add_column(
        "lead", "leadsourcecode", type="Picklist", ops="cru", custom=False, options=[[1, "Web"], [2, "Pigeon"]]
    )
    world.clock.forward(hours=2)
    world.sync(2)

    assert world.dynamics.get("lead", guid)["leadsourcecode"] == 2
    assert not Failure.objects.filter(closed_at=None).exists()


# --- passing faults --------------------------------------------------------------------------------------------------


def test_a_passing_fault_is_tried_again_with_growing_pauses():
    world = World()
    guid, person = world.linked(jobtitle="Mate")
    world.dynamics.configure(locked=[guid])
    world.marketo.edit("person", person, {"title": "Boss"})
    tries = []
    for _ in range(26):
        before = world.dynamics.truth.last_id, count(world)
        world.clock.forward(seconds=50)
        world.sync()
        if count(world) != before[1]:
            tries.append(world.clock())
    pauses = [later - earlier for earlier, later in itertools.pairwise(tries)]

    assert pauses == sorted(pauses)
    assert pauses[0] >= timedelta(minutes=1)
    assert world.dynamics.get("lead", guid)["jobtitle"] == "Mate"
    assert world.failure().next_try_at is not None


def count(world):
    found = Failure.objects.filter(closed_at=None).first()
    return found.attempts if found else 0


def test_a_record_locked_for_a_while_passes_by_itself():
    world = World()
    guid, person = world.linked(jobtitle="Mate")
    world.dynamics.configure(locked=[guid])
    world.marketo.edit("person", person, {"title": "Boss"})
    world.sync(2)
    world.dynamics.configure(locked=[])
    world.clock.forward(minutes=10)
    world.sync(2)

    assert world.dynamics.get("lead", guid)["jobtitle"] == "Boss"
    assert not Failure.objects.filter(closed_at=None).exists()


# --- nobody waits for anybody ----------------------------------------------------------------------------------------


def test_a_poisoned_record_never_delays_the_others_to_dynamics():
    world = World()
    guids = [
        world.dynamics.create("lead", {"lastname": "Vik", "emailaddress1": f"{n}@fjord.example"}) for n in range(12)
    ]
    world.sync(2)
    world.dynamics.configure(vetoes=[{"entity": "lead", "column": "jobtitle", "value": "Boss"}], locked=[guids[5]])
    for number, guid in enumerate(guids):
        world.marketo.edit(
            "person", world.link_of(guid).marketo, {"title": "Boss" if number == 3 else f"Hand {number}"}
        )
    world.sync()

    held = [guid for guid in guids if "jobtitle" not in world.dynamics.get("lead", guid)]
    assert held == [guids[3], guids[5]]


def test_a_failing_row_of_a_batch_to_marketo_is_its_own():
    world = World()
    guids = [
        world.dynamics.create("lead", {"lastname": "Vik", "emailaddress1": f"{n}@fjord.example"}) for n in range(5)
    ]
    world.sync(2)
    for number, guid in enumerate(guids):
        world.dynamics.edit("lead", guid, {"jobtitle": f"Hand {number}"})
    world.marketo.faults.add(Fault("partial_batch", method="POST", path="/rest/v1/leads.json", value=2))
    world.sync()

    behind = [guid for guid in guids if world.person_of(guid).get("title") is None]
    assert len(behind) == 1
    world.release_all()
    world.clock.forward(hours=5)
    world.sync(2)
    assert all(world.person_of(guid).get("title") for guid in guids)


def test_a_failing_row_of_a_batch_of_creates_is_its_own():
    world = World()
    for n in range(5):
        world.dynamics.create("lead", {"lastname": "Vik", "emailaddress1": f"{n}@fjord.example"})
    world.marketo.faults.add(Fault("partial_batch", method="POST", path="/rest/v1/leads.json", value=3))
    world.sync(2)

    assert len(list(world.marketo.rows("person"))) == 4
    world.release_all()
    world.clock.forward(hours=5)
    world.sync(3)
    assert len(list(world.marketo.rows("person"))) == 5
    assert not Failure.objects.filter(closed_at=None).exists()


def test_a_fault_of_ours_about_one_link_is_told_and_holds_only_that_link():
    """The agreed value is of a shape that no code of ours writes; judging it raises."""
    world = World()
    guid, person = world.linked(jobtitle="Mate")
    other, second = world.linked(jobtitle="Mate")
    link = world.link_of(guid)
    link.agreed = {**link.agreed, "lead.jobtitle:title": ["Mate"]}
    link.save()
    world.dynamics.edit("lead", guid, {"jobtitle": "Captain"})
    world.dynamics.edit("lead", other, {"jobtitle": "Captain"})
    world.sync()

    assert world.marketo.get("person", second)["title"] == "Captain"
    assert world.marketo.get("person", person)["title"] == "Mate"
    failure = world.failure()
    assert (failure.cause, failure.link) == ("unknown", link)
    assert "TypeError" in failure.message

    link.refresh_from_db()
    link.agreed = {**link.agreed, "lead.jobtitle:title": ["Mate", "Mate", 1]}
    link.dirty = True
    link.save()
    world.sync()
    assert world.marketo.get("person", person)["title"] == "Captain"
    assert not Failure.objects.filter(closed_at=None).exists()


def test_history_tells_every_failure_with_its_cause():
    _world, _guid, _person = too_long()
    (line,) = Activity.objects.filter(kind="failed")

    assert (line.details["cause"], line.details["key"]) == ("too_long", "lead.jobtitle:title")
    assert line.details["limit"] == "100"
    assert line.run is not None
