"""The rules in force: settings, field pairs bound to their columns, and which columns each side is asked for.

Read at the start of every batch, so that a change of settings takes effect between records, never within one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

from syncadmin.engine.fields import Bound, FieldPair
from syncadmin.engine.glance import Glance, glances
from syncadmin.engine.merge import FirstContact
from syncadmin.engine.own_fields import OwnNames, own_bounds
from syncadmin.engine.records import Table
from syncadmin.engine.schema import Schema
from syncadmin.store import fieldsets, options, schemas, staging, text
from syncadmin.store.options import Options

# Read with every record, mapped or not: who it is, where it stands, what it was merged into.
_CONTROL = (
    "firstname",
    "lastname",
    "emailaddress1",
    "statecode",
    "modifiedon",
    "merged",
    "masterid",
    "originatingleadid",
    "parentcontactid",
)
_PERSON_CONTROL = ("id", "email", "firstName", "lastName", "externalCompanyId")


@dataclass(frozen=True, slots=True)
class Rulebook:
    """One consistent set of rules. ``bounds`` holds the chosen pairs of a table and our own three fields.

    ``digest`` names the set: what was decided by equal digests was decided by equal rules. ``glances`` are the
    bounds, made ready for many links; ``by_key`` the bounds of all tables.
    """

    options: Options
    schemas: Mapping[Table, Schema]
    bounds: Mapping[Table, tuple[Bound, ...]]
    digest: str
    glances: Mapping[Table, tuple[Glance, ...]]
    by_key: Mapping[str, Bound]

    @property
    def tables(self) -> tuple[Table, ...]:
        wanted = ((Table.LEAD, self.options.leads), (Table.CONTACT, self.options.contacts))
        return tuple(table for table, chosen in wanted if chosen and table in self.schemas)

    @property
    def first(self) -> FirstContact:
        return FirstContact(self.options.first_contact)

    def pairs(self, table: Table) -> list[FieldPair]:
        return [bound.pair for bound in self.bounds[table]]

    def bound(self, key: str) -> Bound | None:
        """The pair of this key, if it is still kept in step."""
        return self.by_key.get(key)

    def filters(self, table: Table) -> bool:
        """Whether the table has the column that decides what comes over."""
        return self.options.filter_column in self.schemas[table].columns

    def dynamics_columns(self, table: Table) -> list[str]:
        """Every column asked of a table, sorted, so that equal sets are equal lists."""
        known = self.schemas[table].columns
        mapped = {
            bound.pair.dynamics
            for bound in self.bounds[table]
            if _is_read(bound) and not bound.pair.dynamics.startswith("@")
        }
        asked = mapped | set(_CONTROL) | {self.options.filter_column}
        return sorted(name for name in asked if name in known and known[name].readable)

    def person_fields(self) -> list[str]:
        """Every field asked of a person, sorted."""
        known = self.schemas[Table.PERSON].columns
        mapped = {bound.pair.marketo for table in self.tables for bound in self.bounds[table] if _is_read(bound)}
        return sorted(name for name in mapped | set(_PERSON_CONTROL) if name in known and known[name].readable)

    def columns_digest(self, table: Table) -> str:
        return text.digest(",".join(self.dynamics_columns(table)))


def _is_read(bound: Bound) -> bool:
    """Whether what stands there may count: a value of another type would still lie in the mirror when the type is back,
    since no feed tells that it went."""
    return bound.pair.paused in ("", fieldsets.HEALING)


def load() -> Rulebook:
    """The rules as they stand now; parsed anew only when something differs."""
    ((stored, digests, paused),) = staging.query(_IN_FORCE)
    return _assemble(options.of(text.load(stored) or {}), _pairs(digests), _pairs(paused))


_IN_FORCE = """SELECT (SELECT jsonb_object_agg(name, value) FROM store_setting),
                      (SELECT jsonb_agg(jsonb_build_array("table", digest)) FROM store_tableschema),
                      (SELECT jsonb_agg(jsonb_build_array(key, code)) FROM store_pausedpair)"""


def _pairs(rows: str | None) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((first, second) for first, second in text.load(rows) or ()))


@lru_cache(maxsize=4)
def _assemble(now: Options, digests: tuple[tuple[str, str], ...], paused: tuple[tuple[str, str], ...]) -> Rulebook:
    known = {Table(table): schemas.of_digest(Table(table), digest) for table, digest in digests}
    pairs = fieldsets.pairs(now.field_version)
    zone = ZoneInfo(now.time_zone)
    names = OwnNames(now.guid_field, now.type_field, now.deleted_field)
    bounds: dict[Table, tuple[Bound, ...]] = {
        table: (
            *(
                Bound(pair, known[table].columns[pair.dynamics], known[Table.PERSON].columns[pair.marketo], zone)
                for pair in pairs
                if pair.table is table and _complete(pair, known)
            ),
            *own_bounds(table, names, known[Table.PERSON], zone),
        )
        for table in (Table.LEAD, Table.CONTACT)
        if table in known and Table.PERSON in known
    }
    digest = text.digest(text.dump([asdict(now), digests, paused]))
    ready = {table: glances(found) for table, found in bounds.items()}
    by_key = {bound.pair.key: bound for found in bounds.values() for bound in found}
    return Rulebook(now, known, bounds, digest, ready, by_key)


def _complete(pair: FieldPair, known: Mapping[Table, Schema]) -> bool:
    return pair.dynamics in known[pair.table].columns and pair.marketo in known[Table.PERSON].columns
