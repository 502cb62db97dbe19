"""The one clock of all processes, on however many hosts: the database's.

Leases, and which of two reads of a person is the later one, are told by comparing times that different processes noted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import DatabaseError

from syncadmin.store import staging

# Hosts' clocks drift by milliseconds a minute.
_TRUSTED = 60.0
# After an answer that failed or took long.
_SOON = 5.0
# A host's own clock moved by more than this against its steady one: it was set, or the host slept.
_MOVED = 0.05


@dataclass(frozen=True, slots=True)
class _Measured:
    """``time`` was told when the steady clock stood at ``at``; the host's stood ``apart`` from that one. Measured again at
    ``again``. Threads share it, so it is exchanged as a whole."""

    time: datetime
    at: float
    apart: float
    again: float

    def counted(self, steady: float) -> datetime:
        return self.time + timedelta(seconds=steady - self.at)


class DatabaseClock:
    """Answers aware UTC times. The database is asked once a minute and whenever the host's own clock was set; in
    between the host's steady clock counts on. While the database can't be asked the last answer counts."""

    def __init__(
        self,
        ask: Callable[[], datetime],
        *,
        host: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask, self._host, self._steady = ask, host, steady
        self._known: _Measured | None = None

    def __call__(self) -> datetime:
        steady, known = self._steady(), self._known
        if known is None or steady >= known.again or abs(self._host() - steady - known.apart) > _MOVED:
            return self._measure(known)
        return known.counted(steady)

    def _measure(self, known: _Measured | None) -> datetime:
        begun = self._steady()
        try:
            told: datetime | None = self._ask()
        except DatabaseError:
            told = None
        ended = self._steady()
        if told is not None:
            answer = told
        elif known is not None:
            answer = known.counted(ended)
        else:
            answer = datetime.fromtimestamp(self._host(), UTC)
        patience = _TRUSTED if told is not None and ended - begun < _MOVED else _SOON
        self._known = _Measured(answer, ended, self._host() - ended, ended + patience)
        return answer


def _ask() -> datetime:
    (answer,) = staging.query("SELECT clock_timestamp()", [])[0]
    found: datetime = answer
    return found.astimezone(UTC)


now = DatabaseClock(_ask)
