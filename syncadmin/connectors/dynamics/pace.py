"""How many rows a write carries, learnt from how long the last ones took. Shared by all copies of a connector."""

from __future__ import annotations

import threading

from syncadmin.engine.records import Table

START, LEAST, MOST = 100, 10, 1000
# The vendor's advice: between one and five seconds for a request.
QUICK, SLOW = 2.0, 8.0


class Pace:
    """``without_bulk`` are tables that turned out to lack CreateMultiple."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sizes: dict[str, int] = {}
        self.without_bulk: set[Table] = set()

    def size(self, kind: str) -> int:
        return self._sizes.get(kind, START)

    def halve(self, kind: str, sent: int) -> int:
        """The number of rows for the next try after ``sent`` were too many; below the least for that try only."""
        smaller = max(1, sent // 2)
        with self._lock:
            self._sizes[kind] = max(LEAST, min(self.size(kind), smaller))
        return smaller

    def took(self, kind: str, sent: int, seconds: float) -> None:
        with self._lock:
            size = self.size(kind)
            if seconds > SLOW:
                self._sizes[kind] = max(LEAST, size // 2)
            elif seconds < QUICK and sent >= size:
                self._sizes[kind] = min(MOST, size + size // 4)
