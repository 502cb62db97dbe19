"""An account that answers by path from a script, and a connector to it. No socket."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

import httpx

from syncadmin.connectors.marketo.config import MarketoConfig
from syncadmin.connectors.marketo.connector import Marketo
from syncadmin.connectors.messages import Answer
from syncadmin.engine.records import Side, Table
from syncadmin.engine.schema import Column, Kind
from tests.connectors.world import Clock, Remembering

Reply = httpx.Response | dict[str, Any] | Exception | Callable[[httpx.Request], Any]

CONFIG = MarketoConfig("811-QXT-402", "client", "very-secret")
TOKEN = "/identity/oauth/token"
LEADS = "/rest/v1/leads.json"
LOG = "/rest/v1/activities/external.json"
DESCRIBE = "/rest/v1/leads/describe.json"
DESCRIBE2 = "/rest/v1/leads/describe2.json"
SCHEMA = "/rest/v1/leads/schema/fields.json"

KINDS = {
    "id": Kind.INTEGER,
    "email": Kind.EMAIL,
    "firstName": Kind.TEXT,
    "mktoPersonNotes": Kind.MEMO,
    "leadScore": Kind.INTEGER,
    "annualRevenue": Kind.MONEY,
    "doNotCall": Kind.BOOLEAN,
    "updatedAt": Kind.DATETIME,
    "dynPersonGuid": Kind.TEXT,
}
COLUMNS = {
    name: Column(Side.MARKETO, Table.PERSON, name, name, kind, computed=name == "formula")
    for name, kind in KINDS.items()
}


def token(text: str = "5d1f-one:sj", seconds: int = 3599) -> dict[str, Any]:
    return {"access_token": text, "token_type": "bearer", "expires_in": seconds, "scope": "sync@norvik.example"}


def ok(*rows: Any, **more: Any) -> dict[str, Any]:
    return {"requestId": "17c90#19a3c2e0412", "success": True, "result": list(rows)} | more


def failed(code: str, message: str = "No") -> dict[str, Any]:
    return {"requestId": "9d01#1", "success": False, "errors": [{"code": code, "message": message}]}


def skipped(code: str, message: str = "No", under: str = "reasons") -> dict[str, Any]:
    return {"status": "skipped", under: [{"code": code, "message": message}]}


def answer(body: Any, status: int = 200, **headers: str) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, content)


class Account:
    """Replies by path: one for ever, or a list of which the last repeats. Keeps what was asked."""

    def __init__(self, routes: Mapping[str, Reply | list[Reply]]) -> None:
        self.routes: dict[str, list[Reply]] = {
            path: list(reply) if isinstance(reply, list) else [reply]
            for path, reply in ({TOKEN: token()} | dict(routes)).items()
        }
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        replies = self.routes[request.url.path]
        reply = replies[0] if len(replies) == 1 else replies.pop(0)
        if callable(reply):
            reply = reply(request)
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, httpx.Response) else httpx.Response(200, json=reply)

    def to(self, path: str) -> list[httpx.Request]:
        return [request for request in self.asked if request.url.path == path]

    def bodies(self, path: str) -> list[Any]:
        return [json.loads(request.content) for request in self.to(path)]

    def forms(self, path: str) -> list[dict[str, str]]:
        return [form(request) for request in self.to(path)]


def form(request: httpx.Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.content.decode(), keep_blank_values=True).items()}


class Room:
    """A connector, the account it speaks to, its clock and its budget."""

    def __init__(
        self,
        routes: Mapping[str, Reply | list[Reply]],
        *,
        config: MarketoConfig = CONFIG,
        known: bool = True,
        account: Account | None = None,
    ) -> None:
        self.account = account or Account(routes)
        self.clock = Clock()
        self.budget = Remembering()
        self.marketo = Marketo(
            config,
            budget=self.budget,
            clock=self.clock,
            sleep=self.clock.sleep,
            rnd=random.Random(7),
            transport=httpx.MockTransport(self.account),
            columns=COLUMNS if known else None,
        )


def asked_ids(request: httpx.Request) -> Sequence[str]:
    return form(request)["filterValues"].split(",")
