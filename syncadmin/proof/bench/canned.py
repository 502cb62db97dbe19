"""Both systems as a drawer of finished pages: what a call asks for was rendered before the clock started.

Only joining rendered rows and naming ids is left to do, so what is measured is our side. Writes are answered with yes;
Marketo's are shown when the person is read again, as a person who has lost them would be judged anew before each write,
and no feed tells of them. Whatever is not about people (sign-in, metadata) goes to a real sandbox.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote_plus

import httpx
import orjson

from syncadmin.engine.records import Table
from syncadmin.proof.bench.population import FIRST_PERSON, Human, Row, human, number_of

_SETS = {Table.LEAD: "leads", Table.CONTACT: "contacts"}
_KEYS = {Table.LEAD: "leadid", Table.CONTACT: "contactid"}
_FORMATTED = "OData.Community.Display.V1.FormattedValue"
_LOOKUPS = ("masterid", "originatingleadid", "parentcontactid")
_PAGE, _MARKETO_PAGE = 5000, 300
_ROOT = "/api/data/v9.2/"
_ID = re.compile(rb"PATCH [^(]+\(([0-9a-f-]{36})\)")
_ASKED = re.compile(r"(?:lead|contact)id eq ([0-9a-f-]{36})")
_CHANGED_AT = "2026-03-02T09:00:00Z"


@dataclass(slots=True)
class Drawer:
    """The rendered population. ``delta`` and ``lines`` are what the feeds tell next, once; ``written`` is what stands in
    Marketo since the pages were rendered.
    """

    base: str
    dynamics: dict[int, bytes] = field(default_factory=dict)
    marketo: dict[int, bytes] = field(default_factory=dict)
    written: dict[int, Row] = field(default_factory=dict)
    by_email: dict[str, int] = field(default_factory=dict)
    pages: dict[Table, list[bytes]] = field(default_factory=dict)
    delta: dict[Table, list[bytes]] = field(default_factory=dict)
    lines: list[bytes] = field(default_factory=list)
    tokens: Counter[str] = field(default_factory=Counter)
    version: int = 1

    def fill(self, people: Iterable[Human]) -> None:
        """Renders everybody, and the pages of the full reads."""
        of_table: dict[Table, list[int]] = {Table.LEAD: [], Table.CONTACT: []}
        for one in people:
            of_table[one.table].append(one.number)
            self.dynamics[one.number] = dynamics_row(one, one.dynamics, 1)
            self.marketo[one.number] = marketo_row(one, one.marketo)
            self.by_email[one.email] = one.number
        for table, numbers in of_table.items():
            chunks = [numbers[start : start + _PAGE] for start in range(0, len(numbers), _PAGE)] or [[]]
            links = [f"page={place + 1}" for place in range(len(chunks) - 1)]
            self.pages[table] = [
                self._page(table, [self.dynamics[number] for number in chunk], link)
                for chunk, link in zip(chunks, [*links, ""], strict=True)
            ]

    def edit_dynamics(self, changes: Iterable[tuple[Human, Row]]) -> None:
        """Somebody changed these columns: the next delta read tells of it."""
        self.version += 1
        rows: dict[Table, list[bytes]] = {Table.LEAD: [], Table.CONTACT: []}
        for one, changed in changes:
            self.dynamics[one.number] = dynamics_row(one, {**one.dynamics, **changed}, self.version)
            rows[one.table].append(self.dynamics[one.number])
        for table, found in rows.items():
            chunks = [found[start : start + _PAGE] for start in range(0, len(found), _PAGE)]
            links = [f"delta={self.version}-{place + 1}" for place in range(len(chunks) - 1)]
            self.delta[table] = [
                self._page(table, chunk, link) for chunk, link in zip(chunks, [*links, ""], strict=False)
            ]

    def edit_marketo(self, changes: Iterable[tuple[Human, Row]]) -> None:
        """As ``edit_dynamics``, in Marketo: a line of the change feed for each person."""
        lines = []
        for place, (one, changed) in enumerate(changes):
            self.write_marketo(one.number, changed)
            lines.append(_line(place, one, changed))
        self.lines = [
            orjson.dumps(lines[start : start + _MARKETO_PAGE]) for start in range(0, len(lines), _MARKETO_PAGE)
        ]

    def write_marketo(self, number: int, values: Row) -> None:
        """Shown from now on when the person is read."""
        self.written[number] = {**self.written.get(number, {}), **values}

    def person(self, number: int) -> bytes:
        """As ``leads.json`` shows the person now. A name that comes twice means its last value."""
        row, since = self.marketo[number], self.written.get(number)
        return row[:-1] + b"," + orjson.dumps(since)[1:] if since else row

    def _page(self, table: Table, rows: Sequence[bytes], link: str) -> bytes:
        name = _SETS[table]
        follow = f"{self.base}{_ROOT}{name}?{link or f'$deltatoken={self.version}'}"
        kind = "nextLink" if link else "deltaLink"
        head = orjson.dumps({"@odata.context": f"{self.base}{_ROOT}$metadata#{name}", f"@odata.{kind}": follow})
        return head[:-1] + b',"value":[' + b",".join(rows) + b"]}"


def dynamics_row(one: Human, values: Row, version: int) -> bytes:
    """A row as the Web API shows it, with every column a sync may ask for."""
    row = {"@odata.etag": f'W/"{version}"', _KEYS[one.table]: one.guid, "statecode": 0, "modifiedon": _CHANGED_AT}
    row |= {f"_{name}_value": None for name in _LOOKUPS} | {"merged": False, "new_synctomkto": None}
    for name, value in values.items():
        row[name] = value
        if isinstance(value, int | float):
            row[f"{name}@{_FORMATTED}"] = str(value)
    return orjson.dumps(row)


def marketo_row(one: Human, values: Row) -> bytes:
    """A person as ``leads.json`` shows it."""
    own = {"id": one.person, "updatedAt": _CHANGED_AT, "externalCompanyId": None}
    ours = {"dynPersonGuid": None, "dynPersonType": None, "dynDeleted": False}
    return orjson.dumps({**own, **ours, **values})


def _line(place: int, one: Human, changed: Row) -> Row:
    fields = [
        {"id": place, "name": name, "newValue": value, "oldValue": one.marketo.get(name)}
        for name, value in changed.items()
    ]
    attributes = [{"name": "Source", "value": "Web form fillout"}, {"name": "Reason", "value": "form"}]
    return {
        "id": place + 1,
        "marketoGUID": f"{one.person}-{place}",
        "leadId": one.person,
        "activityDate": _CHANGED_AT,
        "activityTypeId": 13,
        "fields": fields,
        "attributes": attributes,
    }


class CannedDynamics(httpx.BaseTransport):
    """Answers for the Web API; ``calls`` counts by kind."""

    def __init__(self, drawer: Drawer, rest: httpx.BaseTransport) -> None:
        self._drawer, self._rest, self.calls = drawer, rest, Counter[str]()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("$batch"):
            return self._batch(request.read())
        table = next((table for table, name in _SETS.items() if path == f"{_ROOT}{name}"), None)
        if table is None:
            return self._rest.handle_request(request)
        query = request.url.query.decode()
        return _json(self._read(table, query))

    def _read(self, table: Table, query: str) -> bytes:
        drawer = self._drawer
        if "deltatoken" in query or "delta=" in query:
            self.calls["changes"] += 1
            waiting = drawer.delta.get(table) or [drawer._page(table, [], "")]
            return waiting.pop(0)
        if "%24filter" in query or "$filter" in query:
            self.calls["by id"] += 1
            asked = [number_of(guid) for guid in _ASKED.findall(unquote_plus(query))]
            return drawer._page(table, [drawer.dynamics[number] for number in asked], "")
        self.calls["full read"] += 1
        place = re.search(r"page=(\d+)", query)
        return drawer.pages[table][int(place.group(1)) if place else 0]

    def _batch(self, body: bytes) -> httpx.Response:
        self.calls["batch"] += 1
        head = b"Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nHTTP/1.1 200 OK\r\n"
        # Versions only grow: a row that a write made newer than its next edit would pass for an old read.
        self._drawer.version += 1
        part = b'--b\r\n%sETag: W/"%d"\r\n\r\n{}\r\n' % (head, self._drawer.version)
        parts = part * len(_ID.findall(body))
        return httpx.Response(
            200, headers={"Content-Type": "multipart/mixed; boundary=b"}, content=parts + b"--b--\r\n"
        )


class CannedMarketo(httpx.BaseTransport):
    """Answers for the REST API; ``calls`` counts by kind."""

    def __init__(self, drawer: Drawer, rest: httpx.BaseTransport) -> None:
        self._drawer, self._rest, self.calls = drawer, rest, Counter[str]()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path, body = request.url.path, request.read()
        match path.rpartition("/")[2]:
            case "leads.json" if b"_method=GET" in request.url.query:
                return self._people(body)
            case "leads.json":
                return self._write(body)
            case "leadchanges.json":
                self.calls["changes"] += 1
                rows = self._drawer.lines.pop(0) if self._drawer.lines else b"[]"
                return self._feed(rows, bool(self._drawer.lines))
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
        return _result(b"[" + b",".join(self._found(kind, values)) + b"]")

    def _found(self, kind: str, values: Sequence[str]) -> Iterator[bytes]:
        drawer = self._drawer
        if kind == "id":
            yield from (drawer.person(int(value) - FIRST_PERSON) for value in values)
        elif kind == "email":
            numbers = (drawer.by_email.get(value.casefold()) for value in values)
            yield from (drawer.person(number) for number in numbers if number is not None)

    def _write(self, body: bytes) -> httpx.Response:
        self.calls["write"] += 1
        rows = orjson.loads(body)["input"]
        for row in rows:
            self._drawer.write_marketo(int(row["id"]) - FIRST_PERSON, row)
        return _result(orjson.dumps([{"id": row["id"], "status": "updated"} for row in rows]))

    def _feed(self, rows: bytes, more: bool) -> httpx.Response:
        self._drawer.tokens["feed"] += 1
        told = f'"moreResult":{str(more).lower()},"nextPageToken":"T{self._drawer.tokens["feed"]}"'
        return _json(b'{"requestId":"c#1","success":true,' + told.encode() + b',"result":' + rows + b"}")


def _result(rows: bytes) -> httpx.Response:
    return _json(b'{"requestId":"c#1","success":true,"result":' + rows + b"}")


def _json(body: bytes) -> httpx.Response:
    return httpx.Response(200, headers={"Content-Type": "application/json"}, content=body)


def someone(numbers: Iterable[int]) -> list[Human]:
    return [human(number) for number in numbers]
