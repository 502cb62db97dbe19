"""The cases by name, in the order in which they are run."""

from __future__ import annotations

from syncadmin.proof.bench.initial import initial
from syncadmin.proof.bench.options import Case

CASES: dict[str, Case] = {
    "initial": initial,
}
