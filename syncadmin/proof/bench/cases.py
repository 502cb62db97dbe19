"""The cases by name, in the order in which they are run."""

from __future__ import annotations

from syncadmin.proof.bench.initial import initial
from syncadmin.proof.bench.options import Case
from syncadmin.proof.bench.pages import pages
from syncadmin.proof.bench.seed import seed

CASES: dict[str, Case] = {
    "initial": initial,
}

# Cases that bring their own database and keep it; run only when they are named.
KEPT: dict[str, Case] = {"seed": seed, "pages": pages}
