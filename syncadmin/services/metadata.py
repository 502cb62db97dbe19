"""What both systems' tables look like now, and which field pairs that pauses or heals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from syncadmin.connectors.errors import Malformed
from syncadmin.engine.failures import Cause, HealsBy, describe
from syncadmin.engine.records import Lane, Side, Table
from syncadmin.engine.schema import Schema
from syncadmin.services.context import Context
from syncadmin.store import fieldsets, mirror, options, schemas
from syncadmin.store.fieldsets import Pause
from syncadmin.store.models import Failure

GOOD_FOR = timedelta(hours=1)
PURPOSE = "metadata"


@dataclass(frozen=True, slots=True)
class Refreshed:
    """Tables that changed, and keys of the pairs that are paused from now on or begin to heal."""

    changed: tuple[Table, ...] = ()
    paused: tuple[str, ...] = ()
    healed: tuple[str, ...] = ()


def is_due(now: datetime) -> bool:
    """Whether some table's metadata is older than an hour, or was never read."""
    times = schemas.read_times()
    return any(table not in times or now - times[table] >= GOOD_FOR for table in Table)


def refresh_schema(ctx: Context) -> Refreshed:
    """Reads the metadata of all tables and lets it take effect at once. Raises the connectors' errors.

    Nothing is stored unless every table was read, so that pairs are judged by both of their sides.
    """
    found = [_read(ctx, table) for table in Table]
    now = ctx.now()
    with transaction.atomic():
        changed = tuple(schema.table for schema in found if schemas.save(schema, now))
        paused, healed = fieldsets.pause(broken_pairs({schema.table: schema for schema in found}), now)
        if changed:
            _wake_failures(now)
    return Refreshed(changed, tuple(paused), tuple(healed))


def _read(ctx: Context, table: Table) -> Schema:
    connector = ctx.marketo if table.side is Side.MARKETO else ctx.dynamics
    schema = connector.for_work(Lane.LIVE, PURPOSE).schema(table)
    if not schema.columns:
        raise Malformed(f"The metadata of {table} names no column.", code="metadata")
    return schema


def broken_pairs(known: dict[Table, Schema]) -> dict[str, Pause]:
    """Why pairs of the set in force cannot work with these tables, by key."""
    version = options.read().field_version
    kinds = fieldsets.chosen_kinds(version)
    reasons: dict[str, Pause] = {}
    for pair in fieldsets.pairs(version):
        was_there, was_here = kinds[pair.key]
        trouble = _trouble(Side.DYNAMICS, was_there, known[pair.table], pair.dynamics)
        trouble = trouble or _trouble(Side.MARKETO, was_here, known[Table.PERSON], pair.marketo)
        if trouble:
            reasons[pair.key] = trouble
    return reasons


def _trouble(side: Side, was: str, schema: Schema, name: str) -> Pause | None:
    now = fieldsets.kind_of(schema, name)
    if not now:
        return Pause("gone", {"side": side, "name": name})
    retyped = bool(was) and was != now
    return Pause("retyped", {"side": side, "name": name, "was": was, "now": now}) if retyped else None


def _wake_failures(now: datetime) -> None:
    """What waits for other metadata is tried again in the next run."""
    # Other lengths, ranges or options may let through what only another value could mend before.
    causes = [cause for cause in Cause if describe(cause).heals_by in (HealsBy.METADATA, HealsBy.VALUE)]
    waiting = Failure.objects.filter(cause__in=causes, closed_at__isnull=True, ignored=False)
    links = waiting.filter(link__isnull=False).values_list("link_id", flat=True)
    mirror.mark_links(list(links), Lane.RETRY)
    waiting.update(next_try_at=now)
