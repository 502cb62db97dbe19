"""Marketo's error codes in one table, whatever level they appear at, and what a failed answer means for a call.

Errors come inside HTTP 200 with their code as text; the HTTP status counts only where no such body stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from syncadmin.connectors import statuses
from syncadmin.connectors.contract import Status
from syncadmin.connectors.errors import (
    ConnectorError,
    Malformed,
    NoAnswer,
    PermissionMissing,
    QuotaSpent,
    Refused,
    SignInRefused,
    Throttled,
    TooLarge,
    Unavailable,
)
from syncadmin.connectors.marketo.permissions import denied
from syncadmin.connectors.marketo.requests import LOG, SPLITTABLE
from syncadmin.connectors.marketo.responses import Fault, fault
from syncadmin.connectors.messages import Answer, Request
from syncadmin.engine.failures import Cause

# The rate is counted in a sliding window of this length, shared with every other integration.
WINDOW = timedelta(seconds=20)
# The day of the quota begins at midnight there.
QUOTA_ZONE = ZoneInfo("America/Chicago")


@dataclass(frozen=True, slots=True)
class Code:
    """What a code means: ``error`` for a whole call, ``status`` and ``cause`` for one record of it.

    ``splits``: a batch is halved until the record that provokes it stands alone. ``unsure``: a write may have been
    carried out in part or whole.
    """

    error: type[ConnectorError] = Refused
    cause: Cause = Cause.UNKNOWN
    status: Status = Status.REFUSED
    splits: bool = False
    unsure: bool = False


# Maintenance, an unreachable account, a lock: refused before anything was done.
_PASSES = Code(Unavailable, Cause.UNAVAILABLE, Status.LATER)
# Usually an upstream time-out: the work may have gone on behind it.
_CRASHED = Code(Unavailable, Cause.UNAVAILABLE, Status.LATER, unsure=True)
# Seen here only when a fresh token was refused as well.
_SIGN_IN = Code(SignInRefused, Cause.CREDENTIALS)
_PARTITION = Code(cause=Cause.PARTITION)
_WRONG_TYPE = Code(cause=Cause.WRONG_TYPE)
_NO_FIELD = Code(cause=Cause.COLUMN_MISSING)
_FEATURE = Code(cause=Cause.FEATURE_MISSING)
_LIMIT = Code(cause=Cause.LIMIT_REACHED)

TABLE: Mapping[str, Code] = {
    "413": Code(TooLarge, Cause.TOO_LARGE, splits=True),
    "414": Code(TooLarge, Cause.TOO_LARGE, splits=True),
    "500": _CRASHED,
    "502": _CRASHED,
    "600": _SIGN_IN,
    "601": _SIGN_IN,
    "602": _SIGN_IN,
    "603": Code(PermissionMissing, Cause.PERMISSION),
    "604": Code(Unavailable, Cause.UNAVAILABLE, Status.LATER, splits=True, unsure=True),
    "606": Code(Throttled, Cause.THROTTLED, Status.LATER),
    "607": Code(QuotaSpent, Cause.QUOTA_SPENT, Status.LATER),
    "608": _PASSES,
    "611": Code(Unavailable, Cause.UNAVAILABLE, Status.LATER, splits=True),
    "614": _PASSES,
    "615": Code(Throttled, Cause.THROTTLED, Status.LATER),
    "616": _FEATURE,
    "701": Code(cause=Cause.REQUIRED_MISSING),
    "703": _FEATURE,
    "704": _WRONG_TYPE,
    "713": _PASSES,
    "719": _PASSES,
    "1001": _WRONG_TYPE,
    "1002": Code(cause=Cause.REQUIRED_MISSING),
    "1003": _WRONG_TYPE,
    "1004": Code(cause=Cause.NOT_FOUND, status=Status.GONE),
    "1005": Code(cause=Cause.KEY_TAKEN, status=Status.EXISTS),
    "1006": _NO_FIELD,
    "1007": Code(cause=Cause.SEVERAL_MATCHES),
    "1008": _PARTITION,
    "1009": _PARTITION,
    "1010": _PARTITION,
    "1011": _NO_FIELD,
    "1012": _WRONG_TYPE,
    "1013": Code(cause=Cause.NOT_FOUND),
    "1014": _PASSES,
    "1016": _PASSES,
    "1017": Code(cause=Cause.KEY_TAKEN, status=Status.EXISTS),
    "1018": Code(cause=Cause.CRM_MANAGED),
    "1019": _PASSES,
    "1021": Code(cause=Cause.COMPANY_FIELD),
    "1022": _PASSES,
    "1026": _FEATURE,
    "1027": _LIMIT,
    "1028": _LIMIT,
    # Full queue, spent day or queued already: extract.py tells by the words. Never a pause for everybody.
    "1029": Code(cause=Cause.LIMIT_REACHED, status=Status.LATER),
    "1035": _FEATURE,
    "1036": Code(cause=Cause.SEVERAL_MATCHES),
    "1049": Code(cause=Cause.TOO_LARGE),
}
_FIELD = (
    re.compile(r"\b[Ff]ield '([^']+)'"),
    re.compile(r"\b[Ff]ields? \[?([A-Za-z]\w*)"),
    re.compile(r"'([^']+)' (?:not found|is not|cannot)"),
)


def lookup(code: str) -> Code:
    """The table's row; a code nobody knows is a refusal that quotes the system's own words."""
    return TABLE.get(code, Code())


def column_of(message: str) -> str:
    """The field an error message names, or nothing."""
    found = (pattern.search(message) for pattern in _FIELD)
    return next((match.group(1) for match in found if match), "")


def cause_of(code: str, message: str) -> Cause:
    """The cause of one record's fault; 1003 is a wide bucket, so its words decide."""
    words = message.lower()
    if code == "1003" and ("length" in words or "too long" in words):
        return Cause.TOO_LONG
    if code == "1003" and "read" in words and "only" in words:
        return Cause.READ_ONLY
    return lookup(code).cause


def judge(request: Request, answer: Answer, now: datetime) -> ConnectorError | None:
    """The error an answer of the REST or bulk API stands for, or None."""
    said = fault(answer)
    if said is not None:
        return _error(request, said, now)
    failed = statuses.judge(request, answer, now)
    if failed is not None or not _is_envelope_due(request, answer) or answer.body.lstrip()[:1] == b"{":
        return failed
    kind = Malformed if request.repeatable else NoAnswer
    return kind(f"Marketo answered with something that is not JSON: {answer.text()[:80]!r}", code=str(answer.status))


def next_quota(now: datetime) -> datetime:
    """When the calls of the next quota day begin to count."""
    there = now.astimezone(QUOTA_ZONE)
    midnight = datetime.combine(there.date() + timedelta(days=1), time(), QUOTA_ZONE)
    return midnight.astimezone(now.tzinfo)


def _is_envelope_due(request: Request, answer: Answer) -> bool:
    # A range of an extract's file may begin with anything.
    return not request.path.endswith("/file.json") and answer.status not in request.accepts


def _error(request: Request, said: Fault, now: datetime) -> ConnectorError:
    meaning = lookup(said.code)
    kind, message = meaning.error, f"Marketo answered {said.code}: {said.message}"
    if kind is PermissionMissing:
        message = denied(request, said.message)
    path = request.path.partition("?")[0]
    # People written twice are the same people; a log entry written twice stands there twice.
    if meaning.splits and path in SPLITTABLE and not (meaning.unsure and path == LOG):
        kind = TooLarge  # the same batch would time out or crash in the same way again
    elif meaning.unsure and not request.repeatable:
        kind = NoAnswer
    return kind(message, code=said.code, until=_until(said.code, now), request_id=said.request_id)


def _until(code: str, now: datetime) -> datetime | None:
    if code == "606":
        return now + WINDOW
    return next_quota(now) if code == "607" else None
