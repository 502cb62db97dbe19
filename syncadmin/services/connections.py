"""Connecting the two systems: checked first, saved only when good, never pointed elsewhere by mistake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from syncadmin.connectors.budget import Unlimited
from syncadmin.connectors.contract import Check, Connector, Identity
from syncadmin.connectors.dynamics.auth import DynamicsConfig
from syncadmin.connectors.marketo.config import MarketoConfig
from syncadmin.engine.records import Side
from syncadmin.services import connect
from syncadmin.services.connect import World
from syncadmin.store import vault
from syncadmin.store.models import AuditEntry, Connection, Link


@dataclass(frozen=True, slots=True)
class Connected:
    """The named checks, and who we are over there; nothing was saved without an identity."""

    checks: tuple[Check, ...]
    identity: Identity | None = None

    @property
    def ok(self) -> bool:
        return self.identity is not None


def connect_dynamics(config: DynamicsConfig, *, who: str, world: World | None = None) -> Connected:
    """Checks and saves the connection to Dynamics. Raises the connectors' errors of a call that failed as a whole."""
    world = world or connect.real_world()
    stored = {
        "tenant": config.tenant,
        "client_id": config.client_id,
        "authority": config.authority,
        "allow_private": config.allow_private,
    }
    row = Connection(side=Side.DYNAMICS, base_url=config.base_url.strip().rstrip("/"), config=stored)
    connector = connect.dynamics(config, world, Unlimited())
    probe = connect.time_ordered(world.now(), world.rng.getrandbits(74))
    return _save(row, config.client_secret, connector, connector.check(probe_id=str(probe)), who, world.now())


def connect_marketo(config: MarketoConfig, *, who: str, world: World | None = None) -> Connected:
    """As ``connect_dynamics``."""
    world = world or connect.real_world()
    stored = {
        "client_id": config.client_id,
        "identity_url": config.identity_url,
        "allow_private": config.allow_private,
    }
    row = Connection(side=Side.MARKETO, base_url=config.root, config=stored)
    connector = connect.marketo(config, world, Unlimited())
    return _save(row, config.client_secret, connector, connector.check(), who, world.now())


def _save(
    row: Connection, secret: str, connector: Connector, found: Sequence[Check], who: str, now: datetime
) -> Connected:
    checks = tuple(found)
    if any(check.ok is False for check in checks):
        return Connected(checks)
    identity = connector.identity()
    with transaction.atomic():
        known = Connection.objects.select_for_update().filter(side=row.side).first()
        if known is not None and known.account != identity.account and Link.objects.exists():
            return Connected((*checks, _elsewhere(known, identity)))
        before = None if known is None else _shown(known)
        row.pk = None if known is None else known.pk
        row.account, row.user = identity.account, identity.user
        row.sealed, row.connected_at = vault.seal(secret), now
        row.save()
        AuditEntry.objects.create(at=now, who=who, action="connect", subject=row.side, before=before, after=_shown(row))
    return Connected(checks, identity)


def _elsewhere(known: Connection, identity: Identity) -> Check:
    """People are linked by ids, and ids mean nothing in another organisation."""
    return Check(
        "The same organisation as before",
        False,
        f"This is {identity.account}; what is linked so far belongs to {known.account}.",
        "Connect the organisation the sync was set up with, or set up a new syncadmin for this one.",
    )


def _shown(row: Connection) -> dict[str, Any]:
    """What the audit log keeps of a connection: no secret, sealed or not."""
    return {"base_url": row.base_url, "account": row.account, "user": row.user, **row.config}
