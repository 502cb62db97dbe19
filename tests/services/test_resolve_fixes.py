"""Mends made where a failure is listed, and answers given by the page: what the next run makes of them."""

from __future__ import annotations

import pytest

from syncadmin.services import bulk_answers, bulk_release, quick_fixes
from syncadmin.services.bulk_answers import Which as Questions
from syncadmin.services.bulk_release import Which
from syncadmin.store import fieldsets, options
from syncadmin.store.models import Decision, Failure, Link
from syncadmin.store.queries import failures
from syncadmin.store.queries.decisions import DecisionFilter
from syncadmin.store.queries.failures import FailureFilter
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


def mended(world, given=""):
    """The only open failure's own mend, made; how many failures it released."""
    row = failures.one(world.failure().pk)
    assert row is not None
    fix = quick_fixes.offered(row)
    assert fix is not None
    return quick_fixes.apply(fix, given, "ada", world.clock())


def test_a_text_mapped_to_an_option_travels_with_the_next_run_and_stays_in_marketo():
    world = World()
    guid, person = world.linked("lead", leadqualitycode=2)
    world.settle()
    world.marketo.edit("person", person, {"rating": "Scorching"})
    world.sync()
    assert world.failure().cause == "unknown_option"
    assert mended(world, "1") == 1
    world.settle()

    assert world.dynamics.get("lead", guid)["leadqualitycode"] == 1
    assert world.marketo.get("person", person)["rating"] == "Scorching"
    assert not Failure.objects.filter(closed_at=None).exists()
    assert world.quiet(2)
    world.marketo.edit("person", person, {"rating": "Warm"})
    world.sync()
    assert world.dynamics.get("lead", guid)["leadqualitycode"] == 2, "labels are known as before"


def test_a_field_that_may_be_cut_passes_with_the_next_run():
    world = World()
    guid, person = world.linked()
    world.settle()
    world.marketo.edit("person", person, {"title": "x" * 150})
    world.sync()
    assert world.failure().cause == "too_long"
    assert mended(world) == 1
    world.settle()

    assert world.dynamics.get("lead", guid)["jobtitle"] == "x" * 100
    assert world.marketo.get("person", person)["title"] == "x" * 150
    assert not Failure.objects.filter(closed_at=None).exists()
    assert [pair.key for pair in fieldsets.pairs(options.read().field_version) if pair.shorten] == [
        "lead.jobtitle:title"
    ]
    assert world.quiet(2)


def test_what_was_put_aside_comes_back_with_another_value():
    world = World()
    _guid, person = world.linked()
    world.settle()
    world.marketo.edit("person", person, {"title": "x" * 150})
    world.sync()
    bulk_release.ignore(Which(wanted=FailureFilter(cause="too_long")), "ada", world.clock())
    world.sync()
    assert world.failure().ignored
    world.marketo.edit("person", person, {"title": "y" * 150})
    world.sync()
    assert not world.failure().ignored


def test_answers_are_carried_out_by_the_next_run_and_before_can_be_taken_back():
    world = World()
    for number in (1, 2):
        email = f"p{number}@fjord.example"
        for _ in range(2):
            world.marketo.create("person", {"lastName": "Vik", "email": email})
        world.dynamics.create("lead", {"lastname": "Vik", "emailaddress1": email})
    world.settle()
    which = Questions(wanted=DecisionFilter(kind="match"))
    assert bulk_answers.offer(which).number == 2
    assert bulk_answers.answer(which, "separate", "ada", world.clock()) == 2
    waiting = Questions(wanted=DecisionFilter(state="waiting"))
    assert bulk_answers.take_back(waiting, "ada", world.clock()) == 2
    world.sync()
    assert not Link.objects.exists()
    bulk_answers.answer(which, "separate", "ada", world.clock())
    world.settle()

    assert Link.objects.exclude(marketo=None).count() == 2
    assert not Decision.objects.filter(answered_at=None).exists()
    assert bulk_answers.take_back(Questions(wanted=DecisionFilter(state="answered")), "ada", world.clock()) == 0
