from __future__ import annotations

from collections.abc import Iterator

import pytest

from syncadmin.engine.records import Side
from tests.contract.world import DynamicsSystem, MarketoSystem, System, has_tenant

KINDS = {Side.DYNAMICS: DynamicsSystem, Side.MARKETO: MarketoSystem}


def systems(*sides: Side) -> list[str]:
    """The sandbox of each side always; its real tenant when the environment names one."""
    return [
        f"{side} {place}" for side in sides for place in ("sandbox", "tenant") if place == "sandbox" or has_tenant(side)
    ]


def opened(name: str) -> System:
    side, _, place = name.partition(" ")
    return KINDS[Side(side)](real=place == "tenant")


@pytest.fixture(params=systems(Side.DYNAMICS, Side.MARKETO))
def system(request: pytest.FixtureRequest) -> Iterator[System]:
    found = opened(request.param)
    yield found
    found.clean()


@pytest.fixture(params=systems(Side.DYNAMICS))
def dynamics(request: pytest.FixtureRequest) -> Iterator[System]:
    found = opened(request.param)
    yield found
    found.clean()


@pytest.fixture(params=systems(Side.MARKETO))
def marketo(request: pytest.FixtureRequest) -> Iterator[System]:
    found = opened(request.param)
    yield found
    found.clean()
