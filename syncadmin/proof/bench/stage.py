"""What every case starts from: both systems, the sync set up with twenty fields, an empty mirror."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from syncadmin.connectors.dynamics.auth import DynamicsConfig
from syncadmin.connectors.errors import BudgetSpent
from syncadmin.connectors.marketo.config import MarketoConfig
from syncadmin.engine.records import Lane, Side
from syncadmin.proof import database
from syncadmin.proof.bench import population
from syncadmin.proof.bench.canned import CannedDynamics, CannedMarketo
from syncadmin.proof.bench.drawer import Drawer
from syncadmin.proof.bench.options import NotMeasured, Options
from syncadmin.proof.bench.served import Served
from syncadmin.sandbox.dynamics import DynamicsSandbox
from syncadmin.sandbox.marketo import MarketoSandbox
from syncadmin.services import (
    choose_fields,
    connect,
    connections,
    cycle,
    equip_marketo,
    metadata,
    pull_dynamics,
    push_dynamics,
    rulebook,
    setup,
)
from syncadmin.services.context import Context
from syncadmin.store import backlog
from syncadmin.store.budget import PgBudget
from syncadmin.store.models import BudgetUse, Checkpoint, Connection, FieldPair, Run, Setting, TableSchema

# Without limits our own budget still counts and locks as ever, but its seconds pass so much faster.
_HASTE = 200
WAIT = 10
_WHO = "bench"


class Unhurried(connect.World):
    """The real world, but for a budget whose rate is never reached."""

    def budget(self) -> PgBudget:
        begun = self.now()
        hasty = lambda: begun + (self.now() - begun) * _HASTE  # noqa: E731
        return PgBudget(hasty, self.sleep, lambda message, until: BudgetSpent(message, until=until))


class Stage:
    """Made anew for each case. ``canned`` is the drawer of rendered pages, ``served`` the two sandbox processes."""

    def __init__(self, wanted: Options) -> None:
        self.wanted = wanted
        self.workers = 0
        self.canned: Drawer | None = None
        self.served: Served | None = None
        self._transports: Mapping[Side, httpx.BaseTransport] = {}
        self.outside: connect.World
        self._kept: Context | None = None

    def say(self, text: str) -> None:
        self.wanted.tell(text)

    def open(self) -> None:
        """Starts the systems, connects them, reads the metadata and chooses the fields."""
        forget_everything()
        urls = self._start_canned() if self.wanted.canned else self._start_served()
        self.go_outside()
        self._set_up(urls)

    def go_outside(self) -> None:
        """The clock, the network or what stands for it, and a budget; all a worker needs where everything is set up."""
        kind = connect.World if self.wanted.limits else Unhurried
        self.outside = kind(lambda: datetime.now(UTC), time.sleep, random.Random(self.wanted.seed), self._transports)

    def _start_canned(self) -> Mapping[Side, str]:
        urls = {Side.DYNAMICS: "http://127.0.0.1:8101", Side.MARKETO: "http://127.0.0.1:8102"}
        self.canned = Drawer(urls[Side.DYNAMICS])
        self.canned.fill(self.wanted.people)
        now = lambda: datetime.now(UTC)  # noqa: E731
        dynamics = DynamicsSandbox(clock=now, seed=1, base_url=urls[Side.DYNAMICS])
        marketo = MarketoSandbox(clock=now, seed=1, base_url=urls[Side.MARKETO])
        self._transports = {
            Side.DYNAMICS: CannedDynamics(self.canned, httpx.WSGITransport(app=dynamics)),
            Side.MARKETO: CannedMarketo(self.canned, httpx.WSGITransport(app=marketo)),
        }
        return urls

    def _start_served(self) -> Mapping[Side, str]:
        self.served = Served(limits=self.wanted.limits)
        return self.served.urls

    def _set_up(self, urls: Mapping[Side, str]) -> None:
        name, secret = "sandbox", "sandbox-secret"
        there = DynamicsConfig(
            urls[Side.DYNAMICS], name, name, secret, authority=urls[Side.DYNAMICS], allow_private=True
        )
        here = MarketoConfig(urls[Side.MARKETO], name, secret, allow_private=True)
        for connected in (
            connections.connect_dynamics(there, who=_WHO, world=self.outside),
            connections.connect_marketo(here, who=_WHO, world=self.outside),
        ):
            if not connected.ok:
                raise NotMeasured(f"the systems could not be connected: {connected.checks}")
        equip_marketo.ensure_marketo(self.context())
        metadata.refresh_schema(self.context())
        self._let_go()
        choose_fields.save_fields(population.pairs(), who=_WHO, now=self.outside.now())
        today = self.outside.now().date().isoformat()
        chosen = {
            "wait": WAIT,
            "longest_wait": WAIT,
            "marketo_since": today,
            "marketo_quota": 100_000_000,
            "proof": True,
        }
        for name, value in chosen.items():
            Setting.objects.update_or_create(name=name, defaults={"value": value})
        setup.start(who=_WHO, now=self.outside.now())
        rulebook._assemble.cache_clear()

    def load(self) -> None:
        """Everybody into both sandboxes; the canned ones have them already."""
        if self.served is not None:
            self.served.load(population.humans(self.wanted.people))

    def forget_people(self) -> None:
        """As right after setting up: nothing read, nothing linked. Sandbox processes go on knowing us."""
        database.empty()
        if self.canned is not None:
            self.canned.forget()

    def close(self) -> None:
        try:
            self._let_go()
            connect.close()  # what a view asked, as the webhook does
        finally:
            # Whatever became of the database, the sandboxes end with their case.
            if self.served is not None:
                self.served.close()
            if self.canned is not None:
                self.canned.close()

    def _let_go(self) -> None:
        """Closes the connectors; the next context makes new ones."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.dynamics.close()
            kept.marketo.close()

    def refused(self) -> Counter[str]:
        """Calls that the sandboxes have refused so far, by side and code; rendered pages refuse none."""
        return self.served.refused() if self.served is not None else Counter()

    def context(self) -> Context:
        """A worker's context; the connectors are kept, as a process keeps them."""
        self.workers += 1
        if self._kept is None:
            self._kept = connect.context(self.outside)
        return replace(self._kept, worker=f"worker-{self.workers}")

    def batch_size(self) -> int:
        """How many updates of Dynamics go into one call by now: what was learnt, or what a step takes at once."""
        shared: Any = self.context().dynamics._shared  # type: ignore[attr-defined]
        return min(int(shared.pace.size("update")), push_dynamics.BATCH)

    def run(self) -> Run:
        """One whole run. Raises ``NotMeasured`` if a sandbox is gone: a run without it would wait, and so would the next."""
        if self.served is not None:
            self.served.expect()
        return cycle.once(self.context())

    def settle(self, most: int = 10_000) -> int:
        """Runs until every record is read and nothing waits; how many runs that took."""
        for number in range(1, most + 1):
            self.run()
            if self.done():
                return number
        raise NotMeasured(f"{most} runs were not enough")

    def done(self) -> bool:
        """Whether both tables were read to their end and nothing waits in any lane."""
        book = rulebook.load()
        states = {row.name: row.position.get("state") for row in Checkpoint.objects.filter(name__endswith=".full")}
        read = all(states.get(pull_dynamics.full_name(table)) == "done" for table in book.tables)
        return read and not backlog.left(self.outside.now(), Lane)


def forget_everything() -> None:
    """An empty database; the mark that it may be emptied stays."""
    database.empty()
    for model in (Connection, TableSchema, FieldPair):
        model.objects.all().delete()
    Setting.objects.exclude(name="proof").delete()
    rulebook._assemble.cache_clear()


@contextmanager
def stage(wanted: Options, make: Callable[[Options], Stage] = Stage) -> Iterator[Stage]:
    """A stage that is set up and loaded, and cleared away at the end."""
    found = make(wanted)
    try:
        found.open()
        found.load()
        yield found
    finally:
        found.close()


def calls() -> Counter[str]:
    """Calls counted so far, by side and purpose."""
    counted: Counter[str] = Counter()
    for row in BudgetUse.objects.all():
        counted[f"{row.side} {row.purpose}"] += row.calls
    return counted


def later(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)
