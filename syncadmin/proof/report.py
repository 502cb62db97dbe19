"""Plays many schedules and tells what came of them."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.core.management import call_command

from syncadmin.proof import engine_floor, stack
from syncadmin.proof.drive import Outcome
from syncadmin.store.models import Connection, Setting

FLOORS = ("engine", "stack")
_MARK = "proof"


class NotHere(Exception):
    """This database belongs to somebody: a simulation empties it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    floor: str
    schedules: int
    seed: int
    trace: bool = False
    shrink: bool = True


@dataclass(slots=True)
class Result:
    """``failed``: one row for each failing seed. ``trace`` is a digest: the same seeds give the same one."""

    floor: str
    seed: int
    schedules: int
    seconds: float = 0.0
    calls: int = 0
    trace: str = ""
    failed: list[dict[str, Any]] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Schedules a minute."""
        return 60 * self.schedules / self.seconds if self.seconds else 0.0


def simulate(wanted: Wanted, tell: Callable[[str], Any]) -> Result:
    """Plays the schedules of the seeds from ``seed`` on; ``tell`` hears of each failure at once. Raises ``NotHere``."""
    if wanted.floor == "engine":
        return _engine(wanted, tell)
    result, digest = Result(wanted.floor, wanted.seed, wanted.schedules), hashlib.sha256()
    started = time.perf_counter()
    for outcome in _outcomes(wanted):
        result.calls += outcome.calls
        digest.update("\n".join(outcome.trace).encode())
        if wanted.trace:
            tell("\n".join([f"seed {outcome.schedule.seed}", *outcome.trace]))
        if outcome.broken:
            result.failed.append(_failed(outcome, wanted, tell))
    result.seconds, result.trace = time.perf_counter() - started, digest.hexdigest()
    return result


def _engine(wanted: Wanted, tell: Callable[[str], Any]) -> Result:
    """The engine floor needs no database; its schedules are short enough to be read as they are."""
    result, digest = Result(wanted.floor, wanted.seed, wanted.schedules), hashlib.sha256()
    started = time.perf_counter()
    for played in engine_floor.simulate(wanted.seed, wanted.schedules):
        digest.update("\n".join(played.trace).encode())
        if wanted.trace:
            tell("\n".join([f"seed {played.seed}", *played.trace]))
        if played.broken:
            tell(f"seed {played.seed}: {played.broken[0]}")
            result.failed.append({"seed": played.seed, "broken": played.broken, "its_trace": played.trace})
    result.seconds, result.trace = time.perf_counter() - started, digest.hexdigest()
    return result


def _outcomes(wanted: Wanted) -> Iterator[Outcome]:
    make_room()
    return stack.simulate(wanted.seed, wanted.schedules)


def make_room() -> None:
    """Makes the tables if there are none, and refuses a database that somebody uses."""
    call_command("migrate", verbosity=0)
    if Connection.objects.exists() and not Setting.objects.filter(name=_MARK).exists():
        raise NotHere(
            "A simulation empties its database, and this one is in use. "
            "Run it as: python -m syncadmin.embedded exec -- python manage.py simulate"
        )
    Setting.objects.update_or_create(name=_MARK, defaults={"value": True})


def _failed(outcome: Outcome, wanted: Wanted, tell: Callable[[str], Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"seed": outcome.schedule.seed, "broken": outcome.broken}
    tell(f"seed {outcome.schedule.seed}: {outcome.broken[0]}")
    if wanted.shrink:
        short = stack.shortest(outcome)
        row["shortest"] = [event.as_json() for event in short.schedule.events]
        row["its_failure"], row["its_trace"] = short.broken, short.trace
    return row


def as_json(result: Result) -> str:
    told = {
        "floor": result.floor,
        "seed": result.seed,
        "schedules": result.schedules,
        "failed": result.failed,
        "calls": result.calls,
        "trace": result.trace,
        "seconds": round(result.seconds, 2),
        "schedules_a_minute": round(result.rate, 1),
    }
    return json.dumps(told, indent=1, default=str)


def as_text(result: Result) -> str:
    lines = [
        f"{result.schedules} schedules of the {result.floor} floor from seed {result.seed}:"
        f" {len(result.failed)} failed, {result.rate:.0f} a minute, {result.calls} calls, trace {result.trace[:16]}"
    ]
    for row in result.failed:
        lines += [f"seed {row['seed']}", *(f"  {text}" for text in row["broken"])]
    return "\n".join(lines)
