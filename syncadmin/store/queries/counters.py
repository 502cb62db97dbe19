"""How many matters are open, for the navigation of every page."""

from __future__ import annotations

from dataclasses import dataclass

from syncadmin.store.queries.sql import MOST, Count, bounded, select

_OPEN = f"""
SELECT (SELECT count(*) FROM (SELECT 1 FROM store_failure
                              WHERE closed_at IS NULL AND NOT ignored LIMIT {MOST + 1}) f) AS failures,
       (SELECT count(*) FROM (SELECT 1 FROM store_decision WHERE answered_at IS NULL LIMIT {MOST + 1}) d) AS decisions,
       (SELECT count(*) FROM (SELECT 1 FROM store_conflict WHERE state = 'open' LIMIT {MOST + 1}) c) AS conflicts
"""


@dataclass(frozen=True, slots=True)
class _Line:
    failures: int
    decisions: int
    conflicts: int


@dataclass(frozen=True, slots=True)
class OpenMatters:
    """Failures and decisions that wait for somebody; conflicts whose field pair asks."""

    failures: Count
    decisions: Count
    conflicts: Count

    @property
    def to_do(self) -> Count:
        together = self.failures.number + self.decisions.number
        return Count(min(together, MOST), self.failures.over or self.decisions.over or together > MOST)


def open_matters() -> OpenMatters:
    (line,) = select(_Line, _OPEN)
    return OpenMatters(bounded(line.failures), bounded(line.decisions), bounded(line.conflicts))
