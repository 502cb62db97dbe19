"""Answers as Marketo words them: the envelope, the error codes, the times. HTTP 200 carries errors too."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

# Codes that cost neither quota nor rate (starred in the vendor's list of errors).
FREE_CODES = frozenset({"601", "602", "604", "605", "608", "611"})
JSON_HEADERS = [("Content-Type", "application/json;charset=UTF-8"), ("Server", "nginx")]


@dataclass(slots=True)
class Answer:
    """A whole HTTP answer. `errors` are the API codes in it, for the usage statistics."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes
    errors: tuple[str, ...] = ()


@dataclass(slots=True)
class Payload:
    """A successful call: `result` None leaves the member out; `more` adds members such as nextPageToken."""

    result: list[Any] | None = None
    more: dict[str, Any] = field(default_factory=dict)
    asset: bool = False


class ApiError(Exception):
    """The whole call fails: `success` false with this code."""

    def __init__(self, code: int | str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = str(code)
        self.message = message


class RowError(Exception):
    """One row of a write is skipped with this code; the others go on."""

    def __init__(self, code: int | str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.reason = {"code": str(code), "message": message}


class PlainError(Exception):
    """An answer outside the envelope: an HTTP status with plain text or with an identity error body."""

    def __init__(self, status: str, body: str | dict[str, str], headers: list[tuple[str, str]] | None = None) -> None:
        super().__init__(status)
        self.answer = plain(status, body, headers)


def plain(status: str, body: str | dict[str, str], headers: list[tuple[str, str]] | None = None) -> Answer:
    if isinstance(body, dict):
        return Answer(status, [*JSON_HEADERS, *(headers or [])], to_json(body))
    return Answer(status, [("Content-Type", "text/plain"), ("Server", "nginx"), *(headers or [])], body.encode())


def to_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def request_id(chance: random.Random, now: datetime) -> str:
    # The second half is the instant in hex: support staff read it, and so do tests.
    return f"{chance.randrange(0x10, 0xFFFFF):x}#{int(now.timestamp() * 1000):x}"


def success(request: str, payload: Payload) -> Answer:
    # Recorded answers print the members in this order; clients that compare text rely on it.
    body: dict[str, Any] = {"requestId": request}
    if payload.result is not None:
        body["result"] = payload.result
    body["success"] = True
    # Asset endpoints print both lists even when empty, the lead database leaves them out.
    if payload.asset:
        body |= {"errors": [], "warnings": []}
    return Answer("200 OK", list(JSON_HEADERS), to_json(body | payload.more))


def failure(request: str, code: str, message: str) -> Answer:
    body = {"requestId": request, "success": False, "errors": [{"code": code, "message": message}]}
    return Answer("200 OK", list(JSON_HEADERS), to_json(body), (code,))


def stamp(moment: datetime) -> str:
    """Person and activity spelling: whole seconds, Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def asset_stamp(text: str) -> str:
    """Asset endpoints print both a Z and an offset."""
    return text + "+0000"


def moment(text: str) -> datetime:
    """Read an ISO 8601 instant with zone; ValueError for anything else."""
    # Python reads the spellings of all areas (Z, +0000, -08:00) but only an upper-case Z.
    found = datetime.fromisoformat(text.strip().replace("z", "Z"))
    if found.tzinfo is None:
        raise ValueError(f"no zone in {text!r}")
    return found.astimezone(UTC)


def blank(name: str) -> ApiError:
    return ApiError(701, f"{name} cannot be blank")


def missing(name: str) -> ApiError:
    return ApiError(1002, f"Missing value for the required parameter '{name}'")
