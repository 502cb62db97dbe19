"""$batch: multipart in, single requests one after the other, multipart out."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from . import errors
from .state import State
from .wire import Answer, Request, refusal

MOST = 1000
# Twice as long as outside: a batch is the way for queries that outgrow an address.
_LONGEST_URL = 65_536
_BOUNDARY = re.compile(r'boundary=(?:"([^"]+)"|([^;,\s]+))', re.IGNORECASE)
_LINE = re.compile(r"(GET|POST|PATCH|PUT|DELETE) (\S.*?) HTTP/1\.1", re.IGNORECASE)
_ROOT = re.compile(r"^(?:https?://[^/]+)?/?(?:api/data/v9\.\d/)?")
_VERBATIM = ("prefer", "if-match", "if-none-match", "content-type", "accept")


@dataclass(slots=True)
class Operation:
    """One inner request; `content_id` names it for later ones of the same change set."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    content_id: str | None


@dataclass(slots=True)
class ChangeSet:
    operations: list[Operation] = field(default_factory=list)


def boundary(content_type: str) -> str | None:
    match = _BOUNDARY.search(content_type)
    return (match.group(1) or match.group(2)) if match else None


def parse(content_type: str, body: bytes) -> list[Operation | ChangeSet]:
    """What the body holds, in order; 400 where it is not proper multipart with CRLF line ends."""
    mark = boundary(content_type)
    if not content_type.lower().startswith("multipart/mixed") or mark is None:
        raise errors.unreadable("The content type of a batch request must be multipart/mixed with a boundary.")
    found = [_part(head, content) for head, content in _parts(body, mark)]
    number = sum(len(each.operations) if isinstance(each, ChangeSet) else 1 for each in found)
    if number > MOST:
        raise errors.unreadable(f"The number of operations in the batch request exceeds the maximum of {MOST}.")
    return found


def _parts(body: bytes, mark: str) -> list[tuple[dict[str, str], bytes]]:
    line = b"--" + mark.encode()
    # The first boundary may open the body; with a line break in front it looks like all others.
    pieces = (b"\r\n" + body).split(b"\r\n" + line)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--\r\n"):
        raise errors.unreadable()
    found = []
    for piece in pieces[1:-1]:
        head, gap, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        if not piece.startswith(b"\r\n") or not gap or b"\n" in head.replace(b"\r\n", b""):
            raise errors.unreadable()
        found.append((_headers(head), content))
    return found


def _headers(head: bytes) -> dict[str, str]:
    pairs = (line.partition(":") for line in head.decode("utf-8", "replace").split("\r\n") if line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _part(head: dict[str, str], content: bytes) -> Operation | ChangeSet:
    kind = head.get("content-type", "").lower()
    if kind.startswith("application/http"):
        return _operation(head, content)
    mark = boundary(head.get("content-type", ""))
    if not kind.startswith("multipart/mixed") or mark is None:
        raise errors.unreadable("A batch part must be application/http or multipart/mixed.")
    operations = []
    # The line break in front of the outer boundary belongs to that boundary, so it is missing here.
    for inner_head, inner in _parts(content + b"\r\n", mark):
        operation = _part(inner_head, inner)
        if isinstance(operation, ChangeSet):
            raise errors.unreadable("A change set may not contain another one.")
        if operation.method == "GET":
            raise errors.unreadable("A change set may not contain a GET request.")
        # OData demands it, and the real service says so; outside a change set it may be missing.
        if operation.content_id is None:
            raise errors.invalid("Content-ID header not present.")
        operations.append(operation)
    return ChangeSet(operations)


def _operation(head: dict[str, str], content: bytes) -> Operation:
    top, gap, body = content.partition(b"\r\n\r\n")
    first, _, rest = top.partition(b"\r\n")
    match = _LINE.fullmatch(first.decode("utf-8", "replace"))
    # The blank line ends with the part's own line break, which a GET without headers still needs.
    complete = gap or content.endswith(b"\r\n")
    if not match or not complete or b"\n" in top.replace(b"\r\n", b""):
        raise errors.unreadable()
    target = match.group(2)
    if not target.startswith("$"):
        target = _ROOT.sub("", target)
    return Operation(match.group(1).upper(), target, _headers(rest), body, head.get("content-id"))


class Batch:
    """Runs the operations of one $batch request through `single`, which raises ApiError for a refusal."""

    def __init__(self, state: State, single: Callable[[Request], Answer]) -> None:
        self._state, self._single = state, single

    def answer(self, request: Request, failing: int | None = None) -> Answer:
        """`failing`: number, from 1, of an operation that a fault makes fail."""
        go_on = "odata.continue-on-error" in request.prefer
        mark = f"batchresponse_{self._state.new_id()}"
        parts, status, position = [], 200, 0
        for each in parse(request.headers.get("content-type", ""), request.body):
            size = len(each.operations) if isinstance(each, ChangeSet) else 1
            hit = failing is not None and position < failing <= position + size
            position += size
            if isinstance(each, ChangeSet):
                part, failed = self._change_set(request, each, hit)
            else:
                part, failed = self._alone(request, each, hit)
            parts.append(part)
            if failed and not go_on:
                status = failed
                break
        body = b"".join(f"--{mark}\r\n".encode() + part for part in parts) + f"--{mark}--\r\n".encode()
        applied = ["odata.continue-on-error"] if go_on else []
        return Answer(status, body, type=f"multipart/mixed; boundary={mark}", applied=applied)

    def _inner(self, outer: Request, operation: Operation, references: dict[str, str]) -> Request:
        headers = {name: value for name, value in outer.headers.items() if name not in _VERBATIM}
        target = operation.target
        if target.startswith("$"):
            name, _, tail = target.partition("/")
            if name not in references:
                raise errors.unreadable(f"Content-ID Reference: '{name}' does not exist in the batch context.")
            target = references[name] + (f"/{tail}" if tail else "")
        if len(target) > _LONGEST_URL:
            raise errors.invalid("The address of an operation is too long.")
        if target.partition("?")[0].lower() in ("$batch",):
            raise errors.unreadable("A batch may not contain another batch.")
        return Request(
            operation.method,
            target,
            {**headers, **operation.headers},
            operation.body,
            outer.root,
            outer.actor,
            references,
        )

    def _alone(self, outer: Request, operation: Operation, hit: bool) -> tuple[bytes, int]:
        self._state.begin()
        try:
            answer = self._run(outer, operation, {}, hit)
        except errors.ApiError as error:
            self._state.rollback()
            return self._refused(outer, operation, error)
        self._state.keep()
        return self._part(answer, operation.content_id), 0

    def _run(self, outer: Request, operation: Operation, references: dict[str, str], hit: bool) -> Answer:
        if hit:
            raise errors.ApiError(400, "0x80040265", "A plug-in of this organisation refused the record.")
        return self._single(self._inner(outer, operation, references))

    def _change_set(self, outer: Request, change_set: ChangeSet, hit: bool) -> tuple[bytes, int]:
        """All operations in one transaction; one error part for the whole set if any of them fails."""
        references: dict[str, str] = {}
        parts = []
        # One transaction for the whole set; nothing of it may be seen if a later operation fails.
        self._state.begin()
        for operation in change_set.operations:
            try:
                answer = self._run(outer, operation, references, hit)
            except errors.ApiError as error:
                self._state.rollback()
                return self._refused(outer, operation, error)
            if operation.content_id:
                _remember(references, operation, answer)
            parts.append(self._part(answer, operation.content_id))
        self._state.keep()
        mark = f"changesetresponse_{self._state.new_id()}"
        inner = b"".join(f"--{mark}\r\n".encode() + part for part in parts) + f"--{mark}--\r\n".encode()
        return f"Content-Type: multipart/mixed; boundary={mark}\r\n\r\n".encode() + inner, 0

    def _refused(self, outer: Request, operation: Operation, error: errors.ApiError) -> tuple[bytes, int]:
        # Details are wished for by the batch as a whole or by one of its operations.
        detailed = "*" in outer.annotations or "*" in operation.headers.get("prefer", "")
        return self._part(refusal(error, detailed), operation.content_id), error.status

    def _part(self, answer: Answer, content_id: str | None) -> bytes:
        answer.headers["REQ_ID"] = self._state.new_id()
        lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
        if content_id:
            lines.append(f"Content-ID: {content_id}")
        lines += ["", f"HTTP/1.1 {answer.line}", *(f"{name}: {value}" for name, value in answer.lines()), "", ""]
        return "\r\n".join(lines).encode() + answer.body + b"\r\n"


def _remember(references: dict[str, str], operation: Operation, answer: Answer) -> None:
    references[f"${operation.content_id}"] = answer.row or operation.target.partition("?")[0]
