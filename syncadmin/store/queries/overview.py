"""What the overview shows: is it healthy, how much waits, what the last runs did, which calls are left."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from syncadmin.engine.records import Side
from syncadmin.store.models import AuditEntry, Connection, PausedPair
from syncadmin.store.options import Options
from syncadmin.store.queries import calls, counters, pace, reading, runs
from syncadmin.store.queries.calls import Calls
from syncadmin.store.queries.counters import OpenMatters
from syncadmin.store.queries.pace import Pace, Span
from syncadmin.store.queries.reading import Reading
from syncadmin.store.queries.runs import RunRow
from syncadmin.store.queries.sql import MOST, Count, bounded, select

LAST_RUNS = 8
# Below this a slow run is not yet a loop that stands still.
SILENCE = timedelta(minutes=5)
# A backlog is counted further than other things: how long it takes is worth knowing, and its index answers fast.
_FAR = 10_000

# One line for each kind of write there can be, also when nothing waits; the index write_backlog answers each part.
_WAITING = f"""
SELECT place.side, place."table", place.op,
       (SELECT count(*) FROM (SELECT 1 FROM store_pendingwrite w
         WHERE w.state <> 'planned' AND w.side = place.side AND w.op = place.op AND w."table" = place."table" LIMIT {_FAR + 1}) x) AS number,
       (SELECT w.decided_at FROM store_pendingwrite w
         WHERE w.state <> 'planned' AND w.side = place.side AND w.op = place.op AND w."table" = place."table"
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
    """Writes decided and not yet sent, to one table of one side; ``oldest`` is when the first was decided.

    ``minutes`` is how long they take as it went lately; None without a rate, or where nothing waits.
    """

    side: str
    table: str
    inserts: Count
    updates: Count
    oldest: datetime | None
    minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Undecided:
    """Links to be merged, and Dynamics records to be paired, in a coming batch."""

    links: int
    records: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A side that no longer lets us in, and what it said."""

    side: str
    since: datetime
    message: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """Who paused the sync, and when."""

    who: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PairPaused:
    """A field pair left alone; ``code`` and ``facts`` say why."""

    key: str
    code: str
    facts: Mapping[str, Any]
    since: datetime


@dataclass(frozen=True, slots=True)
class Overview:
    """``begun_at``, when the loop was last started or resumed, is asked for only when no run has given a sign of late."""

    options: Options
    connected: bool
    refused: tuple[Refused, ...]
    paused: Pressed | None
    begun_at: datetime | None
    pairs: tuple[PairPaused, ...]
    open: OpenMatters
    waiting: tuple[Waiting, ...]
    to_merge: Count
    to_pair: Count
    reading: tuple[Reading, ...]
    runs: tuple[RunRow, ...]
    calls: tuple[Calls, ...]
    pace: Pace


def overview(options: Options, now: datetime, span: Span = Span.DAY) -> Overview:
    connections = list(Connection.objects.order_by("side"))
    (undecided,) = select(Undecided, _UNDECIDED)
    latest = runs.last(LAST_RUNS)
    return Overview(
        options=options,
        connected=len(connections) == len(Side),
        refused=tuple(Refused(c.side, c.refused_since, c.message) for c in connections if c.refused_since),
        paused=_paused(options),
        begun_at=None if _lively(latest, now) else begun_at(),
        pairs=tuple(PairPaused(*row) for row in _pairs()),
        open=counters.open_matters(),
        waiting=waiting(pace.per_minute(now)),
        to_merge=bounded(undecided.links),
        to_pair=bounded(undecided.records),
        reading=reading.under_way(),
        runs=latest,
        calls=calls.today(options, now),
        pace=pace.pace(span, now),
    )


def _paused(options: Options) -> Pressed | None:
    if not options.paused:
        return None
    # At a terminal, and where a connection is taken away, it is the setting that is changed.
    pressed = Q(action="pause") | Q(action="setting", subject="paused", after=True)
    entry = AuditEntry.objects.filter(pressed).order_by("-id").first()
    return Pressed(entry.who, entry.at) if entry else None


def _lively(latest: Sequence[RunRow], now: datetime) -> bool:
    return bool(latest) and now - (latest[0].finished_at or latest[0].heartbeat_at) < SILENCE


def begun_at() -> datetime | None:
    """When somebody last started or resumed the loop."""
    begun = Q(action__in=("start", "resume")) | Q(action="setting", subject="paused", after=False)
    entries = AuditEntry.objects.filter(begun).order_by("-id")
    return entries.values_list("at", flat=True).first()


def _pairs() -> list[tuple[str, str, Mapping[str, Any], datetime]]:
    return list(PausedPair.objects.order_by("key").values_list("key", "code", "facts", "since"))


def waiting(rates: Mapping[str, float]) -> tuple[Waiting, ...]:
    """One row per side and table, zeros included; ``rates`` are records written a minute, by side."""
    found = {(line.side, line.table, line.op): line for line in select(_WaitingLine, _WAITING)}
    places = dict.fromkeys((side, table) for side, table, _ in found)
    rows = []
    for side, table in places:
        inserts, updates = found[side, table, "create"], found[side, table, "update"]
        oldest = min((line.oldest for line in (inserts, updates) if line.oldest), default=None)
        number, rate = inserts.number + updates.number, rates.get(side, 0)
        minutes = math.ceil(number / rate) if number and rate else None
        rows.append(Waiting(side, table, _far(inserts.number), _far(updates.number), oldest, minutes))
    return tuple(rows)


def _far(number: int) -> Count:
    return Count(min(number, _FAR), number > _FAR)
