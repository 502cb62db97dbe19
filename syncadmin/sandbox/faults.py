"""The closed list of troubles a sandbox can be told to make, and which request each one hits."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

KINDS = frozenset(
    {
        "rate_limit",  # Dynamics 429 with Retry-After (value: seconds); Marketo 606 inside a 200
        "daily_limit",  # Marketo 607
        "concurrency",  # Dynamics 429 of the concurrency facet; Marketo 615
        "unavailable",  # 503
        "error",  # 500; value may be the vendor's code
        "slow",  # value: seconds
        "cut",  # the answer stops in the middle of its body
        "timeout_before",  # nothing applied, no answer
        "timeout_after",  # applied, then no answer
        "expired_token",  # Dynamics 401; Marketo 602, or value 601
        "expired_delta",  # Dynamics change tracking
        "partial_batch",  # value: which row (from 1) fails
        "duplicate_events",  # Marketo feeds: lines come again
        "late_events",  # Marketo feeds: lines held back for value seconds
        "rival",  # value: {"entity", "id" or "match", "changes"}, or in process a callable
        "html",  # a gateway's HTML page
        "garbage",  # nonsense where JSON should be
        "empty",  # no body at all
    }
)


class Cut(Exception):
    """The connection ends without a complete answer.

    In process the exception reaches the caller; the server closes the socket, after sending `part` (with the
    headers of a longer body) when there is one.
    """

    def __init__(self, status: str = "", headers: list[tuple[str, str]] | None = None, part: bytes = b"") -> None:
        super().__init__("the sandbox cut the connection")
        self.status = status
        self.headers = headers or []
        self.part = part


@dataclass(slots=True)
class Fault:
    """One order for trouble: `skip` matching requests pass, then `times` are hit (-1: for ever)."""

    kind: str
    method: str = "*"
    path: str = "*"
    times: int = 1
    skip: int = 0
    value: Any = None
    probability: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no such trouble: {self.kind!r}; known: {', '.join(sorted(KINDS))}")

    def matches(self, method: str, path: str) -> bool:
        return self.method in ("*", method) and fnmatchcase(path, self.path)


class Faults:
    """Orders in the sequence they were given; a request is hit by the first that matches it."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._orders: list[Fault] = []

    def add(self, fault: Fault | Mapping[str, Any]) -> None:
        self._orders.append(fault if isinstance(fault, Fault) else Fault(**fault))

    def clear(self) -> None:
        self._orders.clear()

    def waiting(self) -> list[Fault]:
        return list(self._orders)

    def take(self, method: str, path: str, kinds: frozenset[str] = KINDS, *, named: bool = False) -> Fault | None:
        """The order of one of `kinds` that hits this request (path with query), used up by one.

        `named`: only orders with a path.
        """
        for order in self._orders:
            if order.kind not in kinds or (named and order.path == "*") or not order.matches(method, path):
                continue
            if order.skip > 0:
                order.skip -= 1
                continue
            if order.probability < 1.0 and self._chance.random() >= order.probability:
                continue
            self._use(order)
            return order
        return None

    def _use(self, order: Fault) -> None:
        if order.times > 0:
            order.times -= 1
        if order.times == 0:
            self._orders.remove(order)
