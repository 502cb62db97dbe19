"""One schedule from its first event to silence: the events, the calm after them, and a last round of collisions."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from syncadmin.proof import ahead, database, oracle, probe, vanishing
from syncadmin.proof.events import Event, Schedule
from syncadmin.proof.hands import Hands
from syncadmin.proof.witness import Witness
from syncadmin.proof.world import LEASE, METADATA_EVERY, World
from syncadmin.sandbox.faults import Fault
from syncadmin.services import resolve
from syncadmin.store import backlog, work

# Longer than any receipt is waited for, and than the pauses after a first failure.
_CALM = timedelta(minutes=20)
RUNS_TO_CALM = 3
# Longer than the slowest read of the few people of a schedule takes.
_READS = 40
_ELSEWHERE = "*"
_WRITES = {"dynamics": "*$batch*", "marketo": "*/rest/v1/leads*"}
_FEEDS = "*/rest/v1/activities*"
_MARKETO_ONLY = ("daily_limit", "duplicate_events", "late_events")


@dataclass(slots=True)
class Outcome:
    """What came of a schedule; no ``broken`` means that every invariant held."""

    schedule: Schedule
    broken: list[str] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)
    calls: int = 0


@dataclass(slots=True)
class _Armed:
    """Something that happens at the n-th border or call from now."""

    kind: str
    left: int
    deed: Callable[[], None]


class Drive:
    """A world and its hands, going through a schedule."""

    def __init__(self, schedule: Schedule, sessions: database.Sessions) -> None:
        self.schedule = schedule
        self.world = World(schedule.seed, sessions, schedule.settings)
        self.hands = Hands(self.world)
        self.witness = Witness(self.world)
        self.armed: list[_Armed] = []
        # What people do while a worker stands still, after others went on with its work.
        self.meanwhile: Callable[[], None] = lambda: None
        self.world.at_point = self._at_point
        self._turn_knobs()

    def _turn_knobs(self) -> None:
        knobs = dict(self.schedule.knobs)
        self.world.dynamics.configure(page_rows=knobs.pop("page_rows"))
        self.world.wire.latency = float(knobs.pop("latency"))
        knobs["boolean_words"] = tuple(knobs["boolean_words"])
        self.world.marketo.set_knobs(**knobs)

    def play(self) -> Outcome:
        """Everything; what breaks the loop itself is told like a broken invariant."""
        world, outcome = self.world, Outcome(self.schedule)
        outcome.trace = world.trace
        try:
            for event in self.schedule.events:
                self._happen(event)
            outcome.broken += self.calm("after the schedule")
            if not outcome.broken:
                outcome.broken += self._probe()
            if not outcome.broken and self.schedule.seed % METADATA_EVERY == 0:
                outcome.broken += vanishing.change_and_return(self)
            if not outcome.broken and self.schedule.seed % ahead.EVERY == ahead.OF_THESE:
                outcome.broken += ahead.ask_first(self)
        except Exception as error:  # noqa: BLE001
            # The loop promises never to raise: whatever comes out of it is what we look for.
            outcome.broken.append(_told(error))
        outcome.broken += world.wire.broken
        outcome.calls = world.wire.number
        world.retire()
        return outcome

    def _happen(self, event: Event) -> None:
        if event.kind == "run":
            self.run()
        elif event.kind == "trouble":
            self._order(event)
        elif event.kind in ("crash", "rival", "second worker", "stall", "late write"):
            self._arm(event)
        else:
            self.hands.do(event)

    def run(self) -> None:
        """One run; what was armed for it and did not happen is forgotten."""
        self.world.clock.sleep(10)
        self.witness.run()
        self.armed.clear()

    # -- in the middle of a run

    def _arm(self, event: Event) -> None:
        kind = "call" if event.draws[0] % 2 else "border"
        left = event.draws[1] % (40 if kind == "call" else 16)
        deeds: dict[str, Callable[[], None]] = {
            "crash": self.world.kill,
            "rival": lambda: self.hands.do(Event(event.name, event.number, event.draws)),
            "second worker": self._another,
            "stall": lambda: self._stall(LEASE * 1.5 + event.draws[2] % 200, beats=event.draws[3] % 2 > 0),
            "late write": lambda: self._delay(event),
        }
        self.armed.append(_Armed(kind, left, deeds[event.kind]))

    def _at_point(self, kind: str, number: int) -> None:
        for armed in [one for one in self.armed if one.kind == kind]:
            armed.left -= 1
        while ready := [one for one in self.armed if one.left < 0]:
            # Taken off first: what it does may come to points of its own.
            self.armed.remove(ready[0])
            ready[0].deed()

    def _another(self) -> None:
        """Another worker takes part while this one waits."""
        self.world.trace.append(f"  {self.world.working[-1].name} waits")
        self.world.run()

    def _stall(self, seconds: float, *, beats: bool) -> None:
        """This worker stands still for longer than its lease, and others go on. ``beats``: its heartbeat wakes up first, so
        that its lease runs again when it goes on."""
        worker = self.world.working[-1]
        self.world.clock.sleep(seconds)
        self.world.trace.append(f"  {worker.name} stands still for {seconds} s")
        self.world.run()
        self.meanwhile()
        if beats and not worker.dead:
            work.renew(worker.name, self.world.clock())

    def _delay(self, event: Event) -> None:
        self.world.wire.delay_next = 31.0 + event.draws[2] % 55

    def _order(self, event: Event) -> None:
        """A trouble of the sandbox, for one of the next calls."""
        side = "marketo" if event.name in _MARKETO_ONLY or event.draws[0] % 2 else "dynamics"
        path = _WRITES[side] if event.draws[1] % 2 else _ELSEWHERE
        if event.name in ("duplicate_events", "late_events"):
            path = _FEEDS
        value: int | None = None
        if event.name == "late_events":
            value = 20 + event.draws[2] % 900
        elif event.name == "partial_batch":
            value = 1 + event.draws[2] % 3
        elif event.name in ("rate_limit", "unavailable") and side == "dynamics":
            value = 1 + event.draws[2] % 40
        fault = Fault(event.name, path=path, times=1 + event.draws[3] % 3, skip=event.draws[4] % 6, value=value)
        getattr(self.world, side).faults.add(fault)
        self.world.trace.append(f"trouble {event.name} on {side} {path} skip {fault.skip} times {fault.times}")

    # -- the calm

    def calm(self, when: str) -> list[str]:
        """No more edits, faults or late deliveries; three runs; then all must hold and the next run writes nothing."""
        world = self.world
        self.armed.clear()
        for sandbox in (world.dynamics, world.marketo):
            sandbox.faults.clear()
        world.wire.delay_next = 0.0
        # A spent day is over at midnight, somewhere.
        world.clock.sleep(90_000 if any(each.name == "daily_limit" for each in self.schedule.events) else 60)
        world.wire.deliver(everything=True)
        resolve.resume("administrator", world.clock())
        for run in range(RUNS_TO_CALM + 1):
            before = world.dynamics.truth.last_id, world.marketo.truth.last_id
            world.clock.sleep(_CALM.total_seconds())
            self._whole_run()
            broken = oracle.check(self.world, self.hands, self.witness)
            broken += oracle.silent(world, before)
            # Sooner than it has to be: everything agrees, and a run has already written nothing.
            if not broken and run:
                return []
        return [f"{found} ({when})" for found in broken]

    def _whole_run(self) -> None:
        """A run, and those that the loop lets follow at once because a first or full read is not at its end.

        Such a read goes on for a few seconds of each run, however slow the answers are: its runs are one to whoever waits.
        """
        self.witness.run()
        for _ in range(_READS):
            if not backlog.backfilling():
                return
            self.world.clock.sleep(60)
            self.witness.run()

    def _probe(self) -> list[str]:
        return probe.collide(self)


def _told(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = next((f"{one.filename.rpartition('/')[2]}:{one.lineno}" for one in reversed(frames)
                 if "/syncadmin/" in one.filename), "")  # fmt: skip
    return f"0: the loop raised {type(error).__name__}: {error} at {ours}"
