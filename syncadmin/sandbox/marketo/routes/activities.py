"""Activity types, paging tokens and the three streams: activities, field changes, deletions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from syncadmin.sandbox.faults import Fault
from syncadmin.sandbox.marketo import activities as log
from syncadmin.sandbox.marketo.answers import ApiError, Payload, missing, moment
from syncadmin.sandbox.marketo.requests import Request
from syncadmin.sandbox.marketo.routing import route
from syncadmin.sandbox.marketo.state import State

if TYPE_CHECKING:
    from syncadmin.sandbox.marketo.app import MarketoSandbox

_PAGE, _MOST_TYPES, _MOST_LEADS, _MOST_ON_LIST = 300, 10, 30, 10_000
# The kinds whose primary value is text; all others name an asset or a field by number.
_TEXT_PRIMARY = frozenset({46, 110})
Show = Callable[[log.Row], dict[str, Any]]


def types(sandbox: MarketoSandbox, request: Request) -> Payload:
    state, found = sandbox.state, []
    marks = {"API Method Name", "Modifying User", "Request Id"}
    for kind in log.standard_types():
        shown = {"id": kind["id"], "name": kind["name"], "description": kind["description"]}
        if kind["primary"]:
            primary = "string" if kind["id"] in _TEXT_PRIMARY else "integer"
            shown["primaryAttribute"] = {"name": kind["primary"], "dataType": primary}
        names = [name for name in kind["attributes"] if state.knobs.write_marks or name not in marks]
        found.append(shown | {"attributes": [{"name": name, "dataType": "string"} for name in names]})
    return Payload(found + [_custom_type(row["id"], row["approved"]) for row in state.custom_types.approved()])


def _custom_type(id: int, body: dict[str, Any]) -> dict[str, Any]:
    primary = body["primaryAttribute"]
    return {
        "id": id,
        "apiName": body["apiName"],
        "name": body["name"],
        "description": body["description"],
        "primaryAttribute": {key: primary[key] for key in ("apiName", "name", "dataType")},
        "attributes": [{key: item[key] for key in ("apiName", "name", "dataType")} for item in body["attributes"]],
    }


def paging_token(sandbox: MarketoSandbox, request: Request) -> Payload:
    text = request.required("sinceDatetime")
    try:
        # A bare date is accepted here, though not elsewhere: widely used clients send one.
        since = moment(f"{text}T00:00:00Z" if len(text) == 10 else text)
    except ValueError:
        raise ApiError(1001, f"Invalid value '{text}'. Required of type 'DateTime'") from None
    sandbox.state.log.deliver_late(sandbox.clock())
    return Payload(None, {"nextPageToken": log.token(sandbox.state.log.position_of(since), sandbox.clock())})


def _leads(state: State, request: Request) -> Callable[[int], bool]:
    ids = request.many("leadIds")
    if len(ids) > _MOST_LEADS:
        raise ApiError(1003, f"Too many leadIds: at most {_MOST_LEADS} are allowed")
    list_id = request.one("listId")
    if list_id is not None:
        if list_id not in state.lists:
            raise ApiError(1013, f"Object not found: list '{list_id}'")
        if len(state.on(list_id)) >= _MOST_ON_LIST:
            raise ApiError(1003, "The list has too many members for this call")
        return lambda lead: str(lead) in state.on(list_id) and (not ids or str(lead) in ids)
    return lambda lead: not ids or str(lead) in ids


def _stream(sandbox: MarketoSandbox, request: Request, wanted: Callable[[log.Row], bool], show: Show) -> Payload:
    """Walk one block on from the token; pages are short or empty when other kinds fill the block."""
    state, now = sandbox.state, sandbox.clock()
    start = log.position(request.required("nextPageToken"))
    state.log.deliver_late(now)
    fault = sandbox.feed_fault(request)
    # The position does not move, so nothing is lost by it.
    if fault and fault.kind == "empty":
        return Payload(None, {"nextPageToken": log.token(start, now), "moreResult": True})
    batch = request.number("batchSize", _PAGE, _PAGE)
    found, end = state.log.walk(start, wanted, now, batch, state.knobs.block)
    rows = _troubled(state, fault, found, sandbox)
    more = {"nextPageToken": log.token(end, now), "moreResult": end < state.log.last}
    # An empty page has no result at all: clients must not count on the member.
    return Payload([show(row) for row in rows] if rows else None, more)


def _troubled(
    state: State, fault: Fault | None, found: list[tuple[int, log.Row]], sandbox: MarketoSandbox
) -> list[log.Row]:
    rows = [row for _, row in found]
    if fault and fault.kind == "late_events":
        until = sandbox.clock() + timedelta(seconds=float(fault.value or 0))
        state.log.hold_back([position for position, _ in found], until)
        return []
    return rows * 2 if fault and fault.kind == "duplicate_events" else rows


def stream(sandbox: MarketoSandbox, request: Request) -> Payload:
    kinds = request.many("activityTypeIds")
    if not kinds:
        raise missing("activityTypeIds")
    if len(kinds) > _MOST_TYPES:
        raise ApiError(1003, f"Too many activityTypeIds: at most {_MOST_TYPES} are allowed")
    known = {str(kind["id"]) for kind in log.standard_types()}
    known |= {str(row["id"]) for row in sandbox.state.custom_types.approved()}
    for kind in kinds:
        if kind not in known:
            raise ApiError(1003, f"Invalid value for field 'activityTypeIds' and value '{kind}'")
    leads, assets = _leads(sandbox.state, request), request.many("assetIds")
    numbers = {int(kind) for kind in kinds}

    def wanted(row: log.Row) -> bool:
        return row["t"] in numbers and leads(row["l"]) and (not assets or str(row.get("i")) in assets)

    return _stream(sandbox, request, wanted, lambda row: shown(sandbox.state, row))


def head(state: State, row: log.Row) -> dict[str, Any]:
    found: dict[str, Any] = {"id": row["g"]} if state.knobs.activity_ids else {}
    return found | {
        "marketoGUID": str(row["g"]),
        "leadId": row["l"],
        "activityDate": row["d"].removesuffix("Z") + state.knobs.activity_zone,
        "activityTypeId": row["t"],
    }


def shown(state: State, row: log.Row) -> dict[str, Any]:
    found = head(state, row)
    if "c" in row:
        found["campaignId"] = row["c"]
    if "i" in row:
        found["primaryAttributeValueId"] = row["i"]
    if "p" in row:
        found["primaryAttributeValue"] = row["p"]
    return found | {"attributes": [{"name": name, "value": value} for name, value in row.get("a", {}).items()]}


def changes(sandbox: MarketoSandbox, request: Request) -> Payload:
    state, names = sandbox.state, set(request.many("fields"))
    if not names:
        raise missing("fields")
    for name in names:
        if state.fields.get(name) is None:
            raise ApiError(1006, f"Field '{name}' not found")
    leads = _leads(state, request)

    def wanted(row: log.Row) -> bool:
        ours = row["t"] == log.NEW_PERSON or (row["t"] == log.CHANGE_VALUE and row["f"][0] in names)
        return ours and leads(row["l"])

    return _stream(sandbox, request, wanted, lambda row: _changed(state, row))


def _changed(state: State, row: log.Row) -> dict[str, Any]:
    if row["t"] == log.NEW_PERSON:
        return shown(state, row)
    found, (name, old, new) = head(state, row), row["f"]
    if "c" in row:
        found["campaignId"] = row["c"]
    found["fields"] = [{"id": row["i"], "name": name, "newValue": new, "oldValue": old}]
    # The values are told by `fields` here, not by attributes.
    said = {key: value for key, value in row["a"].items() if key not in ("New Value", "Old Value")}
    said["Lead ID"] = row["l"]
    return found | {"attributes": [{"name": key, "value": value} for key, value in said.items()]}


def deletions(sandbox: MarketoSandbox, request: Request) -> Payload:
    state = sandbox.state
    return _stream(sandbox, request, lambda row: row["t"] == log.DELETE, lambda row: shown(state, row))


_READ = "Read-Only Activity"
ROUTES = (
    route("GET", "/rest/v1/activities/types.json", types, _READ),
    route("GET", "/rest/v1/activities/pagingtoken.json", paging_token, _READ),
    route("GET", "/rest/v1/activities.json", stream, _READ),
    route("GET", "/rest/v1/activities/leadchanges.json", changes, _READ),
    route("GET", "/rest/v1/activities/deletedleads.json", deletions, _READ),
)
