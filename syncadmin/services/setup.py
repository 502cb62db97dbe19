"""Setting the sync up and changing how it behaves. Every change of a setting leaves an audit entry."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext_noop

from syncadmin.services import preview
from syncadmin.services.choose_fields import NoMetadata, WrongPairs, choose_defaults, save_fields, suggested
from syncadmin.services.connections import Connected, connect_dynamics, connect_marketo
from syncadmin.services.equip_marketo import Equipped, ensure_marketo
from syncadmin.services.metadata import Refreshed, is_due, refresh_schema
from syncadmin.store import options, planned
from syncadmin.store.models import AuditEntry, Connection
from syncadmin.store.options import Options

__all__ = [
    "Connected",
    "Equipped",
    "NoMetadata",
    "NotReady",
    "Refreshed",
    "WrongPairs",
    "WrongSetting",
    "change",
    "change_all",
    "choose_defaults",
    "connect_dynamics",
    "connect_marketo",
    "ensure_marketo",
    "is_due",
    "refresh_schema",
    "save_fields",
    "start",
    "suggested",
]

_CHOICES: dict[str, tuple[str, ...]] = {
    "first_contact": ("rule", "dynamics", "blanks"),
    "several": ("ask", "contact_first", "each"),
}
_SHARES = frozenset({"deletes_share", "marketo_share", "backfill_share"})
LEAST = {"wait": 5, "longest_wait": 5, "receipt_patience": 10, "marketo_quota": 1}
# Written by the product itself, each with rules of its own.
_NOT_CHANGED_HERE = frozenset(
    {"field_version", "activity_type_id", "started", "equipped", "scope_chosen", "dynamics_account", "marketo_account"}
)


class WrongSetting(ValueError):
    """A value a setting does not take; the message says what it takes."""


class NotReady(Exception):
    """Something is missing before the sync can start; the message says what."""


def change(name: str, value: Any, *, who: str, now: datetime) -> None:
    """Changes one setting; takes effect with the next batch. Raises ``WrongSetting``, KeyError for an unknown name."""
    _check(name, value)
    with transaction.atomic():
        before = options.write(name, value)
        if before != value:
            AuditEntry.objects.create(at=now, who=who, action="setting", subject=name, before=before, after=value)


def change_all(wanted: Mapping[str, Any], *, who: str, now: datetime) -> None:
    """Changes several settings, all or none. Raises what ``change`` raises."""
    with transaction.atomic():
        for name, value in wanted.items():
            change(name, value, who=who, now=now)


def start(*, who: str, now: datetime) -> None:
    """The loop may run from now on. Harmless when it does already. Raises ``NotReady``."""
    if Connection.objects.count() < 2:
        raise NotReady(gettext_noop("Connect Dynamics and Marketo first."))
    if not options.read().field_version:
        raise NotReady(gettext_noop("Choose the fields first."))
    with transaction.atomic():
        planned.alone()
        first_writes = planned.count()
        if not options.write("started", True):
            preview.make_ready(now, first_writes)
            AuditEntry.objects.create(at=now, who=who, action="start", subject="loop", before=False, after=True)


def _check(name: str, value: Any) -> None:
    if name in _NOT_CHANGED_HERE:
        raise WrongSetting(f"{name} is not changed by hand.")
    default = _default(name)
    numeric = isinstance(default, float) and isinstance(value, int | float) and not isinstance(value, bool)
    if type(value) is not type(default) and not numeric:
        raise WrongSetting(f"{name} takes a value like {default!r}.")
    if name in _CHOICES and value not in _CHOICES[name]:
        raise WrongSetting(f"{name} is one of {', '.join(_CHOICES[name])}.")
    if name in _SHARES and not 0 < value <= 1:
        raise WrongSetting(f"{name} is a share, more than 0 and at most 1.")
    if isinstance(value, int) and not isinstance(value, bool) and value < LEAST.get(name, 0):
        raise WrongSetting(f"{name} is {LEAST.get(name, 0)} or more.")
    if name == "time_zone":
        _check_zone(value)
    if name == "marketo_since" or (name == "dynamics_secret_until" and value):
        _check_day(name, value)


def _default(name: str) -> Any:
    if name not in Options.__dataclass_fields__:
        raise KeyError(f"there is no setting called {name}")
    return Options.__dataclass_fields__[name].default


def _check_day(name: str, value: str) -> None:
    try:
        date.fromisoformat(value)
    except ValueError:
        raise WrongSetting(f"{name} is a day like 2015-01-31.") from None


def _check_zone(value: str) -> None:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise WrongSetting(gettext_noop("time_zone is a name like Europe/Vienna.")) from None
