"""Every named setting with its default: how the sync behaves, as an administrator may change it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from syncadmin.store import staging, text
from syncadmin.store.models import Setting


@dataclass(frozen=True, slots=True)
class Options:
    """The settings as one value, read at the start of each batch: a change takes effect between records.

    Times are seconds. ``first_contact``: rule, dynamics or blanks. ``several``: ask, contact_first or each.
    ``field_version`` 0 means that no fields have been chosen yet, so nothing is synced.
    """

    paused: bool = False
    started: bool = False
    wait: int = 300
    longest_wait: int = 900
    field_version: int = 0
    equipped: bool = False
    scope_chosen: bool = False
    dynamics_account: str = ""
    marketo_account: str = ""
    leads: bool = True
    contacts: bool = True
    filter_column: str = "new_synctomkto"
    list_id: str = ""
    time_zone: str = "UTC"
    first_contact: str = "rule"
    several: str = "ask"
    partition: str = ""
    marketo_since: str = "2007-01-01"
    extract_poll: int = 60
    observe_only: bool = False
    receipt_patience: int = 900
    detect_duplicates: bool = True
    deletes_at_least: int = 50
    deletes_share: float = 0.01
    marketo_quota: int = 50_000
    marketo_share: float = 0.8
    backfill_share: float = 0.8
    guid_field: str = "dynPersonGuid"
    type_field: str = "dynPersonType"
    deleted_field: str = "dynDeleted"
    activity_type: str = "dynSync"
    activity_type_id: int = 0
    marketo_pages: str = ""
    keep_activities_days: int = 0
    alarm_failures: int = 100
    alarm_backlog: int = 3_600
    alarm_expiry_days: int = 30
    dynamics_secret_until: str = ""


def read() -> Options:
    """The settings as they stand now."""
    return of({name: text.load(value) for name, value in staging.query("SELECT name, value FROM store_setting")})


def of(stored: Mapping[str, Any]) -> Options:
    """The settings that stored names and values stand for; the others have their defaults."""
    known = Options.__dataclass_fields__
    return Options(**{name: value for name, value in stored.items() if name in known})


def write(name: str, value: Any) -> Any:
    """Sets one setting and answers what it was; the caller writes the audit entry. KeyError for an unknown name."""
    before = getattr(read(), name) if name in Options.__dataclass_fields__ else _unknown(name)
    Setting.objects.update_or_create(name=name, defaults={"value": value})
    return before


def _unknown(name: str) -> Any:
    raise KeyError(f"there is no setting called {name}")
