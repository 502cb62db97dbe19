"""Both sandboxes, the sync between them, and workers that can be killed, stalled and interleaved.

Real HTTP messages, real services, real SQL; only the clock, the randomness and the moment of death come from here.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db import transaction

from syncadmin.connectors.dynamics.auth import DynamicsConfig
from syncadmin.connectors.marketo.config import MarketoConfig
from syncadmin.engine.fields import FieldPair
from syncadmin.engine.records import Side
from syncadmin.proof import database
from syncadmin.proof.clock import START, Clock
from syncadmin.proof.people import BY_COLUMN
from syncadmin.proof.wire import Wire
from syncadmin.sandbox.dynamics import DynamicsSandbox
from syncadmin.sandbox.marketo import MarketoSandbox
from syncadmin.services import choose_fields, connect, connections, cycle, equip_marketo, metadata, setup
from syncadmin.services.context import Context
from syncadmin.store import fieldsets, options, work
from syncadmin.store.models import Run, Setting, TableSchema

DYNAMICS_URL, MARKETO_URL = "http://127.0.0.1:8101", "http://127.0.0.1:8102"
LEASE = 8.0
_FRESH = timedelta(minutes=50)
# Metadata is read again in every eighth schedule only.
METADATA_EVERY = 8
_OURS_IN_MARKETO = (
    ("dynPersonGuid", "Dynamics Person GUID", "string"),
    ("dynPersonType", "Dynamics Person Type", "string"),
    ("dynDeleted", "Dynamics is Deleted", "boolean"),
)


class Crash(BaseException):
    """The process of a worker ends here: nothing after this line of it happens, not even its finally blocks."""


class Worker:
    """One process. Once it is dead it reaches neither the database nor the network."""

    def __init__(self, name: str) -> None:
        self.name, self.dead = name, False
        self.context: Context | None = None
        self.since = START


class _Grave:
    """The database session of a dead process: whoever asks it for anything, or tells it something, is dead as well."""

    def __getattr__(self, name: str) -> Any:
        raise Crash

    def __setattr__(self, name: str, value: object) -> None:
        raise Crash


class World:
    """Made anew for each schedule; ``prepare`` once for all of them."""

    def __init__(self, seed: int, sessions: database.Sessions, settings: Mapping[str, Any]) -> None:
        self.clock, self.trace = Clock(), list[str]()
        self.rng = random.Random(f"world/{seed}")
        self.sessions = sessions
        self.wire = Wire(self.clock, point=lambda name: self._point("call", name))
        self.dynamics = DynamicsSandbox(clock=self.clock, seed=seed, base_url=DYNAMICS_URL, sleep=self.clock.sleep)
        self.marketo = MarketoSandbox(clock=self.clock, seed=seed, base_url=MARKETO_URL, sleep=self.clock.sleep)
        self.outside = connect.World(
            self.clock,
            self.sleep,
            self.rng,
            {
                Side.DYNAMICS: self.wire.transport(Side.DYNAMICS, self.dynamics),
                Side.MARKETO: self.wire.transport(Side.MARKETO, self.marketo),
            },
        )
        self.borders, self.born = 0, 0
        self.at_point: Callable[[str, int], None] = lambda kind, number: None
        self.working: list[Worker] = []
        self.spare: list[Worker] = []
        self._begin(seed, settings)

    def _begin(self, seed: int, settings: Mapping[str, Any]) -> None:
        for name, display, kind in _OURS_IN_MARKETO:
            self.marketo.add_field(name, display, kind)
        self.marketo.state.store.table("custom_types").update(_CUSTOM_TYPES)
        database.empty()
        base = {**_BASE_SETTINGS, **settings}
        Setting.objects.all().delete()
        Setting.objects.bulk_create([Setting(name=name, value=value) for name, value in base.items()])
        # It costs more than all the rest of a run.
        TableSchema.objects.update(read_at=START if seed % METADATA_EVERY == 0 else START + timedelta(days=3650))

    # -- time

    def sleep(self, seconds: float) -> None:
        """A worker waits; its heartbeat goes on beating."""
        self.clock.sleep(seconds)
        if self.working and seconds > LEASE / 4:
            work.renew(self.working[-1].name, self.clock())

    # -- workers

    def run(self) -> Run | None:
        """One whole run by a worker that may die in it; None if it did."""
        worker = self._hire()
        if self.spare:
            self._inherit(worker, self.spare.pop())
        self.working.append(worker)
        try:
            with self.sessions.of(worker.name):
                # A connector reads the metadata itself when what it was handed grows old.
                if worker.context is None or self.clock() - worker.since > _FRESH:
                    worker.since = self.clock()
                    worker.context = connect.context(
                        self.outside, worker=worker.name, border=lambda name: self._point("border", name)
                    )
                done = cycle.once(worker.context)
        except Crash:
            self._bury(worker)
            return None
        finally:
            self.working.pop()
        self.spare.append(worker)
        self.trace.append(f"{worker.name} done {sorted(done.counts.items())} {done.message}")
        return done

    def _inherit(self, worker: Worker, earlier: Worker) -> None:
        """A process takes part in one run after another, each time under a name of its own."""
        self.sessions.rename(earlier.name, worker.name)
        if earlier.context is not None:
            worker.context, worker.since = replace(earlier.context, worker=worker.name), earlier.since

    def ask(self, deed: Callable[[Context], Any]) -> Any:
        """The web process does one thing; it may die in it as well."""
        worker = self._hire("web")
        self.working.append(worker)
        try:
            with self.sessions.of(worker.name):
                return deed(
                    connect.context(self.outside, worker=worker.name, border=lambda name: self._point("border", name))
                )
        except Crash:
            self._bury(worker)
            return None
        finally:
            self.working.pop()
            if not worker.dead:
                self.sessions.kill(worker.name)

    def _hire(self, kind: str = "worker") -> Worker:
        self.born += 1
        return Worker(f"{kind}-{self.born}")

    def _bury(self, worker: Worker) -> None:
        self.trace.append(f"{worker.name} died")
        self.sessions.kill(worker.name)

    def kill(self) -> None:
        """The worker that is at work now dies on the spot."""
        worker = self.working[-1]
        worker.dead = True
        self.sessions.kill(worker.name, _Grave())
        raise Crash

    def _point(self, kind: str, name: str) -> None:
        if not self.working:
            return
        if self.working[-1].dead:
            raise Crash
        # Nothing happens at the very same instant.
        self.clock.sleep(0.001)
        number = self.wire.number * 2 + (name == "after") if kind == "call" else self.borders
        if kind == "border":
            self.borders += 1
            self.trace.append(f"  {self.working[-1].name} {name}")
        elif name == "after":
            call = self.wire.calls[-1]
            self.trace.append(f"  {self.working[-1].name} {call.side} {call.method} {call.path} {call.status}")
        self.at_point(kind, number)

    def retire(self) -> None:
        for worker in self.spare:
            self.sessions.kill(worker.name)
        self.spare.clear()


_BASE_SETTINGS: dict[str, Any] = {}
_CUSTOM_TYPES: dict[str, Any] = {}


def prepare() -> None:
    """Connects once, reads the metadata once and chooses the fields: what every schedule starts from."""
    _BASE_SETTINGS.clear()
    with transaction.atomic():
        Setting.objects.all().delete()
    clock = Clock()
    dynamics = DynamicsSandbox(clock=clock, seed=0, base_url=DYNAMICS_URL, sleep=clock.sleep)
    marketo = MarketoSandbox(clock=clock, seed=0, base_url=MARKETO_URL, sleep=clock.sleep)
    wire = Wire(clock)
    outside = connect.World(
        clock,
        clock.sleep,
        random.Random(0),
        {
            Side.DYNAMICS: wire.transport(Side.DYNAMICS, dynamics),
            Side.MARKETO: wire.transport(Side.MARKETO, marketo),
        },
    )
    _connect(outside)
    ctx = connect.context(outside, worker="setup")
    equip_marketo.ensure_marketo(ctx)
    metadata.refresh_schema(ctx)
    choose_fields.save_fields(_pairs(), who="proof", now=clock())
    first = (START - timedelta(days=20)).date().isoformat()
    for name, value in {"wait": 10, "longest_wait": 10, "marketo_since": first, "extract_poll": 1}.items():
        options.write(name, value)
    setup.start(who="proof", now=clock())
    _BASE_SETTINGS.update({**dict(Setting.objects.values_list("name", "value")), "proof": True})
    _CUSTOM_TYPES.clear()
    _CUSTOM_TYPES.update(marketo.state.store.table("custom_types"))


def _connect(outside: connect.World) -> None:
    there = DynamicsConfig(
        DYNAMICS_URL,
        tenant="sandbox",
        client_id="sandbox",
        client_secret="sandbox-secret",
        authority=DYNAMICS_URL,
        allow_private=True,
    )
    here = MarketoConfig(MARKETO_URL, client_id="sandbox", client_secret="sandbox-secret", allow_private=True)
    for connected in (
        connections.connect_dynamics(there, who="proof", world=outside),
        connections.connect_marketo(here, who="proof", world=outside),
    ):
        if not connected.ok:
            raise RuntimeError(f"the sandboxes could not be connected: {connected.checks}")


def _pairs() -> list[FieldPair]:
    """Of the default pairs those whose columns the simulation edits and understands."""
    return [pair for pair in choose_fields.suggested() if pair.dynamics in BY_COLUMN]


def pairs_in_force() -> list[FieldPair]:
    return fieldsets.pairs(options.read().field_version)
