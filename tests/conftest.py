"""The order of the tests."""

from __future__ import annotations

import pytest


# Last, so that it holds whatever pytest-randomly shuffled.
@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test of a minute that begins last leaves the other process without work: those begin first."""
    items.sort(key=lambda item: item.get_closest_marker("heavy") is None)
