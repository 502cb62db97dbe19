"""What one step of a run answers: whether there is more of the same, and what it did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Step:
    """``more``: asking again at once would find work. ``worked``: this step found some. Counts go onto the run."""

    more: bool = False
    worked: bool = False
    counts: Mapping[str, int] = field(default_factory=dict)


NOTHING = Step()


def did(more: bool, **counts: int) -> Step:
    """A step that worked; zero counts are left out."""
    return Step(more, True, {name: number for name, number in counts.items() if number})
