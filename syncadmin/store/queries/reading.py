"""Which full reads are still under way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from syncadmin.engine.records import Side
from syncadmin.store.models import Checkpoint

# A stream's name begins with its side; its state stands in its position. Between two windows an extract is idle.
_UNFINISHED = ("idle", "waiting", "reading")


@dataclass(frozen=True, slots=True)
class Reading:
    """A full read that has pages to come. ``rows`` are read so far."""

    side: str
    stream: str
    rows: int
    as_of: datetime | None


def under_way() -> tuple[Reading, ...]:
    rows = Checkpoint.objects.filter(position__state__in=_UNFINISHED).order_by("name")
    return tuple(Reading(_side(row.name), row.name, int(row.position.get("rows") or 0), row.as_of) for row in rows)


def _side(name: str) -> str:
    return Side.MARKETO if name.startswith(Side.MARKETO) else Side.DYNAMICS
