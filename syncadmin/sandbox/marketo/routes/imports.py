"""Bulk import of people: the file, the state of its batch, and the rows that failed or were warned about."""

from __future__ import annotations

from email import message_from_bytes
from email.message import Message
from functools import partial
from typing import TYPE_CHECKING, Any

from syncadmin.sandbox.marketo.answers import Answer, ApiError, Payload
from syncadmin.sandbox.marketo.exports import FILE_TYPES, SEPARATORS
from syncadmin.sandbox.marketo.imports import report, status
from syncadmin.sandbox.marketo.requests import Request
from syncadmin.sandbox.marketo.routing import route

from .writes import partition_of

if TYPE_CHECKING:
    from syncadmin.sandbox.marketo.app import MarketoSandbox


def start(sandbox: MarketoSandbox, request: Request) -> Payload:
    order, text = _order(sandbox, request), _file(request)
    batch = sandbox.imports.enqueue(request.user, request.client, order, text)
    return Payload(
        [{name: shown for name, shown in status(batch).items() if name in ("batchId", "importId", "status")}]
    )


def _order(sandbox: MarketoSandbox, request: Request) -> dict[str, Any]:
    state, form, lookup = sandbox.state, request.required("format").upper(), request.one("lookupField") or "email"
    if form not in SEPARATORS:
        raise ApiError(1003, f"Invalid value for field 'format' and value '{request.one('format')}'")
    field = state.fields.get(lookup)
    if field is None:
        raise ApiError(1006, f"Lookup field '{lookup}' not found")
    if not field.searchable:
        raise ApiError(1011, f"Field '{lookup}' not supported")
    list_id = request.one("listId")
    if list_id is not None and list_id not in state.lists:
        raise ApiError(1013, f"Object not found: list '{list_id}'")
    partition = partition_of(request.one("partitionName"))
    if partition is None and lookup != "id" and state.knobs.partition_required:
        raise ApiError(1009, "Partition name must be specified")
    return {"format": form, "lookup": lookup, "list": list_id, "partition": partition}


def _file(request: Request) -> str:
    """The text of the one part named `file`."""
    if request.content_type != "multipart/form-data":
        raise ApiError(612, "Invalid Content Type")
    # The first line of the body is the boundary, whatever the header says of it.
    mark = request.body.partition(b"\r\n")[0].removeprefix(b"--")
    message = message_from_bytes(b'Content-Type: multipart/form-data; boundary="' + mark + b'"\r\n\r\n' + request.body)
    parts = message.get_payload() if mark and message.is_multipart() and not message.defects else []
    for part in parts if isinstance(parts, list) else []:
        if isinstance(part, Message) and part.get_param("name", header="content-disposition") == "file":
            content = part.get_payload(decode=True)
            return content.decode("utf-8-sig", "replace") if isinstance(content, bytes) else ""
    raise ApiError(613, "Invalid Multipart Request")


def show(sandbox: MarketoSandbox, request: Request, id: str) -> Payload:
    return Payload([status(sandbox.imports.find(request.user, id))])


def rows(sandbox: MarketoSandbox, request: Request, id: str, kind: str) -> Answer:
    batch = sandbox.imports.find(request.user, id)
    headers = [("Content-Type", f"{FILE_TYPES[batch['format']]};charset=UTF-8"), ("Server", "nginx")]
    # Clients take an empty file for "none", so no error here.
    return Answer("200 OK", headers, report(batch, kind))


_WRITE, _BATCH = "Read-Write Lead", "/bulk/v1/leads/batch/{id}"
ROUTES = (
    route("POST", "/bulk/v1/leads.json", start, _WRITE),
    route("GET", f"{_BATCH}.json", show, _WRITE),
    route("GET", f"{_BATCH}/failures.json", partial(rows, kind="failures"), _WRITE),
    route("GET", f"{_BATCH}/warnings.json", partial(rows, kind="warnings"), _WRITE),
)
