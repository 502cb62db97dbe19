from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from syncadmin.engine.fields import Winner
from syncadmin.engine.records import Side, Table
from syncadmin.engine.rules import alternating, too_many_deletes, winner

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
D, M = Side.DYNAMICS, Side.MARKETO


def history(*entries):
    return [(NOW - timedelta(minutes=5 * age), side, value) for age, (side, value) in enumerate(entries)]


@pytest.mark.parametrize(
    ("table", "pair", "expected"),
    [
        (Table.LEAD, Winner.TABLE, M),
        (Table.CONTACT, Winner.TABLE, D),
        (Table.LEAD, Winner.DYNAMICS, D),
        (Table.CONTACT, Winner.MARKETO, M),
        (Table.LEAD, Winner.ASK, None),
    ],
)
def test_winner(table, pair, expected):
    assert winner(table, pair) is expected


def test_writes_to_and_fro_are_two_automations():
    assert alternating(history(*[(D, "a"), (M, "b")] * 4), NOW)
    assert alternating(history(*[(M, "a"), (M, "b")] * 4), NOW)


def test_six_writes_old_writes_and_busy_people_are_not():
    assert not alternating(history(*[(D, "a"), (M, "b")] * 3), NOW)
    assert not alternating(history(*[(D, "a"), (M, "b")] * 4), NOW + timedelta(minutes=50))
    assert not alternating(history(*((M, str(n)) for n in range(9))), NOW)


@pytest.mark.parametrize(
    ("count", "links", "held"),
    [(50, 100, False), (51, 100, True), (51, 5100, False), (600, 50_000, True), (0, 0, False)],
)
def test_too_many_deletes(count, links, held):
    assert too_many_deletes(count, links) is held
