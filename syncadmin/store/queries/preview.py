"""How far a preview has come, its numbers, and what is left of the first writes after the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from syncadmin.engine.records import Table
from syncadmin.store import options, planned, planned_counts
from syncadmin.store.planned import Plan
from syncadmin.store.planned_counts import Left, Read
from syncadmin.store.queries.sql import number


class ChangeKind(StrEnum):
    """What happens to one value over there."""

    NEW = "new"
    FILLED = "filled"
    REPLACED = "replaced"
    EMPTIED = "emptied"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class FieldCount:
    side: str
    key: str
    kind: str
    number: int


@dataclass(frozen=True, slots=True)
class Collisions:
    """So many fields with two different filled values; ``winner`` is empty where somebody will be asked."""

    winner: str
    rule: str
    state: str
    number: int


@dataclass(frozen=True, slots=True)
class Numbers:
    """The counts stored last. ``whole`` says that nothing was left to read or to decide when they were made."""

    made_at: datetime | None = None
    whole: bool = False
    counts: Mapping[str, int] = field(default_factory=dict)
    fields: tuple[FieldCount, ...] = ()
    collisions: tuple[Collisions, ...] = ()
    failures: tuple[tuple[str, int], ...] = ()

    def values(self, side: str) -> int:
        """Values that will be other than now on a side, those of new records and our own fields apart."""
        changed = (ChangeKind.FILLED, ChangeKind.REPLACED, ChangeKind.EMPTIED)
        return sum(row.number for row in self.fields if row.side == side and row.kind in changed)

    def of_kind(self, kind: str) -> int:
        return sum(row.number for row in self.fields if row.kind == kind)


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a preview has come; ``share`` of the reading is None while no total is known."""

    plan: Plan | None
    started: bool
    reads: tuple[Read, ...]
    left: Left
    numbers: Numbers

    @property
    def read_all(self) -> bool:
        return all(read.done for read in self.reads)

    @property
    def at_work(self) -> bool:
        """Whether the numbers may still change without anything changing over there."""
        if self.plan is None or self.started:
            return False
        return self.plan.state != "plan" or not self.read_all or self.left.deciding or not self.numbers.whole


def standing() -> Standing:
    chosen = options.read()
    wanted = ((Table.LEAD, chosen.leads), (Table.CONTACT, chosen.contacts))
    tables = tuple(str(table) for table, on in wanted if on)
    return Standing(
        planned.plan(), chosen.started, tuple(planned_counts.reads(tables)), planned_counts.left(), numbers()
    )


def numbers() -> Numbers:
    known, made_at = planned.summary()
    if not known:
        return Numbers()
    return Numbers(
        made_at=made_at,
        whole=bool(known.get("whole")),
        counts={name: value for name, value in known.items() if isinstance(value, int)},
        fields=tuple(FieldCount(*row) for row in known["fields"]),
        collisions=tuple(Collisions(*row) for row in known["collisions"]),
        failures=tuple((cause, count) for cause, count in known["failures"]),
    )


@dataclass(frozen=True, slots=True)
class Going:
    """What is left of the first writes after a start. ``left_for`` is None before a rate can be told."""

    first: int
    left: int
    since: datetime
    left_for: timedelta | None

    @property
    def done(self) -> int:
        return max(0, self.first - self.left)

    @property
    def share(self) -> int:
        return 100 if not self.first else min(100, self.done * 100 // self.first)


def going(now: datetime) -> Going | None:
    """Progress of what was planned when the sync was started; None for a start without a preview."""
    plan = planned.plan()
    if plan is None or plan.started_at is None:
        return None
    left = number("SELECT count(*) FROM store_pendingwrite WHERE op IN ('create', 'update') AND decided_at <= %s",
                  [plan.started_at])  # fmt: skip
    done = max(0, plan.first_writes - left)
    passed = (now - plan.started_at).total_seconds()
    return Going(
        plan.first_writes, left, plan.started_at, timedelta(seconds=passed / done * left) if done and left else None
    )
