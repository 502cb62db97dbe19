"""The three roles as Django groups, and who has which.

They are made after every ``migrate`` and not by a migration: a migration runs once, and would not bring back a group
that somebody deleted or that a test's flush swept away.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from django.contrib.auth.models import Group, User
from django.db import connections, transaction

from syncadmin.store.models import AuditEntry


class Role(StrEnum):
    """What somebody may do; each includes the ones before it."""

    VIEWER = "viewer"  # reads
    OPERATOR = "operator"  # decides conflicts and failures, pauses
    ADMINISTRATOR = "administrator"  # setup, connections, users


class LastAdministrator(Exception):
    """Nobody would be left who may administer."""


def ensure_groups(using: str = "default", **_: Any) -> None:
    """Makes the groups that are missing. A ``post_migrate`` handler; harmless when repeated."""
    if Group._meta.db_table in connections[using].introspection.table_names():
        for role in Role:
            Group.objects.using(using).get_or_create(name=role)


def role_of(user: User) -> Role | None:
    """The highest role; a superuser is an administrator."""
    if user.is_superuser:
        return Role.ADMINISTRATOR
    names = set(user.groups.values_list("name", flat=True))
    return next((role for role in reversed(Role) if role in names), None)


def administrators() -> list[User]:
    """Active people who may administer, by name."""
    found = User.objects.filter(is_active=True).order_by("username")
    return [user for user in found if role_of(user) is Role.ADMINISTRATOR]


def assign(user: User, role: Role | None, *, who: str, now: datetime) -> None:
    """Gives the role and takes the others; None takes all. Raises ``LastAdministrator``."""
    with transaction.atomic():
        list(User.objects.select_for_update().order_by("pk").values_list("pk", flat=True))
        before = role_of(user)
        if before is Role.ADMINISTRATOR and role is not Role.ADMINISTRATOR and _is_last(user):
            raise LastAdministrator("The last administrator stays one: make somebody else an administrator first.")
        user.groups.remove(*Group.objects.filter(name__in=list(Role)))
        if role is not None:
            user.groups.add(Group.objects.get(name=role))
        AuditEntry.objects.create(
            at=now, who=who, action="role", subject=user.get_username(), before=before, after=role
        )


def _is_last(user: User) -> bool:
    return [each.pk for each in administrators()] == [user.pk]
