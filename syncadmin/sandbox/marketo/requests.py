"""A request as Marketo reads it: `_method` override, repeated or comma separated parameters, JSON bodies."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote

from .answers import ApiError, PlainError, missing

# 414 and 413 of the vendor's gateway; only the file of a bulk import may be larger.
_MOST_URI = 8 * 1024
_MOST_BODY = 1024 * 1024
_IMPORT, _MOST_FILE = "/bulk/v1/leads.json", 10 * 1024 * 1024


@dataclass(slots=True)
class Request:
    method: str
    path: str
    uri: str
    query: dict[str, list[str]]
    body: bytes
    content_type: str
    headers: dict[str, str]
    peer: str
    # Filled in by the application: who calls, and under which request id the answer goes out.
    client: str = ""
    user: str = ""
    id: str = ""

    def one(self, name: str) -> str | None:
        found = self.query.get(name)
        return found[0] if found else None

    def required(self, name: str) -> str:
        found = self.one(name)
        if not found:
            raise missing(name)
        return found

    def many(self, name: str) -> list[str]:
        """Repeated parameters and comma separated ones mean the same."""
        return [part.strip() for text in self.query.get(name, []) for part in text.split(",") if part.strip()]

    def number(self, name: str, default: int, most: int, least: int = 1) -> int:
        text = self.one(name)
        if text is None or text == "":
            return default
        if not text.lstrip("-").isdigit():
            raise ApiError(1001, f"Invalid value '{text}'. Required of type 'Integer'")
        return max(least, min(int(text), most))

    def json(self) -> dict[str, Any]:
        if self.content_type != "application/json":
            raise ApiError(612, "Invalid Content Type")
        try:
            # Some clients send a byte order mark.
            found = json.loads(self.body.decode("utf-8-sig") or "{}")
        except ValueError:
            raise ApiError(609, "Invalid JSON") from None
        if not isinstance(found, dict):
            raise ApiError(609, "Invalid JSON")
        return found

    def rows(self, most: int = 300, name: str = "input") -> list[Any]:
        """The input list of a write: 1 to `most` rows, else the call is refused."""
        found = self.json().get(name)
        if not isinstance(found, list) or not found:
            raise ApiError(701, f"{name} cannot be blank")
        if len(found) > most:
            raise ApiError(1003, f"Too many records in the {name}: at most {most} are allowed")
        return found

    def ids(self, name: str = "id") -> list[Any]:
        """Person ids of a delete or a list call: `?id=1,2` or `{"input":[{"id":1}]}`."""
        if self.query.get(name):
            found: list[Any] = list(self.many(name))
        else:
            found = [row.get(name) if isinstance(row, dict) else None for row in self.rows()]
        if len(found) > 300:
            raise ApiError(1003, "Too many records in the input: at most 300 are allowed")
        return found


def read(environ: dict[str, Any]) -> Request:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    # WSGI hands the path over as Latin-1; the bytes are UTF-8.
    path = environ["PATH_INFO"].encode("iso-8859-1").decode("utf-8", "replace")
    text = environ.get("QUERY_STRING", "")
    return Request(
        method=environ["REQUEST_METHOD"],
        path=path,
        uri=quote(path) + (f"?{text}" if text else ""),
        # A blank parameter is something else than an absent one: 1001 against 1002.
        query=parse_qs(text, keep_blank_values=True),
        body=body,
        content_type=environ.get("CONTENT_TYPE", "").split(";")[0].strip().lower(),
        headers={key[5:].lower(): value for key, value in environ.items() if key.startswith("HTTP_")},
        peer=environ.get("REMOTE_ADDR", "127.0.0.1"),
    )


def check_size(request: Request) -> None:
    if len(request.uri) > _MOST_URI:
        raise PlainError("414 Request-URI Too Large", "414 Request-URI Too Large")
    if len(request.body) > (_MOST_FILE if request.path == _IMPORT else _MOST_BODY):
        raise PlainError("413 Request Entity Too Large", "413 Request Entity Too Large")


def override(request: Request) -> None:
    """`POST ...?_method=GET` with the query as a form body; the same for DELETE."""
    wanted = (request.one("_method") or "").upper()
    if request.content_type == "application/x-www-form-urlencoded":
        for name, values in parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True).items():
            # Form fields join the query, so handlers need not know how the call was made.
            request.query.setdefault(name, []).extend(values)
        wanted = wanted or (request.one("_method") or "").upper()
    if request.method == "POST" and wanted in ("GET", "DELETE"):
        request.method = wanted
