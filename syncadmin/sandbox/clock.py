"""The clock of a sandbox, which can be put back while records are loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta


class Clock:
    """Tells the time of the clock it is given, or one so many days before it."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now, self._ago = now, timedelta()

    def __call__(self) -> datetime:
        return self._now() - self._ago

    @contextmanager
    def put_back(self, days: int) -> Iterator[None]:
        """What happens in the block happened so long ago."""
        self._ago = timedelta(days=days)
        try:
            yield
        finally:
            self._ago = timedelta()
