"""One organisation per test, its clock, and a signed-in client that speaks to it in process."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from syncadmin.sandbox.dynamics import DynamicsSandbox

ROOT = "/api/data/v9.2/"
BASE = "http://org.test"


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **step: float) -> None:
        self.now += timedelta(**step)


class Api:
    """Short words for requests below the API root; `token` signs in."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def token(self, **form: str) -> httpx.Response:
        sent = {
            "grant_type": "client_credentials",
            "client_id": "sandbox",
            "client_secret": "sandbox-secret",
            "scope": f"{BASE}/.default",
        } | form
        tenant = sent.pop("tenant", "sandbox")
        return self.client.post(f"/{tenant}/oauth2/v2.0/token", data={k: v for k, v in sent.items() if v != "-"})

    def sign_in(self, **form: str) -> None:
        self.client.headers["Authorization"] = f"Bearer {self.token(**form).json()['access_token']}"

    def request(self, method: str, target: str, body: Any = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = target if target.startswith("http") else ROOT + target
        return self.client.request(method, url, json=body, headers=named)

    def get(self, target: str, **headers: str) -> httpx.Response:
        return self.request("GET", target, **headers)

    def post(self, target: str, body: Any = None, **headers: str) -> httpx.Response:
        return self.request("POST", target, {} if body is None else body, **headers)

    def patch(self, target: str, body: Any, **headers: str) -> httpx.Response:
        return self.request("PATCH", target, body, **headers)

    def delete(self, target: str, **headers: str) -> httpx.Response:
        return self.request("DELETE", target, **headers)

    def create(self, entity_set: str, **values: Any) -> str:
        answer = self.post(entity_set, values)
        assert answer.status_code == 204, answer.text
        return answer.headers["OData-EntityId"].rpartition("(")[2].rstrip(")")

    def read(self, entity_set: str, id: str, *columns: str) -> dict[str, Any]:
        return self.get(f"{entity_set}({id})?$select={','.join(columns)}").json()

    def values(self, target: str, **headers: str) -> list[dict[str, Any]]:
        answer = self.get(target, **headers)
        assert answer.status_code == 200, answer.text
        return answer.json()["value"]


def code(answer: httpx.Response) -> tuple[int, str]:
    """Status and error code of a refusal."""
    return answer.status_code, answer.json()["error"]["code"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def org(clock: Clock) -> DynamicsSandbox:
    return DynamicsSandbox(clock=clock, base_url=BASE, sleep=lambda seconds: clock.forward(seconds=seconds))


@pytest.fixture
def api(org: DynamicsSandbox) -> Iterator[Api]:
    with httpx.Client(transport=httpx.WSGITransport(app=org), base_url=BASE) as client:
        api = Api(client)
        api.sign_in()
        # Cookies pin a client to one web server; the tests that care set them themselves.
        client.event_hooks["response"] = [lambda answer: client.cookies.clear()]
        yield api
