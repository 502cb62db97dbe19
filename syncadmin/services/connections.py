"""Connecting the two systems: checked first, saved only when good, never pointed elsewhere by mistake."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from syncadmin.connectors.contract import Check, Identity
from syncadmin.connectors.dynamics.auth import DynamicsConfig
from syncadmin.connectors.errors import ConnectorError
from syncadmin.connectors.marketo.config import MarketoConfig
from syncadmin.connectors.probes import told
from syncadmin.engine.records import Lane, Side
from syncadmin.services import checks, connect, restart
from syncadmin.services.checks import Attempt
from syncadmin.services.connect import World
from syncadmin.store import locks, options, vault
from syncadmin.store.models import AuditEntry, Connection, Link

SAME = "The same organisation as before"
ELSEWHERE = "This is %(new)s; what is linked so far belongs to %(old)s."
WAY_OUT = "Connect the organisation the sync was set up with, or set up a new syncadmin for this one."
# What is given up by accepting a red check, as settings.
_CONSEQUENCES: dict[str, tuple[str, bool]] = {
    "lead": ("leads", False),
    "contact": ("contacts", False),
    "native": ("observe_only", True),
}


@dataclass(frozen=True, slots=True)
class Connected:
    """The named checks, and who we are over there; nothing was saved without an identity."""

    checks: tuple[Check, ...]
    identity: Identity | None = None

    @property
    def ok(self) -> bool:
        return self.identity is not None


class NotConnected(Exception):
    """There is no connection to take away."""


def connect_dynamics(config: DynamicsConfig, *, who: str, world: World | None = None) -> Connected:
    """Makes all checks of Dynamics and saves the connection if none is red."""
    attempt = Attempt(
        Side.DYNAMICS,
        config.base_url,
        config.client_id,
        config.client_secret,
        config.tenant,
        config.authority,
        allow_private=config.allow_private,
    )
    return _at_once(attempt, who, world)


def connect_marketo(config: MarketoConfig, *, who: str, world: World | None = None) -> Connected:
    """As ``connect_dynamics``."""
    attempt = Attempt(
        Side.MARKETO,
        config.base_url,
        config.client_id,
        config.client_secret,
        identity_url=config.identity_url,
        allow_private=config.allow_private,
    )
    return _at_once(attempt, who, world)


def _at_once(attempt: Attempt, who: str, world: World | None) -> Connected:
    try:
        attempt = checks.normal(attempt)
    except checks.WrongAddress as wrong:
        return Connected((Check(checks.names(attempt.side)[0], False, str(wrong)),))
    return save(attempt, checks.go_on(attempt, (), world=world), who=who, world=world)


def save(
    attempt: Attempt,
    done: Sequence[Check],
    *,
    who: str,
    accepted: Collection[str] = (),
    world: World | None = None,
) -> Connected:
    """Saves a connection whose checks are done and good, or red only where that was accepted.

    What linked people belong to is never exchanged: another organisation is a red check of its own.
    """
    world = world or connect.real_world()
    found = checks.verdict(attempt.side, done)
    if found.blocked or set(found.to_accept) - set(accepted):
        return Connected(tuple(done))
    try:
        identity = _identity(attempt, world)
    except ConnectorError as error:
        message, detail = told(error)
        return Connected((*done, Check(checks.names(attempt.side)[0], False, message, detail=detail)))
    with transaction.atomic():
        # Where there is no connection yet, there is no row for two to wait for.
        locks.wait_in_transaction(locks.Lock.SETUP)
        known = Connection.objects.select_for_update().filter(side=attempt.side).first()
        before = _account(attempt.side, known)
        if before not in ("", identity.account) and options.read().started and Link.objects.exists():
            facts = {"new": identity.account, "old": before}
            return Connected((*done, Check(SAME, False, ELSEWHERE, WAY_OUT, facts=facts)))
        if before not in ("", identity.account):
            restart.forget_what_was_read()
        _store(attempt, identity, known, who, world.now())
        for name, value in (_CONSEQUENCES[word] for word in found.to_accept if word in _CONSEQUENCES):
            _set(name, value, who, world.now())
    return Connected(tuple(done), identity)


def disconnect(side: Side, *, who: str, now: datetime) -> None:
    """Forgets the address and the secret and pauses the sync. All that was read and written stays, and so does the
    memory of which organisation it belongs to. Raises ``NotConnected``."""
    with transaction.atomic():
        row = Connection.objects.select_for_update().filter(side=side).first()
        if row is None:
            raise NotConnected
        options.write(f"{side}_account", row.account)
        AuditEntry.objects.create(at=now, who=who, action="disconnect", subject=side, before=_shown(row))
        row.delete()
        if options.read().started:
            _set("paused", True, who, now)


def _identity(attempt: Attempt, world: World) -> Identity:
    connector = checks.connector_of(attempt, world)
    try:
        return connector.for_work(Lane.LIVE, "setup", world.now() + checks.LAST_PATIENCE).identity()
    finally:
        connector.close()


def _account(side: Side, known: Connection | None) -> str:
    """The organisation that what is here belongs to, also while there is no connection."""
    return known.account if known is not None else str(getattr(options.read(), f"{side}_account"))


def _store(attempt: Attempt, identity: Identity, known: Connection | None, who: str, now: datetime) -> None:
    config: dict[str, Any] = {"client_id": attempt.client_id, "allow_private": attempt.allow_private}
    if attempt.side is Side.DYNAMICS:
        config |= {"tenant": attempt.tenant, "authority": attempt.authority}
    else:
        config |= {"identity_url": attempt.identity_url}
    config |= {"name": identity.name, "version": identity.version, "expires": attempt.expires}
    row = Connection(
        pk=None if known is None else known.pk,
        side=attempt.side,
        base_url=attempt.url,
        config=config,
        sealed=vault.seal(attempt.secret),
        account=identity.account,
        user=identity.user,
        connected_at=now,
    )
    before = None if known is None else _shown(known)
    renewed = known is not None and not _holds(known, attempt.secret)
    row.save()
    options.write(f"{attempt.side}_account", identity.account)
    after = {**_shown(row), **({"secret": "replaced"} if renewed else {})}
    AuditEntry.objects.create(at=now, who=who, action="connect", subject=row.side, before=before, after=after)


def _holds(row: Connection, secret: str) -> bool:
    try:
        return vault.unseal(row.sealed) == secret
    except vault.Unopened:
        return False  # its key is lost: whatever is typed now replaces it


def _set(name: str, value: bool, who: str, now: datetime) -> None:
    before = options.write(name, value)
    if before != value:
        AuditEntry.objects.create(at=now, who=who, action="setting", subject=name, before=before, after=value)


def _shown(row: Connection) -> dict[str, Any]:
    """What the audit log keeps of a connection: no secret, sealed or not."""
    return {"base_url": row.base_url, "account": row.account, "user": row.user, **row.config}
