"""Sign-in links: signed, good once and not for long. The way in for the first administrator and for the invited."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.core import signing
from django.db import transaction
from django.db.models import QuerySet

from syncadmin.services.roles import Role, administrators, assign
from syncadmin.store.models import AuditEntry, SignInLink

GOOD_FOR = timedelta(minutes=15)
# An invitation has to wait until somebody reads their mail.
INVITED_FOR = timedelta(days=3)
FIRST = "admin"
# Of links that are opened at once, and of those that are sent to somebody.
_AT_ONCE, _SENT = "syncadmin.sign-in", "syncadmin.sign-in.sent"


def token_for(user: User, *, who: str, now: datetime, good_for: timedelta = GOOD_FOR, at_once: bool = False) -> str:
    """A new link's token; only its hash is stored. Links that ran out are forgotten.

    One that is used ``at_once`` lets in when it is opened; any other is sent to somebody, and takes a button.
    """
    token = signing.dumps(secrets.token_urlsafe(24), salt=_AT_ONCE if at_once else _SENT)
    SignInLink.objects.filter(good_until__lt=now - timedelta(days=1)).delete()
    SignInLink.objects.create(user=user, digest=_digest(token), made_at=now, good_until=now + good_for)
    AuditEntry.objects.create(at=now, who=who, action="sign_in_link", subject=user.get_username())
    return token


def holder(token: str, now: datetime) -> User | None:
    """Whom this link would let in; looking does not use it up. None for a used, old or invented one."""
    link = _fresh(token, now).select_related("user").first()
    return link.user if link else None


def from_terminal(token: str, now: datetime) -> bool:
    """Whether the link was made to be opened at once, so that no mail scanner ever sees it: opening it is using it."""
    return _is_signed(token, _AT_ONCE) and _fresh(token, now).exists()


def redeem(token: str, now: datetime) -> User | None:
    """The person this link lets in, once; None for a used, old or invented one."""
    with transaction.atomic():
        link = _fresh(token, now).select_for_update(of=("self",)).select_related("user").first()
        if link is None:
            return None
        link.used_at = now
        link.save(update_fields=["used_at"])
    return link.user


def _fresh(token: str, now: datetime) -> QuerySet[SignInLink]:
    if not (_is_signed(token, _AT_ONCE) or _is_signed(token, _SENT)):
        return SignInLink.objects.none()
    return SignInLink.objects.filter(digest=_digest(token), used_at=None, good_until__gt=now, user__is_active=True)


def _is_signed(token: str, salt: str) -> bool:
    try:
        signing.loads(token, salt=salt)
    except signing.BadSignature:
        return False
    return True


def first_administrator(name: str = "", *, who: str, now: datetime) -> User:
    """The administrator of that name, or any; made if there is none. An existing person keeps the password."""
    known = administrators()
    wanted = [user for user in known if user.get_username() == name] if name else known
    if wanted:
        return wanted[0]
    user, created = User.objects.get_or_create(username=name or FIRST)
    if created:
        user.set_unusable_password()
        user.save()
    assign(user, Role.ADMINISTRATOR, who=who, now=now)
    return user


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
