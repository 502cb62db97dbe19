"""The people who use the dashboard: made, given a role, shut out."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.db import transaction

from syncadmin.services.roles import LastAdministrator, Role, administrators, assign, role_of
from syncadmin.store.models import AuditEntry


def everybody() -> list[tuple[str, Role | None, bool]]:
    """Name, role and whether the account is open, by name."""
    return [(user.get_username(), role_of(user), user.is_active) for user in User.objects.order_by("username")]


def put(name: str, role: Role, password: str | None, *, who: str, now: datetime) -> bool:
    """Makes an account or changes its role, and opens it; True if it was made.

    Without a password the old one stays, and a new account can only be entered by a sign-in link. Raises
    ``ValidationError`` for a weak password, ``LastAdministrator``.
    """
    with transaction.atomic():
        user, made = User.objects.get_or_create(username=name)
        if password:
            validate_password(password, user)
            user.set_password(password)
        elif made:
            user.set_unusable_password()
        user.is_active = True
        user.save()
        assign(user, role, who=who, now=now)
    return made


def close(name: str, *, who: str, now: datetime) -> None:
    """Shuts an account out; what it did stays in the audit log. Raises ``User.DoesNotExist``, ``LastAdministrator``."""
    with transaction.atomic():
        user = User.objects.select_for_update().get(username=name)
        if [other.pk for other in administrators()] == [user.pk]:
            raise LastAdministrator("The last administrator stays: make somebody else an administrator first.")
        user.is_active = False
        user.save(update_fields=["is_active"])
        AuditEntry.objects.create(at=now, who=who, action="close_account", subject=name, before=True, after=False)
