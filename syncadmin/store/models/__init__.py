"""Every table of the product; one noun, one class."""

from syncadmin.store.models import among as among
from syncadmin.store.models.access import SignInLink, SignInTry
from syncadmin.store.models.connection import (
    AuditEntry,
    Connection,
    FieldDraft,
    FieldPair,
    FieldSet,
    PausedPair,
    Setting,
    TableSchema,
)
from syncadmin.store.models.listing import ListedPerson, ListedWord, Touched
from syncadmin.store.models.measure import Throughput
from syncadmin.store.models.notices import Alarm, Channel, Delivery
from syncadmin.store.models.record import Due, DynamicsRecord, Link, MarketoPerson
from syncadmin.store.models.story import Activity, Conflict, Decision, Failure, Run
from syncadmin.store.models.work import (
    MOVED,
    UNSENT,
    Budget,
    BudgetUse,
    Checkpoint,
    Op,
    PendingWrite,
    Receipt,
    Suppression,
    SyncRequest,
    Worker,
    WriteState,
)

__all__ = [
    "MOVED",
    "UNSENT",
    "Activity",
    "Alarm",
    "AuditEntry",
    "Budget",
    "BudgetUse",
    "Channel",
    "Checkpoint",
    "Conflict",
    "Connection",
    "Decision",
    "Delivery",
    "Due",
    "DynamicsRecord",
    "Failure",
    "FieldDraft",
    "FieldPair",
    "FieldSet",
    "Link",
    "ListedPerson",
    "ListedWord",
    "MarketoPerson",
    "Op",
    "PausedPair",
    "PendingWrite",
    "Receipt",
    "Run",
    "Setting",
    "SignInLink",
    "SignInTry",
    "Suppression",
    "SyncRequest",
    "TableSchema",
    "Throughput",
    "Touched",
    "Worker",
    "WriteState",
]
