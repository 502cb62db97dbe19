"""The cast: Ada administrates, Oscar operates, Vic views, Stan is a stranger who can sign in but has no role."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from syncadmin.services import roles
from tests.web.people import World

CAST = {"ada": "administrator", "oscar": "operator", "vic": "viewer", "stan": ""}


def _signed_in(name: str) -> Client:
    roles.ensure_groups()
    user = User.objects.create_user(name, f"{name}@example.org")
    if CAST[name]:
        user.groups.add(Group.objects.get(name=CAST[name]))
    client = Client()
    client.force_login(user)
    return client


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of each test in a browser one variant belongs to `make test`; the whole matrix to `make test-all`."""
    seen: set[str] = set()
    for item in sorted(items, key=lambda one: one.nodeid):
        name = item.nodeid.partition("[")[0]
        if item.get_closest_marker("browser") and name in seen:
            item.add_marker(pytest.mark.long)
        seen.add(name)


@pytest.fixture
def ada(db: None) -> Client:
    return _signed_in("ada")


@pytest.fixture
def oscar(db: None) -> Client:
    return _signed_in("oscar")


@pytest.fixture
def vic(db: None) -> Client:
    return _signed_in("vic")


@pytest.fixture
def stan(db: None) -> Client:
    return _signed_in("stan")


@pytest.fixture
def world(db: None) -> World:
    return World()


@pytest.fixture
def part() -> dict[str, str]:
    """The header htmx sends; with it a page answers with its part."""
    return {"HX-Request": "true"}
