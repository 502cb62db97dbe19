"""A request to the API and its answer, as values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any
from urllib.parse import unquote, unquote_plus

from . import errors
from .state import Actor

JSON = "application/json; odata.metadata=minimal"
REASONS = {
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    303: "See Other",
    304: "Not Modified",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    412: "Precondition Failed",
    413: "Request Entity Too Large",
    414: "URI Too Long",
    429: "Too Many Requests",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
}
# A decimal travels between two of these, which no text value may contain, and loses its quotes at the end.
_NUMBER_MARK = "\x01"
_MARKED = re.compile(r'"\\u0001(-?[0-9.]+)\\u0001"')
_PREFERENCE = re.compile(r'\s*([\w.\-]+)\s*(?:=\s*("(?:[^"]*)"|[^,;]*))?\s*[,;]?')


def number(text: str) -> str:
    """A decimal to be written into JSON digit for digit."""
    return f"{_NUMBER_MARK}{text}{_NUMBER_MARK}"


def dump(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    if "\\u0001" in text:
        text = _MARKED.sub(r"\1", text)
    return text.encode()


@dataclass(slots=True)
class Answer:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    type: str = JSON
    applied: list[str] = field(default_factory=list)
    # The address of the row written, for later operations of a change set; never sent.
    row: str = ""

    @property
    def line(self) -> str:
        return f"{self.status} {REASONS.get(self.status, 'Unknown')}"

    def lines(self) -> list[tuple[str, str]]:
        """Headers in the order they are sent."""
        found = [("Content-Type", self.type)] if self.body else []
        found += [("OData-Version", "4.0"), *self.headers.items()]
        return found + [("Preference-Applied", each) for each in self.applied]


def ok(value: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status, dump(value), {name.replace("_", "-"): text for name, text in headers.items()})


def refusal(error: errors.ApiError, annotate: bool = False) -> Answer:
    if error.status == 401:
        return Answer(401, headers=dict(error.headers))
    told: dict[str, Any] = {"code": error.code, "message": error.message}
    if annotate:
        told["@Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus"] = "0"
        told["@Microsoft.PowerApps.CDS.ErrorDetails.SubErrorCode"] = "0"
        told["@Microsoft.PowerApps.CDS.HelpLink"] = "http://go.microsoft.com/fwlink/?LinkID=398563"
        told["@Microsoft.PowerApps.CDS.TraceText"] = ""
        told["@Microsoft.PowerApps.CDS.InnerError.Message"] = error.message
    return Answer(error.status, dump({"error": told}), dict(error.headers))


def preferences(header: str) -> dict[str, str]:
    """Preference names to values, quotes removed; a name without a value is there with an empty one."""
    found: dict[str, str] = {}
    for name, value in _PREFERENCE.findall(header):
        found[name.lower()] = value.strip().strip('"')
    return found


def options(query: str) -> dict[str, str]:
    """Query options by name as sent; names are case-sensitive."""
    found: dict[str, str] = {}
    for part in query.split("&"):
        if part:
            name, _, value = part.partition("=")
            found[unquote_plus(name)] = unquote_plus(value)
    return found


@dataclass(slots=True)
class Segment:
    """One piece of the path: `leads(8a41…)` has the name `leads` and the key `8a41…`."""

    name: str
    key: str | None = None


def segments(path: str) -> list[Segment]:
    """Split a decoded path at slashes outside quotes and parentheses."""
    pieces, depth, quoted, start = [], 0, False, 0
    for position, char in enumerate(path):
        if char == "'":
            quoted = not quoted
        elif not quoted and char in "()":
            depth += 1 if char == "(" else -1
        elif char == "/" and not quoted and depth == 0:
            pieces.append(path[start:position])
            start = position + 1
    pieces.append(path[start:])
    return [_segment(piece) for piece in pieces if piece]


def _segment(text: str) -> Segment:
    if text.endswith(")") and "(" in text:
        name, _, key = text.partition("(")
        return Segment(name, key[:-1])
    return Segment(text)


@dataclass
class Request:
    """`target` is path and query behind the API root, still encoded; `root` is absolute and ends with a slash."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    root: str
    actor: Actor
    references: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def query(self) -> str:
        return self.target.partition("?")[2]

    @cached_property
    def options(self) -> dict[str, str]:
        return options(self.query)

    @cached_property
    def path(self) -> list[Segment]:
        return segments(unquote(self.target.partition("?")[0]).strip("/"))

    @cached_property
    def prefer(self) -> dict[str, str]:
        return preferences(self.headers.get("prefer", ""))

    @property
    def annotations(self) -> str:
        return self.prefer.get("odata.include-annotations", "")

    def json(self, set_name: str) -> dict[str, Any]:
        """The body as an object; anything else is a 400."""
        try:
            value = json.loads(self.body.decode("utf-8-sig") or "{}", parse_float=Decimal)
        except (UnicodeDecodeError, json.JSONDecodeError):
            raise errors.payload(
                set_name, "Newtonsoft.Json.JsonReaderException: Unexpected character encountered while parsing value."
            ) from None
        if not isinstance(value, dict):
            raise errors.payload(set_name, "Microsoft.OData.ODataException: A node of type 'StartObject' was expected.")
        return value
