"""The multipart format of $batch: many operations in one request, each with its own answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from syncadmin.connectors.errors import Malformed
from syncadmin.connectors.messages import Answer, Request

MOST_PARTS = 1000
_EOL = b"\r\n"  # a bare line feed is answered 400 "Stream was not readable"
_BOUNDARY = re.compile(r'boundary="?([^";,\s]+)"?', re.IGNORECASE)
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)?\s+(\d{3})")


@dataclass(frozen=True, slots=True)
class Part:
    """One operation. ``path`` is relative to the Web API root."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)


def batch_request(
    root: str, api: str, parts: Sequence[Part], boundary: str, *, timeout: float, safe_to_repeat: bool = False
) -> Request:
    """Operations without a change set, so each stands alone; the rest goes on after a failure.

    ``root`` is the path of the Web API on the server (``/api/data/v9.2/``), ``api`` the same relative to the address.
    """
    if len(parts) > MOST_PARTS:
        raise ValueError(f"{len(parts)} operations in one batch")
    blocks = [_block(root, part, boundary) for part in parts]
    body = b"".join(blocks) + b"--" + boundary.encode() + b"--" + _EOL * 2
    headers = {
        "Content-Type": f'multipart/mixed; boundary="{boundary}"',
        "Prefer": "odata.continue-on-error",
        "OData-Version": "4.0",
        "OData-MaxVersion": "4.0",
        "Accept": "application/json",
    }
    return Request("POST", f"{api}$batch", headers, body, safe_to_repeat=safe_to_repeat, timeout=timeout)


def _block(root: str, part: Part, boundary: str) -> bytes:
    head = [
        f"--{boundary}",
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        "",
        f"{part.method} {root}{part.path} HTTP/1.1",
        *(f"{name}: {value}" for name, value in part.headers.items()),
        "",
        "",
    ]
    return _EOL.join(line.encode("ascii") for line in head) + part.body + _EOL


def is_multipart(answer: Answer) -> bool:
    return answer.content_type == "multipart/mixed"


def batch_answers(answer: Answer) -> list[Answer]:
    """The answers of the operations, in order. Raises ``Malformed``."""
    found = _BOUNDARY.search(answer.headers.get("content-type", ""))
    if not is_multipart(answer) or not found:
        raise Malformed("The answer to a batch is not multipart.", code=str(answer.status))
    pieces = re.split(rb"(?:^|\r?\n)--" + re.escape(found.group(1).encode()) + rb"(?=--|\r?\n)", answer.body)
    # The first piece is the preamble; what follows the closing boundary begins with the two dashes.
    return [_inner(piece) for piece in pieces[1:] if not piece.startswith(b"--")]


def _inner(piece: bytes) -> Answer:
    gap = re.search(rb"\r?\n\r?\n", piece)
    http = piece[gap.end() :].lstrip() if gap else b""
    status = _STATUS.match(http)
    if not status:
        raise Malformed("A part of a batch answer has no status line.", code="batch")
    head, _, body = _split_head(http)
    return Answer(int(status.group(1)), _headers(head), body)


def _split_head(text: bytes) -> tuple[bytes, bytes, bytes]:
    for gap in (b"\r\n\r\n", b"\n\n"):
        if gap in text:
            return text.partition(gap)
    return text, b"", b""


def _headers(head: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in head.decode("latin-1").splitlines()[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return headers
