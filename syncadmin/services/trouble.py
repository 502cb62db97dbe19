"""What a failed call means for the work it carried, and for the run."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from syncadmin.connectors.errors import (
    BudgetSpent,
    ConnectorError,
    CursorExpired,
    Malformed,
    NoAnswer,
    NotSent,
    PermissionMissing,
    QuotaSpent,
    Refused,
    SignInRefused,
    Throttled,
    Unavailable,
    Unreachable,
)
from syncadmin.engine.failures import Cause
from syncadmin.engine.records import Side
from syncadmin.services import failing
from syncadmin.store import ledger, staging
from syncadmin.store.models import Failure, Run

# Without the server's word: long enough not to hammer, short enough to be healed soon.
_PAUSE = timedelta(seconds=5)
FAULT = "fault"
_CAUSES: tuple[tuple[type[ConnectorError], Cause], ...] = (
    (SignInRefused, Cause.CREDENTIALS),
    (PermissionMissing, Cause.PERMISSION),
    (Malformed, Cause.MALFORMED_ANSWER),
    (Refused, Cause.UNKNOWN),
)
# What a run says stopped it; the narrower class comes first.
_CODES: tuple[tuple[type[ConnectorError], str], ...] = (
    (Unreachable, "unreachable"),
    (BudgetSpent, "budget"),
    (NotSent, "not_sent"),
    (NoAnswer, "no_answer"),
    (QuotaSpent, "quota"),
    (Throttled, "throttled"),
    (Unavailable, "unavailable"),
    (Malformed, "malformed"),
    (SignInRefused, "sign_in"),
    (PermissionMissing, "permission"),
    (CursorExpired, "cursor"),
)


def pause(error: ConnectorError, now: datetime) -> datetime:
    """Not before this time is the work to be tried again."""
    return error.until or now + _PAUSE


def code_of(error: ConnectorError) -> str:
    """The code of a run's complaint about this error."""
    if error.code == FAULT:
        return FAULT
    return next((code for kind, code in _CODES if isinstance(error, kind)), "refused")


def ours(fault: Exception) -> ConnectorError:
    """A fault of our own in a step, told like a call that will not pass unchanged."""
    return Refused(f"{type(fault).__name__}: {fault}", code=FAULT)


def note(error: ConnectorError, side: Side, step: str, run: Run, now: datetime) -> None:
    """Opens a failure on the stream or step that an error of a whole call stopped; passing ones leave no trace."""
    cause = next((cause for kind, cause in _CAUSES if isinstance(error, kind)), None)
    if cause is None:
        return
    row = Failure(
        subject=f"step:{step}"[:60],
        side=side,
        operation="call",
        cause=cause,
        code=error.code,
        message=error.message[:4000],
        opened_at=now,
        last_at=now,
        run=run,
    )
    with transaction.atomic():
        ledger.activities(failing.opened(row, person=None, table="", guid=None, now=now, run=run))


def stopped() -> frozenset[str]:
    """The names of the steps that a failure told of in some run stands open for."""
    rows = staging.query(_STOPPED)
    return frozenset(subject.removeprefix("step:") for (subject,) in rows)


_STOPPED = """SELECT subject FROM store_failure
              WHERE operation = 'call' AND closed_at IS NULL AND starts_with(subject, 'step:')"""


def over(side: Side, step: str, now: datetime) -> None:
    """The step works again."""
    ledger.close_failures(f"step:{step}"[:60], side, [""], now=now)
