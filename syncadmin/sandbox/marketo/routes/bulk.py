"""Bulk extract of people and of activities."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from syncadmin.sandbox.marketo import exports
from syncadmin.sandbox.marketo.answers import Answer, ApiError, Payload, plain
from syncadmin.sandbox.marketo.jobs import Job, public
from syncadmin.sandbox.marketo.requests import Request
from syncadmin.sandbox.marketo.routing import Route, route

from .leads import page

if TYPE_CHECKING:
    from syncadmin.sandbox.marketo.app import MarketoSandbox

_RANGE = re.compile(r"bytes=(\d*)-(\d*)\Z")


def create(sandbox: MarketoSandbox, request: Request, kind: str) -> Payload:
    check = exports.lead_spec if kind == "leads" else exports.activity_spec
    job = sandbox.jobs.create(kind, request.user, check(sandbox.state, request.json()))
    return Payload([public(job)])


def _job(sandbox: MarketoSandbox, request: Request, kind: str, id: str) -> Job:
    sandbox.jobs.advance()
    return sandbox.jobs.find(kind, request.user, id)


def enqueue(sandbox: MarketoSandbox, request: Request, kind: str, id: str) -> Payload:
    return Payload([public(sandbox.jobs.enqueue(_job(sandbox, request, kind, id)))])


def cancel(sandbox: MarketoSandbox, request: Request, kind: str, id: str) -> Payload:
    return Payload([public(sandbox.jobs.cancel(_job(sandbox, request, kind, id)))])


def status(sandbox: MarketoSandbox, request: Request, kind: str, id: str) -> Payload:
    return Payload([_listed(sandbox.jobs.seen(_job(sandbox, request, kind, id)))])


def _listed(job: Job) -> dict[str, Any]:
    """Status and list answers spell a cancelled job with one l."""
    shown = public(job)
    return shown | ({"status": "Canceled"} if shown["status"] == "Cancelled" else {})


def browse(sandbox: MarketoSandbox, request: Request, kind: str) -> Payload:
    sandbox.jobs.advance()
    statuses = ["Canceled" if name == "Cancelled" else name for name in request.many("status")]
    jobs = {int(job["number"]): job for job in sandbox.jobs.recent(kind, request.user, statuses)}
    numbers, more = page("jobs", request, sorted(jobs))
    return Payload([_listed(jobs[number]) for number in numbers], more)


def file(sandbox: MarketoSandbox, request: Request, kind: str, id: str) -> Answer:
    try:
        job = _job(sandbox, request, kind, id)
    except ApiError:
        return plain("404 Not Found", "Not Found")
    # Not ready, expired and unknown look the same: 404 in plain text.
    body = sandbox.jobs.file(job)
    if body is None:
        return plain("404 Not Found", "File not found")
    headers = [("Content-Type", f"{exports.FILE_TYPES[job['spec']['format']]};charset=UTF-8"), ("Server", "nginx")]
    headers.append(("Accept-Ranges", "bytes"))
    wanted = _RANGE.match(request.headers.get("range", "").replace(" ", ""))
    if wanted is None or wanted[0] == "bytes=-":
        return Answer("200 OK", headers, body)
    return _part(headers, body, wanted[1], wanted[2])


def _part(headers: list[tuple[str, str]], body: bytes, first: str, last: str) -> Answer:
    size = len(body)
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last), size - 1) if first and last else size - 1
    if start > end or start >= size:
        text = "416 Requested Range Not Satisfiable"
        return plain(text, text, [("Content-Range", f"bytes */{size}")])
    found = [*headers, ("Content-Range", f"bytes {start}-{end}/{size}")]
    return Answer("206 Partial Content", found, body[start : end + 1])


def _routes(kind: str, permission: str) -> tuple[Route, ...]:
    export = f"/bulk/v1/{kind}/export"
    calls = (
        ("POST", "/create.json", create),
        ("GET", ".json", browse),
        ("POST", "/{id}/enqueue.json", enqueue),
        ("POST", "/{id}/cancel.json", cancel),
        ("GET", "/{id}/status.json", status),
        ("GET", "/{id}/file.json", file),
    )
    return tuple(route(method, export + tail, partial(deed, kind=kind), permission) for method, tail, deed in calls)


# Whoever may not see activities may not extract them either.
ROUTES = (*_routes("leads", "Read-Only Lead"), *_routes("activities", "Read-Only Activity"))
