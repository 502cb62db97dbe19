"""A system that is down is told where an administrator looks first."""

from __future__ import annotations

import pytest

from syncadmin.sandbox.faults import Fault
from syncadmin.services import resolve
from syncadmin.store import options
from syncadmin.store.models import Throughput
from syncadmin.store.queries import overview
from syncadmin.web.words.health import Health, health
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


def seen(world: World) -> Health:
    """What the first line of the Overview says now."""
    return health(overview.overview(options.read(), world.clock()), world.clock())


def test_the_overview_says_which_system_stopped_the_last_run_and_that_it_is_over() -> None:
    world = World()
    world.sync(2)
    world.dynamics.faults.add(Fault("unavailable", path="/api/*", times=-1))
    run = world.sync()
    assert run.complaint == {"code": "unavailable", "side": "dynamics", "step": "pull lead"}
    assert "503" in run.message
    told = seen(world)
    assert (told.level, "503" in told.said) == ("warn", True)

    world.dynamics.faults.clear()
    assert world.sync().complaint == {}
    assert seen(world).level == "good"


def test_a_pause_leaves_no_complaint() -> None:
    world = World()
    world.sync()
    resolve.pause("ada", world.clock())
    assert options.read().paused
    assert world.sync().complaint == {}


def test_what_is_written_is_counted_by_minute_and_hour_for_each_side() -> None:
    world = World()
    world.sync(2)
    guid, _person = world.linked()
    world.settle()
    before = throughput_of("marketo")
    world.dynamics.edit("lead", guid, {"jobtitle": "Boss"})
    world.sync()
    after = throughput_of("marketo")
    assert after == (before[0] + 1, before[1] + 1)


def throughput_of(side: str) -> tuple[int, int]:
    """Records updated on this side, as the minutes and as the hours have it."""
    rows = Throughput.objects.filter(side=side).values_list("seconds", "updated")
    return tuple(sum(updated for seconds, updated in rows if seconds == width) for width in (60, 3600))  # type: ignore[return-value]
