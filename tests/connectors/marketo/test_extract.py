from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncadmin.connectors import errors
from syncadmin.connectors.contract import Extract, ExtractState
from syncadmin.connectors.marketo import codes, extract
from syncadmin.connectors.messages import Answer
from syncadmin.engine.records import Record
from tests.connectors.marketo.world import COLUMNS, Room, failed, ok

FIELDS = ["id", "updatedAt", "email", "firstName", "doNotCall", "annualRevenue"]
EXPORT = "/bulk/v1/leads/export"
JOB = Extract("c1d1", ExtractState.COMPLETED)
SINCE = datetime(2026, 3, 1, tzinfo=UTC)
UNTIL = SINCE + timedelta(days=1)


def download(file: bytes, sizes: Callable[[], int] | None = None) -> Callable[[int, int], Answer]:
    """A server that sends the range asked for, or less."""

    def serve(start: int, length: int) -> Answer:
        if start >= len(file):
            return Answer(416, {}, b"")
        part = file[start : start + (min(length, sizes()) if sizes else length)]
        return Answer(206, {"content-range": f"bytes {start}-{start + len(part) - 1}/{len(file)}"}, part)

    return serve


def read(file: bytes, start: int = 0) -> list[tuple[Record, int]]:
    return list(extract.read(download(file), FIELDS, COLUMNS, start))


def values_of(file: bytes) -> list[dict[str, Any]]:
    return [dict(record.values) for record, _ in read(file)]


HEAD = b"id,email,firstName,doNotCall,annualRevenue\n"


def test_rows_become_records_of_the_fields_types() -> None:
    file = HEAD + b"40217,ines@x.example,Ines,true,12.50\n40391,null,,false,null\n"
    assert values_of(file) == [
        {"id": 40217, "email": "ines@x.example", "firstName": "Ines", "doNotCall": True, "annualRevenue": "12.50"},
        {"id": 40391, "email": None, "firstName": None, "doNotCall": False, "annualRevenue": None},
    ]


def test_quoted_newlines_doubled_quotes_and_commas_are_text() -> None:
    file = HEAD + b'1,"a,b","Ann ""The\nFirst"" Lee",true,1\n2,,x,false,2\n'
    assert [row["firstName"] for row in values_of(file)] == ['Ann "The\nFirst" Lee', "x"]


def test_stray_nuls_and_carriage_returns_vanish_outside_quotes() -> None:
    file = HEAD.replace(b"\n", b"\r\n") + b'1,a\x00b,\x00"x\x00y\r\nz",tr\rue,1\r\n\r\n2,,q,1,2\r\n'
    rows = values_of(file)
    assert [(row["email"], row["firstName"], row["doNotCall"]) for row in rows] == [
        ("ab", "xy\r\nz", True),
        (None, "q", True),
    ]


def test_a_quote_inside_an_unquoted_value_is_a_letter() -> None:
    assert values_of(HEAD + b'1,,5" pipe,true,1\n2,,x,true,1\n')[0]["firstName"] == '5" pipe'


def test_headers_are_mapped_back_whatever_their_case_or_order() -> None:
    assert values_of(b"\xef\xbb\xbfFIRSTNAME,Id\nIn\xc3\xa9s,1\n") == [{"firstName": "Inés", "id": 1}]


@pytest.mark.parametrize("head", [b"id,surprise\n", b"email,firstName\n", b"<html>\n"])
def test_a_file_with_other_columns_is_not_guessed_at(head: bytes) -> None:
    with pytest.raises(errors.Malformed):
        read(head + b"1,2\n")


def test_a_row_of_another_width_is_known_by_its_id_alone() -> None:
    rows = read(HEAD + b"1,a,b,true\n2,a,b,true,5,6,7\n3,a,b,true,5\n")
    assert [record.ref.id for record, _ in rows] == ["1", "2", "3"]
    assert [len(record.values) for record, _ in rows] == [0, 0, 5]


def test_a_value_that_is_no_utf8_stays_unknown() -> None:
    (row,) = values_of(HEAD + b"1,a@b.c,\xff\xfe,true,1\n")
    assert "firstName" not in row
    assert row["email"] == "a@b.c"


def test_a_row_without_an_id_and_a_quote_without_end_are_malformed() -> None:
    for body in (b"x,a,b,true,1\n", b'1,"a,b,true,1\n'):
        with pytest.raises(errors.Malformed):
            read(HEAD + body)


def test_the_last_line_needs_no_end() -> None:
    rows = read(HEAD + b"1,a,b,true,1")
    assert rows[-1][1] == len(HEAD) + 12


def test_an_empty_file_and_a_header_alone_hold_nobody() -> None:
    assert read(b"") == []
    assert read(HEAD) == []


cells = st.one_of(
    st.just("null"),
    st.text(alphabet=st.sampled_from('ab"\n\r,é漢😀 '), max_size=8),
)
tables = st.lists(st.tuples(cells, cells), min_size=1, max_size=8)


def written(table: list[tuple[str, str]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["id", "email", "firstName"])
    for number, row in enumerate(table, 1):
        writer.writerow([number, *row])
    return out.getvalue().encode()


@settings(max_examples=200, deadline=None)
@given(tables, st.data())
def test_any_split_of_the_file_gives_the_same_records(table: list[tuple[str, str]], data: st.DataObject) -> None:
    file = written(table)

    def some() -> int:
        return data.draw(st.integers(1, 7))

    read_so = list(extract.read(download(file, some), FIELDS, COLUMNS))
    assert [record.values for record, _ in read_so] == [
        {
            "id": number,
            "email": None if row[0] in ("", "null") else row[0],
            "firstName": None if row[1] in ("", "null") else row[1],
        }
        for number, row in enumerate(table, 1)
    ]


@settings(max_examples=100, deadline=None)
@given(tables, st.data())
def test_reading_goes_on_behind_any_record(table: list[tuple[str, str]], data: st.DataObject) -> None:
    file = written(table)
    whole = read(file)
    known = data.draw(st.integers(0, len(whole) - 1))
    assert read(file, whole[known][1]) == whole[known + 1 :]
    assert whole[-1][1] == len(file)


def test_offsets_stand_behind_each_record_in_bytes() -> None:
    first, second = "1,é,x,true,1\n".encode(), b"2,a,b,true,1\n"
    assert [end for _, end in read(HEAD + first + second)] == [len(HEAD + first), len(HEAD + first + second)]


def test_a_server_that_ignores_ranges_is_read_all_the_same() -> None:
    file = HEAD + b"1,a,b,true,1\n2,a,b,true,1\n"

    def serve(start: int, length: int) -> Answer:
        return Answer(200, {}, file)

    assert [record.ref.id for record, _ in extract.read(serve, FIELDS, COLUMNS)] == ["1", "2"]
    assert [record.ref.id for record, _ in extract.read(serve, FIELDS, COLUMNS, len(HEAD) + 13)] == ["2"]


def test_another_part_than_asked_for_is_malformed() -> None:
    def serve(start: int, length: int) -> Answer:
        part = HEAD + b"1,a,b,true,1\n"
        return Answer(206, {"content-range": f"bytes 5-9/{len(part)}"}, part)

    with pytest.raises(errors.Malformed, match="byte 0"):
        list(extract.read(serve, FIELDS, COLUMNS))


def job(state: str, **more: Any) -> dict[str, Any]:
    return {"exportId": "c1d1", "status": state, "format": "CSV"} | more


def test_a_file_that_is_not_there_yet_is_unavailable() -> None:
    room = Room({f"{EXPORT}/c1d1/file.json": httpx.Response(404, text="Not found")})
    with pytest.raises(errors.Unavailable):
        list(room.marketo.read_extract(JOB, ["email"]))


def test_a_file_is_read_over_http_in_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    file = b"id,updatedAt,email\n" + b"".join(b"%d,2026-03-04T09:15:42Z,p%d@x.example\n" % (n, n) for n in range(100))

    def serve(request: httpx.Request) -> httpx.Response:
        first, last = (int(part) for part in request.headers["range"].removeprefix("bytes=").split("-"))
        part = file[first : last + 1]
        return httpx.Response(206, content=part, headers={"Content-Range": f"bytes {first}-{last}/{len(file)}"})

    monkeypatch.setattr(extract, "RANGE_BYTES", 1000)
    room = Room({f"{EXPORT}/c1d1/file.json": serve})
    rows: Iterator[tuple[Record, int]] = room.marketo.read_extract(JOB, ["email"])
    read_all = [record for record, _ in rows]
    assert [record.values for record in read_all] == [{"email": f"p{n}@x.example"} for n in range(100)]
    assert read_all[0].modified_at == datetime(2026, 3, 4, 9, 15, 42, tzinfo=UTC)


def test_a_token_that_runs_out_during_a_download_is_renewed() -> None:
    file = b"id,email\n1,a@b.c\n"
    whole = httpx.Response(206, content=file, headers={"Content-Range": f"bytes 0-16/{len(file)}"})
    room = Room({f"{EXPORT}/c1d1/file.json": [failed("602"), whole]})
    assert len(list(room.marketo.read_extract(JOB, ["email"]))) == 1


def test_a_job_is_created_and_queued() -> None:
    room = Room({f"{EXPORT}/create.json": ok(job("Created")), f"{EXPORT}/c1d1/enqueue.json": ok(job("Queued"))})
    started = room.marketo.start_extract(["email", "id"], SINCE, UNTIL)
    assert (started.id, started.state) == ("c1d1", ExtractState.QUEUED)
    (body,) = room.account.bodies(f"{EXPORT}/create.json")
    assert body["fields"] == ["id", "updatedAt", "email"]
    assert body["filter"]["createdAt"] == {"startAt": "2026-03-01T00:00:00Z", "endAt": "2026-03-01T23:59:59Z"}


def test_a_full_queue_leaves_a_job_that_can_be_queued_later() -> None:
    full = failed("1029", "Too many jobs (10) in queue")
    room = Room({f"{EXPORT}/create.json": ok(job("Created")), f"{EXPORT}/c1d1/enqueue.json": full})
    started = room.marketo.start_extract(["email"], SINCE, UNTIL)
    assert (started.state, "Too many jobs" in started.message) == (ExtractState.CREATED, True)
    with pytest.raises(errors.Throttled) as caught:
        room.marketo.enqueue("c1d1")
    assert type(caught.value) is errors.Throttled
    assert caught.value.until is not None
    assert room.budget.pauses == []


def test_a_spent_day_of_extracts_lasts_until_midnight() -> None:
    room = Room({f"{EXPORT}/c1d1/enqueue.json": failed("1029", "Export daily quota 500MB exceeded")})
    with pytest.raises(errors.QuotaSpent) as caught:
        room.marketo.enqueue("c1d1")
    assert caught.value.until == codes.next_quota(room.clock.now)
    assert room.budget.pauses == []


def test_a_job_that_is_queued_already_is_just_looked_at() -> None:
    room = Room(
        {
            f"{EXPORT}/c1d1/enqueue.json": failed("1029", "Job already queued"),
            f"{EXPORT}/c1d1/status.json": ok(job("Processing")),
        }
    )
    assert room.marketo.enqueue("c1d1").state is ExtractState.RUNNING


def test_a_filter_the_account_does_not_have_is_a_refusal() -> None:
    room = Room({f"{EXPORT}/create.json": failed("1035", "Unsupported filter type for target subscription")})
    with pytest.raises(errors.Refused) as caught:
        room.marketo.start_extract(["email"], SINCE, UNTIL)
    assert caught.value.code == "1035"


@pytest.mark.parametrize(("since", "until"), [(SINCE, SINCE + timedelta(days=32)), (UNTIL, SINCE)])
def test_a_window_that_is_too_long_or_turned_round_is_not_sent(since: datetime, until: datetime) -> None:
    room = Room({})
    with pytest.raises(errors.Refused):
        room.marketo.start_extract(["email"], since, until)
    assert room.account.asked == []


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("Created", ExtractState.CREATED),
        ("Queued", ExtractState.QUEUED),
        ("Processing", ExtractState.RUNNING),
        ("Completed", ExtractState.COMPLETED),
        ("Canceled", ExtractState.CANCELLED),
        ("Cancelled", ExtractState.CANCELLED),
        ("Failed", ExtractState.FAILED),
    ],
)
def test_the_states_of_a_job(word: str, state: ExtractState) -> None:
    more = {"numberOfRecords": 18211, "fileSize": 2210034, "fileChecksum": "sha256:5b0f", "errorMsg": "why"}
    room = Room({f"{EXPORT}/c1d1/status.json": ok(job(word, **more))})
    assert room.marketo.extract("c1d1") == Extract("c1d1", state, 2210034, 18211, "sha256:5b0f", "why")


@pytest.mark.parametrize("body", [ok(), ok({"status": "Queued"}), ok(job("Dancing"))])
def test_a_job_in_no_known_state_is_malformed(body: dict[str, Any]) -> None:
    with pytest.raises(errors.Malformed):
        Room({f"{EXPORT}/c1d1/status.json": body}).marketo.extract("c1d1")


def test_a_job_can_be_cancelled() -> None:
    room = Room({f"{EXPORT}/c1d1/cancel.json": ok(job("Cancelled"))})
    room.marketo.cancel("c1d1")
    assert [call.method for call in room.account.to(f"{EXPORT}/c1d1/cancel.json")] == ["POST"]
