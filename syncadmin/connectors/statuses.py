"""What an HTTP status means for a whole call, before a connector reads the system's own code in the body."""

from __future__ import annotations

from datetime import datetime

from syncadmin.connectors.errors import (
    ConnectorError,
    NoAnswer,
    PermissionMissing,
    Refused,
    SignInRefused,
    Throttled,
    TooLarge,
    Unavailable,
)
from syncadmin.connectors.messages import Answer, Request
from syncadmin.connectors.retry import advised

# A gateway gave up waiting: the server behind it may well have done the work.
_UNKNOWN_OUTCOME = frozenset({408, 502, 504})
_NEVER_SERVED = frozenset({501, 505})
_KINDS: dict[int, type[ConnectorError]] = {
    401: SignInRefused,
    403: PermissionMissing,
    413: TooLarge,
    414: TooLarge,
    429: Throttled,
}


def judge(request: Request, answer: Answer, now: datetime) -> ConnectorError | None:
    """The error a status stands for, or None for 2xx and for statuses the request accepts."""
    status = answer.status
    if 200 <= status < 300 or status in request.accepts:
        return None
    kind = kind_of(request, status)
    until = advised(answer.headers.get("retry-after"), now)
    return kind(f"{request.method} answered with HTTP {status}.", code=str(status), until=until)


def kind_of(request: Request, status: int) -> type[ConnectorError]:
    """The class of error for a status that is no success."""
    if status in _UNKNOWN_OUTCOME:
        return Unavailable if request.repeatable else NoAnswer
    if status >= 500:
        return Refused if status in _NEVER_SERVED else Unavailable
    if status < 400:
        return Refused  # a redirect: neither system's API sends one, but a wrong address leads to a sign-in page
    return _KINDS.get(status, Refused)
