"""The named checks of a connection: what works, and for what does not, what to do about it in Marketo's screens."""

from __future__ import annotations

from collections.abc import Callable

import orjson

from syncadmin.connectors.contract import Check
from syncadmin.connectors.errors import (
    ConnectorError,
    DeadlineOver,
    PermissionMissing,
    Refused,
    SignInRefused,
    Throttled,
    TooLarge,
    Unavailable,
)
from syncadmin.connectors.marketo import metadata, permissions, requests, responses
from syncadmin.connectors.marketo.config import MarketoConfig
from syncadmin.connectors.messages import Answer, Request

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
# Name, the call that shows it, the permission to grant. A probe may be refused for any reason but a missing right.
_PERMISSIONS: tuple[tuple[str, Request, str, bool], ...] = (
    ("Read people", requests.describe(), permissions.READ_LEAD, False),
    ("Write people", requests.write_leads("updateOnly", "id", [_PROBE_LEAD]), permissions.WRITE_LEAD, True),
    ("Read activities", requests.activity_types(), permissions.READ_ACTIVITY, False),
    ("Write to the activity log", requests.log([_PROBE_LOG]), permissions.WRITE_ACTIVITY, True),
    # Creating a type cannot be tried without creating one, so only reading is; the remedy asks for both.
    ("Read custom activity types", requests.custom_types(), permissions.WRITE_TYPES, False),
    ("Create custom fields", requests.schema_fields(size=1), permissions.WRITE_SCHEMA, False),
)
_WHERE_CREDENTIALS = (
    "Copy client id and client secret anew: Admin > Integration > LaunchPoint, the custom service, View Details."
)
_WHERE_ADDRESS = "Copy the endpoint of the REST API anew: Admin > Integration > Web Services."


def run(send: Send, sign_in: Callable[[], str], config: MarketoConfig) -> list[Check]:
    """All checks; those after a failed address or sign-in are listed as not checked. Never raises."""
    done = _entrance(sign_in, config)
    later = [name for name, *_ in _PERMISSIONS] + ["No native CRM sync"] + (["Partition"] if config.partition else [])
    if not all(check.ok for check in done):
        return done + [Check(name, None, "Not checked yet: the checks above come first.") for name in later]
    done += [_permitted(send, *row) for row in _PERMISSIONS]
    done.append(_native_sync(send))
    return [*done, _partition(send, config.partition)] if config.partition else done


def _entrance(sign_in: Callable[[], str], config: MarketoConfig) -> list[Check]:
    try:
        user = sign_in()
    except SignInRefused as error:
        return [Check("Address", True, config.root), Check("Sign-in", False, error.message, _WHERE_CREDENTIALS)]
    except ConnectorError as error:
        reached = None if isinstance(error, Throttled | Unavailable | DeadlineOver) else False
        address = Check("Address", reached, error.message, _WHERE_ADDRESS)
        return [address, Check("Sign-in", None, "Not checked yet: the address comes first.")]
    return [Check("Address", True, config.root), Check("Sign-in", True, f"Signed in as {user}.")]


def _permitted(send: Send, name: str, request: Request, permission: str, is_probe: bool) -> Check:
    try:
        send(request)
    except PermissionMissing as error:
        return Check(name, False, error.message, permissions.recipe(permission))
    except Refused as error:
        # A role without the right is refused before the content is looked at: any word about the content will do.
        if is_probe and len(error.code) == 4 and error.code.isdigit():
            return Check(name, True)
        passes = isinstance(error, TooLarge)  # a time-out or crash of a call that writes
        return Check(name, None if passes else False, error.message, "" if passes else _WHERE_ADDRESS)
    except ConnectorError as error:
        return Check(name, None, error.message, "Try again in a minute.")
    return Check(name, True)


def _native_sync(send: Send) -> Check:
    name = "No native CRM sync"
    try:
        managed = metadata.crm_managed(responses.envelope(send(requests.describe2())).result)
    except ConnectorError as error:
        return Check(name, None, error.message)
    if not managed:
        return Check(name, True)
    message = f"{len(managed)} fields belong to a CRM sync of Marketo's own: {', '.join(managed[:5])}."
    remedy = (
        "Two syncs would work against each other. Switch the native one off (Admin > CRM) before starting this one."
    )
    return Check(name, False, message, remedy)


def _partition(send: Send, wanted: str) -> Check:
    try:
        names = responses.names(responses.envelope(send(requests.partitions())).result)
    except ConnectorError as error:
        return Check("Partition", None, error.message)
    if wanted in names:
        return Check("Partition", True, wanted)
    remedy = f"Choose one of: {', '.join(names)}."
    return Check("Partition", False, f"The API user does not see a partition named {wanted}.", remedy)
