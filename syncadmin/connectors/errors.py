"""What can go wrong with a whole call. Every error answers: may it be repeated, when, who can mend it.

ConnectorError
├── NotSent            nothing reached the server; repeat freely
│   ├── Unreachable        no connection
│   ├── BudgetSpent        our own budget says not before ``until``
│   └── DeadlineOver       the caller's deadline left no time to send
├── NoAnswer           sent, but whether it was applied is unknown
├── Throttled          refused before execution; not before ``until``
│   └── QuotaSpent         the day's calls are used up
├── Unavailable        the server cannot serve now; nothing was executed
├── Malformed          an answer nobody can read (HTML, nonsense, a wrong shape)
├── SignInRefused      wrong or expired credentials
├── PermissionMissing  signed in, but not allowed
├── CursorExpired      a delta link or paging token is no longer accepted
└── Refused            the call itself is wrong and will not pass unchanged
    └── TooLarge           split it
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum


class Who(StrEnum):
    """Who can mend it."""

    NOBODY = "it passes"
    ADMINISTRATOR = "administrator"
    VENDOR = "vendor"
    US = "syncadmin"


class ConnectorError(Exception):
    """``code`` is the system's own code or HTTP status, ``request_id`` its id of the call, if it gave one."""

    again = False
    who = Who.US

    def __init__(self, message: str, *, code: str = "", until: datetime | None = None, request_id: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.until = until
        self.request_id = request_id


class NotSent(ConnectorError):
    again = True
    who = Who.NOBODY


class Unreachable(NotSent):
    who = Who.ADMINISTRATOR


class BudgetSpent(NotSent):
    pass


class DeadlineOver(NotSent):
    pass


class NoAnswer(ConnectorError):
    who = Who.NOBODY


class Throttled(ConnectorError):
    again = True
    who = Who.NOBODY


class QuotaSpent(Throttled):
    who = Who.ADMINISTRATOR


class Unavailable(ConnectorError):
    again = True
    who = Who.NOBODY


class Malformed(ConnectorError):
    again = True
    who = Who.VENDOR


class SignInRefused(ConnectorError):
    who = Who.ADMINISTRATOR


class PermissionMissing(ConnectorError):
    who = Who.ADMINISTRATOR


class CursorExpired(ConnectorError):
    pass


class Refused(ConnectorError):
    pass


class TooLarge(Refused):
    pass
