"""The cases by name, in the order in which they are run."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from syncadmin.proof.bench.baselines import baselines
from syncadmin.proof.bench.changes import idle, incremental, storm
from syncadmin.proof.bench.initial import initial
from syncadmin.proof.bench.machine import machine
from syncadmin.proof.bench.options import Case, Options, Result
from syncadmin.proof.bench.pages import pages
from syncadmin.proof.bench.seed import seed
from syncadmin.proof.bench.series import series
from syncadmin.proof.bench.sizes import memory
from syncadmin.proof.bench.together import workers
from syncadmin.proof.bench.waits import backfill_live, latency, webhook

CASES: dict[str, Case] = {
    "initial": initial,
    "incremental": incremental,
    "idle": idle,
    "storm": storm,
    "latency": latency,
    "webhook": webhook,
    "backfill-live": backfill_live,
    "memory": memory,
    "workers": workers,
    "baselines": baselines,
}

# One large population takes long to bring in step: run only when it is named, or all of them are.
TOGETHER: dict[str, Case] = {"series": series}

# Several processes meet in them, and what was rendered is answered inside one.
SERVED_ONLY = frozenset({"latency", "webhook", "backfill-live", "memory", "baselines"})

# What the performance page shows: the case, and what differs from the options given. Whatever waits for a clock or
# for the sandboxes is measured once.
_CANNED: dict[str, Any] = {"canned": True}
_SERVED: dict[str, Any] = {"canned": False, "repeat": 1}
PLAN: tuple[tuple[str, dict[str, Any]], ...] = (
    ("series", _CANNED),
    ("series", _SERVED),
    ("initial", {**_SERVED, "people": 20_000, "limits": True}),
    ("latency", {**_SERVED, "people": 5_000}),
    ("webhook", {**_SERVED, "people": 5_000}),
    ("backfill-live", {**_SERVED, "people": 20_000, "limits": True}),
    ("memory", _SERVED),
    *(("workers", {**_CANNED, "workers": number}) for number in (1, 2, 4)),
    ("baselines", {**_SERVED, "people": 2_000}),
)


def everything(wanted: Options) -> Result:
    """Every case of the performance page, one after another; each result is told as soon as it is there."""
    told: Result = {"machine": machine()}
    for name, differing in PLAN:
        options = replace(wanted, **differing)
        title = " ".join([name, *(f"{key}={value}" for key, value in differing.items() if key != "repeat")])
        told[title] = {**CASES, **TOGETHER}[name](options)
        wanted.tell(f"{title}: {json.dumps(told[title], default=str)}")
    return told


# These bring their own database and keep it.
KEPT: dict[str, Case] = {"seed": seed, "pages": pages}
NAMED: dict[str, Case] = {**KEPT, **TOGETHER, "all": everything}
