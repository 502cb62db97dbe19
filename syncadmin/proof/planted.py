"""Tests the tester: plants the bugs kept under tests/planted one by one and looks for the first schedule that notices."""

from __future__ import annotations

import importlib
import importlib.util
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field

from syncadmin.proof import engine_floor, stack
from syncadmin.proof.events import schedule
from syncadmin.proof.planting import Bug, DoesNotApply, planted

_PLACE = "tests.planted"
# Some bugs need three accidents at once: an engine schedule takes milliseconds, one of the stack seconds.
LIMITS = {"engine": 20_000, "stack": 60}


class NoneHere(Exception):
    """The bugs are kept with the tests, which are not installed here."""


@dataclass(slots=True)
class Catch:
    """How a bug was noticed: after ``schedules`` from the first seed on. No ``broken``: it survived, or ``why``."""

    bug: Bug
    seed: int = 0
    schedules: int = 0
    seconds: float = 0.0
    broken: list[str] = field(default_factory=list)
    why: str = ""

    @property
    def caught(self) -> bool:
        return bool(self.broken)


def bugs(floor: str = "") -> list[Bug]:
    """All bugs, or those of a floor. Raises ``NoneHere``."""
    if importlib.util.find_spec("tests") is None or importlib.util.find_spec(_PLACE) is None:
        raise NoneHere("The planted bugs are kept under tests/planted, which is not here: run this in the repository.")
    known: Sequence[Bug] = importlib.import_module(_PLACE).BUGS
    return [bug for bug in known if floor in ("", bug.floor)]


def hunt(wanted: Iterable[Bug], first: int | None = None) -> Iterator[Catch]:
    """Looks for each bug from seed ``first`` on, or from the seed that is known to show it."""
    for bug in wanted:
        yield _hunt(bug, bug.seed if first is None else first)


def _hunt(bug: Bug, first: int) -> Catch:
    found, started = Catch(bug), time.perf_counter()
    limit = LIMITS[bug.floor]
    for seed in range(first, first + limit):
        found.schedules += 1
        try:
            with planted(bug):
                broken = _play(bug.floor, seed)
        except DoesNotApply as refusal:
            found.why = str(refusal)
            break
        # What fails without the bug as well says nothing about it.
        if broken and not _play(bug.floor, seed):
            found.seed, found.broken = seed, broken
            break
    found.seconds = time.perf_counter() - started
    return found


def _play(floor: str, seed: int) -> list[str]:
    if floor == "stack":
        return stack.play(schedule(seed)).broken
    return engine_floor.attempt(seed).broken


def as_json(catches: Iterable[Catch]) -> str:
    rows = [
        {**asdict(one.bug), "seed": one.seed, "schedules": one.schedules, "seconds": round(one.seconds, 2),
         "caught": one.caught, "broken": one.broken[:3], "why": one.why}
        for one in catches
    ]  # fmt: skip
    return json.dumps({"planted": rows}, indent=1)


def as_text(catch: Catch) -> str:
    """One line for one bug."""
    bug = catch.bug
    if not catch.caught:
        return f"SURVIVED  {bug.floor:6}  {bug.name}: {catch.why or f'{catch.schedules} schedules noticed nothing'}"
    return (
        f"caught    {bug.floor:6}  {bug.name}: seed {catch.seed}, after {catch.schedules} schedules"
        f" ({bug.module.removeprefix('syncadmin.')}.{bug.function}; {catch.broken[0][:100]})"
    )
