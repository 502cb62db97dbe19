"""The cases of one population one after another, so that a large one is brought in step once and not for each case."""

from __future__ import annotations

from collections.abc import Callable

from syncadmin.proof.bench.changes import changed, in_step, quiet_run
from syncadmin.proof.bench.initial import first_sync, median_of
from syncadmin.proof.bench.options import Options, Result
from syncadmin.proof.bench.sizes import bytes_a_line, bytes_of_tables
from syncadmin.proof.bench.stage import stage

_AT_ONCE = 100_000


def series(wanted: Options) -> Result:
    """``initial``, ``incremental``, ``idle``, ``storm`` (of 100,000 at most) of the same people, and what they take on disk.

    The first sync is measured once, whatever the repeats: sandboxes that have met us know our ids, and a large one takes long.
    """
    with stage(wanted) as found:
        again = range(wanted.repeat)
        told: Result = {"initial": first_sync(found)}
        _tell(found.say, told, "initial")
        in_step(found)
        few = min(wanted.changes, wanted.people)
        told["incremental"] = median_of([changed(found, few, place) for place in again])
        _tell(found.say, told, "incremental")
        told["idle"] = median_of([quiet_run(found) for _ in again])
        _tell(found.say, told, "idle")
        many = min(_AT_ONCE, wanted.people)
        told["storm"] = median_of([changed(found, many, wanted.repeat + place) for place in again])
        told |= {"bytes": bytes_of_tables(), "bytes_a_line": bytes_a_line()}
        return told


def _tell(say: Callable[[str], None], told: Result, name: str) -> None:
    say(f"{name}: {told[name]}")
