"""Saved sets of field pairs. A set is never changed: saving makes the next version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from syncadmin.engine import fields as engine
from syncadmin.engine.records import Table
from syncadmin.engine.schema import Schema
from syncadmin.store import locks, schemas, staging, text
from syncadmin.store.models import FieldPair, FieldSet, PausedPair

# The column is back, but links still hold what was agreed before it went.
HEALING = "healing"


@dataclass(frozen=True, slots=True)
class Pause:
    """Why a pair is left alone: ``code`` is gone, retyped or healing; ``facts`` name side, column and types."""

    code: str
    facts: Mapping[str, str] = field(default_factory=dict)


def pairs(version: int) -> list[engine.FieldPair]:
    """The pairs of one version in the order they were saved, each with the code it is paused for, if it is."""
    reasons = paused()
    rows = FieldPair.objects.filter(version=version).order_by("id")
    return [_pair(row, reasons[row.key].code if row.key in reasons else "") for row in rows]


def save(
    chosen: Iterable[engine.FieldPair],
    *,
    who: str = "",
    now: datetime | None = None,
    source: int = 0,
    kinds: Mapping[str, tuple[str, str]] | None = None,
) -> int:
    """Stores a new set and answers its version. A column or field used twice in a table is an IntegrityError.

    ``kinds`` are, by pair key, types to be kept; all other pairs are kept with the types of today.
    """
    known = {table: schemas.load(table) for table in Table}
    with transaction.atomic():
        locks.wait_in_transaction(locks.Lock.SETUP)
        version = 1 + (FieldPair.objects.aggregate(newest=Max("version"))["newest"] or 0)
        FieldPair.objects.bulk_create([_row(pair, version, known, (kinds or {}).get(pair.key)) for pair in chosen])
        if now is not None:
            FieldSet.objects.create(version=version, saved_at=now, saved_by=who, source=source or None)
    return version


def versions() -> list[int]:
    """All versions there are, the newest first."""
    return list(FieldPair.objects.order_by("-version").values_list("version", flat=True).distinct())


def kind_of(schema: Schema | None, name: str) -> str:
    """What a column is, as far as a field pair depends on it; empty if there is no such readable column."""
    column = schema.columns.get(name) if schema is not None else None
    if column is None or not column.readable:
        return ""
    return f"{column.kind}/{column.behaviour}" if column.behaviour is not None else str(column.kind)


def chosen_kinds(version: int) -> dict[str, tuple[str, str]]:
    """By pair key, what the Dynamics column and the Marketo field were when the pair was chosen."""
    rows = FieldPair.objects.filter(version=version)
    return {row.key: (row.dynamics_kind, row.marketo_kind) for row in rows}


def paused() -> dict[str, Pause]:
    """Why pairs are left alone, by key."""
    rows = staging.query("SELECT key, code, facts FROM store_pausedpair")
    return {key: Pause(code, text.load(facts)) for key, code, facts in rows}


def pause(reasons: Mapping[str, Pause], now: datetime) -> tuple[list[str], list[str]]:
    """Pauses exactly these pairs, but for those that heal. Answers the keys newly paused and those that began to heal.

    A pair whose column is back stays paused as *healing* until ``healed`` is told that its links are ready.
    """
    with transaction.atomic():
        locks.wait_in_transaction(locks.Lock.SETUP)
        before = paused()
        healing = sorted(key for key in before.keys() - reasons.keys() if before[key].code != HEALING)
        PausedPair.objects.filter(key__in=healing).update(code=HEALING)
        for key, reason in reasons.items():
            if before.get(key) != reason:
                told = {"code": reason.code, "facts": dict(reason.facts)}
                PausedPair.objects.update_or_create(key=key, defaults=told, create_defaults={**told, "since": now})
    return sorted(reasons.keys() - before.keys()), healing


def heal(keys: Iterable[str]) -> None:
    """These pairs are confirmed as they are now: they go on when their links are ready."""
    PausedPair.objects.filter(key__in=list(keys)).update(code=HEALING)


def healed(keys: Iterable[str]) -> None:
    """These pairs go on, unless one of them broke again meanwhile."""
    PausedPair.objects.filter(key__in=list(keys), code=HEALING).delete()


def forget_pauses(version: int) -> None:
    """A pair that is in no set in force is not paused either."""
    PausedPair.objects.exclude(key__in=FieldPair.objects.filter(version=version).values("key")).delete()


def _pair(row: FieldPair, reason: str) -> engine.FieldPair:
    return engine.FieldPair(
        key=row.key,
        table=Table(row.table),
        dynamics=row.dynamics,
        marketo=row.marketo,
        direction=engine.Direction(row.direction),
        winner=engine.Winner(row.winner),
        blanks_travel=row.blanks_travel,
        shorten=row.shorten,
        options=row.options,
        consent=row.consent,
        default=row.default,
        paused=reason,
    )


def _row(
    pair: engine.FieldPair, version: int, known: Mapping[Table, Schema | None], kinds: tuple[str, str] | None
) -> FieldPair:
    today = kind_of(known[pair.table], pair.dynamics), kind_of(known[Table.PERSON], pair.marketo)
    return FieldPair(
        version=version,
        key=pair.key,
        table=pair.table,
        dynamics=pair.dynamics,
        marketo=pair.marketo,
        direction=pair.direction,
        winner=pair.winner,
        blanks_travel=pair.blanks_travel,
        shorten=pair.shorten,
        options=dict(pair.options),
        consent=pair.consent,
        default=pair.default,
        dynamics_kind=(kinds or today)[0],
        marketo_kind=(kinds or today)[1],
    )
