"""The arithmetic of the rate window, against a server that counts for itself."""

from __future__ import annotations

import random

import pytest

from syncadmin.store.turns import Call, Kind, next_turn, within


def let_in(wanted: list[tuple[float, Kind]]) -> list[Call]:
    """Each call in turn at its wished time or as soon as it may go."""
    calls: list[Call] = []
    now = 0.0
    for at, kind in wanted:
        now = max(now, at)
        while (turn := next_turn(calls, kind, now)) > now:
            now = turn
        calls.append(Call(now, kind))
    return calls


def most_in(calls: list[Call], seconds: float) -> int:
    times = [call.at for call in calls]
    return max(sum(1 for at in times if start <= at < start + seconds) for start in times)


@pytest.mark.parametrize("seed", range(5))
def test_never_more_than_fifty_in_any_twenty_seconds(seed):
    rnd = random.Random(seed)
    wanted = sorted((rnd.uniform(0, 60), rnd.choice(list(Kind))) for _ in range(300))

    assert most_in(let_in(wanted), 20.0) <= 50


def test_the_loop_alone_gets_most_of_the_share_and_keeps_it():
    calls = let_in([(0.0, Kind.LOOP)] * 400)

    assert most_in(calls, 20.0) == 46
    assert 400 / calls[-1].at >= 47 / 21.0
    assert [call.at for call in calls[:12]] == pytest.approx([0.0] * 10 + [1 / 1.85, 2 / 1.85])


def test_a_back_fill_leaves_places_for_the_live_lane():
    calls = let_in([(0.0, Kind.BACKFILL)] * 44)

    assert next_turn(calls, Kind.BACKFILL, 20.0) == 21.0
    for _ in range(3):
        assert next_turn(calls, Kind.LOOP, 20.0) == 20.0
        calls.append(Call(20.0, Kind.LOOP))


def test_a_live_change_waits_for_nothing_while_a_back_fill_wants_everything():
    """A minute in, three calls every eight seconds: the feed, the person, the write."""
    calls: list[Call] = []
    waited = []
    for tick in range(1200):
        now = tick / 10
        if next_turn(calls, Kind.BACKFILL, now) <= now:
            calls.append(Call(now, Kind.BACKFILL))
        if tick >= 600 and tick % 80 < 3:
            turn = next_turn(calls, Kind.LOOP, now)
            waited.append(turn - now)
            calls.append(Call(turn, Kind.LOOP))
    assert max(waited) == 0.0
    assert most_in(calls, 20.0) <= 47


def test_sync_person_gets_two_a_second_while_the_loop_wants_everything():
    """The loop asks again at each tenth of a second; a minute in, two people a second are asked for."""
    calls: list[Call] = []
    waited = []
    for tick in range(1200):
        now = tick / 10
        if tick >= 600 and tick % 5 == 0:
            turn = next_turn(calls, Kind.SYNC_PERSON, now)
            waited.append(turn - now)
            calls.append(Call(turn, Kind.SYNC_PERSON))
        if next_turn(calls, Kind.LOOP, now) <= now:
            calls.append(Call(now, Kind.LOOP))
    assert len(waited) == 120
    assert max(waited) <= 0.5
    assert most_in(calls, 20.0) <= 50


def test_a_clock_put_right_does_not_block_for_hours():
    ahead = [Call(10_000.0, Kind.LOOP)] * 50

    assert within(ahead, 0.0) == []
    assert next_turn(ahead, Kind.LOOP, 0.0) == 0.0
