"""What Dataverse says when it says no: error bodies, and the table from its codes to our words.

Codes are compared in lower case; where the code is empty, status and text decide, as older servers need it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from syncadmin.connectors import statuses
from syncadmin.connectors.contract import Status
from syncadmin.connectors.errors import (
    ConnectorError,
    CursorExpired,
    Malformed,
    PermissionMissing,
    Refused,
    SignInRefused,
    Throttled,
    TooLarge,
    Unavailable,
    Who,
)
from syncadmin.connectors.messages import Answer, Request
from syncadmin.connectors.retry import advised
from syncadmin.engine.failures import Cause

GONE_CODE = "0x80040217"
KEY_EXISTS = "0x80040237"
TRACKING_OFF = "0x80072491"
TOKEN_EXPIRED = "0x80044352"  # noqa: S105 - a delta token
LONGEST_MESSAGE = 500

THROTTLES = frozenset({"0x80072322", "0x80072321", "0x80072326"})
# SQL time-out, deadlock, resource limits, unexpected: rolled back, and they pass.
SQL_TROUBLE = frozenset({"0x80044151", "0x80044150"})
UNEXPECTED = "0x80040216"
PASSING = SQL_TROUBLE | {"0x80072323", "0x80072324", UNEXPECTED}
# The sync user itself may do nothing here: application user missing, no role, disabled, no licence.
MEMBERSHIP: Mapping[str, str] = {
    "0x80072560": "Create the application user for this client id (Power Platform admin center, Application users).",
    "0x80042f09": "Give the application user a security role (Power Platform admin center, Application users).",
    "0x80040225": "Enable the application user (Power Platform admin center, Application users).",
    "0x80041d1f": "Enable the application user (Power Platform admin center, Application users).",
    "0x8004d24b": "The user has no licence; use an application user.",
}
# The same codes tell of a disabled owner when a write names one.
USER_DISABLED = frozenset({"0x80040225", "0x80041d1f"})
# A new owner who may not read the table.
OWNER_LACKS_RIGHTS = frozenset({"0x80040231", "0x80040229"})
# A 500 that this record causes, not the server's state: repeating the call as it is mends nothing.
_ROW_FAULTS = frozenset({"0x80040224", "0x80040265", "0x80040333"})

_LATER, _NO = Status.LATER, Status.REFUSED
CODES: Mapping[str, tuple[Status, Cause]] = {
    "0x80044331": (_NO, Cause.TOO_LONG),
    "0x8004432f": (_NO, Cause.OUT_OF_RANGE),
    "0x80044330": (_NO, Cause.OUT_OF_RANGE),
    "0x80040317": (_NO, Cause.OUT_OF_RANGE),
    "0x8004431a": (_NO, Cause.UNKNOWN_OPTION),
    "0x80048d19": (_NO, Cause.WRONG_TYPE),
    "0x80060888": (_NO, Cause.COLUMN_MISSING),
    "0x80040200": (_NO, Cause.REQUIRED_MISSING),
    "0x80040203": (_NO, Cause.REQUIRED_MISSING),
    "0x80040239": (_NO, Cause.WRONG_TYPE),
    "0x80040278": (_NO, Cause.ILLEGAL_CHARACTERS),
    "0x80048408": (_NO, Cause.BAD_STATUS),
    GONE_CODE: (Status.GONE, Cause.NOT_FOUND),
    "0x80060891": (Status.GONE, Cause.NOT_FOUND),
    KEY_EXISTS: (Status.EXISTS, Cause.KEY_TAKEN),
    "0x80060892": (Status.EXISTS, Cause.KEY_TAKEN),
    "0x80040333": (Status.DUPLICATE, Cause.DUPLICATE_FOUND),
    "0x80060882": (Status.STALE, Cause.UNKNOWN),
    "0x8006088d": (_NO, Cause.FEATURE_MISSING),
    "0x80040220": (_NO, Cause.PERMISSION),
    "0x80048306": (_NO, Cause.PERMISSION_RECORD),
    "0x80040231": (_NO, Cause.PERMISSION_RECORD),
    "0x80040229": (_NO, Cause.PERMISSION_RECORD),
    "0x8004f502": (_NO, Cause.PERMISSION_COLUMN),
    "0x8004f504": (_NO, Cause.PERMISSION_COLUMN),
    "0x8004f507": (_NO, Cause.PERMISSION_COLUMN),
    **dict.fromkeys(MEMBERSHIP, (_NO, Cause.PERMISSION)),
    "0x80040230": (_NO, Cause.INACTIVE_RECORD),
    "0x80040519": (_NO, Cause.INACTIVE_RECORD),
    "0x8004022e": (_NO, Cause.INACTIVE_RECORD),
    "0x80040265": (_NO, Cause.REFUSED_BY_PLUGIN),
    "0x80040224": (_LATER, Cause.REFUSED_BY_PLUGIN),
    TRACKING_OFF: (_NO, Cause.CHANGE_TRACKING_OFF),
    **dict.fromkeys(THROTTLES, (_LATER, Cause.THROTTLED)),
    **dict.fromkeys(PASSING, (_LATER, Cause.UNAVAILABLE)),
    "0x8004418a": (_NO, Cause.TOO_LARGE),
}
_BY_STATUS: Mapping[int, tuple[Status, Cause]] = {
    401: (_LATER, Cause.CREDENTIALS),
    403: (_NO, Cause.PERMISSION),
    408: (_LATER, Cause.NO_ANSWER),
    413: (_NO, Cause.TOO_LARGE),
    429: (_LATER, Cause.THROTTLED),
}
# Texts that decide where the code is empty or says too little.
_BY_TEXT: tuple[tuple[str, Status, Cause], ...] = (
    ("invalid property", _NO, Cause.COLUMN_MISSING),
    ("undeclared property", _NO, Cause.COLUMN_MISSING),
    ("could not find a property named", _NO, Cause.COLUMN_MISSING),
    ("cannot convert", _NO, Cause.WRONG_TYPE),
    ("doesn't match the rowversion", Status.STALE, Cause.UNKNOWN),
    ("right(s) for record", _NO, Cause.PERMISSION_RECORD),
)
_BY_CODELESS_TEXT: tuple[tuple[str, Status, Cause], ...] = (
    ("matching key values already exists", Status.EXISTS, Cause.KEY_TAKEN),
    ("duplicate of the current record", Status.DUPLICATE, Cause.DUPLICATE_FOUND),
    ("does not exist", Status.GONE, Cause.NOT_FOUND),
)
_CODELESS = frozenset({"", "0x0"})
# Other codes say enough, and a plug-in's text may hold any words at all.
_VAGUE = _CODELESS | {"0x80048d19", "0x80060888", "0x80040220"}
_COLUMN = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"length of the '(\w+)' attribute",
        r"of '(\w+)' on record",
        r"(?:invalid property|undeclared property|property named) '([\w@.]+)'",
        r"(?:field|attribute|column) '(\w+)'",
    )
)
_HEX = re.compile(r"0x[0-9a-f]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer: its code in lower case (may be empty), its text, and the server's id of the call."""

    status: int
    code: str
    message: str
    request_id: str = ""

    def verdict(self) -> tuple[Status, Cause]:
        """What it means for the one record it was given to."""
        text = self.message.lower()
        texts = _BY_TEXT if self.code in _VAGUE else ()
        if self.code in _CODELESS:
            texts += _BY_CODELESS_TEXT
        for needle, status, cause in texts:
            if needle in text:
                return status, cause
        if self.code in CODES:
            return CODES[self.code]
        if self.status >= 500:
            return Status.LATER, Cause.UNAVAILABLE
        return _BY_STATUS.get(self.status, (Status.REFUSED, Cause.UNKNOWN))

    @property
    def column(self) -> str:
        """The column at fault, where the text names one."""
        for pattern in _COLUMN:
            if found := pattern.search(self.message):
                name = found.group(1).partition("@")[0].lower()
                return name[1:-6] if name.startswith("_") and name.endswith("_value") else name
        return ""


def refusal(answer: Answer) -> Refusal:
    """Reads every known shape of an error body; HTML and empty bodies leave only the status."""
    code, message = _said(answer)
    if not message:
        message = f"Dynamics answered with HTTP {answer.status}."
    request_id = answer.headers.get("req_id") or answer.headers.get("x-ms-service-request-id") or ""
    return Refusal(answer.status, code.lower(), message[:LONGEST_MESSAGE], request_id)


def _said(answer: Answer) -> tuple[str, str]:
    try:
        body = answer.json()
    except Malformed:
        return "", ""
    if not isinstance(body, dict):
        return "", ""
    error: Any = body.get("error", body)
    if not isinstance(error, dict):
        return "", ""
    code = error.get("code") or error.get("ErrorCode") or ""
    message = error.get("message") or error.get("ExceptionMessage") or error.get("Message") or ""
    return (str(code) if _HEX.fullmatch(str(code)) else "", _plain(str(message)))


def _plain(message: str) -> str:
    """The text without help link and stack trace: an administrator reads it."""
    inner = message.rpartition("InnerException :")[2] if "InnerException :" in message else message
    inner = re.sub(r"^\s*[\w.]+Exception:\s*", "", inner)
    return re.split(r"\s--->\s|\r?\n\s+at ", inner, maxsplit=1)[0].strip()


def judge(request: Request, answer: Answer, now: datetime) -> ConnectorError | None:
    """The error of a whole call to Dataverse, None for answers that are to be read."""
    if 200 <= answer.status < 300 or answer.status in request.accepts or _is_batch_answer(request, answer):
        return None
    said = refusal(answer)
    kind = _kind(request, said)
    until = advised(answer.headers.get("retry-after"), now)
    message = f"{said.message} {MEMBERSHIP[said.code]}" if said.code in MEMBERSHIP else said.message
    error = kind(message, code=said.code or str(answer.status), until=until, request_id=said.request_id)
    if said.code == TRACKING_OFF:
        error.who = Who.ADMINISTRATOR
    return error


def _is_batch_answer(request: Request, answer: Answer) -> bool:
    # A server that ignores continue-on-error gives the first failure's status to the whole batch.
    return request.path.endswith("$batch") and answer.content_type == "multipart/mixed"


def _kind(request: Request, said: Refusal) -> type[ConnectorError]:
    if said.status == 401:
        return SignInRefused
    if said.code in THROTTLES or said.status == 429:
        return Throttled
    if said.code == TOKEN_EXPIRED:
        return CursorExpired
    if said.code == "0x8004418a":
        return TooLarge
    if said.code in MEMBERSHIP:
        return PermissionMissing
    if said.code in _ROW_FAULTS:
        return Refused
    if said.code in PASSING:
        return Unavailable
    return statuses.kind_of(request, said.status)
