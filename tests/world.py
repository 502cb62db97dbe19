"""The little language of service tests: both sandboxes in process over real HTTP messages, real PostgreSQL, our loop.

world.dynamics.create("lead", {...})
world.sync()
assert world.person_of(guid)["title"] == "Boss"
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx

from syncadmin.connectors.dynamics.auth import DynamicsConfig
from syncadmin.connectors.marketo.config import MarketoConfig
from syncadmin.engine.fields import FieldPair, pair_key
from syncadmin.engine.records import Side, Table
from syncadmin.sandbox.dynamics import DynamicsSandbox
from syncadmin.sandbox.marketo import MarketoSandbox
from syncadmin.services import (
    choose_fields,
    connect,
    connections,
    cycle,
    equip_marketo,
    metadata,
    resolve,
    rulebook,
    setup,
    trouble,
)
from syncadmin.services.context import Context
from syncadmin.store import fieldsets, options
from syncadmin.store.models import Activity, Connection, Decision, Failure, Link, PendingWrite, Run, TableSchema
from tests.clock import Clock
from tests.wire import Wire

DYNAMICS_URL = "http://127.0.0.1:8101"
MARKETO_URL = "http://127.0.0.1:8102"


_COLUMNS: list[dict[str, Any]] = []


class World:
    """Two sandboxes, a clock that only tests move, and the sync between them."""

    def __init__(self, *, seed: int = 1, started: bool = True, **chosen: Any) -> None:
        self.clock = Clock()
        self.rng = random.Random(seed)
        self.dynamics = DynamicsSandbox(clock=self.clock, seed=seed, base_url=DYNAMICS_URL, sleep=self.clock.sleep)
        self.marketo = MarketoSandbox(clock=self.clock, seed=seed, base_url=MARKETO_URL, sleep=self.clock.sleep)
        self.wires = {"dynamics": Wire(self.dynamics), "marketo": Wire(self.marketo)}
        self.outside = connect.World(
            self.clock,
            self.clock.sleep,
            self.rng,
            {
                Side.DYNAMICS: httpx.WSGITransport(app=self.wires["dynamics"]),
                Side.MARKETO: httpx.WSGITransport(app=self.wires["marketo"]),
            },
        )
        self.workers = 0
        self.kept: Context | None = None
        self.kept_for: list[Any] = []
        # Each test begins with an empty database, where versions of field sets are counted from one again.
        rulebook._assemble.cache_clear()
        self.border: Callable[[str], None] = lambda name: None
        self.pristine = started
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
        self._learn_columns(ctx)
        self.kept = None  # the next ones know the metadata
        choose_fields.choose_defaults(who="test", now=self.clock())
        first = (self.clock() - timedelta(days=20)).date().isoformat()
        defaults = {"wait": 10, "longest_wait": 10, "marketo_since": first, "extract_poll": 1}
        for name, value in {**defaults, **chosen}.items():
            options.write(name, value)
        setup.start(who="test", now=self.clock())

    def _learn_columns(self, ctx: Context) -> None:
        """Reads the metadata once for all tests: a sandbox that nobody has touched yet always tells the same."""
        if self.pristine and _COLUMNS:
            TableSchema.objects.bulk_create([TableSchema(read_at=self.clock(), **row) for row in _COLUMNS])
            return
        metadata.refresh_schema(ctx)
        if self.pristine:
            _COLUMNS.extend(TableSchema.objects.values("table", "columns", "digest"))

    def context(self) -> Context:
        """A fresh worker's context; the connectors are kept, as a process keeps them."""
        self.workers += 1
        rows = list(Connection.objects.order_by("side").values_list("base_url", "config", "sealed"))
        if self.kept is None or rows != self.kept_for:
            self.kept = connect.context(self.outside, border=lambda name: self.border(name))
            self.kept_for = rows
        return replace(self.kept, worker=f"worker-{self.workers}")

    def sync(self, runs: int = 1) -> Run:
        """So many whole runs, ten seconds apart; the last one."""
        for _ in range(runs):
            self.clock.forward(seconds=10)
            run = cycle.once(self.context())
            # A fault of ours stops one step of a run only, so a test would not notice it.
            assert not list(Failure.objects.filter(code=trouble.FAULT).values_list("subject", "message"))
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

    def pair(self, table: str, column: str, field: str, **rules: Any) -> None:
        """Adds a field pair, or gives it other rules; other pairs of this column or field give way."""
        wanted = FieldPair(pair_key(Table(table), column, field), Table(table), column, field, **rules)
        kept = [
            pair
            for pair in fieldsets.pairs(options.read().field_version)
            if pair.table != table or (pair.dynamics != column and pair.marketo != field)
        ]
        choose_fields.save_fields([*kept, wanted], who="test", now=self.clock())

    def linked(self, table: str = "lead", **values: Any) -> tuple[str, str]:
        """A record with its person, in step: (GUID, person id)."""
        number = len(list(self.dynamics.rows(table))) + 1
        known = {"lastname": "Vik", "emailaddress1": f"{table}{number}@fjord.example", **values}
        guid = self.dynamics.create(table, known)
        self.sync(2)
        return guid, str(self.link_of(guid).marketo)

    def mark(self) -> tuple[int, int]:
        """Where both truth logs stand."""
        return self.dynamics.truth.last_id, self.marketo.truth.last_id

    def quiet(self, runs: int = 1) -> bool:
        """Whether so many further runs write nothing at all."""
        before = self.mark()
        self.sync(runs)
        return before == self.mark()

    def told(self, guid: str, kind: str) -> list[Activity]:
        """Lines of one kind in the history of a record's link, oldest first."""
        return list(Activity.objects.filter(link=self.link_of(guid), kind=kind).order_by("id"))

    def failure(self) -> Failure:
        """The only open failure."""
        return Failure.objects.get(closed_at=None)

    def logged(self, person: str) -> list[str]:
        """Results of our lines in the person's Marketo activity log, oldest first; "Created" lines left out."""
        kind = options.read().activity_type_id
        rows = [row for row in self.marketo.activities_of(person) if row["t"] == kind]
        return [row["p"] for row in reversed(rows) if row["p"] != "Created"]

    def unfinished(self) -> int:
        """How many writes are still on their way."""
        return PendingWrite.objects.count()

    def ours(self, side: str) -> int:
        """How many entries of a side's truth log we wrote."""
        return (self.dynamics if side == "dynamics" else self.marketo).truth.writes("api:")

    def question(self, kind: str) -> Decision:
        """The open decision of a kind; there must be exactly one."""
        return Decision.objects.get(kind=kind, answered_at=None)

    def answer(self, kind: str, choice: str) -> None:
        """Somebody answers the open decision of a kind."""
        resolve.answer(self.question(kind).pk, choice, "ada", self.clock())

    def release(self) -> None:
        """Somebody releases the only open failure."""
        resolve.release([self.failure().pk], "ada", self.clock())

    def release_all(self) -> None:
        """Somebody releases every open failure."""
        resolve.release(Failure.objects.filter(closed_at=None).values_list("pk", flat=True), "ada", self.clock())
