"""Tables that keep what was committed, roll back what was not, and the truth log on top of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncadmin.sandbox.storage import Store
from syncadmin.sandbox.truth import TruthLog

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture(params=["memory", "disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store(tmp_path / "state.db" if request.param == "disk" else None)


def test_committed_values_come_back_in_order(tmp_path: Path) -> None:
    first = Store(tmp_path / "state.db")
    table = first.table("t")
    table.update({"b": 1, "a": {"x": [1, None, "é😀"]}, "c": 3})
    table["b"] = 2
    del table["c"]
    first.commit()
    table["lost"] = 1
    second = Store(tmp_path / "state.db").table("t")
    assert list(second.items()) == [("b", 2), ("a", {"x": [1, None, "é😀"]})]


def test_every_way_to_change_a_table_is_kept(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.db")
    table = store.table("t")
    table.update(a=1, b=2, c=3, d=4)
    assert (table.pop("a"), table.pop("x", None), table.setdefault("b", 9), table.setdefault("e", 5)) == (1, None, 2, 5)
    assert table.popitem() == ("e", 5)
    store.commit()
    assert dict(Store(tmp_path / "state.db").table("t")) == {"b": 2, "c": 3, "d": 4}
    table.clear()
    store.commit()
    assert dict(Store(tmp_path / "state.db").table("t")) == {}


def test_rollback_restores_every_table(store: Store) -> None:
    one, two = store.table("one"), store.table("two")
    one.update(a=1, b=2)
    store.commit()
    store.begin()
    one["a"], two["x"] = 9, 1
    del one["b"]
    store.table("born later")["y"] = 1
    store.rollback()
    assert (dict(one), dict(two), dict(store.table("born later"))) == ({"a": 1, "b": 2}, {}, {})
    one["a"] = 3
    store.rollback()
    assert one["a"] == 3, "without a beginning there is nothing to take back"


def test_truth_is_found_again(store: Store) -> None:
    log = TruthLog(store)
    log.add(AT, "api:x", "lead", "1", "create", "lastname", None, "A")
    log.flush()
    store.commit()
    log.add(AT, "person", "lead", "1", "update", "lastname", "A", "B")
    log.add(AT, "api:x", "lead", "2", "create", "lastname", None, "C")
    assert [each.id for each in log.since(0)] == [1, 2, 3]
    assert [each.id for each in log.since(1)] == [2, 3]
    assert [each.id for each in log.since(2)] == [3]
    assert log.since(3) == []
    assert [(each.old, each.new) for each in log.of("lead", "1")] == [(None, "A"), ("A", "B")]
    assert (log.writes(), log.writes("person"), log.last_id) == (2, 1, 3)


def test_truth_that_never_happened_is_forgotten(store: Store) -> None:
    log = TruthLog(store)
    log.add(AT, "api:x", "lead", "1", "create")
    mark = log.mark()
    log.add(AT, "api:x", "lead", "1", "update", "a", 1, 2)
    log.rollback(mark)
    assert (log.writes(), [each.action for each in log.of("lead", "1")]) == (1, ["create"])
    assert log.add(AT, "person", "lead", "1", "update", "a", 1, 3).id == mark + 1


def test_truth_survives(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.db")
    log = TruthLog(store)
    kept = log.add(AT, "api:x", "lead", "1", "update", "a", {"x": 1}, [2])
    log.flush()
    store.commit()
    again = TruthLog(Store(tmp_path / "state.db"))
    assert (again.since(0), again.last_id, again.writes()) == ([kept], 1, 1)
