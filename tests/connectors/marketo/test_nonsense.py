"""Whatever an account answers, a method returns or raises one of our errors: nothing else, and it comes to an end."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncadmin.connectors.contract import ActivityType, Create, Extract, ExtractState, LogEntry, NewField, Update
from syncadmin.connectors.errors import ConnectorError
from syncadmin.connectors.marketo.connector import Marketo
from syncadmin.engine.records import Ref, Table
from tests.connectors.marketo.world import TOKEN, Account, Room, token

NOW = datetime(2026, 3, 4, tzinfo=UTC)
PERSON = Ref(Table.PERSON, "7")
KIND = ActivityType("dynSync", "n", "t", "f", ("result", "Result"), (("a", "A", "string"),))
JOB = Extract("c1d1", ExtractState.COMPLETED)

METHODS: dict[str, Callable[[Marketo], object]] = {
    "check": lambda marketo: marketo.check(),
    "schema": lambda marketo: marketo.schema(Table.PERSON),
    "fetch": lambda marketo: marketo.fetch([PERSON], ["email"]),
    "find": lambda marketo: marketo.find(Table.PERSON, "email", ["a@b.c", "d@e.f"], ["email"]),
    "create": lambda marketo: marketo.create([Create(Table.PERSON, {"email": "a@b.c"})]),
    "update": lambda marketo: marketo.update([Update(PERSON, {"email": "a@b.c"})]),
    "paging_token": lambda marketo: marketo.paging_token(NOW),
    "lead_changes": lambda marketo: marketo.lead_changes("T", ["email"]),
    "events": lambda marketo: marketo.events("T", with_lists=True),
    "deleted": lambda marketo: marketo.deleted("T"),
    "lists": lambda marketo: marketo.lists(),
    "members": lambda marketo: marketo.members("5"),
    "partitions": lambda marketo: marketo.partitions(),
    "usage": lambda marketo: marketo.usage(),
    "ensure_fields": lambda marketo: marketo.ensure_fields([NewField("f", "F", "string")]),
    "ensure_activity_type": lambda marketo: marketo.ensure_activity_type(KIND),
    "log": lambda marketo: marketo.log([LogEntry("7", NOW, 1, "x")]),
    "start_extract": lambda marketo: marketo.start_extract(["email"], NOW, NOW + timedelta(days=1)),
    "extract": lambda marketo: marketo.extract("c1d1"),
    "read_extract": lambda marketo: list(marketo.read_extract(JOB, ["email"])),
}

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from(
        ["7", "", "12", "13", "1e999", "²", "\ud83d", "\x00", "created", "skipped", "2026-03-04T09:15:42Z"]
    ),
    st.sampled_from([7, 12, 13, 24, 32, 10**30]),
    st.floats(allow_nan=False, allow_infinity=False),
)
names = st.sampled_from(
    [
        "id",
        "status",
        "reasons",
        "errors",
        "code",
        "fields",
        "attributes",
        "name",
        "value",
        "rest",
        "leadId",
        "users",
        "activityTypeId",
        "activityDate",
        "marketoGUID",
        "newValue",
        "exportId",
        "apiName",
        "searchableFields",
        "total",
        "count",
        "dataType",
        "email",
        "updatedAt",
    ]
)
junk = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=6), max_leaves=12
)
envelopes = st.fixed_dictionaries(
    {"success": st.sampled_from([True, True, True, False, "yes"]), "result": junk | st.lists(junk, max_size=2)},
    optional={"nextPageToken": scalars, "moreResult": scalars, "requestId": scalars, "errors": junk},
)


class Nonsense(Account):
    """Answers everything but the sign-in with the same body."""

    def __init__(self, body: Any) -> None:
        super().__init__({})
        self.body = body

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == TOKEN:
            return httpx.Response(200, json=token())
        if isinstance(self.body, bytes):
            return httpx.Response(200, content=self.body)
        return httpx.Response(200, content=json.dumps(self.body).encode())


def survives(method: str, body: Any) -> None:
    room = Room({}, account=Nonsense(body))
    with contextlib.suppress(ConnectorError):
        METHODS[method](room.marketo)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=40, deadline=None)
@given(body=envelopes)
def test_an_envelope_with_anything_in_it(method: str, body: Any) -> None:
    survives(method, body)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"<html>", b"\xff\xfe", b'{"success":true', b'""', b"7"])
def test_a_body_that_is_none(method: str, body: bytes) -> None:
    survives(method, body)
