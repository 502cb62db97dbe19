"""How many records were written to each side, by minute and by hour: kept while it happens, never counted afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from django.db import connection

from syncadmin.engine.records import Side
from syncadmin.store.models import Throughput

MINUTE, HOUR = 60, 3600
# A day of minutes and a month of hours: what the chart shows, and some more for whoever asks later.
KEPT = {MINUTE: timedelta(days=2), HOUR: timedelta(days=32)}
# Which counts of a run are records written, to which side, and whether they were new there.
_WRITTEN: dict[str, tuple[Side, str]] = {
    "dynamics_updated": (Side.DYNAMICS, "updated"),
    "marketo_updated": (Side.MARKETO, "updated"),
    "create_created": (Side.MARKETO, "created"),
    "requests_created": (Side.DYNAMICS, "created"),
}
_ADD = """
INSERT INTO store_throughput (seconds, at, side, created, updated) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (seconds, at, side) DO UPDATE
SET created = store_throughput.created + excluded.created, updated = store_throughput.updated + excluded.updated
"""


def note(counts: Mapping[str, int], now: datetime) -> None:
    """Adds what these counts say was written to the minute and the hour of ``now``."""
    written: dict[Side, dict[str, int]] = {}
    for name, (side, kind) in _WRITTEN.items():
        if counts.get(name):
            written.setdefault(side, {"created": 0, "updated": 0})[kind] += counts[name]
    # In one order everywhere, so that two workers never wait for each other.
    lines = [
        (seconds, begin(now, seconds), side, written[side]["created"], written[side]["updated"])
        for seconds in KEPT
        for side in sorted(written)
    ]
    if lines:
        with connection.cursor() as cursor:
            cursor.executemany(_ADD, lines)


def begin(at: datetime, seconds: int) -> datetime:
    """When the minute or hour of this moment began."""
    return datetime.fromtimestamp(int(at.timestamp()) // seconds * seconds, UTC)


def forget(now: datetime) -> int:
    """Deletes what no chart shows any more."""
    return sum(
        Throughput.objects.filter(seconds=seconds, at__lt=now - kept).delete()[0] for seconds, kept in KEPT.items()
    )
