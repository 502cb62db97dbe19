"""Describe, describe2 and the schema fields API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncadmin.sandbox.marketo.answers import ApiError, Payload, RowError
from syncadmin.sandbox.marketo.fields import Field
from syncadmin.sandbox.marketo.requests import Request
from syncadmin.sandbox.marketo.routing import route

from .leads import page
from .writes import skipped

if TYPE_CHECKING:
    from syncadmin.sandbox.marketo.app import MarketoSandbox

_MOST_CREATED = 100
_FLAGS = {"isHidden": "hidden", "isHtmlEncodingInEmail": "html_encoding", "isSensitive": "sensitive"}


def describe(sandbox: MarketoSandbox, request: Request) -> Payload:
    return Payload([field.describe() for field in sandbox.state.fields.all()])


def describe2(sandbox: MarketoSandbox, request: Request) -> Payload:
    fields = sandbox.state.fields.all()
    searchable = [[field.name] for field in fields if field.searchable]
    managed = sandbox.state.knobs.crm_managed
    shown = [{**field.describe2(), "crmManaged": field.name in managed} for field in fields]
    return Payload([{"name": "API Lead", "searchableFields": searchable, "fields": shown}])


def browse(sandbox: MarketoSandbox, request: Request) -> Payload:
    fields = {field.id: field for field in sandbox.state.fields.all()}
    ids, more = page("fields", request, sorted(fields))
    return Payload([fields[id].schema() for id in ids], {**more, "moreResult": bool(more)})


def _field(sandbox: MarketoSandbox, name: str) -> Field:
    field = sandbox.state.fields.get(name)
    if field is None:
        raise ApiError(1006, f"Field '{name}' not found")
    return field


def one(sandbox: MarketoSandbox, request: Request, name: str) -> Payload:
    return Payload([_field(sandbox, name).schema()])


def _flags(row: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for name, ours in _FLAGS.items():
        if name in row:
            if not isinstance(row[name], bool):
                raise RowError(1003, f"Invalid value for field '{name}' and value '{row[name]}'")
            found[ours] = row[name]
    if "description" in row:
        found["description"] = row["description"]
    return found


def create(sandbox: MarketoSandbox, request: Request) -> Payload:
    result = []
    for row in request.rows(_MOST_CREATED):
        try:
            result.append(_create(sandbox, row))
        except RowError as error:
            result.append(skipped(error))
    return Payload(result)


def _create(sandbox: MarketoSandbox, row: Any) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise RowError(1003, "Invalid data")
    for name in ("displayName", "name", "dataType"):
        if not isinstance(row.get(name), str) or not row[name]:
            raise RowError(1002, f"Missing value for the required parameter '{name}'")
    try:
        field = sandbox.state.fields.create(row["name"], row["displayName"], row["dataType"], **_flags(row))
    except ValueError as error:
        # Taken names are told apart from impossible ones.
        code = 1017 if "exists" in str(error) else 1003
        raise RowError(code, str(error)) from None
    return {"name": field.name, "status": "created"}


def change(sandbox: MarketoSandbox, request: Request, name: str) -> Payload:
    field = _field(sandbox, name)
    row = request.rows(1)[0]
    try:
        if not isinstance(row, dict):
            raise RowError(1003, "Invalid data")
        changes = _flags(row) | ({"display": row["displayName"]} if "displayName" in row else {})
        if "display" in changes and not field.custom:
            raise RowError(1003, f"The display name of the standard field '{name}' cannot be changed")
        if "hidden" in changes and not field.api_created:
            raise RowError(1003, f"Field '{name}' cannot be hidden by API")
        unknown = set(row) - {*_FLAGS, "description", "displayName", "name"}
        if unknown or row.get("name", name) != name:
            raise RowError(1003, f"Invalid fields {sorted(unknown or {'name'})}")
    except RowError as error:
        return Payload([skipped(error)])
    sandbox.state.fields.change(field, **changes)
    return Payload([{"name": name, "status": "updated"}])


_SCHEMA = "Read-Write Schema Custom Field"
ROUTES = (
    route("GET", "/rest/v1/leads/describe.json", describe, "Read-Only Lead"),
    route("GET", "/rest/v1/leads/describe2.json", describe2, "Read-Only Lead"),
    route("GET", "/rest/v1/leads/schema/fields.json", browse, _SCHEMA),
    route("POST", "/rest/v1/leads/schema/fields.json", create, _SCHEMA),
    route("GET", "/rest/v1/leads/schema/fields/{name}.json", one, _SCHEMA),
    route("POST", "/rest/v1/leads/schema/fields/{name}.json", change, _SCHEMA),
)
