"""A scripted organisation: routes answered in the shapes the protocol documents. It has no logic of its own."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import httpx

from syncadmin.connectors.dynamics.auth import DynamicsConfig, TokenCache
from syncadmin.connectors.dynamics.connector import Dynamics
from syncadmin.engine.records import Side, Table
from syncadmin.engine.schema import Column, Kind, Option, Schema
from tests.connectors.world import Clock, Remembering

ORG = "https://norvik.crm4.dynamics.com"
API = f"{ORG}/api/data/v9.2/"
IDA = "8a41c0de-52f1-ee11-a1fd-000d3ab1c001"
VIK = "9b52c0de-52f1-ee11-a1fd-000d3ab1c002"
OLA = "77aa0b1c-40f1-ee11-a1fd-000d3ab1c001"
CONFIG = DynamicsConfig(ORG, "norvik.example", "client", "hush-hush")
NOT_FOUND = "0x80040217"

Reply = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


def ok(body: Any, **headers: str) -> httpx.Response:
    text = body if isinstance(body, str) else json.dumps(body)
    return httpx.Response(200, text=text, headers={name.replace("_", "-"): value for name, value in headers.items()})


def error(status: int, code: str, message: str, **headers: str) -> httpx.Response:
    shown = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, text=json.dumps({"error": {"code": code, "message": message}}), headers=shown)


def rows(*found: dict[str, Any], **links: str) -> httpx.Response:
    return ok({"@odata.context": "x", **{f"@odata.{name}": link for name, link in links.items()}, "value": list(found)})


def multipart(*parts: tuple[int, dict[str, Any] | None], status: int = 200) -> httpx.Response:
    """The answer to a batch: status and body of each part; an ETag comes with every body that has one."""
    lines: list[str] = []
    for code, body in parts:
        lines += ["--batchresponse_9d04", "Content-Type: application/http", "Content-Transfer-Encoding: binary", ""]
        lines += [f"HTTP/1.1 {code} Any", "OData-Version: 4.0", f"REQ_ID: req-{code}"]
        if code == 429:
            lines.append("Retry-After: 45")
        if body is not None:
            lines += ["Content-Type: application/json; odata.metadata=minimal", "", json.dumps(body)]
        else:
            lines += ["", ""]
    lines += ["--batchresponse_9d04--", ""]
    headers = {"Content-Type": "multipart/mixed; boundary=batchresponse_9d04"}
    return httpx.Response(status, content="\r\n".join(lines).encode(), headers=headers)


def refusal(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


class Tenant:
    """Routes in order of definition: method, a text the decoded address contains, and one reply or several."""

    def __init__(self) -> None:
        self.routes: list[tuple[str, str, list[Reply]]] = []
        self.asked: list[httpx.Request] = []
        self.tokens = 0
        self.clock = Clock()
        self.budget = Remembering()

    def on(self, method: str, text: str, *replies: Reply) -> Tenant:
        self.routes.insert(0, (method, text, list(replies)))
        return self

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/oauth2/v2.0/token"):
            self.tokens += 1
            return ok({"token_type": "Bearer", "expires_in": 3599, "access_token": f"token-{self.tokens}"})
        self.asked.append(request)
        for method, text, replies in self.routes:
            if method == request.method and text in address(request):
                reply = replies[0] if len(replies) == 1 else replies.pop(0)
                if isinstance(reply, Exception):
                    raise reply
                return reply(request) if callable(reply) else reply
        raise AssertionError(f"not expected: {request.method} {address(request)}")

    def connector(self, schema: bool = True, page_size: int = 5000) -> Dynamics:
        return Dynamics(
            CONFIG,
            budget=self.budget,
            clock=self.clock,
            sleep=self.clock.sleep,
            rnd=random.Random(3),
            transport=httpx.MockTransport(self),
            tokens=TokenCache(),
            schemas={Table.LEAD: LEADS, Table.CONTACT: Schema(Table.CONTACT, LEADS.columns)} if schema else None,
            page_size=page_size,
        )


def address(request: httpx.Request) -> str:
    return unquote(str(request.url))


def operations(request: httpx.Request) -> list[tuple[str, str, dict[str, str], Any]]:
    """What a batch asked: method, decoded path, headers and JSON body of each operation."""
    assert b"\n" not in request.content.replace(b"\r\n", b"")
    boundary = re.search('boundary="(.+?)"', request.headers["Content-Type"]).group(1)  # type: ignore[union-attr]
    pieces = request.content.decode().split(f"--{boundary}")
    assert pieces[0] == ""
    assert pieces[-1] == "--\r\n\r\n"
    found = []
    for piece in pieces[1:-1]:
        mime, _, http = piece.strip("\r\n").partition("\r\n\r\n")
        assert "Content-Type: application/http" in mime
        head, _, body = (http + "\r\n\r\n").partition("\r\n\r\n")
        first, *headers = head.split("\r\n")
        method, path, version = first.split(" ")
        assert version == "HTTP/1.1"
        found.append((method, unquote(path), dict(line.split(": ", 1) for line in headers), json.loads(body or "null")))
    return found


def column(name: str, kind: Kind, **facts: Any) -> Column:
    return Column(Side.DYNAMICS, Table.LEAD, name, name, kind, **facts)


LEADS = Schema(
    Table.LEAD,
    {
        found.name: found
        for found in (
            column("firstname", Kind.TEXT),
            column("lastname", Kind.TEXT),
            column("jobtitle", Kind.TEXT, max_length=100),
            column("emailaddress1", Kind.EMAIL),
            column("numberofemployees", Kind.INTEGER),
            column("revenue", Kind.MONEY, precision=2),
            column("donotemail", Kind.BOOLEAN),
            column("leadsourcecode", Kind.CHOICE, options=(Option(7, "Trade Show"),)),
            column("ownerid", Kind.OWNER, targets=("systemuser", "team")),
            column("customerid", Kind.CUSTOMER, targets=("account", "contact")),
            column("parentcontactid", Kind.LOOKUP, targets=("contact",)),
            column("secretnote", Kind.TEXT, readable=False),
            column("modifiedon", Kind.DATETIME),
            column("leadid", Kind.GUID),
        )
    },
)
