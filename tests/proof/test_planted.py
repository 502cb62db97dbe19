"""The tester is tested: every planted bug must be caught. Of the stack's, a few in turn; `make test-all` takes them all."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from django.core.management import CommandError, call_command

from syncadmin.proof import engine_floor, planted
from syncadmin.proof.planting import Bug, DoesNotApply
from syncadmin.proof.planting import planted as bug_in
from tests.planted import BUGS

ENGINE = [bug for bug in BUGS if bug.floor == "engine"]
STACK = [bug for bug in BUGS if bug.floor == "stack"]
A_FEW = 8
# Other bugs each day; give the printed number to play the same ones again.
TURN = int(os.environ.get("PLANTED_TURN") or (datetime.now(UTC).date() - date(2026, 1, 1)).days)
REQUIRED = (
    "agreed set on a dropped Marketo write",
    "cursor moved early",
    "If-Match left out",
    "create repeated at once after a time-out",
    "collision rule swapped for contacts",
    "late line ignored",
    "absent field read as empty",
    "delete inferred from a page",
    "qualified lead matched beside its contact",
    "false filling null",
)


def in_turn(turn: int) -> list[Bug]:
    """Some of the stack's bugs: all of them come around within a few days."""
    return [STACK[(turn * A_FEW + number) % len(STACK)] for number in range(A_FEW)]


def test_there_are_bugs_enough_and_among_them_those_that_cost_most():
    names = [bug.name for bug in BUGS]
    assert len(names) == len(set(names)) >= 40
    assert [name for name in REQUIRED if not any(one.startswith(name) for one in names)] == []


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: f"{bug.floor}: {bug.name}")
def test_a_bug_can_still_be_planted_and_leaves_nothing_behind(bug):
    target = planted_function(bug)
    before = target.__code__
    with bug_in(bug):
        assert target.__code__ is not before
    assert target.__code__ is before


def planted_function(bug):
    from syncadmin.proof.planting import _function

    return _function(bug)


def test_a_bug_whose_code_is_gone_is_said_to_have_survived():
    bug = replace(ENGINE[0], old="code that nobody wrote")
    with pytest.raises(DoesNotApply), bug_in(bug):
        pass
    (found,) = planted.hunt([bug])
    assert not found.caught
    assert "does not say" in found.why


@pytest.mark.parametrize("bug", ENGINE, ids=lambda bug: bug.name)
def test_an_engine_bug_is_caught(bug):
    (found,) = planted.hunt([bug])
    assert found.caught, planted.as_text(found)


def test_an_equal_code_is_not_caught():
    """What is noticed above is the bug, not the planting."""
    bug = Bug("none", "engine", "syncadmin.engine.rules", "winner", "_BY_TABLE[table]", "_BY_TABLE[Table(table)]")
    with bug_in(bug):
        assert [played.broken for played in engine_floor.simulate(1, 50) if played.broken] == []


@pytest.mark.heavy
def test_some_stack_bugs_are_caught(emptied):
    print(f"PLANTED_TURN={TURN}")
    survived = [planted.as_text(found) for found in planted.hunt(in_turn(TURN)) if not found.caught]
    assert survived == [], f"PLANTED_TURN={TURN}"


@pytest.mark.long
@pytest.mark.parametrize("bug", STACK, ids=lambda bug: bug.name)
def test_every_stack_bug_is_caught(emptied, bug):
    (found,) = planted.hunt([bug])
    assert found.caught, planted.as_text(found)


def test_the_command_says_where_the_bugs_are_if_they_are_missing(monkeypatch):
    monkeypatch.setattr(planted, "_PLACE", "tests.elsewhere")
    with pytest.raises(CommandError, match=r"kept under tests/planted"):
        call_command("simulate", planted=True, floor="engine")


def test_the_command_fails_if_a_bug_survives(monkeypatch, capsys):
    harmless = Bug("harmless", "engine", "syncadmin.engine.rules", "winner", "_BY_TABLE[table]", "_BY_TABLE[(table)]")
    monkeypatch.setattr(planted, "bugs", lambda floor="": [harmless])
    monkeypatch.setitem(planted.LIMITS, "engine", 20)
    with pytest.raises(CommandError, match="1 of 1 planted bugs survived"):
        call_command("simulate", planted=True, floor="engine")
    assert "SURVIVED" in capsys.readouterr().out
