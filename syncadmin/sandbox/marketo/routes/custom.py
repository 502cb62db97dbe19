"""Custom activity types and the activities of such types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncadmin.sandbox.marketo.answers import ApiError, Payload, RowError, moment, stamp
from syncadmin.sandbox.marketo.custom import Type, shown
from syncadmin.sandbox.marketo.requests import Request
from syncadmin.sandbox.marketo.routing import route
from syncadmin.sandbox.marketo.values import BadValue, coerce

from .writes import partial, skipped

if TYPE_CHECKING:
    from syncadmin.sandbox.marketo.app import MarketoSandbox

_MOST_BYTES = 65_536
# Custom attribute kinds that values.py knows under another name.
_KINDS = {"link": "url"}


def types(sandbox: MarketoSandbox, request: Request) -> Payload:
    return Payload([shown(row) for row in sandbox.state.custom_types.all()])


def describe(sandbox: MarketoSandbox, request: Request, name: str) -> Payload:
    draft = (request.one("draft") or "").lower() == "true"
    return Payload([shown(sandbox.state.custom_types.find(name), draft, attributes=True)])


def create(sandbox: MarketoSandbox, request: Request) -> Payload:
    row = sandbox.state.custom_types.create(request.json(), sandbox.state.now())
    return Payload([shown(row, draft=True, attributes=True)])


def change(sandbox: MarketoSandbox, request: Request, name: str) -> Payload:
    row = sandbox.state.custom_types.change(name, request.json(), sandbox.state.now())
    return Payload([shown(row, draft=True, attributes=True)])


def attributes(sandbox: MarketoSandbox, request: Request, name: str, deed: str) -> Payload:
    if deed not in ("create", "update", "delete"):
        raise ApiError(610, "Requested resource not found")
    row = sandbox.state.custom_types.attributes(name, deed, request.json().get("attributes"), sandbox.state.now())
    return Payload([shown(row, draft=True, attributes=True)])


def step(sandbox: MarketoSandbox, request: Request, name: str, deed: str) -> Payload:
    types = sandbox.state.custom_types
    deeds = {"approve": types.approve, "discardDraft": types.discard, "delete": types.delete}
    if deed not in deeds:
        raise ApiError(610, "Requested resource not found")
    return Payload([shown(deeds[deed](name, sandbox.state.now()), attributes=True)])


def add(sandbox: MarketoSandbox, request: Request) -> Payload:
    fault, result = sandbox.partial(request), []
    for number, row in enumerate(request.rows(), 1):
        try:
            partial(fault, number)
            result.append(_add(sandbox, request, row))
        except RowError as error:
            # This endpoint alone says `errors` where others say `reasons`.
            result.append(skipped(error, "errors"))
    return Payload(result)


def _add(sandbox: MarketoSandbox, request: Request, row: Any) -> dict[str, Any]:
    state = sandbox.state
    if not isinstance(row, dict):
        raise RowError(1003, "Invalid data")
    for name in ("leadId", "activityDate", "activityTypeId", "primaryAttributeValue"):
        if row.get(name) in (None, ""):
            raise RowError(1002, f"Missing value for the required parameter '{name}'")
    person = state.person(row["leadId"])
    if person is None:
        raise RowError(1004, "Lead not found")
    kind = state.custom_types.by_id(row["activityTypeId"])
    if kind is None:
        raise RowError(1003, f"Invalid value for field 'activityTypeId' and value '{row['activityTypeId']}'")
    try:
        at = stamp(moment(str(row["activityDate"])))
    except ValueError:
        raise RowError(1003, f"Invalid value for field 'activityDate' and value '{row['activityDate']}'") from None
    values = _attributes(kind, row.get("attributes") or [])
    primary, stored = str(row["primaryAttributeValue"]), None if at == state.now() else state.now()
    # The date may lie in the past; the place in the stream is always the end.
    guid = state.log.add(int(kind["id"]), int(person["id"]), at, p=primary, a=values, s=stored)
    what = {"type": kind["approved"]["apiName"], "primary": primary, **values}
    who = f"api:{request.client}"
    state.truth.add(state.clock(), who, "person", str(person["id"]), "activity", str(kind["id"]), None, what)
    return {"id": guid, "marketoGUID": str(guid), "status": "added"}


def _attributes(kind: Type, given: Any) -> dict[str, Any]:
    if not isinstance(given, list):
        raise RowError(1003, "Invalid value for field 'attributes'")
    values: dict[str, Any] = {}
    for item in given:
        known = _attribute(kind, item)
        try:
            value = coerce(_KINDS.get(known["dataType"], known["dataType"]), None, item.get("value"))
        except BadValue:
            # Long text is refused by the sum below, with the code that belongs to it.
            if known["dataType"] != "text" or not isinstance(item.get("value"), str):
                raise RowError(
                    1003, f"Invalid value for field '{known['apiName']}' and value '{item.get('value')}'"
                ) from None
            value = item["value"]
        if value is not None:
            values[known["name"]] = value
    if sum(len(str(value).encode("utf-8", "replace")) for value in values.values()) > _MOST_BYTES:
        raise RowError(1049, "Failed to Create Activity")
    return values


def _attribute(kind: Type, item: Any) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise RowError(1003, "Invalid value for field 'attributes'")
    wanted = str(item.get("apiName") or item.get("name") or "").casefold()
    for known in kind["approved"]["attributes"]:
        if wanted in (known["apiName"].casefold(), known["name"].casefold()):
            return dict(known)
    raise RowError(1006, f"Field '{item.get('apiName') or item.get('name')}' not found")


_META = "Read-Write Activity Metadata"
_TYPE = "/rest/v1/activities/external/type/{name}"
ROUTES = (
    route("GET", "/rest/v1/activities/external/types.json", types, "Read-Only Activity Metadata"),
    route("GET", _TYPE + "/describe.json", describe, "Read-Only Activity Metadata"),
    route("POST", "/rest/v1/activities/external/type.json", create, _META),
    route("POST", _TYPE + "/attributes/{deed}.json", attributes, _META),
    route("POST", _TYPE + "/{deed}.json", step, _META),
    route("POST", _TYPE + ".json", change, _META),
    route("POST", "/rest/v1/activities/external.json", add, "Read-Write Activity"),
)
