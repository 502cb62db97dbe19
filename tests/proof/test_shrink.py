"""A failing schedule is made short by dropping what does not matter."""

from __future__ import annotations

from syncadmin.proof.events import schedule
from syncadmin.proof.shrink import shrink


def needs(*numbers):
    return lambda tried: set(numbers) <= {event.number for event in tried.events}


def test_only_what_the_failure_needs_stays():
    whole = schedule(3)
    wanted = [whole.events[2].number, whole.events[-1].number]
    short = shrink(whole, needs(*wanted))
    assert [event.number for event in short.events] == wanted
    assert (short.seed, short.settings, short.knobs) == (whole.seed, whole.settings, whole.knobs)


def test_what_fails_differently_is_not_taken():
    whole = schedule(3)
    assert shrink(whole, lambda tried: False) == whole


def test_it_stops_when_its_tries_are_used_up():
    tried = []
    shrink(schedule(3), lambda one: bool(tried.append(one)), budget=5)
    assert len(tried) == 5
