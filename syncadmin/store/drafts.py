"""Edits of field pairs that are not in force yet, shared by all administrators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from syncadmin.engine.mapping import Direction, FieldPair, Winner, pair_key
from syncadmin.engine.records import Table
from syncadmin.store.models import FieldDraft
from syncadmin.store.text import digest, storable

Place = tuple[Table, str]
_DERIVED = ("key", "paused")


@dataclass(frozen=True, slots=True)
class Edit:
    """What somebody made of one column: its pair, or None where it was taken out."""

    pair: FieldPair | None
    who: str
    at: datetime


def read() -> dict[Place, Edit]:
    """All edits by table and column, the oldest first."""
    rows = FieldDraft.objects.order_by("at", "id")
    return {(Table(row.table), row.dynamics): Edit(_pair(row.pair), row.who, row.at) for row in rows}


def fingerprint(edits: Mapping[Place, Edit], version: int, suggested: Sequence[FieldPair] = ()) -> str:
    """Differs whenever what would be saved differs, or whoever edited it. A suggestion follows the columns there are."""
    told = [(place, edit.who, edit.at, _rules(edit.pair)) for place, edit in sorted(edits.items())]
    return digest(repr((version, told, [pair.key for pair in suggested])))


def _rules(pair: FieldPair | None) -> tuple[Any, ...]:
    # By hand: asdict copies deeply, which for hundreds of edits takes longer than all else on the page.
    if pair is None:
        return ()
    rules = (pair.marketo, pair.direction, pair.winner, pair.blanks_travel, pair.shorten, pair.consent, pair.default)
    return (*rules, tuple(sorted(pair.options.items())))


def put(edits: Mapping[Place, FieldPair | None], *, who: str, now: datetime) -> None:
    """Stores edits; the last one of a column stands."""
    rows = [
        FieldDraft(table=table, dynamics=dynamics, pair=_row(pair), who=who, at=now)
        for (table, dynamics), pair in edits.items()
    ]
    FieldDraft.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["table", "dynamics"], update_fields=["pair", "who", "at"]
    )


def drop(places: Sequence[Place]) -> None:
    """These columns stand as the set in force has them."""
    for table in {table for table, _ in places}:
        columns = [column for of, column in places if of is table]
        FieldDraft.objects.filter(table=table, dynamics__in=columns).delete()


def clear() -> None:
    FieldDraft.objects.all().delete()


def _row(pair: FieldPair | None) -> dict[str, Any] | None:
    if pair is None:
        return None
    values = {**asdict(pair), "options": dict(pair.options)}
    row: dict[str, Any] = storable({name: value for name, value in values.items() if name not in _DERIVED})
    return row


def _pair(row: Mapping[str, Any] | None) -> FieldPair | None:
    if row is None:
        return None
    table = Table(row["table"])
    words = {"table": table, "direction": Direction(row["direction"]), "winner": Winner(row["winner"])}
    return FieldPair(pair_key(table, row["dynamics"], row["marketo"]), **{**row, **words})
