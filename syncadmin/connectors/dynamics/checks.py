"""The named checks of a Dynamics connection, each with what to do about a red one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial

from syncadmin.connectors.contract import Check, Identity
from syncadmin.connectors.dynamics import metadata, requests
from syncadmin.connectors.dynamics.names import ENTITY_SETS, key_of
from syncadmin.connectors.errors import (
    ConnectorError,
    Malformed,
    NoAnswer,
    PermissionMissing,
    Refused,
    SignInRefused,
    Unreachable,
)
from syncadmin.connectors.messages import Answer, Request
from syncadmin.engine.records import Table

Call = Callable[[Request], Answer]
TABLES = (Table.LEAD, Table.CONTACT)
# Dynamics stamps modifiedon with its own clock; windows overlap by two minutes.
LARGEST_DIFFERENCE = 60.0

ADDRESS, SIGN_IN, USER = "Address reachable", "Sign-in", "Application user"
ORGANISATION, TIME = "Organisation and version", "Time difference"
_REMEDIES = {
    ADDRESS: "Check the environment's address (Power Platform admin center, Environments) and this server's network.",
    SIGN_IN: "Check tenant, client id and secret (Microsoft Entra admin center, App registrations).",
    USER: "Create the application user and give it a security role (Power Platform admin center, Application users).",
    ORGANISATION: "Give the role read access to the Organization table (Security roles, Business Management).",
    TIME: "Set this server's clock by a time service.",
}


_DOORS: tuple[tuple[type[ConnectorError], str], ...] = (
    (SignInRefused, SIGN_IN),
    (PermissionMissing, USER),
    (Unreachable, ADDRESS),
    (NoAnswer, ADDRESS),
    (Refused, ADDRESS),
    (Malformed, ADDRESS),
)


def run(
    call: Call, identity: Callable[[Answer], Identity], clock: Callable[[], datetime], probe_id: str
) -> list[Check]:
    """All checks in order; what an earlier red one makes pointless is answered "could not be checked"."""
    try:
        answer = call(requests.get("WhoAmI"))
    except ConnectorError as error:
        return _entrance(error) + _unchecked()
    checks = [Check(name, True) for name in (ADDRESS, SIGN_IN, USER)]
    checks.append(_organisation(lambda: identity(answer)))
    for table in TABLES:
        checks += _table(call, table)
        if probe_id:
            checks.append(_guarded(f"Write {table}s", partial(_may_write, call, table, probe_id)))
    return [*checks, time_difference(answer, clock())]


def _entrance(error: ConnectorError) -> list[Check]:
    """Which of the first three doors stayed shut."""
    names = [ADDRESS, SIGN_IN, USER]
    shut = next((name for kind, name in _DOORS if isinstance(error, kind)), "")
    if not shut:  # throttled, out of budget: nothing is wrong with the connection as far as we know
        return [Check(name, None, error.message) for name in names]
    place = names.index(shut)
    passed = [Check(name, True) for name in names[:place]]
    rest = [Check(name, None) for name in names[place + 1 :]]
    return [*passed, Check(shut, False, error.message, _REMEDIES[shut]), *rest]


def _unchecked() -> list[Check]:
    names = [ORGANISATION]
    for table in TABLES:
        names += [f"Change tracking of {table}s", f"Read {table}s"]
    return [Check(name, None) for name in (*names, TIME)]


def _organisation(identity: Callable[[], Identity]) -> Check:
    try:
        who = identity()
    except ConnectorError as error:
        return Check(ORGANISATION, False, error.message, _REMEDIES[ORGANISATION])
    if not who.name:
        return Check(ORGANISATION, False, "The organisation's settings cannot be read.", _REMEDIES[ORGANISATION])
    return Check(ORGANISATION, True, f"{who.name}, version {who.version}")


def _table(call: Call, table: Table) -> Sequence[Check]:
    tracking = _guarded(f"Change tracking of {table}s", lambda: _is_tracked(call, table))
    reading = _guarded(f"Read {table}s", lambda: _may_read(call, table, tracked=tracking.ok is True))
    return tracking, reading


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    """A refusal is the check's result; ``name`` is the check's own."""
    try:
        return check()
    except ConnectorError as error:
        remedy = "Give the application user's role this right (Power Platform admin center, Security roles)."
        return Check(name, False if isinstance(error, PermissionMissing) else None, error.message, remedy)


def _is_tracked(call: Call, table: Table) -> Check:
    name = f"Change tracking of {table}s"
    on = call(metadata.table_facts(table)).object().get("ChangeTrackingEnabled")
    if not isinstance(on, bool):
        raise Malformed("The table's facts do not say whether changes are tracked.")
    remedy = f"Turn on Track changes for the table {table} (make.powerapps.com, Tables, Properties, Advanced options)."
    return Check(name, on, "" if on else f"Changes of {table} are not tracked.", "" if on else remedy)


def _may_read(call: Call, table: Table, *, tracked: bool) -> Check:
    """Reads as the sync does: tracking needs the read right for the whole organisation."""
    select = [key_of(table)]
    if tracked:
        request = requests.tracked_page(table, select, size=1, annotated=False)
    else:
        request = requests.get(requests.query(ENTITY_SETS[table], select=",".join(select), top="1"))
    call(request)
    return Check(f"Read {table}s", True)


def _may_write(call: Call, table: Table, probe_id: str) -> Check:
    call(requests.probe_write(table, probe_id))
    return Check(f"Write {table}s", True)


def time_difference(answer: Answer, now: datetime) -> Check:
    """The server's clock against ours, from the Date header."""
    try:
        there = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return Check(TIME, None, "The answer names no time.")
    seconds = abs((there - now).total_seconds()) if there.tzinfo else 0.0
    message = f"{seconds:.0f} seconds"
    return Check(TIME, True, message) if seconds <= LARGEST_DIFFERENCE else Check(TIME, False, message, _REMEDIES[TIME])
