"""The named checks of a connection: what works, and for what does not, what to do about it in Marketo's screens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

import orjson

from syncadmin.connectors.contract import Check, Probe, Usage
from syncadmin.connectors.errors import ConnectorError, Malformed, PermissionMissing, Refused, SignInRefused, TooLarge
from syncadmin.connectors.marketo import metadata, permissions, requests, responses
from syncadmin.connectors.marketo.config import MarketoConfig
from syncadmin.connectors.messages import Answer, Request
from syncadmin.connectors.probes import AGAIN, PASSING, TIME, mending, time_difference, told

Send = Callable[[Request], Answer]

# No account has so many people: an update of this one changes nothing, whatever is answered.
NOBODY = 2**31 - 1
_PROBE_LEAD = orjson.dumps({"id": NOBODY})
_PROBE_LOG = orjson.dumps(
    {
        "leadId": NOBODY,
        "activityDate": "2020-01-01T00:00:00Z",
        "activityTypeId": NOBODY,
        "primaryAttributeValue": "permission check",
        "attributes": [],
    }
)
ADDRESS, SIGN_IN, CALLS = "Address", "Sign-in", "Calls of today"
NATIVE, PARTITION = "No native CRM sync", "Partition"
# Name, the call that shows it, the permission to grant, whether the call is a probe that may be refused for any reason
# but a missing right, whether nothing works without it, and what is given up without it.
_PERMISSIONS: tuple[tuple[str, Request, str, bool, bool, str], ...] = (
    ("Read people", requests.describe(), permissions.READ_LEAD, False, True, ""),
    ("Write people", requests.write_leads("updateOnly", "id", [_PROBE_LEAD]), permissions.WRITE_LEAD, True, False, ""),
    ("Read activities", requests.activity_types(), permissions.READ_ACTIVITY, False, True, ""),
    ("Write to the activity log", requests.log([_PROBE_LOG]), permissions.WRITE_ACTIVITY, True, False, "log"),
    # Creating a type cannot be tried without creating one, so only reading is; the remedy asks for both.
    ("Read custom activity types", requests.custom_types(), permissions.WRITE_TYPES, False, False, "types"),
    ("Create custom fields", requests.schema_fields(size=1), permissions.WRITE_SCHEMA, False, False, "schema"),
)
WHERE_CREDENTIALS = (
    "Copy client id and client secret anew: Admin > Integration > LaunchPoint, the custom service, View Details."
)
WHERE_ADDRESS = "Copy the endpoint of the REST API anew: Admin > Integration > Web Services."
DENIED = "Marketo denies this: the permission %(permission)s is missing."
REFUSED = "Marketo does not know this client id and secret."
SAID_ADDRESS, SAID_USER = "%(address)s", "Signed in as %(user)s."
SAID_CALLS = "%(total)s calls were made today, %(others)s of them by others."
SAID_NATIVE = "%(number)s fields belong to a CRM sync of Marketo's own: %(names)s."
SWITCH_OFF = (
    "Two syncs would work against each other. Switch the native one off (Admin > CRM) before starting this one."
)


def names() -> list[str]:
    """All checks in the order they are made, but that of a partition."""
    return [ADDRESS, SIGN_IN, *(name for name, *_ in _PERMISSIONS), CALLS, TIME, NATIVE]


def probes(
    send: Send,
    sign_in: Callable[[], str],
    use: Callable[[], Usage],
    clock: Callable[[], datetime],
    config: MarketoConfig,
) -> tuple[Probe, ...]:
    """The checks, to be made in this order."""
    found = [
        Probe(ADDRESS, lambda: _address(sign_in, config), gate=True),
        Probe(SIGN_IN, lambda: _signed_in(sign_in), gate=True),
        *(Probe(row[0], partial(_permitted, send, *row)) for row in _PERMISSIONS),
        Probe(CALLS, lambda: _calls(use)),
        Probe(TIME, lambda: time_difference(send(requests.usage()), clock())),
        Probe(NATIVE, lambda: _native_sync(send)),
    ]
    if config.partition:
        found.append(Probe(PARTITION, lambda: _partition(send, config.partition)))
    return tuple(found)


def _address(sign_in: Callable[[], str], config: MarketoConfig) -> Check:
    try:
        sign_in()
    except SignInRefused:
        pass  # whoever refuses us is a Marketo; the next check tells the rest
    except ConnectorError as trouble:
        # A page in place of an answer: to the sync a pause, here most likely somebody else's server.
        error = Malformed(trouble.message) if trouble.code == "200" else trouble
        message, detail = told(error)
        remedy = mending(error, WHERE_ADDRESS)
        return Check(ADDRESS, None if isinstance(error, PASSING) else False, message, remedy, detail=detail)
    return Check(ADDRESS, True, SAID_ADDRESS, facts={"address": config.root})


def _signed_in(sign_in: Callable[[], str]) -> Check:
    try:
        user = sign_in()
    except SignInRefused as error:
        return Check(SIGN_IN, False, REFUSED, WHERE_CREDENTIALS, code=error.code, detail=error.message)
    return Check(SIGN_IN, True, SAID_USER, facts={"user": user})


def _permitted(
    send: Send, name: str, request: Request, permission: str, is_probe: bool, needed: bool, accept: str
) -> Check:
    try:
        send(request)
    except PermissionMissing as error:
        facts = {"permission": permission}
        return Check(
            name, False, DENIED, permissions.RECIPE, code=error.code, needed=needed, accept=accept, facts=facts
        )
    except Refused as error:
        # A role without the right is refused before the content is looked at: any word about the content will do.
        if is_probe and len(error.code) == 4 and error.code.isdigit():
            return Check(name, True)
        passes = isinstance(error, TooLarge)  # a time-out or crash of a call that writes
        remedy = "" if passes else WHERE_ADDRESS
        return Check(name, None if passes else False, error.message, remedy, needed=needed)
    except ConnectorError as error:
        message, detail = told(error)
        return Check(name, None, message, AGAIN, detail=detail, needed=needed)
    return Check(name, True)


def _calls(use: Callable[[], Usage]) -> Check:
    """Never red: what others use is told, and the day's limit is not known to the API."""
    used = use()
    facts = {"total": f"{used.total:,}", "others": f"{max(0, used.total - used.ours):,}"}
    return Check(CALLS, True, SAID_CALLS, facts=facts)


def _native_sync(send: Send) -> Check:
    managed = metadata.crm_managed(responses.envelope(send(requests.describe2())).result)
    if not managed:
        return Check(NATIVE, True)
    facts = {"number": str(len(managed)), "names": ", ".join(managed[:5])}
    return Check(NATIVE, False, SAID_NATIVE, SWITCH_OFF, accept="native", facts=facts)


def _partition(send: Send, wanted: str) -> Check:
    names = responses.names(responses.envelope(send(requests.partitions())).result)
    if wanted in names:
        return Check(PARTITION, True, wanted)
    remedy = f"Choose one of: {', '.join(names)}."
    return Check(PARTITION, False, f"The API user does not see a partition named {wanted}.", remedy)
