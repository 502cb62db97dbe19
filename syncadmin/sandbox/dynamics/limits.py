"""Service protection: three counters per user and simulated web server."""

from __future__ import annotations

import math
import random
import re
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .errors import ApiError

_AFFINITY = re.compile(r"ARRAffinity=server(\d+)")
# Pushing on while refused makes the wait longer, up to what was observed after hard bursts.
_PENALTY, _LONGEST = 5.0, 400.0


@dataclass(slots=True)
class _Window:
    """One user on one server: when requests came, and (when, seconds) of those that ended."""

    came: deque[float] = field(default_factory=deque)
    ended: deque[tuple[float, float]] = field(default_factory=deque)
    seconds: float = 0.0
    running: int = 0
    until: float = 0.0


class Limits:
    """`enter` before a request and `leave` after it; with `enforced` off they only count."""

    def __init__(self, clock: Callable[[], datetime], chance: random.Random, enforced: bool) -> None:
        self._clock, self._chance, self.enforced = clock, chance, enforced
        self._windows: dict[tuple[str, int], _Window] = {}
        # By code, since this process began.
        self.refused: Counter[str] = Counter()

    def server(self, headers: Mapping[str, str], facts: Mapping[str, Any]) -> int:
        """The web server that answers: pinned by the affinity cookie, else any."""
        match = _AFFINITY.search(headers.get("cookie", ""))
        servers = max(1, int(facts["servers"]))
        return int(match.group(1)) % servers if match else self._chance.randrange(servers)

    def enter(self, user: str, server: int, facts: Mapping[str, Any]) -> None:
        """Count one request in; 429 with Retry-After if a limit is reached."""
        now, window = self._clock().timestamp(), self._windows.setdefault((user, server), _Window())
        self._forget(window, now - facts["window"])
        try:
            if self.enforced:
                self._check(window, now, facts)
        except ApiError as error:
            self.refused[error.code] += 1
            raise
        # Counted when it comes, so that a burst is refused before the first answer is out.
        window.came.append(now)
        window.running += 1

    def _check(self, window: _Window, now: float, facts: Mapping[str, Any]) -> None:
        limit = f"over time window of {facts['window']:.0f} seconds."
        if window.running >= facts["concurrent"]:
            raise _refused(
                "0x80072326", f"Number of concurrent requests exceeded the limit of {facts['concurrent']}.", 1
            )
        if now < window.until:
            window.until = min(window.until + _PENALTY, now + _LONGEST)
        elif len(window.came) >= facts["requests"] or window.seconds >= facts["seconds"]:
            oldest = min(window.came[0] if window.came else now, window.ended[0][0] if window.ended else now)
            window.until = max(now + 1, oldest + facts["window"])
        else:
            return
        wait = math.ceil(window.until - now)
        if window.seconds >= facts["seconds"]:
            text = f"Combined execution time of incoming requests exceeded limit of {facts['seconds'] * 1000:,.0f} milliseconds {limit} Decrease number of concurrent requests or reduce the duration of requests and try again later."
            raise _refused("0x80072321", text, wait)
        raise _refused("0x80072322", f"Number of requests exceeded the limit of {facts['requests']} {limit}", wait)

    @staticmethod
    def _forget(window: _Window, before: float) -> None:
        while window.came and window.came[0] <= before:
            window.came.popleft()
        while window.ended and window.ended[0][0] <= before:
            window.seconds -= window.ended.popleft()[1]

    def leave(self, user: str, server: int, seconds: float) -> None:
        window = self._windows[user, server]
        window.running -= 1
        window.ended.append((self._clock().timestamp(), seconds))
        window.seconds += seconds

    def headers(self, user: str, server: int, facts: Mapping[str, Any]) -> dict[str, str]:
        """What every answer tells about the rest of the allowance; the second number has a thousands separator."""
        window = self._windows.get((user, server), _Window())
        return {
            "x-ms-ratelimit-burst-remaining-xrm-requests": str(max(0, facts["requests"] - len(window.came))),
            "x-ms-ratelimit-time-remaining-xrm-requests": f"{max(0.0, facts['seconds'] - window.seconds):,.2f}",
        }


def _refused(code: str, text: str, wait: int) -> ApiError:
    return ApiError(429, code, text, {"Retry-After": str(wait)})
