"""Both systems as a drawer of finished pages: what a call asks for was rendered before the clock started.

Only joining rendered rows and naming ids is left to do, so what is measured is our side. Writes are answered with yes and
told by the feeds; asked by date, Dynamics tells nobody. Whatever is not about people (sign-in, metadata) goes to a real
sandbox. A forked worker has a drawer of its own, as it was at the fork.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from urllib.parse import parse_qs, unquote_plus

import httpx
import orjson

from syncadmin.engine.records import Table
from syncadmin.proof.bench.drawer import ROOT, SETS, Drawer, attributes, now
from syncadmin.proof.bench.population import FIRST_PERSON, number_of

_PATCH = re.compile(rb"PATCH [^(]+\(([0-9a-f-]{36})\)[^{]*(\{[^\r\n]*\})")
_ASKED = re.compile(r"(?:lead|contact)id eq ([0-9a-f-]{36})")
_PART = (
    b"--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    b'HTTP/1.1 200 OK\r\nETag: W/"%d"\r\n\r\n{}\r\n'
)


class CannedDynamics(httpx.BaseTransport):
    """Answers for the Web API; ``calls`` counts by kind."""

    def __init__(self, drawer: Drawer, rest: httpx.BaseTransport) -> None:
        self._drawer, self._rest, self.calls = drawer, rest, Counter[str]()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("$batch"):
            return self._batch(request.read())
        table = next((table for table, name in SETS.items() if path == f"{ROOT}{name}"), None)
        if table is None:
            return self._rest.handle_request(request)
        return _json(self._read(table, request.url.query.decode()))

    def _read(self, table: Table, query: str) -> bytes:
        if "deltatoken" in query or "delta=" in query:
            self.calls["changes"] += 1
            return self._drawer.changes_page(table)
        if "%24filter" in query or "$filter" in query:
            self.calls["by id"] += 1
            return self._drawer.records(table, map(number_of, _ASKED.findall(unquote_plus(query))))
        self.calls["full read"] += 1
        place = re.search(r"page=(\d+)", query)
        return self._drawer.full_page(table, int(place.group(1)) if place else 0)

    def _batch(self, body: bytes) -> httpx.Response:
        self.calls["batch"] += 1
        write, at = self._drawer.write_record, now()
        versions = [write(number_of(guid.decode()), orjson.loads(row), at) for guid, row in _PATCH.findall(body)]
        return httpx.Response(
            200,
            headers={"Content-Type": "multipart/mixed; boundary=b"},
            content=b"".join([_PART % version for version in versions]) + b"--b--\r\n",
        )


class CannedMarketo(httpx.BaseTransport):
    """Answers for the REST API; ``calls`` counts by kind."""

    def __init__(self, drawer: Drawer, rest: httpx.BaseTransport) -> None:
        self._drawer, self._rest, self.calls = drawer, rest, Counter[str]()
        self._told = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path, body = request.url.path, request.read()
        match path.rpartition("/")[2]:
            case "leads.json" if b"_method=GET" in request.url.query:
                return self._people(body)
            case "leads.json":
                return self._write(body)
            case "leadchanges.json":
                self.calls["changes"] += 1
                return self._feed(*self._drawer.lines_page())
            case "activities.json" | "deletedleads.json":
                self.calls["events" if "activities.json" in path else "deletes"] += 1
                return self._feed(b"[]", False)
            case _:
                self.calls["other"] += 1
                return self._rest.handle_request(request)

    def _people(self, body: bytes) -> httpx.Response:
        asked = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        kind, values = asked["filterType"], asked["filterValues"].split(",")
        self.calls[f"people by {kind}"] += 1
        return _json(b'{"requestId":"c#1","success":true,"result":[' + b",".join(self._found(kind, values)) + b"]}")

    def _found(self, kind: str, values: Sequence[str]) -> Iterator[bytes]:
        drawer = self._drawer
        if kind == "id":
            yield from (drawer.person(int(value) - FIRST_PERSON) for value in values)
        elif kind == "email":
            numbers = (drawer.number_at(value) for value in values)
            yield from (drawer.person(number) for number in numbers if number is not None)

    def _write(self, body: bytes) -> httpx.Response:
        self.calls["write"] += 1
        # Its lines name the call they come from, as those of newer accounts do.
        request, at, rows = f"w#{self.calls['write']}", now(), orjson.loads(body)["input"]
        said = attributes("Web service API", API_Method_Name="syncLeads", Request_Id=request)
        result = []
        for row in rows:
            # Whether we may write is tried on somebody who is not there.
            there = self._drawer.write_person(int(row["id"]) - FIRST_PERSON, row, at, said)
            result.append({"id": row["id"], "status": "updated" if there else "skipped"})
        return _json(orjson.dumps({"requestId": request, "success": True, "result": result}))

    def _feed(self, rows: bytes, more: bool) -> httpx.Response:
        self._told += 1
        told = f'"moreResult":{str(more).lower()},"nextPageToken":"T{self._told}"'
        return _json(b'{"requestId":"c#1","success":true,' + told.encode() + b',"result":' + rows + b"}")


def _json(body: bytes) -> httpx.Response:
    return httpx.Response(200, headers={"Content-Type": "application/json"}, content=body)
