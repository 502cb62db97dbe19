"""What a case is asked for, and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class NotMeasured(Exception):
    """There is no figure to tell; the message says why, in a sentence."""


@dataclass(frozen=True, slots=True)
class Options:
    """``people`` is the size of the population, of whom ``changes`` change in an incremental run. ``canned``: reads are
    answered from pages rendered before the clock starts. ``limits``: the sandboxes enforce the vendors' limits, and our budget is the real one. ``tell`` hears of
    progress. ``folder`` keeps the data of the screens' cases, whose pages are asked ``requests`` times each.
    """

    people: int = 5_000
    changes: int = 1_000
    repeat: int = 1
    canned: bool = False
    limits: bool = False
    workers: int = 1
    seed: int = 1
    folder: Path = Path(".data/bench")
    requests: int = 100
    tell: Callable[[str], Any] = print


# The figures of one case, ready for JSON: "seconds" and whatever else it measures.
Result = dict[str, Any]
Case = Callable[[Options], Result]
