"""The cases by name, in the order in which they are run."""

from __future__ import annotations

from syncadmin.proof.bench.changes import idle, incremental, storm
from syncadmin.proof.bench.initial import initial
from syncadmin.proof.bench.options import Case
from syncadmin.proof.bench.pages import pages
from syncadmin.proof.bench.seed import seed
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
}

# Cases that bring their own database and keep it; run only when they are named.
KEPT: dict[str, Case] = {"seed": seed, "pages": pages}
