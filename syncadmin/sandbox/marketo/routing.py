"""Which function answers which path, and which permission of the API role it needs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .answers import Answer, ApiError, Payload
from .requests import Request

if TYPE_CHECKING:
    from .app import MarketoSandbox

Handler = Callable[..., Payload | Answer]


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    handler: Handler
    permission: str | None
    name: str


def route(method: str, path: str, handler: Handler, permission: str | None = None) -> Route:
    """`path` may hold {names}; each becomes a keyword argument of the handler."""
    pattern = re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path)) + r"\Z")
    return Route(method, pattern, handler, permission, path)


def find(routes: Iterable[Route], request: Request) -> tuple[Route, dict[str, str]]:
    """610 for a path nobody knows, 605 for a known path with another method."""
    known = False
    for candidate in routes:
        found = candidate.pattern.match(request.path)
        if found is None:
            continue
        if candidate.method == request.method:
            return candidate, found.groupdict()
        # Go on: another route may have the same path and the right method.
        known = True
    if known:
        raise ApiError(605, f"HTTP Method '{request.method}' not supported")
    raise ApiError(610, "Requested resource not found")


def allowed(sandbox: MarketoSandbox, found: Route) -> None:
    if found.permission is None:
        return
    missing = sandbox.state.knobs.missing_permissions
    reading = found.permission.startswith("Read-Only ")
    # A read-write permission includes reading, so only losing both takes reading away.
    wider = "Read-Write " + found.permission.removeprefix("Read-Only ")
    if found.permission in missing and (not reading or wider in missing):
        raise ApiError(603, "Access denied")
