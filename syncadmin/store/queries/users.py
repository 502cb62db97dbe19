"""Who may enter, and how."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Max

# Roles are groups of these names; a superuser counts as the highest.
_HIGHEST_FIRST = ("administrator", "operator", "viewer")


@dataclass(frozen=True, slots=True)
class UserRow:
    """``role`` is empty for somebody who may do nothing; ``link_until`` is set while an unused link is good."""

    id: int
    name: str
    email: str
    role: str
    is_open: bool
    has_password: bool
    last_login: datetime | None
    link_until: datetime | None


def everybody(now: datetime) -> list[UserRow]:
    """By name; an installation has tens of them, so they are not paged."""
    found = User.objects.order_by("username").prefetch_related("groups")
    unused = dict(
        User.objects.filter(signinlink__used_at=None, signinlink__good_until__gt=now)
        .annotate(until=Max("signinlink__good_until"))
        .values_list("pk", "until")
    )
    return [_row(user, unused.get(user.pk)) for user in found]


def one(pk: int, now: datetime) -> UserRow | None:
    return next((row for row in everybody(now) if row.id == pk), None)


def _row(user: User, link_until: datetime | None) -> UserRow:
    groups = {group.name for group in user.groups.all()}
    role = "administrator" if user.is_superuser else next((name for name in _HIGHEST_FIRST if name in groups), "")
    return UserRow(
        user.pk,
        user.username,
        user.email,
        role,
        user.is_active,
        user.has_usable_password(),
        user.last_login,
        link_until,
    )
