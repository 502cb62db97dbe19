"""What is synced: tables, filter column, list, time zone, and how differences are settled. Offered, counted, chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from django.core.cache import cache
from django.db import transaction

from syncadmin.connectors.contract import DynamicsConnector, StaticList
from syncadmin.connectors.errors import ConnectorError
from syncadmin.connectors.probes import told
from syncadmin.engine.records import Lane, Raw, Table
from syncadmin.engine.schema import Column, Kind
from syncadmin.services import connect, setup
from syncadmin.services.checks import PATIENCE
from syncadmin.services.connect import NotConnected, Unopened
from syncadmin.services.context import Context
from syncadmin.store import options, schemas
from syncadmin.store.models import AuditEntry, Connection

NAMES = (
    "leads",
    "contacts",
    "filter_column",
    "list_id",
    "time_zone",
    "several",
    "first_contact",
    "partition",
    "observe_only",
)
PURPOSE = "setup"
# Lists and partitions are asked for once while somebody looks through them.
_KEPT_SECONDS = 60
MOST_LISTS = 50
TABLES = (Table.LEAD, Table.CONTACT)


class NothingChosen(ValueError):
    """Neither leads nor contacts."""


@dataclass(frozen=True, slots=True)
class FilterColumn:
    """A column that could decide what comes over; ``tables`` that have it."""

    name: str
    label: str
    tables: tuple[Table, ...]


@dataclass(frozen=True, slots=True)
class MarketoOffers:
    """What Marketo has to choose from. ``more``: lists beyond those shown. ``trouble`` if it could not be asked."""

    lists: tuple[StaticList, ...] = ()
    more: int = 0
    partitions: tuple[str, ...] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Counted:
    """A number of records: exact, or only known to be over 5,000; ``about`` is yesterday's figure of the whole table."""

    number: int
    about: int = 0

    @property
    def over(self) -> bool:
        return self.number > MOST_COUNTED


@dataclass(frozen=True, slots=True)
class Selected:
    """How a choice of the filter column divides a table; ``yes``, ``no`` and ``empty`` are None without the column."""

    table: Table
    all: Counted
    yes: Counted | None = None
    no: Counted | None = None
    empty: Counted | None = None


MOST_COUNTED = 5_000


def zones() -> list[str]:
    """Every time zone there is, by name."""
    return sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix/")))


def filter_columns() -> list[FilterColumn]:
    """Yes/No columns, and choices with an option called No; custom ones first."""
    found: dict[str, FilterColumn] = {}
    custom: set[str] = set()
    for table in TABLES:
        schema = schemas.load(table)
        for column in schema.columns.values() if schema else ():
            if column.readable and _says_no(column) is not None:
                before = found.get(column.name)
                tables = (*before.tables, table) if before else (table,)
                found[column.name] = FilterColumn(column.name, column.label or column.name, tables)
                custom |= {column.name} if "_" in column.name else set()
    return sorted(found.values(), key=lambda each: (each.name not in custom, each.label.casefold()))


def _says_no(column: Column) -> Raw:
    """The stored value that means No; None if the column knows none."""
    if column.kind is Kind.BOOLEAN:
        return False
    if column.kind is not Kind.CHOICE:
        return None
    return next((option.value for option in column.options if option.label.strip().casefold() == "no"), None)


def offers(query: str = "") -> MarketoOffers:
    """Static lists whose name holds the words, and partitions; kept for a minute."""
    try:
        ctx = connect.context()
        everything = _asked(ctx)
    except ConnectorError as error:
        return MarketoOffers(trouble=" ".join(filter(None, told(error))))
    except (NotConnected, Unopened) as error:
        return MarketoOffers(trouble=str(error))
    lists, partitions = everything
    words = query.casefold().split()
    fitting = [each for each in lists if all(word in each.name.casefold() for word in words)]
    return MarketoOffers(tuple(fitting[:MOST_LISTS]), max(0, len(fitting) - MOST_LISTS), partitions)


def list_name(id: str) -> str:
    """What the chosen list is called, as far as it was read lately; else its number."""
    if not id:
        return ""
    kept = cache.get(_key())
    names = {each.id: each.name for each in kept[0]} if kept else {}
    return str(names.get(id, id))


def _asked(ctx: Context) -> tuple[tuple[StaticList, ...], tuple[str, ...]]:
    kept: tuple[tuple[StaticList, ...], tuple[str, ...]] | None = cache.get(_key())
    if kept is None:
        marketo = ctx.marketo.for_work(Lane.LIVE, PURPOSE, ctx.now() + PATIENCE)
        lists = sorted(marketo.lists(), key=lambda each: each.name.casefold())
        kept = tuple(lists), tuple(marketo.partitions())
        cache.set(_key(), kept, _KEPT_SECONDS)
    return kept


def _key() -> str:
    row = Connection.objects.filter(side="marketo").values_list("id", "connected_at").first()
    return f"scope-{row[0]}-{row[1].timestamp()}" if row else "scope-none"


def count(column: str) -> tuple[list[Selected], str]:
    """How the column divides each table; a sentence if Dynamics could not be asked."""
    try:
        ctx = connect.context()
        dynamics = ctx.dynamics.for_work(Lane.LIVE, PURPOSE, ctx.now() + PATIENCE)
        return [_divided(dynamics, table, column) for table in TABLES], ""
    except ConnectorError as error:
        return [], " ".join(filter(None, told(error)))
    except (NotConnected, Unopened) as error:
        return [], str(error)


def _divided(dynamics: DynamicsConnector, table: Table, name: str) -> Selected:
    schema = schemas.load(table)
    column = schema.columns.get(name) if schema else None
    everything = Counted(dynamics.count(table))
    if everything.over:
        everything = Counted(everything.number, dynamics.total(table))
    no = None if column is None else _says_no(column)
    if no is None:
        return Selected(table, everything)
    stays, empty = Counted(dynamics.count(table, name, no)), Counted(dynamics.count(table, name, None))
    if everything.over or stays.over or empty.over:
        return Selected(table, everything, None, stays, empty)
    return Selected(table, everything, Counted(everything.number - stays.number - empty.number), stays, empty)


def choose(wanted: Mapping[str, Any], *, who: str, now: datetime) -> None:
    """Saves the answers, all or none, each changed one in the audit log. Raises ``NothingChosen``, ``WrongSetting``."""
    if not (wanted["leads"] or wanted["contacts"]):
        raise NothingChosen
    with transaction.atomic():
        setup.change_all({name: wanted[name] for name in NAMES}, who=who, now=now)
        if not options.write("scope_chosen", True):
            AuditEntry.objects.create(at=now, who=who, action="scope", subject="setup", after=True)
