"""What both canned systems know: everybody's row, rendered before the clock starts, and what their feeds have still to tell.

A write changes the row and is told by the feed of its system, as any edit is: Dynamics tells each record once, as it is
by then; Marketo tells a line for each field that differs, with what stood there before and who wrote it. A line is filled
into a template when the value is written: some ten microseconds a person inside the clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice

import orjson

from syncadmin.engine.records import Table
from syncadmin.proof.bench.population import FIRST_PERSON, Human, Row, humans, number_at, place_of, table_of
from syncadmin.proof.bench.rows import Rows
from syncadmin.sandbox.marketo.values import spoken

SETS = {Table.LEAD: "leads", Table.CONTACT: "contacts"}
ROOT = "/api/data/v9.2/"
_KEYS = {Table.LEAD: "leadid", Table.CONTACT: "contactid"}
_FORMATTED = "OData.Community.Display.V1.FormattedValue"
_LOOKUPS = ("masterid", "originatingleadid", "parentcontactid")
_PAGE, _LINES = 5000, 300
_CHANGED_AT = "2026-03-02T09:00:00Z"
_LINE = (
    b'{"id":%d,"marketoGUID":"%d","leadId":%d,"activityDate":"%b","activityTypeId":13,'
    b'"fields":[{"id":1,"name":"%b","newValue":%b,"oldValue":%b}],"attributes":%b}'
)


class Drawer:
    """The rendered population. ``base`` is the address that the links of Dynamics' pages lead to."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._people = Rows()
        self._records = {table: Rows() for table in SETS}
        self._changed: dict[Table, dict[int, None]] = {table: {} for table in SETS}
        self._lines: deque[bytes] = deque()
        # Of records and of lines. Both only grow: what is older than what is known passes for an old read.
        self._version, self._guid = 1, 0

    def fill(self, count: int) -> None:
        """Renders so many people."""
        for one in humans(count):
            self._records[one.table].add(dynamics_row(one, self._version))
            self._people.add(marketo_row(one))
        for rows in (self._people, *self._records.values()):
            rows.finish()

    def forget(self) -> None:
        """As it was when it was filled, and nothing waits in a feed."""
        for rows in (self._people, *self._records.values()):
            rows.forget()
        for waiting in self._changed.values():
            waiting.clear()
        self._lines.clear()

    def close(self) -> None:
        for rows in (self._people, *self._records.values()):
            rows.close()

    # Dynamics

    def full_page(self, table: Table, place: int) -> bytes:
        """One page of everybody, as they were rendered: what was written since is told by the feed."""
        rows, first = self._records[table], place * _PAGE
        more = first + _PAGE < len(rows)
        return self._page(table, rows.rendered(first, first + _PAGE), f"page={place + 1}" if more else "")

    def changes_page(self, table: Table) -> bytes:
        """What the delta feed tells next: each record that was changed, once."""
        waiting = self._changed[table]
        told = list(islice(waiting, _PAGE))
        for number in told:
            del waiting[number]
        return self._page(table, self._rows(table, told), f"delta={self._version}" if waiting else "")

    def records(self, table: Table, numbers: Iterable[int]) -> bytes:
        """A page of these records as they are now."""
        return self._page(table, self._rows(table, numbers), "")

    def write_record(self, number: int, values: Row, at: str) -> int:
        """Shown and told from now on; the record's new version."""
        self._version += 1
        table = table_of(number)
        self._records[table].write(place_of(number), _columns(values, self._version, at))
        # Somebody who is changed once more is told later, not twice.
        self._changed[table].pop(number, None)
        self._changed[table][number] = None
        return self._version

    def _rows(self, table: Table, numbers: Iterable[int]) -> bytes:
        rows = self._records[table]
        return b",".join([rows.row(place_of(number)) for number in numbers])

    def _page(self, table: Table, rows: bytes, link: str) -> bytes:
        name = SETS[table]
        follow = f"{self._base}{ROOT}{name}?{link or f'$deltatoken={self._version}'}"
        kind = "nextLink" if link else "deltaLink"
        head = orjson.dumps({"@odata.context": f"{self._base}{ROOT}$metadata#{name}", f"@odata.{kind}": follow})
        return head[:-1] + b',"value":[' + rows + b"]}"

    # Marketo

    def person(self, number: int) -> bytes:
        """As ``leads.json`` shows the person now."""
        return self._people.row(number)

    def number_at(self, email: str) -> int | None:
        """Whose address this is."""
        number = number_at(email)
        return number if number is not None and number < len(self._people) else None

    def write_person(self, number: int, values: Row, at: str, attributes: bytes) -> bool:
        """Shown from now on when the person is read, and told by a line for each value that is another one. Whether there
        is such a person.
        """
        if number >= len(self._people):
            return False
        stood = orjson.loads(self._people.row(number))
        fresh = {name: value for name, value in values.items() if stood.get(name) != value}
        if fresh:
            self._people.write(number, fresh)
        person, when = FIRST_PERSON + number, at.encode()
        for name, value in fresh.items():
            self._guid += 1
            old, new = orjson.dumps(spoken(stood.get(name))), orjson.dumps(spoken(value))
            self._lines.append(_LINE % (self._guid, self._guid, person, when, name.encode(), new, old, attributes))
        return True

    def lines_page(self) -> tuple[bytes, bool]:
        """What the change feed tells next, and whether there is more."""
        told = [self._lines.popleft() for _ in range(min(_LINES, len(self._lines)))]
        return b"[" + b",".join(told) + b"]", bool(self._lines)


def attributes(source: str, **more: str) -> bytes:
    """What a line says of who wrote it."""
    said = {"Reason": source, "Source": source, **{name.replace("_", " "): value for name, value in more.items()}}
    return orjson.dumps([{"name": name, "value": value} for name, value in said.items()])


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def dynamics_row(one: Human, version: int) -> bytes:
    """A row as the Web API shows it, with every column a sync may ask for."""
    row = {_KEYS[one.table]: one.guid, "statecode": 0, "merged": False, "new_synctomkto": None}
    row |= {f"_{name}_value": None for name in _LOOKUPS}
    return orjson.dumps(row | _columns(one.dynamics, version, _CHANGED_AT))


def _columns(values: Row, version: int, at: str) -> Row:
    """Columns with what the Web API adds to them."""
    row = {"@odata.etag": f'W/"{version}"', "modifiedon": at, **values}
    numbers = {name: value for name, value in values.items() if isinstance(value, int | float)}
    return row | {f"{name}@{_FORMATTED}": str(value) for name, value in numbers.items()}


def marketo_row(one: Human) -> bytes:
    """A person as ``leads.json`` shows it."""
    own = {"id": one.person, "updatedAt": _CHANGED_AT, "externalCompanyId": None}
    ours = {"dynPersonGuid": None, "dynPersonType": None, "dynDeleted": False}
    return orjson.dumps({**own, **ours, **one.marketo})
