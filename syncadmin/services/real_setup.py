"""Sets the sync up against real systems, a step at a time: the sandbox's twin for an operator at a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from syncadmin.connectors.dynamics.auth import PUBLIC_CLOUD, DynamicsConfig
from syncadmin.connectors.errors import ConnectorError
from syncadmin.connectors.marketo.config import MarketoConfig
from syncadmin.engine.records import Table
from syncadmin.services import connect, setup
from syncadmin.services.connect import NotConnected, Unopened
from syncadmin.services.setup import Connected, Equipped, NoMetadata, NotReady
from syncadmin.store import fieldsets, options

__all__ = ["PUBLIC_CLOUD", "Address", "Connected", "Prepared", "Trouble", "dynamics", "marketo", "prepare", "start"]

# What may go wrong with a step; each message is a sentence.
Trouble = (ConnectorError, NotConnected, Unopened, NoMetadata, NotReady)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a system is and who we are there; the secret comes by itself."""

    url: str
    client_id: str
    allow_private: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """What could not be made in Marketo, how many pairs each table has, and whether they were chosen just now."""

    equipped: Equipped
    pairs: Mapping[Table, int]
    chosen_now: bool


def dynamics(where: Address, tenant: str, authority: str, secret: str, *, who: str) -> Connected:
    """Checks and saves the connection. Raises the connectors' errors."""
    config = DynamicsConfig(where.url, tenant, where.client_id, secret, authority, where.allow_private)
    return setup.connect_dynamics(config, who=who)


def marketo(where: Address, identity_url: str, secret: str, *, who: str) -> Connected:
    """As ``dynamics``."""
    config = MarketoConfig(where.url, where.client_id, secret, identity_url, where.allow_private)
    return setup.connect_marketo(config, who=who)


def prepare(*, who: str, now: datetime) -> Prepared:
    """Our fields and activity type in Marketo, both systems' metadata, and the default pairs if none were chosen."""
    ctx = connect.context()
    # Before the metadata is read, so that it knows the new fields.
    equipped = setup.ensure_marketo(ctx)
    setup.refresh_schema(ctx)
    first = not options.read().field_version
    if first:
        setup.choose_defaults(who=who, now=now)
    pairs = fieldsets.pairs(options.read().field_version)
    counts = {table: sum(pair.table is table for pair in pairs) for table in (Table.LEAD, Table.CONTACT)}
    return Prepared(equipped, counts, first)


def start(*, who: str, now: datetime) -> None:
    """The loop may run from now on. Raises ``NotReady``."""
    setup.start(who=who, now=now)
