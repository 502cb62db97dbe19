"""What the field screens show beside the pairs: versions, pauses, how far a change has come, how many it concerns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count as Number

from syncadmin.engine.records import Lane, Table
from syncadmin.store import fieldsets, options
from syncadmin.store.fieldsets import Pause
from syncadmin.store.models import Checkpoint, FieldPair, FieldSet, PausedPair
from syncadmin.store.queries.sql import MOST, Count, bounded, number, select

# Counting is for one page that nobody opens often; further on "over" says enough.
MOST_LINKS = 100_000


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A saved set; who and when are unknown of sets saved before they were kept."""

    version: int
    pairs: int
    saved_at: datetime | None
    saved_by: str
    source: int | None
    in_force: bool


@dataclass(frozen=True, slots=True)
class PausedRow:
    """A pair that is left alone, its columns, since when and why."""

    key: str
    table: str
    dynamics: str
    marketo: str
    since: datetime
    pause: Pause


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the set in force has come with the people who are linked already. ``reading`` are rows read so far, by
    stream; ``waiting`` are links still to be compared; ``pending``: the next run begins."""

    done: int
    of: int
    pending: bool
    applying: bool
    waiting: Count
    reading: tuple[tuple[str, int], ...]

    @property
    def under_way(self) -> bool:
        return self.pending or self.applying or bool(self.reading) or bool(self.waiting)

    @property
    def percent(self) -> int:
        return min(100, 100 * self.done // self.of) if self.of else 100


def versions() -> list[VersionRow]:
    """All saved sets, the newest first."""
    known = {row.version: row for row in FieldSet.objects.all()}
    in_force = options.read().field_version
    counted = FieldPair.objects.values("version").annotate(pairs=Number("id")).order_by("-version")
    rows = []
    for each in counted:
        told = known.get(each["version"])
        rows.append(
            VersionRow(
                each["version"],
                each["pairs"],
                told.saved_at if told else None,
                told.saved_by if told else "",
                told.source if told else None,
                each["version"] == in_force,
            )
        )
    return rows


def paused() -> list[PausedRow]:
    """Pairs of the set in force that are left alone, the newest pause first."""
    ends = {pair.key: pair for pair in fieldsets.pairs(options.read().field_version)}
    rows = PausedPair.objects.filter(key__in=ends).order_by("-since", "key")
    return [
        PausedRow(
            row.key,
            ends[row.key].table,
            ends[row.key].dynamics,
            ends[row.key].marketo,
            row.since,
            Pause(row.code, row.facts),
        )
        for row in rows
    ]


def progress() -> Progress:
    """Of the links to be compared up to a thousand are counted."""
    streams = {row.name: row.position for row in Checkpoint.objects.filter(name__in=_STREAMS)}
    applied = streams.get("fields.applied", {})
    waiting = number(
        "SELECT count(*) FROM (SELECT 1 FROM store_link WHERE dirty AND lane = %s LIMIT %s) l",
        [str(Lane.BACKFILL), MOST + 1],
    )
    reading = tuple(
        (name.partition(".")[2].partition(".")[0], int(position.get("rows") or 0))
        for name, position in sorted(streams.items())
        if position.get("state") in ("reading", "tail") and name.startswith("dynamics.")
    )
    done, of = int(applied.get("done") or 0), int(applied.get("of") or 0)
    pending = bool(applied) and applied.get("version") != options.read().field_version
    return Progress(done, of, pending, applied.get("state") == "applying", bounded(waiting), reading)


_STREAMS = ("fields.applied", "dynamics.lead.full", "dynamics.contact.full")


@dataclass(frozen=True, slots=True)
class _Linked:
    table: str
    links: int


def linked(tables: Sequence[Table]) -> dict[Table, Count]:
    """How many people are linked, by table; exact to 100,000."""
    statement = """
        SELECT t."table", (SELECT count(*) FROM (SELECT 1 FROM store_link l WHERE l."table" = t."table" LIMIT %s) x)
                          AS links
        FROM unnest(%s::text[]) AS t("table")
    """
    rows = select(_Linked, statement, [MOST_LINKS + 1, [str(table) for table in tables]])
    return {Table(row.table): Count(min(row.links, MOST_LINKS), row.links > MOST_LINKS) for row in rows}


@dataclass(frozen=True, slots=True)
class _Value:
    value: str


def values_seen(field: str) -> list[str]:
    """Different texts of a Marketo field among the 2,000 people read last, at most 50."""
    statement = """
        SELECT DISTINCT value FROM (
            SELECT p."values" ->> %s AS value FROM store_marketoperson p ORDER BY p.id DESC LIMIT 2000) x
        WHERE value IS NOT NULL AND value <> '' ORDER BY value LIMIT 50
    """
    return [row.value for row in select(_Value, statement, [field])]
