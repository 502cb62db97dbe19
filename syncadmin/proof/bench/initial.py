"""The first sync of two filled systems: everybody read, linked, compared and told our ids."""

from __future__ import annotations

import statistics
from collections import Counter
from typing import Any

from syncadmin.proof.bench.meter import measured
from syncadmin.proof.bench.options import NotMeasured, Options, Result
from syncadmin.proof.bench.stage import Stage, calls, stage
from syncadmin.store.models import Link
from syncadmin.store.turns import SHARE

_MARKETO_WINDOW = 20.0


def initial(wanted: Options) -> Result:
    """People a second until every record is read, linked, and nothing waits."""
    if wanted.canned:
        with stage(wanted) as found:
            return median_of([first_sync(found) for _ in range(wanted.repeat)])
    # Sandboxes that have met us know our ids already, and then the half of it is not done.
    return median_of([_among_strangers(wanted) for _ in range(wanted.repeat)])


def _among_strangers(wanted: Options) -> dict[str, Any]:
    with stage(wanted) as found:
        return first_sync(found)


def first_sync(found: Stage) -> dict[str, Any]:
    """Everybody, from an empty mirror."""
    found.forget_people()
    theirs = found.served.cpu() if found.served else 0.0
    refused = found.refused()
    with measured() as cost:
        runs = found.settle()
    linked = Link.objects.filter(dynamics__isnull=False, marketo__isnull=False).count()
    if linked != found.wanted.people:
        raise NotMeasured(f"{linked} of {found.wanted.people} people were linked")
    told = {"people": linked, **cost.told(), "rate": round(linked / cost.seconds, 1), "runs": runs}
    if found.served:
        told["sandbox_cpu"] = round(found.served.cpu() - theirs, 2)
    return {**told, **manners(found, cost.seconds, refused), "calls": dict(calls())}


def manners(found: Stage, seconds: float, refused: Counter[str]) -> dict[str, Any]:
    """What the sandboxes refused since, and with limits how much of the fifty calls in twenty seconds was made use of."""
    told: dict[str, Any] = {"refused": dict(found.refused() - refused)} if found.served else {}
    if found.wanted.limits:
        ours = sum(number for name, number in calls().items() if name.startswith("marketo "))
        told["share_used"] = round(ours / (seconds * SHARE / _MARKETO_WINDOW), 3)
    return told


def median_of(rounds: list[dict[str, Any]]) -> Result:
    """The round whose time is the median, with the times of all."""
    ordered = sorted(rounds, key=lambda one: one["seconds"])
    middle = dict(ordered[(len(ordered) - 1) // 2])
    if len(rounds) > 1:
        middle["all_seconds"] = [one["seconds"] for one in rounds]
        middle["spread"] = round(statistics.pstdev(one["seconds"] for one in rounds), 3)
    return middle
