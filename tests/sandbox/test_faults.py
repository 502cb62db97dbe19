"""Orders for trouble: which request they hit, and how often."""

from __future__ import annotations

import random

import pytest

from syncadmin.sandbox.faults import Fault, Faults


@pytest.fixture
def faults() -> Faults:
    return Faults(random.Random(1))


def test_times_and_skip(faults: Faults) -> None:
    faults.add(Fault("unavailable", times=2, skip=1))
    assert [faults.take("GET", "/x") is not None for _ in range(5)] == [False, True, True, False, False]


def test_for_ever(faults: Faults) -> None:
    faults.add({"kind": "slow", "times": -1})
    assert all(faults.take("GET", "/x") for _ in range(50))
    faults.clear()
    assert faults.take("GET", "/x") is None


def test_method_path_and_kind(faults: Faults) -> None:
    faults.add(Fault("cut", method="PATCH", path="*/leads(*"))
    assert faults.take("GET", "/api/leads(1)") is None
    assert faults.take("PATCH", "/api/contacts(1)") is None
    assert faults.take("PATCH", "/api/leads(1)", frozenset({"slow"})) is None
    found = faults.take("PATCH", "/api/leads(1)?$select=x")
    assert found is not None
    assert found.kind == "cut"


def test_named_orders_only(faults: Faults) -> None:
    faults.add(Fault("slow"))
    assert faults.take("GET", "/x", named=True) is None
    assert len(faults.waiting()) == 1


def test_chance_is_seeded() -> None:
    def hits(seed: int) -> list[bool]:
        faults = Faults(random.Random(seed))
        faults.add(Fault("cut", times=-1, probability=0.5))
        return [faults.take("GET", "/x") is not None for _ in range(40)]

    assert hits(1) == hits(1)
    assert 5 < sum(hits(1)) < 35


def test_the_list_is_closed() -> None:
    with pytest.raises(ValueError, match="no such trouble"):
        Fault("earthquake")
