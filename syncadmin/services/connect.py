"""From the stored connections to connectors: secrets opened, the shared budget, and refused sign-ins remembered."""

from __future__ import annotations

import functools
import json
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import httpx

from syncadmin.connectors.budget import Budget
from syncadmin.connectors.contract import DynamicsConnector, MarketoConnector
from syncadmin.connectors.dynamics.auth import PROCESS_TOKENS, PUBLIC_CLOUD, DynamicsConfig, TokenCache
from syncadmin.connectors.dynamics.connector import Dynamics
from syncadmin.connectors.errors import BudgetSpent, SignInRefused
from syncadmin.connectors.marketo.config import MarketoConfig
from syncadmin.connectors.marketo.connector import Marketo
from syncadmin.engine.records import Side, Table
from syncadmin.services.context import Context
from syncadmin.store import clock, schemas, staging, vault
from syncadmin.store.budget import PgBudget
from syncadmin.store.models import Connection, TableSchema
from syncadmin.store.vault import Unopened

__all__ = ["NotConnected", "Unopened", "World", "context", "dynamics", "marketo", "real_world"]

Clock = Callable[[], datetime]
Sleep = Callable[[float], None]


class NotConnected(Exception):
    """One of the two systems has no connection yet."""

    def __init__(self, side: Side) -> None:
        super().__init__(f"There is no connection to {side} yet: make it with `manage.py connect {side}`.")
        self.side = side


@dataclass(frozen=True, slots=True)
class World:
    """What connectors are handed in. ``transports`` replaces the network in simulations."""

    now: Clock
    sleep: Sleep
    rng: random.Random
    transports: Mapping[Side, httpx.BaseTransport]

    def budget(self) -> PgBudget:
        return PgBudget(self.now, self.sleep, lambda message, until: BudgetSpent(message, until=until))


def real_world() -> World:
    """The database's clock, the sleep and randomness of this process, and the network."""
    return World(clock.now, time.sleep, random.SystemRandom(), {})


def dynamics(config: DynamicsConfig, world: World, budget: Budget) -> DynamicsConnector:
    """Knows the stored metadata, so that no call has to wait for reading it."""
    known = schemas.current()
    known.pop(Table.PERSON, None)
    return Dynamics(
        config,
        budget=budget,
        clock=world.now,
        sleep=world.sleep,
        rnd=world.rng,
        transport=world.transports.get(Side.DYNAMICS),
        # A simulated world's tokens are nobody else's.
        tokens=TokenCache() if world.transports else PROCESS_TOKENS,
        schemas=known,
    )


def marketo(config: MarketoConfig, world: World, budget: Budget) -> MarketoConnector:
    """As ``dynamics``."""
    people = schemas.current().get(Table.PERSON)
    return Marketo(
        config,
        budget=budget,
        clock=world.now,
        sleep=world.sleep,
        rnd=world.rng,
        transport=world.transports.get(Side.MARKETO),
        columns=None if people is None else people.columns,
    )


def dynamics_config(row: Connection) -> DynamicsConfig:
    """The stored connection as the connector wants it. Raises ``vault.Unopened``."""
    return DynamicsConfig(
        row.base_url,
        tenant=str(row.config.get("tenant", "")),
        client_id=str(row.config.get("client_id", "")),
        client_secret=vault.unseal(row.sealed),
        authority=str(row.config.get("authority") or PUBLIC_CLOUD),
        allow_private=bool(row.config.get("allow_private", False)),
    )


def marketo_config(row: Connection) -> MarketoConfig:
    """The stored connection as the connector wants it. Raises ``vault.Unopened``."""
    return MarketoConfig(
        row.base_url,
        client_id=str(row.config.get("client_id", "")),
        client_secret=vault.unseal(row.sealed),
        identity_url=str(row.config.get("identity_url", "")),
        allow_private=bool(row.config.get("allow_private", False)),
    )


def context(world: World | None = None, *, worker: str = "", border: Callable[[str], None] | None = None) -> Context:
    """What a use case is handed. Raises ``NotConnected`` while one side has no connection, ``vault.Unopened``.

    Without a world it is the real one, and the connectors are kept as long as the stored connections stay the same.
    """
    rows = {Side(row.side): row for row in Connection.objects.all()}
    for side in Side:
        if side not in rows:
            raise NotConnected(side)
    kept = _KEPT.pair(rows) if world is None else _build(rows, world)
    world = kept.world
    return Context(
        now=world.now,
        sleep=world.sleep,
        rnd=world.rng.random,
        new_guid=lambda: time_ordered(world.now(), world.rng.getrandbits(74)),
        dynamics=kept.dynamics,
        marketo=kept.marketo,
        worker=worker or f"{socket.gethostname()}:{os.getpid()}"[:100],
        border=border or (lambda name: None),
    )


@dataclass(frozen=True, slots=True)
class _Pair:
    dynamics: DynamicsConnector
    marketo: MarketoConnector
    world: World


def _build(rows: Mapping[Side, Connection], world: World) -> _Pair:
    budget = world.budget()
    return _Pair(
        cast(DynamicsConnector, _Watched(dynamics(dynamics_config(rows[Side.DYNAMICS]), world, budget), world.now, [])),
        cast(MarketoConnector, _Watched(marketo(marketo_config(rows[Side.MARKETO]), world, budget), world.now, [])),
        world,
    )


class _Kept:
    """The connectors of this process; made anew when a stored connection or the metadata changes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key = ""
        self._pair: _Pair | None = None

    def pair(self, rows: Mapping[Side, Connection]) -> _Pair:
        stored = [[row.base_url, row.config, row.sealed] for _, row in sorted(rows.items())]
        digests = sorted(TableSchema.objects.values_list("table", "digest"))
        key = json.dumps([stored, digests], sort_keys=True)
        with self._lock:
            if self._pair is None or self._key != key:
                self._pair, self._key = _build(rows, real_world()), key
            return self._pair

    def close(self) -> None:
        with self._lock:
            pair, self._pair = self._pair, None
        if pair is not None:
            pair.dynamics.close()
            pair.marketo.close()


_KEPT = _Kept()


def close() -> None:
    """Closes what this process keeps open to both systems, with nobody calling; the next call opens it anew."""
    _KEPT.close()


_TELL_AGAIN = timedelta(seconds=5)


class _Watched:
    """A connector whose refused sign-ins are written on its connection, and struck out when one succeeds."""

    def __init__(self, inner: DynamicsConnector | MarketoConnector, now: Clock, told: list[datetime]) -> None:
        self._inner, self._now, self._told = inner, now, told
        self.side = inner.side

    def for_work(self, *args: Any, **kwargs: Any) -> _Watched:
        return _Watched(self._inner.for_work(*args, **kwargs), self._now, self._told)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return functools.wraps(found)(functools.partial(self._call, found)) if callable(found) else found

    def _call(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            answer = method(*args, **kwargs)
        except SignInRefused as error:
            refused(self.side, error.message, self._now())
            self._told.clear()
            raise
        self._accepted()
        return answer

    def _accepted(self) -> None:
        """Struck out at once by whoever was refused; else looked for every few seconds, for what others met."""
        now, last = self._now(), self._told[:]  # other threads of a web process share the list
        if not last or not timedelta() <= now - last[0] < _TELL_AGAIN:
            accepted(self.side)
            self._told[:] = [now]


def refused(side: Side, message: str, now: datetime) -> None:
    """Remembers that the system did not accept our credentials, and since when."""
    Connection.objects.filter(side=side, refused_since=None).update(refused_since=now)
    Connection.objects.filter(side=side).exclude(message=message).update(message=message)


def accepted(side: Side) -> None:
    """The credentials are good."""
    staging.run(
        "UPDATE store_connection SET refused_since = NULL, message = '' WHERE side = %s AND refused_since IS NOT NULL",
        [side],
    )


def time_ordered(now: datetime, randomness: int) -> UUID:
    """A version 7 UUID (RFC 9562): milliseconds first, so that an index of new records grows at its end."""
    milliseconds = int(now.timestamp() * 1000) & (2**48 - 1)
    high, low = (randomness >> 62) & 0xFFF, randomness & (2**62 - 1)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)
