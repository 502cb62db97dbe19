"""The cases of one population one after another, so that a large one is brought in step once and not for each case."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from syncadmin.proof.bench.changes import changed, in_step, quiet_run
from syncadmin.proof.bench.initial import first_sync, median_of
from syncadmin.proof.bench.options import Options, Result
from syncadmin.proof.bench.sizes import bytes_a_line, bytes_of_tables
from syncadmin.proof.bench.stage import stage

_AT_ONCE = 100_000
# The first rounds come while PostgreSQL still cleans up after the first sync, so one alone says little.
_ROUNDS = 5
_OF_A_ROUND = ("seconds", "cpu", "database_cpu", "statements")


def series(wanted: Options) -> Result:
    """``initial``, ``incremental``, ``idle``, ``storm`` (of 100,000 at most) of the same people, and what they take on disk.

    The first sync is measured once, whatever the repeats: sandboxes that have met us know our ids, and a large one takes
    long. ``incremental`` is measured five times at least, of other people each time; ``rounds`` are the figures of each.
    """
    with stage(wanted) as found:
        again = range(wanted.repeat)
        told: Result = {"initial": first_sync(found)}
        _tell(found.say, told, "initial")
        in_step(found)
        few = min(wanted.changes, wanted.people)
        rounds = [changed(found, few, place) for place in range(max(_ROUNDS, wanted.repeat))]
        told["incremental"] = {**median_of(rounds), "rounds": _short(rounds)}
        _tell(found.say, told, "incremental")
        told["idle"] = median_of([quiet_run(found) for _ in again])
        _tell(found.say, told, "idle")
        many = min(_AT_ONCE, wanted.people)
        told["storm"] = median_of([changed(found, many, len(rounds) + place) for place in again])
        told |= {"bytes": bytes_of_tables(), "bytes_a_line": bytes_a_line()}
        return told


def _short(rounds: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: one[name] for name in _OF_A_ROUND if name in one} for one in rounds]


def _tell(say: Callable[[str], None], told: Result, name: str) -> None:
    say(f"{name}: {told[name]}")
