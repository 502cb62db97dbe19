"""Which fields are kept in step: the defaults, and saving a choice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from syncadmin.engine.defaults import default_pairs
from syncadmin.engine.fields import FieldPair
from syncadmin.engine.records import Lane, Table
from syncadmin.engine.schema import Schema
from syncadmin.services.pair_faults import faults
from syncadmin.store import fieldsets, options, schemas
from syncadmin.store.models import AuditEntry, Link


class NoMetadata(Exception):
    """The tables' metadata has not been read yet."""


class WrongPairs(Exception):
    """Some pairs cannot work; ``reasons`` by pair key. Nothing was saved."""

    def __init__(self, reasons: dict[str, str]) -> None:
        super().__init__(" ".join(f"{key}: {reason}" for key, reason in reasons.items()))
        self.reasons = reasons


def known_tables() -> dict[Table, Schema]:
    """The metadata of all tables. Raises ``NoMetadata``."""
    found = {table: schemas.load(table) for table in Table}
    known = {table: schema for table, schema in found.items() if schema is not None}
    if len(known) < len(found):
        raise NoMetadata("The fields of both systems are not known yet: connect both first.")
    return known


def suggested() -> list[FieldPair]:
    """The default pairs, as far as the columns exist and can work. Raises ``NoMetadata``."""
    known = known_tables()
    people = known[Table.PERSON]
    pairs = [pair for table in (Table.LEAD, Table.CONTACT) for pair in default_pairs(table, known[table], people)]
    unfit = faults(pairs, known)
    return [pair for pair in pairs if pair.key not in unfit]


def choose_defaults(*, who: str, now: datetime) -> int:
    """Puts the default pairs in force; answers the version. Raises ``NoMetadata``."""
    return save_fields(suggested(), who=who, now=now)


def save_fields(pairs: Sequence[FieldPair], *, who: str, now: datetime) -> int:
    """Puts a set of pairs in force with the next batch; answers its version. Raises ``WrongPairs``, ``NoMetadata``."""
    reasons = faults(pairs, known_tables())
    if reasons:
        raise WrongPairs(reasons)
    with transaction.atomic():
        before = [pair.key for pair in fieldsets.pairs(options.read().field_version)]
        version = fieldsets.save(pairs)
        old = options.write("field_version", version)
        added = {pair.key for pair in pairs} - set(before)
        if added:
            _fill_back({pair.table for pair in pairs if pair.key in added})
        AuditEntry.objects.create(
            at=now,
            who=who,
            action="fields",
            subject=f"version {version}",
            before={"version": old, "pairs": before},
            after={"version": version, "pairs": [pair.key for pair in pairs]},
        )
    return version


def _fill_back(tables: set[Table]) -> None:
    """A pair that is new is merged for everyone who is linked already."""
    Link.objects.filter(table__in=tables, dirty=False).update(dirty=True, lane=Lane.BACKFILL)
