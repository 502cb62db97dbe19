"""What the services ask of a connector: values in, values out, one outcome for each record.

Both connectors offer ``Connector``; what only one system can do stands in ``DynamicsConnector`` and
``MarketoConnector``. Errors of a whole call are raised (``errors.py``); what befell one record of a batch is its
``Outcome``. A connector sleeps only as ``http.py`` allows and reads no clock but the one it was given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, Self

from syncadmin.connectors.marketo_words import (
    ActivityType,
    Events,
    Extract,
    ExtractState,
    LeadChanges,
    Line,
    Listed,
    LogEntry,
    Members,
    Merged,
    NewField,
    StaticList,
    Usage,
)
from syncadmin.engine.records import Lane, Raw, Record, Ref, Side, Table
from syncadmin.engine.schema import Schema

__all__ = [
    "ActivityType",
    "Check",
    "Connector",
    "Create",
    "DynamicsConnector",
    "Events",
    "Extract",
    "ExtractState",
    "Fetched",
    "Identity",
    "LeadChanges",
    "Line",
    "Listed",
    "LogEntry",
    "MarketoConnector",
    "Members",
    "Merged",
    "NewField",
    "Outcome",
    "Page",
    "Probe",
    "StaticList",
    "Status",
    "Update",
    "Usage",
    "User",
]


class Status(StrEnum):
    """What became of one record of a write."""

    CREATED = "created"
    UPDATED = "updated"
    EXISTS = "exists"  # create refused: the id, key or address is taken (Dynamics 412, Marketo 1005)
    DUPLICATE = "duplicate"  # Dynamics' duplicate detection stopped a create (0x80040333)
    GONE = "gone"  # the system said by id that the record does not exist (0x80040217, 1004)
    STALE = "stale"  # If-Match did not hold: the record changed since it was read
    REFUSED = "refused"  # this record will not pass unchanged
    LATER = "later"  # a passing fault hit this record only; the same write may be repeated


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to one record of a write, in the order the records were given.

    ``ref`` is the record that was created or updated, or the one already there where the answer names it.
    ``code`` and ``message`` are the system's own words; ``cause`` is a code of ``engine/failures.py``;
    ``column`` is the column at fault where the answer names one. ``request_id`` is the call's id over there.
    ``repeated``: the same write was sent before without an answer, so what it met may be its own doing.
    """

    status: Status
    ref: Ref | None = None
    version: str = ""
    code: str = ""
    message: str = ""
    cause: str = ""
    column: str = ""
    request_id: str = ""
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Create:
    """A record to create. Dynamics: ``ref.id`` is the GUID chosen by us. Marketo: ``ref`` is None.

    A lookup value (owner) is {"id": guid, "table": logical name}; the connector writes it as a bind.
    """

    table: Table
    values: Mapping[str, Raw]
    ref: Ref | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """Changed columns of one record. ``version`` is the ETag it must still have; empty means any version."""

    ref: Ref
    values: Mapping[str, Raw]
    version: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a read. ``cursor`` continues it when ``more``, else it is where the next reading starts."""

    records: tuple[Record, ...]
    deleted: tuple[Ref, ...]
    cursor: str
    more: bool


@dataclass(frozen=True, slots=True)
class Fetched:
    """The answer to a question by id: what is there, and what the system itself said does not exist."""

    records: tuple[Record, ...]
    gone: tuple[Ref, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One named check of a connection. ``remedy`` says what to do, and where in the vendor's screens, if not ok.

    ``message`` and ``remedy`` may hold %(names)s that ``facts`` fill in. ``code`` and ``detail`` are the system's own words.
    ``needed``: not even "could not be checked" is enough. ``accept`` names what is given up when a red one is
    accepted; without it a red check keeps the connection from being saved.
    """

    name: str
    ok: bool | None  # None: could not be checked
    message: str = ""
    remedy: str = ""
    code: str = ""
    detail: str = ""
    needed: bool = False
    accept: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The message with its facts, and the system's own words behind it."""
        said = self.message % self.facts if self.facts else self.message
        return " ".join(filter(None, (said, f"({self.code})" if self.code else "", self.detail)))

    @property
    def advice(self) -> str:
        """The remedy with its facts."""
        return self.remedy % self.facts if self.facts else self.remedy


@dataclass(frozen=True, slots=True)
class Probe:
    """A check not made yet. What stands behind a ``gate`` is pointless while the gate is not green."""

    name: str
    run: Callable[[], Check]
    gate: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are over there: the organisation or account, and the user whose name our writes carry."""

    account: str
    user: str
    name: str = ""
    version: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


class Connector(Protocol):
    """What both systems can be asked. Methods raise the errors of ``errors.py``."""

    side: Side

    def for_work(self, lane: Lane, purpose: str, deadline: datetime | None = None) -> Self:
        """The same connection, its calls accounted to this lane and purpose; no call outlives the deadline."""

    def close(self) -> None:
        """Gives the network connections back."""

    def check(self) -> list[Check]:
        """All named checks in order; trouble with one is its result. Never raises."""

    def probes(self) -> Sequence[Probe]:
        """The same checks, to be made one at a time."""

    def identity(self) -> Identity: ...
    def schema(self, table: Table) -> Schema: ...

    def fetch(self, refs: Sequence[Ref], columns: Sequence[str]) -> Fetched:
        """Records by id, in any number; batching is the connector's. Marketo never answers ``gone`` here."""

    def find(self, table: Table, column: str, values: Sequence[str], columns: Sequence[str]) -> list[Record]:
        """Records in which the column equals one of the values (text: case does not matter)."""

    def create(self, items: Sequence[Create]) -> list[Outcome]: ...
    def update(self, items: Sequence[Update]) -> list[Outcome]: ...


@dataclass(frozen=True, slots=True)
class User:
    """A Dynamics user who can own records."""

    id: str
    name: str
    email: str
    disabled: bool


class DynamicsConnector(Connector, Protocol):
    """Dynamics 365: tracked reads with delta links, and owners."""

    def check(self, *, probe_id: str = "") -> list[Check]:
        """With a fresh random GUID the rights to write are tried too, by calls that can change nothing."""

    def probes(self, *, probe_id: str = "") -> Sequence[Probe]: ...
    def count(self, table: Table, column: str = "", value: Raw = None) -> int:
        """How many records hold the value (None: nothing); without a column all. 5,001 stands for "more than 5,000"."""

    def total(self, table: Table) -> int:
        """About how many records a table has: a figure of the last day."""

    def full_read(self, table: Table, columns: Sequence[str], cursor: str = "") -> Page:
        """A page of a tracked full read; the last page's cursor is the delta link."""

    def changes(self, table: Table, columns: Sequence[str], cursor: str) -> Page:
        """A page of changes since a delta link. Raises ``CursorExpired``."""

    def modified_since(self, table: Table, columns: Sequence[str], since: datetime, cursor: str = "") -> Page:
        """Records modified at or after a time, oldest first; ``more`` while a further page stands behind."""

    def users(self, *, id: str = "", email: str = "") -> list[User]: ...

    def create(self, items: Sequence[Create], *, detect_duplicates: bool = False) -> list[Outcome]: ...


class MarketoConnector(Connector, Protocol):
    """Marketo Engage: feeds by paging token, bulk extract, lists, custom fields and the activity log."""

    def paging_token(self, since: datetime) -> str: ...
    def lead_changes(self, token: str, fields: Sequence[str]) -> LeadChanges: ...
    def events(self, token: str, *, with_lists: bool) -> Events: ...
    def deleted(self, token: str) -> Page: ...

    def create(self, items: Sequence[Create], *, lookup: str = "email", partition: str = "") -> list[Outcome]:
        """``createOnly`` by the lookup field, at most 300; EXISTS where somebody holds the key already."""

    def lists(self) -> list[StaticList]: ...
    def members(self, list_id: str, token: str = "") -> Members: ...
    def partitions(self) -> list[str]: ...
    def usage(self) -> Usage: ...

    def ensure_fields(self, fields: Sequence[NewField]) -> list[Outcome]:
        """Creates what is missing; EXISTS for what is there; REFUSED where the account forbids it."""

    def ensure_activity_type(self, wanted: ActivityType) -> int:
        """The id of the approved type; creates, completes and approves it if need be."""

    def log(self, entries: Sequence[LogEntry]) -> list[Outcome]:
        """Custom activities, at most 300 a call; GONE where the person does not exist."""

    def start_extract(self, fields: Sequence[str], since: datetime, until: datetime) -> Extract:
        """Creates and enqueues an extract of people created in [since, until]; at most 31 days."""

    def extract(self, id: str) -> Extract: ...
    def enqueue(self, id: str) -> Extract: ...
    def cancel(self, id: str) -> None: ...

    def read_extract(self, extract: Extract, fields: Sequence[str], start: int = 0) -> Iterator[tuple[Record, int]]:
        """The file's records from a byte offset on, each with the offset behind it; read in ranges."""
