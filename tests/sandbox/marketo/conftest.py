"""A Marketo account in process, a clock that stands until told, and a client that speaks plain HTTP words."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from syncadmin.sandbox.marketo import MarketoSandbox


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 4, 9, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def tick(self, seconds: float = 1) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def result(self) -> list[Any]:
        assert self.json["success"] is True, self.json
        return self.json.get("result", [])

    @property
    def error(self) -> dict[str, str]:
        assert self.json["success"] is False, self.json
        return self.json["errors"][0]

    @property
    def code(self) -> str:
        return self.error["code"]


@dataclass
class Client:
    app: MarketoSandbox
    token: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def call(
        self,
        method: str,
        path: str,
        params: Any = (),
        json_body: Any = None,
        body: bytes | None = None,
        content_type: str = "",
        **headers: str,
    ) -> Reply:
        query = urlencode(params, doseq=True)
        if "?" in path:
            path, _, more = path.partition("?")
            query = f"{more}&{query}" if query else more
        if json_body is not None:
            body, content_type = json.dumps(json_body).encode(), "application/json"
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_LENGTH": str(len(body or b"")),
            "CONTENT_TYPE": content_type,
            "wsgi.input": io.BytesIO(body or b""),
        }
        if self.token:
            environ["HTTP_AUTHORIZATION"] = f"Bearer {self.token}"
        environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        seen: dict[str, Any] = {}

        def start(status: str, fields: list[tuple[str, str]]) -> None:
            seen.update(status=status, headers=dict(fields))

        answer = b"".join(self.app(environ, start))
        return Reply(int(seen["status"].split()[0]), seen["headers"], answer)

    def get(self, path: str, **params: Any) -> Reply:
        return self.call("GET", path, params)

    def post(self, path: str, json_body: Any = None, **params: Any) -> Reply:
        return self.call("POST", path, params, {} if json_body is None else json_body)

    def form(self, path: str, fields: dict[str, Any]) -> Reply:
        body = urlencode(fields, doseq=True).encode()
        return self.call("POST", path, body=body, content_type="application/x-www-form-urlencoded")

    def sign_in(self, client: str = "sandbox", secret: str = "sandbox-secret") -> Client:
        reply = self.get(
            "/identity/oauth/token", grant_type="client_credentials", client_id=client, client_secret=secret
        )
        self.token = reply.json["access_token"]
        return self

    def sync(self, rows: list[dict[str, Any]], **more: Any) -> list[dict[str, Any]]:
        return self.post("/rest/v1/leads.json", {**more, "input": rows}).result

    def person(self, id: int, fields: str) -> dict[str, Any]:
        return self.get(f"/rest/v1/lead/{id}.json", fields=fields).result[0]

    def since(self, moment: datetime) -> str:
        text = moment.isoformat()
        return self.get("/rest/v1/activities/pagingtoken.json", sinceDatetime=text).json["nextPageToken"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(clock: Clock) -> MarketoSandbox:
    return MarketoSandbox(clock=clock, seed=7, base_url="http://marketo.test", sleep=clock.tick)


@pytest.fixture
def client(sandbox: MarketoSandbox) -> Client:
    return Client(sandbox).sign_in()
