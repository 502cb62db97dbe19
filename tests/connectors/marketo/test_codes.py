from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from syncadmin.connectors import errors
from syncadmin.connectors.contract import Status, Update
from syncadmin.connectors.marketo import codes, requests
from syncadmin.connectors.messages import Request
from syncadmin.engine.failures import Cause
from syncadmin.engine.records import Ref, Table
from tests.connectors.marketo.world import LEADS, Room, answer, failed, ok

NOW = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
READ = requests.partitions()
WRITE = requests.write_leads("updateOnly", "id", [b'{"id":1}'])
PARTITIONS = "/rest/v1/leads/partitions.json"


def judged(code: str, request: Request = READ, message: str = "No", now: datetime = NOW) -> errors.ConnectorError:
    error = codes.judge(request, answer(failed(code, message)), now)
    assert error is not None
    return error


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("500", errors.Unavailable),
        ("502", errors.Unavailable),
        ("601", errors.SignInRefused),
        ("602", errors.SignInRefused),
        ("603", errors.PermissionMissing),
        ("604", errors.Unavailable),
        ("605", errors.Refused),
        ("606", errors.Throttled),
        ("607", errors.QuotaSpent),
        ("608", errors.Unavailable),
        ("609", errors.Refused),
        ("610", errors.Refused),
        ("611", errors.Unavailable),
        ("614", errors.Unavailable),
        ("615", errors.Throttled),
        ("713", errors.Unavailable),
        ("1006", errors.Refused),
        ("9999", errors.Refused),
    ],
)
def test_a_code_of_a_read_has_its_class(code: str, kind: type[errors.ConnectorError]) -> None:
    error = judged(code)
    assert type(error) is kind
    assert (error.code, error.request_id) == (code, "9d01#1")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("604", errors.TooLarge),
        ("611", errors.TooLarge),
        ("500", errors.NoAnswer),
        ("502", errors.NoAnswer),
        ("608", errors.Unavailable),
        ("713", errors.Unavailable),
    ],
)
def test_a_code_of_a_write_tells_whether_it_may_have_been_executed(
    code: str, kind: type[errors.ConnectorError]
) -> None:
    assert type(judged(code, WRITE)) is kind


def test_a_time_out_of_a_write_that_cannot_be_split_leaves_the_outcome_open() -> None:
    assert type(judged("604", requests.create_fields([]))) is errors.NoAnswer


def test_a_time_out_of_log_entries_leaves_the_outcome_open_though_they_could_be_split() -> None:
    assert type(judged("604", requests.log([b"{}"]))) is errors.NoAnswer
    assert type(judged("611", requests.log([b"{}"]))) is errors.TooLarge


@pytest.mark.parametrize(
    ("request_", "permission"),
    [
        (requests.describe(), "Read-Only Lead"),
        (requests.leads_by("id", ["1"], ["id"]), "Read-Only Lead"),
        (WRITE, "Read-Write Lead"),
        (requests.lead_changes("T", ["email"]), "Read-Only Activity"),
        (requests.activities("T", [32]), "Read-Only Activity"),
        (requests.log([]), "Read-Write Activity"),
        (requests.custom_types(), "Read-Only Activity Metadata"),
        (requests.approve_type("dynSync"), "Read-Write Activity Metadata"),
        (requests.schema_fields(), "Read-Write Schema Custom Field"),
        (requests.create_fields([]), "Read-Write Schema Custom Field"),
        (requests.create_export([], NOW, NOW), "Read-Only Lead"),
        (requests.members("12"), "Read-Only Lead"),
    ],
)
def test_denied_access_names_the_permission_of_that_call(request_: Request, permission: str) -> None:
    error = judged("603", request_, "Access denied")
    assert f"'{permission}'" in error.message
    assert "Access denied" in error.message


def test_the_rate_limit_silences_everybody_for_the_window() -> None:
    room = Room({PARTITIONS: failed("606", "Max rate limit '100' exceeded with in '20' secs")})
    with pytest.raises(errors.Throttled) as caught:
        room.marketo.partitions()
    assert caught.value.until == room.clock.now + timedelta(seconds=20)
    assert room.budget.pauses == [caught.value.until]
    assert len(room.account.to(PARTITIONS)) == 1


def test_too_many_calls_at_once_are_a_short_pause() -> None:
    room = Room({PARTITIONS: [failed("615", "Concurrent access limit '10' reached"), ok({"name": "Default"})]})
    assert room.marketo.partitions() == ["Default"]
    assert len(room.clock.slept) == 1
    assert 0.5 <= room.clock.slept[0] <= 1


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (datetime(2026, 3, 4, 9, 0, tzinfo=UTC), datetime(2026, 3, 5, 6, 0, tzinfo=UTC)),
        (datetime(2026, 3, 4, 5, 59, tzinfo=UTC), datetime(2026, 3, 4, 6, 0, tzinfo=UTC)),
        (datetime(2026, 7, 4, 12, 0, tzinfo=UTC), datetime(2026, 7, 5, 5, 0, tzinfo=UTC)),
        (datetime(2026, 3, 7, 12, 0, tzinfo=UTC), datetime(2026, 3, 8, 6, 0, tzinfo=UTC)),
        (datetime(2026, 3, 8, 12, 0, tzinfo=UTC), datetime(2026, 3, 9, 5, 0, tzinfo=UTC)),
    ],
)
def test_the_quota_returns_at_midnight_in_us_central_time(now: datetime, until: datetime) -> None:
    assert judged("607", now=now).until == until


def test_a_spent_quota_is_not_asked_again() -> None:
    room = Room({PARTITIONS: failed("607", "Daily quota reached")})
    with pytest.raises(errors.QuotaSpent):
        room.marketo.partitions()
    assert len(room.account.to(PARTITIONS)) == 1
    assert room.budget.pauses == [codes.next_quota(room.clock.now)]


def test_maintenance_is_waited_out() -> None:
    room = Room({PARTITIONS: [failed("608"), failed("713"), ok({"name": "Default"})]})
    assert room.marketo.partitions() == ["Default"]


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"", b"[]"])
def test_a_page_instead_of_json_is_malformed_for_a_read_and_no_answer_for_a_write(body: bytes) -> None:
    assert type(codes.judge(READ, answer(body), NOW)) is errors.Malformed
    assert type(codes.judge(WRITE, answer(body), NOW)) is errors.NoAnswer


def test_an_error_in_a_body_outranks_the_http_status() -> None:
    error = codes.judge(READ, answer(failed("601"), status=500), NOW)
    assert type(error) is errors.SignInRefused


def test_words_in_a_record_are_no_failure() -> None:
    body = ok({"id": 1, "firstName": '"success":false'})
    assert codes.judge(READ, answer(body), NOW) is None


@pytest.mark.parametrize("body", [{}, {"success": "yes"}, {"success": True, "result": {"id": 1}}])
def test_a_body_that_says_nothing_of_success_is_malformed(body: dict[str, Any]) -> None:
    room = Room({PARTITIONS: body})
    with pytest.raises(errors.Malformed):
        room.marketo.partitions()


def test_a_cut_connection_after_a_write_is_no_answer() -> None:
    room = Room({LEADS: httpx.ReadError("cut")})
    with pytest.raises(errors.NoAnswer):
        room.marketo.update([Update(Ref(Table.PERSON, "1"), {"firstName": "x"})])
    assert len(room.account.to(LEADS)) == 1


@pytest.mark.parametrize(
    ("code", "message", "cause"),
    [
        ("1003", "Invalid value for field 'percent_done' and value '100%'", Cause.WRONG_TYPE),
        ("1003", "Value exceeds the length of field 'city'", Cause.TOO_LONG),
        ("1003", "Field 'personType' is read-only", Cause.READ_ONLY),
        ("1007", "Multiple lead match lookup criteria", Cause.SEVERAL_MATCHES),
        ("1021", "Company update not allowed", Cause.COMPANY_FIELD),
        ("1010", "Partition update not allowed", Cause.PARTITION),
        ("4711", "Something new", Cause.UNKNOWN),
    ],
)
def test_one_records_refusal_has_a_cause(code: str, message: str, cause: Cause) -> None:
    assert codes.cause_of(code, message) is cause


@pytest.mark.parametrize(
    ("message", "column"),
    [
        ("Invalid value for field 'percent_done' and value '100%'", "percent_done"),
        ("Field 'nope' not found", "nope"),
        ("Invalid fields [formulaOne, x]", "formulaOne"),
        ("Lead not found", ""),
    ],
)
def test_the_field_at_fault_is_read_from_the_message(message: str, column: str) -> None:
    assert codes.column_of(message) == column


def test_every_code_has_an_outcome_that_can_be_stored() -> None:
    assert all(isinstance(code.status, Status) and Cause(code.cause) for code in codes.TABLE.values())
    assert all(issubclass(code.error, errors.ConnectorError) for code in codes.TABLE.values())
