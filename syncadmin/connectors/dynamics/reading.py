"""Reads: pages with a cursor, records by id, records by value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from syncadmin.connectors import addresses
from syncadmin.connectors.contract import Fetched, Page
from syncadmin.connectors.dynamics import requests, responses
from syncadmin.connectors.dynamics.batch import Part
from syncadmin.connectors.dynamics.names import LOOKUPS, guid, is_guid, key_of, property_of
from syncadmin.connectors.dynamics.refusals import TRACKING_OFF, judge, refusal
from syncadmin.connectors.errors import CursorExpired, Refused, TooLarge
from syncadmin.connectors.http import Http
from syncadmin.connectors.messages import Answer, Request
from syncadmin.engine.failures import Cause
from syncadmin.engine.records import Record, Ref, Table
from syncadmin.engine.schema import Column, Kind, Schema

_TEXTS = frozenset({Kind.TEXT, Kind.MEMO, Kind.EMAIL, Kind.PHONE, Kind.URL})
_WHOLE = frozenset({Kind.INTEGER, Kind.CHOICE, Kind.STATE, Kind.STATUS})
_IDS = LOOKUPS | {Kind.GUID}
BATCH_READS = 100
# A link that may not be followed, and a table without tracking, are not mended by reading anew.
_NOT_THE_CURSOR = frozenset({"address", addresses.INSIDE, TRACKING_OFF})

T = TypeVar("T")


class Reader:
    """The reads of one call of the connector. ``schema`` is asked for a table, the columns meant, and whether to read afresh."""

    def __init__(
        self,
        http: Http,
        call: Callable[[Request], Answer],
        schema: Callable[[Table, Sequence[str], bool], Schema],
        ask_each: Callable[[Sequence[Part]], list[Answer]],
        page_size: int,
    ) -> None:
        self._http, self._call, self._schema, self._ask_each, self._size = http, call, schema, ask_each, page_size

    def first_page(self, table: Table, columns: Sequence[str]) -> Page:
        def ask(schema: Schema) -> Page:
            annotated = _has_lookups(columns, schema)
            wanted = select(table, columns, schema)
            answer = self._sized(lambda size: requests.tracked_page(table, wanted, size=size, annotated=annotated))
            return responses.page(answer, table, columns, schema, tracked=True)

        return self._with_current_columns(table, columns, ask)

    def next_page(self, table: Table, columns: Sequence[str], cursor: str, *, tracked: bool) -> Page:
        """Follows a link. Raises ``CursorExpired`` for whatever the server holds against it."""
        schema = self._schema(table, columns, False)
        annotated = _has_lookups(columns, schema)
        try:
            answer = self._sized(lambda size: requests.follow(cursor, size=size, annotated=annotated, tracked=tracked))
        except TooLarge:
            raise
        except Refused as error:
            if error.code in _NOT_THE_CURSOR:
                raise
            text = f"The position in {table} is no longer accepted: {error.message}"
            raise CursorExpired(text, code=error.code, request_id=error.request_id) from error
        return responses.page(answer, table, columns, schema, tracked=tracked)

    def modified_since(self, table: Table, columns: Sequence[str], since: datetime) -> Page:
        def ask(schema: Schema) -> Page:
            annotated = _has_lookups(columns, schema)
            wanted = select(table, columns, schema)
            answer = self._sized(
                lambda size: requests.modified_since(table, wanted, since, size=size, annotated=annotated)
            )
            return responses.page(answer, table, columns, schema, tracked=False)

        return self._with_current_columns(table, columns, ask)

    def _sized(self, build: Callable[[int], Request]) -> Answer:
        """A page in the largest size that can be read: a few huge descriptions must not stop a whole table."""
        size = self._size
        while True:
            try:
                return self._call(build(size))
            except TooLarge:
                if size == 1:
                    raise
                size = max(1, size // 8)

    def fetch(self, refs: Iterable[Ref], columns: Sequence[str]) -> Fetched:
        """Ids that are no GUIDs name no record here: they are neither found nor gone."""
        records: list[Record] = []
        gone: list[Ref] = []
        unique = dict.fromkeys(Ref(ref.table, guid(ref.id)) for ref in refs if is_guid(ref.id))
        for table in dict.fromkeys(ref.table for ref in unique):
            of_table = [ref for ref in unique if ref.table is table]
            found = self._with_current_columns(table, columns, partial(self._fetch, of_table, columns))
            records += found.records
            gone += found.gone
        return Fetched(tuple(records), tuple(gone))

    def _fetch(self, refs: list[Ref], columns: Sequence[str], schema: Schema) -> Fetched:
        table = refs[0].table
        if len(refs) == 1:
            return self._fetch_one(refs[0], columns, schema)
        records = self._matching(
            table, requests.id_conditions(key_of(table), [ref.id for ref in refs]), columns, schema
        )
        found = {record.ref for record in records}
        absent = [ref for ref in refs if ref not in found]
        # A list that lacks a record proves nothing, so each one is asked for by id.
        late, gone = self._ask_by_id(absent, columns, schema)
        return Fetched((*records, *late), tuple(gone))

    def _fetch_one(self, ref: Ref, columns: Sequence[str], schema: Schema) -> Fetched:
        wanted, annotated = select(ref.table, columns, schema), _has_lookups(columns, schema)
        request = requests.one(ref.table, ref.id, wanted, annotated=annotated)
        return self._read_one(request, self._call(request), ref, columns, schema)

    def _ask_by_id(self, refs: list[Ref], columns: Sequence[str], schema: Schema) -> tuple[list[Record], list[Ref]]:
        records: list[Record] = []
        gone: list[Ref] = []
        annotated = _has_lookups(columns, schema)
        for start in range(0, len(refs), BATCH_READS):
            chunk = refs[start : start + BATCH_READS]
            parts = [
                requests.read_part(ref.table, ref.id, select(ref.table, columns, schema), annotated=annotated)
                for ref in chunk
            ]
            for ref, part, answer in zip(chunk, parts, self._ask_each(parts), strict=False):
                one = self._read_one(Request("GET", part.path), answer, ref, columns, schema)
                records += one.records
                gone += one.gone
        return records, gone

    def _read_one(self, request: Request, answer: Answer, ref: Ref, columns: Sequence[str], schema: Schema) -> Fetched:
        if answer.status == 200:
            return Fetched((responses.record(answer.object(), ref.table, columns, schema),))
        if responses.says_gone(answer, ref):
            return Fetched((), (ref,))
        unaccepting = Request(request.method, request.path)
        error = judge(unaccepting, answer, self._http.clock())
        if error is None or refusal(answer).verdict()[1] is Cause.PERMISSION_RECORD:
            return Fetched(())  # a record we may not see exists: it is neither read nor gone
        raise error

    def find(self, table: Table, column: str, values: Sequence[str], columns: Sequence[str]) -> list[Record]:
        def ask(schema: Schema) -> list[Record]:
            known = schema.columns.get(column)
            if known is None:
                raise Refused(f"Could not find a property named '{column}' on {table}.", code="column")
            wanted = [*columns, *(() if column in columns else (column,))]
            found = self._matching(table, _conditions(known, values), wanted, schema)
            return [record for record in found if _holds(record, known, values)]

        return self._with_current_columns(table, columns, ask)

    def _matching(
        self, table: Table, conditions: Iterable[str], columns: Sequence[str], schema: Schema
    ) -> list[Record]:
        wanted, annotated = select(table, columns, schema), _has_lookups(columns, schema)
        found: dict[Ref, Record] = {}
        for condition in conditions:
            request: Request | None = requests.matching(table, condition, wanted, size=self._size, annotated=annotated)
            while request is not None:
                page = responses.page(self._call(request), table, columns, schema, tracked=False)
                found |= {record.ref: record for record in page.records}
                request = (
                    requests.follow(page.cursor, size=self._size, annotated=annotated, tracked=False)
                    if page.more
                    else None
                )
        return list(found.values())

    def _with_current_columns(self, table: Table, columns: Sequence[str], ask: Callable[[Schema], T]) -> T:
        try:
            return ask(self._schema(table, columns, False))
        except Refused as error:
            if "could not find a property named" not in error.message.lower():
                raise
            return ask(self._schema(table, columns, True))  # a column was removed since the metadata was read


def select(table: Table, columns: Sequence[str], schema: Schema) -> list[str]:
    """The properties to ask for: what the table still has, its key, and the time of the last change."""
    known = (schema.columns.get(name) for name in columns)
    wanted = (property_of(column.name, column.kind) for column in known if column is not None and column.readable)
    return list(dict.fromkeys((key_of(table), *wanted, "modifiedon")))


def _has_lookups(columns: Sequence[str], schema: Schema) -> bool:
    return any(name in schema.columns and schema.columns[name].kind in LOOKUPS for name in columns)


def _conditions(column: Column, values: Sequence[str]) -> Iterable[str]:
    unique = list(dict.fromkeys(value.strip() for value in values if value.strip()))
    source = property_of(column.name, column.kind)
    if column.kind in _IDS:
        return requests.id_conditions(source, [value for value in unique if is_guid(value)])
    if column.kind in _TEXTS:
        return requests.text_conditions(source, unique)
    if column.kind in _WHOLE:
        return requests.plain_conditions(source, [value for value in unique if value.lstrip("-").isdecimal()])
    raise Refused(f"Records cannot be looked up by {column.name}.", code="column")


def _holds(record: Record, column: Column, values: Sequence[str]) -> bool:
    """Dynamics compares without accents on most organisations; only equal text counts here."""
    if column.kind not in _TEXTS:
        return True
    held = record.values.get(column.name)
    return isinstance(held, str) and _folded(held) in {_folded(value) for value in values}


def _folded(text: str) -> str:
    return text.strip().casefold()
