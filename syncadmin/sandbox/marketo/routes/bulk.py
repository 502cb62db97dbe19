"""Bulk extract of people and of activities."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from syncadmin.sandbox.marketo import exports
from syncadmin.sandbox.marketo.answers import Answer, ApiError, Payload, plain
from syncadmin.sandbox.marketo.jobs import Job, public
from syncadmin.sandbox.marketo.requests import Request
from syncadmin.sandbox.marketo.routing import route

from .leads import page

if TYPE_CHECKING:
    from syncadmin.sandbox.marketo.app import MarketoSandbox

_RANGE = re.compile(r"bytes=(\d*)-(\d*)\Z")
_TYPES = {"CSV": "text/csv", "TSV": "text/tab-separated-values", "SSV": "text/plain"}


def create(sandbox: MarketoSandbox, request: Request, kind: str) -> Payload:
    _known(kind)
    check = exports.lead_spec if kind == "leads" else exports.activity_spec
    job = sandbox.jobs.create(kind, request.user, check(sandbox.state, request.json()))
    return Payload([public(job)])


def _known(kind: str) -> None:
    if kind not in ("leads", "activities"):
        raise ApiError(610, "Requested resource not found")


def _job(sandbox: MarketoSandbox, request: Request, kind: str, id: str) -> Job:
    _known(kind)
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
    _known(kind)
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
    headers = [("Content-Type", f"{_TYPES[job['spec']['format']]};charset=UTF-8"), ("Server", "nginx")]
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


_JOB = "/bulk/v1/{kind}/export/{id}"
ROUTES = (
    route("POST", "/bulk/v1/{kind}/export/create.json", create, "Read-Only Lead"),
    route("GET", "/bulk/v1/{kind}/export.json", browse, "Read-Only Lead"),
    route("POST", _JOB + "/enqueue.json", enqueue, "Read-Only Lead"),
    route("POST", _JOB + "/cancel.json", cancel, "Read-Only Lead"),
    route("GET", _JOB + "/status.json", status, "Read-Only Lead"),
    route("GET", _JOB + "/file.json", file, "Read-Only Lead"),
)
