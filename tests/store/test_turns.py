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


@pytest.mark.parametrize("kind", [Kind.LOOP, Kind.BACKFILL])
def test_who_is_alone_gets_nearly_the_whole_share_and_keeps_it(kind):
    calls = let_in([(0.0, kind)] * 400)

    assert most_in(calls, 20.0) <= 49
    assert 400 / calls[-1].at >= 0.96 * 50 / 20


def test_a_small_run_waits_for_nothing():
    calls = let_in([(0.0, Kind.LOOP)] * 11)

    assert [call.at for call in calls] == [0.0] * 9 + [0.5, 1.0]


def test_a_live_change_waits_a_second_at_most_while_a_back_fill_wants_everything():
    """A minute in, three calls every eight seconds: the feed, the person, the write. The three are asked for together."""
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
    assert max(waited) <= 1.2
    assert most_in(calls, 20.0) <= 49


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
