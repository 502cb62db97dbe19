"""The loop (design 3.1): run, wait, run; cursors that never run ahead; lost tokens; pausing."""

from __future__ import annotations

import gc
from datetime import timedelta

import pytest
from celery.signals import worker_process_init

from syncadmin.celery import app
from syncadmin.collector import BATCH
from syncadmin.sandbox.faults import Fault
from syncadmin.services import cycle, pull_dynamics, pull_marketo, resolve, setup
from syncadmin.store import options, runs, work
from syncadmin.store.models import Checkpoint, Failure, Run
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """kill -9 at this very place."""


@pytest.fixture
def world():
    return World()


def wait(world):
    return cycle.waiting(options.read(), runs.last())


# --- when ------------------------------------------------------------------------------------------------------------


def test_the_next_run_is_due_after_the_wait(world):
    guid, _ = world.linked()
    world.settle()
    world.dynamics.edit("lead", guid, {"jobtitle": "Boss"})
    run = world.sync()

    assert cycle.due(run.started_at + timedelta(seconds=9)) is False
    assert cycle.due(run.started_at + timedelta(seconds=10)) is True


def test_the_wait_grows_while_nothing_changes_and_shrinks_with_the_first_change(world):
    guid, _ = world.linked()
    setup.change("longest_wait", 30, who="ada", now=world.clock())
    world.settle()
    world.sync(3)
    grown = wait(world)
    world.sync(8)
    assert timedelta(seconds=10) < grown <= wait(world) == timedelta(seconds=30)

    world.dynamics.edit("lead", guid, {"jobtitle": "Boss"})
    world.sync()
    assert wait(world) == timedelta(seconds=10)


def test_runs_follow_at_once_while_a_backfill_is_busy_and_not_while_it_has_to_wait(world):
    """Else live edits would wait behind it, or a day's calls would go into asking for them."""
    world.settle()
    Checkpoint.objects.update_or_create(name="dynamics.lead.full", defaults={"position": {"state": "reading"}})
    begun = world.clock()

    def after(seconds):
        ended = begun + timedelta(seconds=seconds)
        return cycle.waiting(options.read(), [Run(started_at=begun, finished_at=ended, counts={"linked": 1})])

    assert after(6) == timedelta(seconds=5)
    assert after(1) == timedelta(seconds=10)


def test_an_idle_run_costs_few_calls_and_counts_nothing(world):
    world.linked()
    world.settle()
    run = world.sync()

    assert run.counts == {}
    assert sum(run.calls.values()) <= 6


def test_nothing_runs_before_the_start():
    world = World(started=False)
    assert cycle.due(world.clock()) is False


def test_pausing_stops_everything_and_loses_nothing(world):
    guid, person = world.linked()
    resolve.pause("ada", world.clock())
    world.dynamics.edit("lead", guid, {"jobtitle": "Boss"})
    world.marketo.edit("person", person, {"city": "Bergen"})
    before = world.ours("dynamics"), world.ours("marketo")
    assert cycle.due(world.clock() + timedelta(days=1)) is False
    world.sync(2)
    assert (world.ours("dynamics"), world.ours("marketo")) == before

    world.clock.forward(days=1)
    resolve.resume("ada", world.clock())
    assert cycle.due(world.clock()) is True
    world.settle()
    assert world.marketo.get("person", person)["title"] == "Boss"
    assert world.dynamics.get("lead", guid)["address1_city"] == "Bergen"


def test_a_released_failure_goes_into_the_next_run(world):
    guid, person = world.linked()
    world.dynamics.configure(vetoes=[{"entity": "lead", "column": "jobtitle", "value": "Boss", "message": "No"}])
    world.marketo.edit("person", person, {"title": "Boss"})
    world.settle()
    assert world.dynamics.get("lead", guid).get("jobtitle") is None
    world.dynamics.configure(vetoes=[])
    world.sync()
    assert world.dynamics.get("lead", guid).get("jobtitle") is None

    resolve.release([world.failure().pk], "ada", world.clock())
    world.sync()
    assert world.dynamics.get("lead", guid)["jobtitle"] == "Boss"
    assert not Failure.objects.filter(closed_at=None).exists()


# --- cursors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [pull_marketo.CHANGES, pull_marketo.EVENTS, pull_marketo.DELETED])
def test_a_lost_paging_token_is_taken_from_the_last_line_less_an_hour(world, name):
    guid, person = world.linked()
    other, gone = world.linked()
    Checkpoint.objects.filter(name=name).update(cursor="")
    world.marketo.edit("person", person, {"city": "Bergen"})
    world.marketo.delete("person", gone)
    world.settle()

    assert world.dynamics.get("lead", guid)["address1_city"] == "Bergen"
    assert world.link_of(other).marketo_deleted is True
    assert world.quiet()


def test_a_refused_paging_token_loses_no_change(world):
    guid, person = world.linked()
    world.marketo.edit("person", person, {"city": "Bergen"})
    world.marketo.faults.add(Fault("expired_delta", path="/rest/v1/activities/leadchanges*"))
    world.settle()

    assert world.dynamics.get("lead", guid)["address1_city"] == "Bergen"


def test_an_expired_delta_token_loses_no_change(world):
    guid, person = world.linked()
    world.dynamics.edit("lead", guid, {"jobtitle": "Boss"})
    world.dynamics.expire_delta_tokens()
    world.settle()

    assert world.marketo.get("person", person)["title"] == "Boss"
    assert work.checkpoint(pull_dynamics.delta_name("lead")).cursor != ""


@pytest.mark.parametrize("place", ["pull.page", "merge.batch", "push.dynamics.answered", "push.marketo.answered"])
def test_a_worker_that_dies_loses_nothing_and_the_next_one_goes_on(world, place):
    guid, person = world.linked()
    world.dynamics.edit("lead", guid, {"jobtitle": "Boss"})
    world.marketo.edit("person", person, {"city": "Bergen"})

    def die(name):
        if name == place:
            raise Killed

    world.border = die
    with pytest.raises(Killed):
        world.sync()
    world.border = lambda name: None
    world.clock.forward(seconds=120)
    world.settle()

    assert world.marketo.get("person", person)["title"] == "Boss"
    assert world.dynamics.get("lead", guid)["address1_city"] == "Bergen"
    assert world.quiet()


def test_pages_told_again_change_nothing(world):
    guid, person = world.linked()
    marks = {row.name: row.cursor for row in Checkpoint.objects.all()}
    world.dynamics.edit("lead", guid, {"jobtitle": "Boss"})
    world.marketo.edit("person", person, {"city": "Bergen"})
    world.settle()
    world.clock.forward(minutes=20)
    world.settle()
    for name in (pull_dynamics.delta_name("lead"), pull_marketo.CHANGES, pull_marketo.EVENTS, pull_marketo.DELETED):
        Checkpoint.objects.filter(name=name).update(cursor=marks[name])

    assert world.quiet(3)


# --- trouble ---------------------------------------------------------------------------------------------------------


def test_while_one_system_is_away_the_other_is_read_on(world):
    guid, person = world.linked()
    world.dynamics.faults.add(Fault("unavailable", path="/api/*", times=-1))
    world.marketo.edit("person", person, {"city": "Bergen"})
    run = world.sync()
    assert run.finished_at is not None
    world.dynamics.faults.clear()
    world.settle()

    assert world.dynamics.get("lead", guid)["address1_city"] == "Bergen"


def test_a_run_costs_what_has_changed(world):
    world.dynamics.load("lead", [{"lastname": f"L{n}", "emailaddress1": f"{n}@x.example"} for n in range(20)])
    world.settle()
    guid = next(iter(world.dynamics.rows("lead")))["leadid"]
    world.dynamics.edit("lead", guid, {"jobtitle": "Boss"})
    run = world.sync()

    assert run.counts["read_dynamics"] == 1
    assert run.counts["merged_links"] <= 2
    assert world.person_of(guid)["title"] == "Boss"


def test_at_most_one_run_is_open(world):
    first = runs.open_one(world.clock())
    assert first is not None
    assert runs.open_one(world.clock()) is None
    world.sync()
    assert Run.objects.filter(finished_at=None).count() == 0


def test_a_worker_spends_no_time_looking_for_garbage_among_what_it_has_loaded():
    kept = gc.get_threshold()
    assert app.main == "syncadmin"  # its module is what listens
    try:
        worker_process_init.send(sender=None)
        assert gc.get_freeze_count() > 50_000
        assert gc.get_threshold() == (BATCH, 20, 20)
    finally:
        gc.unfreeze()
        gc.set_threshold(*kept)
