"""Field by field: both sides' values, what was agreed, and what stands in the way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from syncadmin.engine.fields import Bound, FieldPair, Unconvertible, comparable
from syncadmin.engine.own_fields import OwnNames, own_columns, own_pairs
from syncadmin.engine.records import Raw, Side, Table
from syncadmin.engine.schema import Column, Kind, Schema
from syncadmin.store import fieldsets, options, schemas
from syncadmin.store.models import DynamicsRecord, Link, MarketoPerson, TableSchema
from syncadmin.store.options import Options
from syncadmin.store.queries.history import LastDone

_CHOICES = frozenset({Kind.CHOICE, Kind.STATE, Kind.STATUS})


@dataclass(frozen=True, slots=True)
class Marks:
    """What is known to stand in the way, by pair key. ``waiting`` names the side that is to be written."""

    held: Mapping[str, Any]
    waiting: Mapping[str, str]
    receipts: frozenset[str]
    failed: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field pair. A value that is not ``known`` was never in an answer. ``why`` is a code of the screen's words:
    a reason of ``Held``, or waiting, failed, changed, first, same, unread. ``last`` is what was last done to it.
    """

    key: str
    label: str
    dynamics_column: str
    marketo_field: str
    dynamics: Any
    marketo: Any
    dynamics_known: bool
    marketo_known: bool
    agreed: tuple[Any, Any] | None
    direction: str
    winner: str
    why: str
    detail: str = ""
    last: LastDone | None = None


def reason(stored: Any) -> str:
    """Why something is held, from what the link keeps beside it."""
    return str(stored.get("why") or "") if isinstance(stored, Mapping) else ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The chosen pairs and the columns they join, as they stand at one moment."""

    settings: Options
    schemas: Mapping[Table, Schema]
    pairs: tuple[FieldPair, ...]

    def labels(self) -> dict[str, str]:
        """What a person calls each field pair, by pair key; our own three included."""
        named = self.settings
        names = OwnNames(named.guid_field, named.type_field, named.deleted_field)
        own = [(pair, own_columns(table)) for table in (Table.LEAD, Table.CONTACT) for pair in own_pairs(table, names)]
        chosen = {pair.key: _label(pair, self.schemas.get(pair.table)) for pair in self.pairs}
        return {pair.key: columns[pair.dynamics].label for pair, columns in own} | chosen

    def options(self) -> dict[str, dict[str, str]]:
        """For each pair of a choice, how its values are to be shown: by number, and by label in comparable form."""
        found = {pair.key: self._column(pair) for pair in self.pairs}
        return {
            key: {
                word: option.label for option in column.options for word in (str(option.value), option.label.casefold())
            }
            for key, column in found.items()
            if column is not None and column.options
        }

    def _column(self, pair: FieldPair) -> Column | None:
        schema = self.schemas.get(pair.table)
        return schema.columns.get(pair.dynamics) if schema else None


def catalogue() -> Catalogue:
    settings = options.read()
    digests = TableSchema.objects.values_list("table", "digest")
    known = {Table(table): _schema(Table(table), digest) for table, digest in digests}
    return Catalogue(settings, known, tuple(fieldsets.pairs(settings.field_version)))


@lru_cache(maxsize=8)
def _schema(table: Table, digest: str) -> Schema:
    """Read anew when the digest says that it differs: some hundred columns take longer to read than a page may."""
    return schemas.load(table) or Schema(table)


def rows(
    book: Catalogue,
    table: str,
    known: tuple[Link | None, DynamicsRecord | None, MarketoPerson | None],
    marks: Marks,
) -> tuple[FieldRow, ...]:
    """In the order the fields were chosen. A person who is only in Marketo is shown by the pairs of a lead."""
    used = Table.LEAD if table == Table.PERSON else Table(table)
    here, there = book.schemas.get(used), book.schemas.get(Table.PERSON)
    zone = ZoneInfo(book.settings.time_zone)
    return tuple(_row(pair, here, there, zone, known, marks) for pair in book.pairs if pair.table is used)


def _row(
    pair: FieldPair,
    here: Schema | None,
    there: Schema | None,
    zone: ZoneInfo,
    known: tuple[Link | None, DynamicsRecord | None, MarketoPerson | None],
    marks: Marks,
) -> FieldRow:
    link, record, person = known
    column = here.columns.get(pair.dynamics) if here else None
    field = there.columns.get(pair.marketo) if there else None
    ours = record.values if record else {}
    theirs = person.values if person else {}
    agreed = (link.agreed.get(pair.key) if link else None) or None
    bound = Bound(pair, column, field, zone) if column and field else None
    now = (pair.dynamics in ours, pair.marketo in theirs)
    why = _why(pair, marks, agreed, now, _moved(bound, ours, theirs, agreed))
    return FieldRow(
        key=pair.key,
        label=_label(pair, here),
        dynamics_column=pair.dynamics,
        marketo_field=pair.marketo,
        dynamics=shown(column, ours.get(pair.dynamics)),
        marketo=shown(field, theirs.get(pair.marketo)),
        dynamics_known=now[0],
        marketo_known=now[1],
        agreed=(agreed[0], agreed[1]) if agreed else None,
        direction=pair.direction,
        winner=pair.winner,
        why=why,
        detail=marks.failed.get(pair.key, "") if why == "failed" else marks.waiting.get(pair.key, ""),
    )


def _why(pair: FieldPair, marks: Marks, agreed: Any, known: tuple[bool, bool], moved: bool | None) -> str:
    if pair.paused:
        return "paused"
    if pair.key in marks.failed:
        return "failed"
    if pair.key in marks.waiting:
        return "waiting"
    if pair.key in marks.held:
        return reason(marks.held[pair.key])
    if pair.key in marks.receipts:
        return "receipt"
    if not all(known):
        return "unread"
    if agreed is None:
        return "first"
    return "changed" if moved else "same"


def _moved(bound: Bound | None, ours: Mapping[str, Raw], theirs: Mapping[str, Raw], agreed: Any) -> bool | None:
    """Whether a side differs from its own agreed value; None where that cannot be said."""
    if bound is None or not agreed:
        return None
    try:
        now = (
            comparable(bound, Side.DYNAMICS, ours.get(bound.pair.dynamics)),
            comparable(bound, Side.MARKETO, theirs.get(bound.pair.marketo)),
        )
    except Unconvertible:
        return None
    return now != (agreed[0], agreed[1])


def _label(pair: FieldPair, schema: Schema | None) -> str:
    column = schema.columns.get(pair.dynamics) if schema else None
    return (column.label if column else "") or pair.dynamics


def shown(column: Column | None, value: Any) -> Any:
    """The raw value as a person reads it: an option by its label, several joined by semicolons."""
    if column is None or value is None:
        return value
    names = {str(option.value): option.label for option in column.options}
    if column.kind in _CHOICES:
        return names.get(str(value), value)
    if column.kind is Kind.MULTICHOICE and isinstance(value, str):
        return "; ".join(names.get(part.strip(), part.strip()) for part in value.split(",")) if names else value
    return value


def by_label(value: Any, options: Mapping[str, str]) -> Any:
    """A value of a choice, raw or in comparable form, as its label; several joined by semicolons."""
    if not isinstance(value, str | int) or isinstance(value, bool):
        return value
    parts = [part.strip() for part in re.split(r"[;,]", str(value))]
    if str(value) in options or len(parts) == 1:
        return options.get(str(value), value)
    return "; ".join(options.get(part, part) for part in parts)
