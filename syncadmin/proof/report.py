"""Plays many schedules and tells what came of them."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.models import User
from django.core.management import call_command

from syncadmin.proof import abreast, engine_floor, stack
from syncadmin.proof.drive import Outcome
from syncadmin.proof.events import schedule
from syncadmin.proof.world import prepare
from syncadmin.store.models import Connection, Setting

FLOORS = ("engine", "stack")
_MARK = "proof"


class NotHere(Exception):
    """This database belongs to somebody, and what was asked for would empty it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    floor: str
    schedules: int
    seed: int
    trace: bool = False
    shrink: bool = True
    jobs: int = 1


@dataclass(slots=True)
class Result:
    """``schedules`` is how many were played: fewer than wanted after Ctrl-C. ``failed``: one row for each failing seed. ``trace`` is a
    digest: the same seeds give the same one."""

    floor: str
    seed: int
    schedules: int = 0
    seconds: float = 0.0
    calls: int = 0
    trace: str = ""
    failed: list[dict[str, Any]] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Schedules a minute."""
        return 60 * self.schedules / self.seconds if self.seconds else 0.0


def simulate(wanted: Wanted, tell: Callable[[str], Any]) -> Result:
    """Plays the schedules of the seeds from ``seed`` on; ``tell`` hears of each failure. Raises ``NotHere``."""
    seeds = range(wanted.seed, wanted.seed + wanted.schedules)
    play, begin = (_engine, None) if wanted.floor == "engine" else (_stack, prepare)
    if begin:
        make_room()
    if wanted.jobs > 1:
        return _counted(
            wanted, abreast.played(begin and _begin, partial(_quietly, play, wanted), seeds, wanted.jobs), tell
        )
    if begin:
        begin()
    return _counted(wanted, (play(wanted, tell, seed) for seed in seeds), tell)


def _begin() -> None:
    """In a database of its own."""
    make_room()
    prepare()


@dataclass(slots=True)
class _One:
    """One schedule: its trace as a digest, how many calls it made, its row if it failed, and what is still to be told of it."""

    trace: str
    calls: int = 0
    failed: dict[str, Any] | None = None
    told: list[str] = field(default_factory=list)


_Play = Callable[[Wanted, Callable[[str], Any], int], _One]


def _quietly(play: _Play, wanted: Wanted, seed: int) -> _One:
    """In another process: what is told goes home with the rest."""
    told: list[str] = []
    one = play(wanted, told.append, seed)
    one.told = told
    return one


def _counted(wanted: Wanted, played: Generator[_One, None, None], tell: Callable[[str], Any]) -> Result:
    """Adds up what was played; Ctrl-C ends it with what there is."""
    result, digest = Result(wanted.floor, wanted.seed), hashlib.sha256()
    started = time.perf_counter()
    with suppress(KeyboardInterrupt), closing(played):
        for one in played:
            result.schedules += 1
            result.calls += one.calls
            digest.update(one.trace.encode())
            for text in one.told:
                tell(text)
            if one.failed is not None:
                result.failed.append(one.failed)
    result.seconds, result.trace = time.perf_counter() - started, digest.hexdigest()
    return result


def _digest(trace: list[str]) -> str:
    return hashlib.sha256("\n".join(trace).encode()).hexdigest()


def _engine(wanted: Wanted, tell: Callable[[str], Any], seed: int) -> _One:
    """The engine floor's schedules are short enough to be read as they are."""
    played = engine_floor.attempt(seed)
    if wanted.trace:
        tell("\n".join([f"seed {seed}", *played.trace]))
    row = None
    if played.broken:
        tell(f"seed {seed}: {played.broken[0]}")
        row = {"seed": seed, "broken": played.broken, "its_trace": played.trace}
    return _One(_digest(played.trace), failed=row)


def _stack(wanted: Wanted, tell: Callable[[str], Any], seed: int) -> _One:
    outcome = stack.play(schedule(seed))
    if wanted.trace:
        tell("\n".join([f"seed {seed}", *outcome.trace]))
    return _One(_digest(outcome.trace), outcome.calls, _failed(outcome, wanted, tell) if outcome.broken else None)


def make_room() -> None:
    """Makes the tables if there are none. Raises ``NotHere`` if the database is in use."""
    call_command("migrate", verbosity=0)
    if _in_use():
        raise NotHere(
            "This empties the database, and this one is in use. "
            "Use a throw-away one: python -m syncadmin.embedded exec -- .venv/bin/python manage.py …"
        )
    Setting.objects.update_or_create(name=_MARK, defaults={"value": True})


def _in_use() -> bool:
    """Somebody connected a system or signed in. Our mark says we did; it says nothing of a system elsewhere."""
    if Setting.objects.filter(name=_MARK).exists():
        return any(urlsplit(row.base_url).hostname != "127.0.0.1" for row in Connection.objects.all())
    return Connection.objects.exists() or User.objects.exists()


def _failed(outcome: Outcome, wanted: Wanted, tell: Callable[[str], Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"seed": outcome.schedule.seed, "broken": outcome.broken}
    tell(f"seed {outcome.schedule.seed}: {outcome.broken[0]}")
    if wanted.shrink:
        try:
            short = stack.shortest(outcome)
        except KeyboardInterrupt:
            # It failed all the same, and is told as drawn.
            tell("not made short; Ctrl-C once more ends the series")
            return row
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
