"""The little language of service tests: both sandboxes in process over real HTTP messages, real PostgreSQL, our loop.

world.dynamics.create("lead", {...})
world.sync()
assert world.person_of(guid)["title"] == "Boss"
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx

from syncadmin.connectors.dynamics.auth import DynamicsConfig
from syncadmin.connectors.marketo.config import MarketoConfig
from syncadmin.engine.records import Side
from syncadmin.sandbox.dynamics import DynamicsSandbox
from syncadmin.sandbox.marketo import MarketoSandbox
from syncadmin.services import choose_fields, connect, connections, cycle, equip_marketo, metadata, setup
from syncadmin.services.context import Context
from syncadmin.store import options
from syncadmin.store.models import Link, Run
from tests.clock import Clock

DYNAMICS_URL = "http://127.0.0.1:8101"
MARKETO_URL = "http://127.0.0.1:8102"


class World:
    """Two sandboxes, a clock that only tests move, and the sync between them."""

    def __init__(self, *, seed: int = 1, started: bool = True, **chosen: Any) -> None:
        self.clock = Clock()
        self.rng = random.Random(seed)
        self.dynamics = DynamicsSandbox(clock=self.clock, seed=seed, base_url=DYNAMICS_URL, sleep=self.clock.sleep)
        self.marketo = MarketoSandbox(clock=self.clock, seed=seed, base_url=MARKETO_URL, sleep=self.clock.sleep)
        self.outside = connect.World(
            self.clock,
            self.clock.sleep,
            self.rng,
            {
                Side.DYNAMICS: httpx.WSGITransport(app=self.dynamics),
                Side.MARKETO: httpx.WSGITransport(app=self.marketo),
            },
        )
        self.workers = 0
        self.border: Callable[[str], None] = lambda name: None
        if started:
            self.set_up(**chosen)

    def set_up(self, **chosen: Any) -> None:
        """Connects both sides with the default fields, as the wizard would, and starts."""
        dynamics = DynamicsConfig(
            DYNAMICS_URL,
            tenant="sandbox",
            client_id="sandbox",
            client_secret="sandbox-secret",
            authority=DYNAMICS_URL,
            allow_private=True,
        )
        marketo = MarketoConfig(MARKETO_URL, client_id="sandbox", client_secret="sandbox-secret", allow_private=True)
        for connected in (
            connections.connect_dynamics(dynamics, who="test", world=self.outside),
            connections.connect_marketo(marketo, who="test", world=self.outside),
        ):
            assert connected.ok, connected.checks
        ctx = self.context()
        equip_marketo.ensure_marketo(ctx)
        metadata.refresh_schema(ctx)
        choose_fields.choose_defaults(who="test", now=self.clock())
        first = (self.clock() - timedelta(days=20)).date().isoformat()
        defaults = {"wait": 10, "longest_wait": 10, "marketo_since": first, "extract_poll": 1}
        for name, value in {**defaults, **chosen}.items():
            options.write(name, value)
        setup.start(who="test", now=self.clock())

    def context(self) -> Context:
        """A fresh worker's context."""
        self.workers += 1
        return connect.context(self.outside, worker=f"worker-{self.workers}", border=lambda name: self.border(name))

    def sync(self, runs: int = 1) -> Run:
        """So many whole runs, ten seconds apart; the last one."""
        for _ in range(runs):
            self.clock.forward(seconds=10)
            run = cycle.once(self.context())
        return run

    def settle(self) -> Run:
        """Runs until nothing is left to write, as three runs must do."""
        return self.sync(3)

    def link_of(self, guid: str) -> Link:
        return Link.objects.get(dynamics=guid)

    def person_of(self, guid: str) -> dict[str, Any]:
        """The Marketo person a Dynamics record is linked to, as Marketo has it."""
        found = self.marketo.get("person", str(self.link_of(guid).marketo))
        assert found is not None
        return found

    def record_of(self, person: str, table: str = "lead") -> dict[str, Any]:
        """The Dynamics record a person is linked to, as Dynamics has it."""
        link = Link.objects.get(marketo=int(person))
        found = self.dynamics.get(table, str(link.dynamics))
        assert found is not None
        return found
