"""Reading people: one by id, many by filter, and the partitions."""

from __future__ import annotations

from base64 import b32decode, b32encode
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from syncadmin.sandbox.marketo.answers import ApiError, Payload
from syncadmin.sandbox.marketo.fields import DEFAULT_FIELDS
from syncadmin.sandbox.marketo.requests import Request
from syncadmin.sandbox.marketo.routing import route
from syncadmin.sandbox.marketo.state import State

if TYPE_CHECKING:
    from syncadmin.sandbox.marketo.app import MarketoSandbox

_MOST_VALUES, _MOST_MATCHES, _PAGE = 300, 1000, 300
PARTITIONS = ({"id": 1, "name": "Default", "description": "Everybody"}, {"id": 2, "name": "EMEA", "description": ""})


def wanted_fields(state: State, request: Request) -> list[str]:
    names = request.many("fields") or list(DEFAULT_FIELDS)
    for name in names:
        if state.fields.get(name) is None:
            raise ApiError(1006, f"Field '{name}' not found")
    return names


def page_token(kind: str, last: int) -> str:
    return b32encode(f"{kind}:{last}".encode()).decode()


def page_start(kind: str, request: Request) -> int:
    """The id after which the page begins; 0 without a token, 1003 for a token that is none of ours."""
    text = request.one("nextPageToken")
    if not text:
        return 0
    try:
        found, _, last = b32decode(text).decode().partition(":")
        if found != kind:
            raise ValueError(found)
        return int(last)
    except ValueError:
        raise ApiError(1003, "Invalid paging token") from None


def page(kind: str, request: Request, ids: Sequence[int]) -> tuple[list[int], dict[str, Any]]:
    """The part of ascending `ids` this call shows, and the token if more rows exist."""
    size, start = request.number("batchSize", _PAGE, _PAGE), page_start(kind, request)
    # Paged by key: rows that come or go meanwhile shift nothing.
    left = [id for id in ids if id > start]
    if len(left) <= size:
        return left, {}
    return left[:size], {"nextPageToken": page_token(kind, left[size - 1])}


def by_id(sandbox: MarketoSandbox, request: Request, id: str) -> Payload:
    state = sandbox.state
    names, row = wanted_fields(state, request), state.person(id)
    return Payload([state.shown(row, names)] if row else [])


def by_filter(sandbox: MarketoSandbox, request: Request) -> Payload:
    state = sandbox.state
    name = request.required("filterType")
    field = state.fields.get(name)
    if field is None:
        raise ApiError(1006, f"Lookup field '{name}' not found")
    if not field.searchable:
        raise ApiError(1011, f"Field '{name}' not supported")
    if not request.one("filterValues"):
        raise ApiError(1002, "Missing value for the required parameter 'filterValues'")
    values, names = request.many("filterValues"), wanted_fields(state, request)
    if len(values) > _MOST_VALUES:
        raise ApiError(1003, f"Too many values in filterValues: at most {_MOST_VALUES} are allowed")
    # A set: two values may find the same person, who is answered once.
    matches = {int(id) for value in values for id in state.find(name, value)}
    if len(matches) > _MOST_MATCHES:
        raise ApiError(1003, "Too many results match the filter")
    ids, more = page("leads", request, sorted(matches))
    return Payload([state.shown(state.people[str(id)], names) for id in ids], more)


def partitions(sandbox: MarketoSandbox, request: Request) -> Payload:
    return Payload([dict(partition) for partition in PARTITIONS])


def no_such(sandbox: MarketoSandbox, request: Request) -> Payload:
    raise ApiError(610, "Requested resource not found")


_READ = "Read-Only Lead"
ROUTES = (
    route("GET", "/rest/v1/lead/{id}.json", by_id, _READ),
    route("GET", "/rest/v1/leads.json", by_filter, _READ),
    route("GET", "/rest/v1/leads/partitions.json", partitions, _READ),
    # Moving people between partitions is not part of this stand-in.
    route("POST", "/rest/v1/leads/partitions.json", no_such),
)
