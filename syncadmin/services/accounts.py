"""The people who use the dashboard: invited, given a role, shut out, let in again."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.db import IntegrityError, transaction

from syncadmin.services import sign_in
from syncadmin.services.roles import LastAdministrator, Role, administrators, assign, role_of
from syncadmin.store.models import AuditEntry, SignInLink


class NameTaken(Exception):
    """Somebody has this name already, perhaps in other letters."""


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


def invite(name: str, email: str, role: Role, *, who: str, now: datetime) -> tuple[User, str]:
    """Makes an account without a password, and the token of the link that lets its owner in. Raises ``NameTaken``."""
    with transaction.atomic():
        if User.objects.filter(username__iexact=name).exists():
            raise NameTaken(name)
        user = _new(name, email)
        _audit("invite", name, who, now, after=email)
        assign(user, role, who=who, now=now)
        return user, sign_in.token_for(user, who=who, now=now, good_for=sign_in.INVITED_FOR)


def _new(name: str, email: str) -> User:
    """Two may invite the same person at the same moment: the second one is told like everybody who comes later."""
    user = User(username=name, email=email)
    user.set_unusable_password()
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        raise NameTaken(name) from None
    return user


def change_password(name: str, password: str, *, who: str, now: datetime) -> User:
    """A new password for somebody who is there. Raises ``User.DoesNotExist``, ``ValidationError`` for a weak one."""
    with transaction.atomic():
        user = User.objects.select_for_update().get(username=name)
        validate_password(password, user)
        user.set_password(password)
        user.save(update_fields=["password"])
        _audit("password", name, who, now)
    return user


def close(name: str, *, who: str, now: datetime) -> None:
    """Shuts an account out at once; what it did stays in the audit log.

    Raises ``User.DoesNotExist``, ``LastAdministrator``.
    """
    with transaction.atomic():
        # All of them: two administrators who shut each other out must not both succeed.
        list(User.objects.select_for_update().order_by("pk").values_list("pk", flat=True))
        user = User.objects.get(username=name)
        if [other.pk for other in administrators()] == [user.pk]:
            raise LastAdministrator("The last administrator stays: make somebody else an administrator first.")
        if user.is_active:
            User.objects.filter(pk=user.pk).update(is_active=False)
            SignInLink.objects.filter(user=user).delete()
            _sign_out(user, now)
            _audit("close_account", name, who, now, before=True, after=False)


def _sign_out(user: User, now: datetime) -> None:
    """Ends every session of somebody, so that none of them lives again with the account."""
    for session in Session.objects.filter(expire_date__gt=now).iterator():
        if session.get_decoded().get(SESSION_KEY) == str(user.pk):
            session.delete()


def reopen(name: str, *, who: str, now: datetime) -> None:
    """Lets somebody in again, with the role and password of before. Raises ``User.DoesNotExist``."""
    with transaction.atomic():
        user = User.objects.select_for_update().get(username=name)
        if not user.is_active:
            User.objects.filter(pk=user.pk).update(is_active=True)
            _audit("reopen_account", name, who, now, before=False, after=True)


def _audit(
    action: str, subject: str, who: str, now: datetime, before: bool | None = None, after: bool | str | None = None
) -> None:
    AuditEntry.objects.create(at=now, who=who, action=action, subject=subject, before=before, after=after)
