from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncadmin.connectors.errors import Malformed
from syncadmin.connectors.marketo import responses, values
from syncadmin.connectors.marketo.values import Unsendable
from syncadmin.engine.records import Raw
from syncadmin.engine.schema import Kind
from tests.connectors.marketo.world import COLUMNS, answer, ok


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (None, Kind.TEXT, None),
        (True, Kind.BOOLEAN, True),
        ("Ines", Kind.TEXT, "Ines"),
        (30, Kind.INTEGER, 30),
        ("30.0", Kind.INTEGER, 30),
        ("30.5", Kind.INTEGER, "30.5"),
        (250000, Kind.MONEY, "250000"),
        ("250000.10", Kind.MONEY, "250000.10"),
        ("1.5E+3", Kind.DECIMAL, "1500"),
        ("nonsense", Kind.MONEY, "nonsense"),
        ([1, "x"], Kind.OTHER, '[1,"x"]'),
        ("007", Kind.TEXT, "007"),
    ],
)
def test_a_value_of_an_answer(value: Any, kind: Kind, expected: Raw) -> None:
    assert values.from_json(value, kind) == expected
    assert type(values.from_json(value, kind)) is type(expected)


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("null", Kind.TEXT, None),
        ("", Kind.BOOLEAN, None),
        ("true", Kind.BOOLEAN, True),
        ("0", Kind.BOOLEAN, False),
        ("perhaps", Kind.BOOLEAN, "perhaps"),
        ("42", Kind.INTEGER, 42),
        ("42", Kind.TEXT, "42"),
        ("5000000.0000", Kind.MONEY, "5000000.0000"),
        ("nullify", Kind.TEXT, "nullify"),
    ],
)
def test_a_value_of_an_extract(text: str, kind: Kind, expected: Raw) -> None:
    assert values.from_csv(text, kind) == expected
    assert type(values.from_csv(text, kind)) is type(expected)


def test_money_is_sent_as_a_number_with_every_digit() -> None:
    sent = values.row({"annualRevenue": "12345678901234567890.10", "firstName": "12.50"}, COLUMNS)
    assert sent == b'{"annualRevenue":12345678901234567890.10,"firstName":"12.50"}'


def test_empty_whole_and_boolean_values_keep_their_json_types() -> None:
    sent = values.row({"firstName": None, "leadScore": 30, "doNotCall": True, "annualRevenue": None}, COLUMNS)
    assert json.loads(sent) == {"firstName": None, "leadScore": 30, "doNotCall": True, "annualRevenue": None}


@pytest.mark.parametrize(
    ("name", "value", "cause"),
    [
        ("annualRevenue", "a lot", "wrong_type"),
        ("annualRevenue", "NaN", "wrong_type"),
        ("annualRevenue", "1e999999", "wrong_type"),
        ("firstName", {"id": "x"}, "wrong_type"),
        ("firstName", "half \ud83d", "illegal_characters"),
    ],
)
def test_what_json_cannot_carry_is_named(name: str, value: Raw, cause: str) -> None:
    with pytest.raises(Unsendable) as caught:
        values.row({name: value}, COLUMNS)
    assert (caught.value.column, caught.value.cause) == (name, cause)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4))
def test_a_decimal_makes_the_way_there_and_back(number: Decimal) -> None:
    sent = values.row({"annualRevenue": str(number)}, COLUMNS)
    read = json.loads(sent, parse_float=str, parse_int=str)["annualRevenue"]
    assert Decimal(str(values.from_json(read, Kind.MONEY))) == number


@pytest.mark.parametrize(
    "text",
    ["2026-03-04T09:15:42Z", "2026-03-04T09:15:42+0000", "2026-03-04T09:15:42Z+0000", "2026-03-04T01:15:42-08:00"],
)
def test_a_time_in_any_of_the_four_spellings(text: str) -> None:
    assert values.instant(text) == datetime(2026, 3, 4, 9, 15, 42, tzinfo=UTC)


@pytest.mark.parametrize("text", ["yesterday", "", None, 12, "2026-03-04T09:15:42"])
def test_what_is_no_instant(text: Any) -> None:
    assert values.instant(text) is None


def test_a_person_keeps_exactly_the_fields_that_were_answered() -> None:
    rows = responses.envelope(
        answer(b'{"success":true,"result":[{"id":"40217","email":"a@b.c","annualRevenue":1.10,"firstName":null}]}')
    ).result
    (record,) = responses.people(rows, ["email", "firstName", "annualRevenue", "doNotCall"], COLUMNS)
    assert record.values == {"email": "a@b.c", "firstName": None, "annualRevenue": "1.10"}
    assert record.ref.id == "40217"


def test_the_time_of_the_last_update_is_read_beside_the_fields() -> None:
    (record,) = responses.people([{"id": 1, "updatedAt": "2026-03-04T01:00:00-08:00"}], [], COLUMNS)
    assert record.modified_at == datetime(2026, 3, 4, 1, tzinfo=timezone(timedelta(hours=-8)))
    assert record.values == {}


@pytest.mark.parametrize("row", [{}, {"id": None}, {"id": True}, {"id": "abc"}, {"id": -4}, "text", None])
def test_a_row_nobody_can_be_told_from_is_malformed(row: Any) -> None:
    with pytest.raises(Malformed):
        responses.people([row], [], COLUMNS)


def test_usage_counts_the_account_and_our_own_user() -> None:
    today = {"date": "2026-03-04", "total": 8123, "users": [{"userId": "Sync@norvik.example", "count": 7001}]}
    read = responses.usage(responses.envelope(answer(ok(today))).result, "sync@norvik.example")
    assert (read.total, read.ours) == (8123, 7001)
    assert responses.usage([], "x").total == 0
    with pytest.raises(Malformed):
        responses.usage([{"total": "many"}], "x")
