"""What the overview shows: is it healthy, how much waits, what the last runs did, which calls are left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from syncadmin.engine.records import Side
from syncadmin.store.budget import day_of
from syncadmin.store.models import Budget, BudgetUse, Connection
from syncadmin.store.options import Options
from syncadmin.store.queries import counters, reading, runs
from syncadmin.store.queries.counters import OpenMatters
from syncadmin.store.queries.reading import Reading
from syncadmin.store.queries.runs import RunRow
from syncadmin.store.queries.sql import MOST, Count, bounded, select

LAST_RUNS = 8

# One line for each kind of write there can be, also when nothing waits; the index write_backlog answers each part.
_WAITING = f"""
SELECT place.side, place."table", place.op,
       (SELECT count(*) FROM (SELECT 1 FROM store_pendingwrite w
         WHERE w.side = place.side AND w.op = place.op AND w."table" = place."table" LIMIT {MOST + 1}) x) AS number,
       (SELECT w.decided_at FROM store_pendingwrite w
         WHERE w.side = place.side AND w.op = place.op AND w."table" = place."table"
         ORDER BY w.decided_at LIMIT 1) AS oldest
FROM (VALUES ('dynamics', 'lead', 'create'), ('dynamics', 'lead', 'update'),
             ('dynamics', 'contact', 'create'), ('dynamics', 'contact', 'update'),
             ('marketo', 'person', 'create'), ('marketo', 'person', 'update')) AS place(side, "table", op)
"""

_UNDECIDED = f"""
SELECT (SELECT count(*) FROM (SELECT 1 FROM store_link WHERE dirty LIMIT {MOST + 1}) l) AS links,
       (SELECT count(*) FROM (SELECT 1 FROM store_dynamicsrecord
                              WHERE due IN ('look_up', 'pair') LIMIT {MOST + 1}) r) AS records
"""


@dataclass(frozen=True, slots=True)
class _WaitingLine:
    side: str
    table: str
    op: str
    number: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Writes decided and not yet sent, to one table of one side; ``oldest`` is when the first was decided."""

    side: str
    table: str
    inserts: Count
    updates: Count
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Undecided:
    """Links to be merged, and Dynamics records to be paired, in a coming batch."""

    links: int
    records: int


@dataclass(frozen=True, slots=True)
class Purpose:
    """Calls of today for one purpose."""

    purpose: str
    calls: int


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls of one side since its day began. ``left`` is None where no daily limit is known."""

    side: str
    used: int
    backfill: int
    left: int | None
    paused_until: datetime | None
    purposes: tuple[Purpose, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """A side that no longer lets us in."""

    side: str
    since: datetime
    message: str


@dataclass(frozen=True, slots=True)
class Overview:
    options: Options
    connected: bool
    refused: tuple[Refused, ...]
    open: OpenMatters
    waiting: tuple[Waiting, ...]
    to_merge: Count
    to_pair: Count
    reading: tuple[Reading, ...]
    runs: tuple[RunRow, ...]
    calls: tuple[Calls, ...]


def overview(options: Options, now: datetime) -> Overview:
    connections = list(Connection.objects.order_by("side"))
    (undecided,) = select(Undecided, _UNDECIDED)
    return Overview(
        options=options,
        connected=len(connections) == len(Side),
        refused=tuple(Refused(c.side, c.refused_since, c.message) for c in connections if c.refused_since),
        open=counters.open_matters(),
        waiting=waiting(),
        to_merge=bounded(undecided.links),
        to_pair=bounded(undecided.records),
        reading=reading.under_way(),
        runs=runs.last(LAST_RUNS),
        calls=tuple(_calls(side, options, now) for side in Side),
    )


def waiting() -> tuple[Waiting, ...]:
    """One row per side and table, zeros included."""
    found = {(line.side, line.table, line.op): line for line in select(_WaitingLine, _WAITING)}
    places = dict.fromkeys((side, table) for side, table, _ in found)
    rows = []
    for side, table in places:
        inserts, updates = found[side, table, "create"], found[side, table, "update"]
        oldest = min((line.oldest for line in (inserts, updates) if line.oldest), default=None)
        rows.append(Waiting(side, table, bounded(inserts.number), bounded(updates.number), oldest))
    return tuple(rows)


def _calls(side: Side, options: Options, now: datetime) -> Calls:
    budget = Budget.objects.filter(side=side).first()
    # A row of yesterday says nothing about today: it is renewed with the first call.
    current = budget is not None and budget.day == day_of(side, now)
    used = budget.calls if budget and current else 0
    purposes = BudgetUse.objects.filter(side=side, day=day_of(side, now)).values_list("purpose", "calls")
    together: dict[str, int] = {}
    for purpose, calls in purposes:
        together[purpose] = together.get(purpose, 0) + calls
    ours = int(options.marketo_quota * options.marketo_share) if side is Side.MARKETO else None
    pause = budget.paused_until if budget and budget.paused_until and budget.paused_until > now else None
    return Calls(
        side=side,
        used=used,
        backfill=budget.backfill_calls if budget and current else 0,
        left=None if ours is None else max(ours - used, 0),
        paused_until=pause,
        purposes=tuple(Purpose(name, calls) for name, calls in sorted(together.items(), key=lambda item: -item[1])),
    )
