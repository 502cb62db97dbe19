"""Rate, concurrency and daily quota, shared by everybody who calls the account; and the usage statistics."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from .answers import FREE_CODES, ApiError
from .state import State

# The quota turns at midnight US Central, whatever the account's own zone.
_CENTRAL = ZoneInfo("America/Chicago")


class Limits:
    """Counts always; refuses only when `on`."""

    def __init__(self, state: State, on: bool) -> None:
        self._state = state
        self.on = on
        self.in_flight = 0
        self._window: deque[float] = deque()

    def day(self) -> str:
        return self._state.clock().astimezone(_CENTRAL).date().isoformat()

    def check(self) -> None:
        if not self.on:
            return
        knobs = self._state.knobs
        # The call being checked is in flight itself, hence "more than".
        if self.in_flight > knobs.concurrency:
            raise ApiError(615, f"Concurrent access limit '{knobs.concurrency}' reached")
        if self._today()["total"] >= knobs.daily:
            raise ApiError(607, "Daily quota reached")
        if self._in_window() >= knobs.rate_calls:
            seconds = f"{knobs.rate_seconds:g}"
            raise ApiError(606, f"Max rate limit '{knobs.rate_calls}' exceeded with in '{seconds}' secs")

    def _in_window(self) -> int:
        start = self._state.clock().timestamp() - self._state.knobs.rate_seconds
        while self._window and self._window[0] <= start:
            self._window.popleft()
        return len(self._window)

    def count(self, user: str, codes: tuple[str, ...]) -> None:
        """Book a finished call; calls that failed with a starred code cost nothing but are in the error statistics."""
        today = self._today()
        errors = dict(today["errors"])
        for code in codes:
            errors[code] = errors.get(code, 0) + 1
        users, total = dict(today["users"]), today["total"]
        # A call without a token is nobody's.
        if user and not set(codes) & FREE_CODES:
            users[user] = users.get(user, 0) + 1
            total += 1
            # Refused calls that are not starred count too: hammering prolongs the pause.
            self._window.append(self._state.clock().timestamp())
            self._in_window()
        self._state.usage[self.day()] = {"total": total, "users": users, "errors": errors}

    def _today(self) -> dict[str, Any]:
        found: dict[str, Any] = self._state.usage.get(self.day(), {"total": 0, "users": {}, "errors": {}})
        return found

    def seven_days(self) -> list[tuple[str, dict[str, Any]]]:
        """The last seven days that saw calls, newest first."""
        oldest = (datetime.fromisoformat(self.day()) - timedelta(days=6)).date().isoformat()
        return sorted(((day, row) for day, row in self._state.usage.items() if day >= oldest), reverse=True)

    def used_today(self) -> tuple[str, dict[str, Any]]:
        return self.day(), self._today()
