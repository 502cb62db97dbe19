"""Which permission of an API role a call needs, and how an administrator grants it."""

from __future__ import annotations

from syncadmin.connectors.messages import Request

READ_LEAD = "Read-Only Lead"
WRITE_LEAD = "Read-Write Lead"
READ_ACTIVITY = "Read-Only Activity"
WRITE_ACTIVITY = "Read-Write Activity"
READ_TYPES = "Read-Only Activity Metadata"
WRITE_TYPES = "Read-Write Activity Metadata"
WRITE_SCHEMA = "Read-Write Schema Custom Field"

# First match wins: part of the path, then the permission to read and the one to change.
_BY_PATH = (
    ("/activities/external/type", READ_TYPES, WRITE_TYPES),
    ("/activities/external.json", WRITE_ACTIVITY, WRITE_ACTIVITY),
    ("/activities/", READ_ACTIVITY, READ_ACTIVITY),
    ("/activities.json", READ_ACTIVITY, READ_ACTIVITY),
    ("/leads/schema/", WRITE_SCHEMA, WRITE_SCHEMA),
    ("/bulk/", READ_LEAD, READ_LEAD),
)


def needed(request: Request) -> str:
    """The name of the permission as the role editor shows it."""
    for part, read, write in _BY_PATH:
        if part in request.path:
            return read if request.repeatable else write
    return READ_LEAD if request.repeatable else WRITE_LEAD


def denied(request: Request, words: str) -> str:
    """What to tell about a 603."""
    return f"Marketo answered 603: {words}. {recipe(needed(request))}"


RECIPE = (
    "In Marketo, open Admin > Users & Roles > Roles, edit the role of the API user and tick '%(permission)s' under "
    "Access API. If it is ticked already, this server's address is missing from the account's list of addresses "
    "that may use the API (Admin > Web Services)."
)


def recipe(permission: str) -> str:
    return RECIPE % {"permission": permission}
