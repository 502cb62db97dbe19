"""The values Marketo's part of the contract speaks in: feed pages, lists, custom activities, extracts, usage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Line:
    """One Change Data Value line of Marketo's activity log. Values are its texts, unconverted."""

    guid: str
    person: str
    at: datetime
    field: str
    old: str | None
    new: str | None
    source: str = ""
    reason: str = ""
    campaign: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class LeadChanges:
    """A page of the lead change feed: changed fields, ids of new people, and where to go on."""

    lines: tuple[Line, ...]
    created: tuple[str, ...]
    token: str
    more: bool


@dataclass(frozen=True, slots=True)
class Merged:
    """Marketo merged the losers into the winner."""

    guid: str
    winner: str
    losers: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Listed:
    """A person was added to a static list."""

    guid: str
    person: str
    list_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Events:
    """A page of the activity feed: merges and list additions."""

    merged: tuple[Merged, ...]
    listed: tuple[Listed, ...]
    token: str
    more: bool


@dataclass(frozen=True, slots=True)
class StaticList:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Members:
    """A page of a static list's members."""

    people: tuple[str, ...]
    token: str
    more: bool


@dataclass(frozen=True, slots=True)
class NewField:
    """A custom field to be created in Marketo. ``kind`` is Marketo's own type name."""

    name: str
    label: str
    kind: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class ActivityType:
    """A custom activity type: attributes as (api name, display name, Marketo type)."""

    api_name: str
    name: str
    trigger_name: str
    filter_name: str
    primary: tuple[str, str]
    attributes: tuple[tuple[str, str, str], ...]
    description: str = ""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One custom activity for a person's activity log."""

    person: str
    at: datetime
    type_id: int
    primary: str
    attributes: Mapping[str, str] = field(default_factory=dict)


class ExtractState(StrEnum):
    CREATED = "created"
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Extract:
    """A bulk lead extract. ``size`` is the file's length in bytes, ``records`` its rows, once completed."""

    id: str
    state: ExtractState
    size: int = 0
    records: int = 0
    checksum: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Calls counted by Marketo today for the whole account, and by our own API user."""

    total: int
    ours: int
