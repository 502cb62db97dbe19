"""A short attack on the whole stack: the one that CI can wait for. `manage.py chaos` is the long one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncadmin.proof.chaos import harm, judge, report
from syncadmin.proof.chaos.attack import Wanted, attack
from syncadmin.proof.chaos.desk import OURS, PEOPLE, Desk, Happened
from syncadmin.proof.chaos.load import Load

LINK = {
    "id": 7,
    "table": "lead",
    "dynamics": "d",
    "marketo": "1",
    "stopped": False,
    "dynamics_deleted": False,
    "marketo_deleted": False,
    "held": {},
}


@pytest.mark.heavy
def test_an_attacked_stack_loses_nothing(tmp_path: Path) -> None:
    tmp_path.chmod(0o711)
    for above in tmp_path.parents[:2]:
        above.chmod(0o711)
    said: list[str] = []
    verdict = attack(Wanted(minutes=0.3, seed=3, quick=True, folder=tmp_path), said.append)
    assert verdict.broken == [], report.as_text(verdict)
    assert sum(verdict.harms.values()) >= 3
    assert verdict.writes["dynamics"] > 0 and verdict.writes["marketo"] > 0
    assert verdict.receipts["a"] > 0


def scene(**changed: object) -> judge.Scene:
    """One linked lead, in step."""
    rows = {
        "lead": {"d": {"leadid": "d", "jobtitle": "chaos 2"}},
        "contact": {},
        "person": {"1": {"id": "1", "title": "chaos 2"}},
    }
    found = judge.Scene(rows, {"dynamics": [], "marketo": []}, [dict(LINK)], set(), [], set(), set(), [])
    for name, value in changed.items():
        setattr(found, name, value)
    return found


def line(**told: object) -> Happened:
    facts = {
        "id": 1,
        "at": datetime(2026, 1, 1, tzinfo=UTC),
        "who": OURS,
        "entity": "lead",
        "record": "d",
        "action": "update",
    }
    return Happened(**{**facts, "field": "jobtitle", "old": "chaos 1", "new": "chaos 2", **told})  # type: ignore[arg-type]


def numbers(found: judge.Scene) -> list[str]:
    return [what.partition(":")[0] for what in judge.judge(found)]


def test_people_in_step_break_nothing() -> None:
    assert numbers(scene()) == []


def test_a_difference_is_seen() -> None:
    apart = scene()
    apart.rows["person"]["1"]["title"] = "chaos 3"
    assert numbers(apart) == ["1"]
    apart.failed = {"link:7 lead.jobtitle:title"}
    apart.links[0]["held"] = {"lead.jobtitle:title": {"why": "failure"}}
    assert numbers(apart) == []


def test_a_lost_value_is_seen() -> None:
    lost = scene(truth={"dynamics": [line()], "marketo": []})
    assert numbers(lost) == ["3"]
    lost.told = {"chaos 1"}
    assert numbers(lost) == []


def test_an_edit_that_went_under_is_seen() -> None:
    under = scene()
    under.written["lead", "d", "jobtitle"] = ["chaos 4"]
    assert numbers(under) == ["5"]
    under.written["person", "1", "jobtitle"] = ["chaos 5"]
    assert numbers(under) == ["4"]


def test_an_emptied_field_is_seen() -> None:
    assert numbers(scene(truth={"dynamics": [line(new=None, old="Buyer")], "marketo": []})) == ["11"]


def test_a_wrong_winner_is_seen() -> None:
    conflict = {"rule": "collision_lead", "winner": "dynamics", "table": "lead", "key": "k", "link_id": 7}
    assert numbers(scene(conflicts=[conflict])) == ["4"]


def test_a_double_is_seen() -> None:
    twice = scene()
    for number in ("2", "3"):
        twice.rows["person"][number] = {"id": number, "email": "chaos.9@chaos.example"}
    assert numbers(twice) == ["6"]


def test_a_delete_that_nobody_told_is_seen() -> None:
    gone = scene()
    gone.links[0]["dynamics_deleted"] = True
    assert numbers(gone) == ["11"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_people_who_stop_working_are_missed() -> None:
    """An attack on a stack that nobody works on proves nothing."""
    nobody = Load(Desk("http://127.0.0.1:1", "http://127.0.0.1:1"), [], seed=1, rate=1_000)
    nobody.start()
    nobody._thread.join(5)
    nobody.end()
    assert nobody.trouble == "people had stopped working before the end"


def test_every_step_of_a_batch_has_its_kill() -> None:
    assert [int(step.name.split()[0]) for step in harm.STEPS] == list(range(1, len(harm.STEPS) + 1))
    assert OURS not in PEOPLE
