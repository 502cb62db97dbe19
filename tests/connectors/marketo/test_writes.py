from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from syncadmin.connectors import errors
from syncadmin.connectors.contract import Create, LogEntry, Outcome, Status, Update
from syncadmin.connectors.marketo import requests
from syncadmin.engine.failures import Cause
from syncadmin.engine.records import Raw, Ref, Table
from tests.connectors.marketo.world import LEADS, LOG, Reply, Room, failed, ok, skipped

AT = datetime(2026, 3, 4, 9, 20, 11, tzinfo=UTC)


def update(id: int | str, **values: Raw) -> Update:
    return Update(Ref(Table.PERSON, str(id)), values or {"firstName": "x"})


def create(email: str | None, **values: Raw) -> Create:
    return Create(Table.PERSON, {"email": email, **values})


def done(request: httpx.Request) -> dict[str, Any]:
    """Says yes to everything."""
    body = json.loads(request.content)
    if body["action"] == "updateOnly":
        return ok(*({"id": row["id"], "status": "updated"} for row in body["input"]))
    return ok(*({"id": 1000 + index, "status": "created"} for index, _ in enumerate(body["input"])))


def poisoned(bad: set[int], code: str) -> Callable[[httpx.Request], dict[str, Any]]:
    """Fails as a whole while one of the bad people is in the call."""

    def reply(request: httpx.Request) -> dict[str, Any]:
        ids = {row["id"] for row in json.loads(request.content)["input"]}
        return failed(code, "System error") if ids & bad else done(request)

    return reply


def statuses(outcomes: Sequence[Outcome]) -> list[str]:
    return [str(outcome.status) for outcome in outcomes]


def test_updates_go_by_id_and_never_create() -> None:
    room = Room({LEADS: ok({"id": 40217, "status": "updated"}, skipped("1004", "Lead not found"))})
    first, second = room.marketo.update([update(40217, mobilePhone=None, doNotCall=True), update(40391)])
    assert first == Outcome(Status.UPDATED, Ref(Table.PERSON, "40217"), request_id="17c90#19a3c2e0412")
    assert (second.status, second.ref, second.code) == (Status.GONE, Ref(Table.PERSON, "40391"), "1004")
    assert second.request_id == "17c90#19a3c2e0412"
    (body,) = room.account.bodies(LEADS)
    assert body == {
        "action": "updateOnly",
        "lookupField": "id",
        "input": [{"mobilePhone": None, "doNotCall": True, "id": 40217}, {"firstName": "x", "id": 40391}],
    }
    assert "_method" not in room.account.to(LEADS)[0].url.params


def test_creates_go_by_the_lookup_field_into_the_partition() -> None:
    room = Room({LEADS: ok({"id": 7, "status": "created"}, skipped("1005", "Lead already exists"))})
    items = [create("a@b.c", firstName="Ann", lastName=None), create("d@e.f")]
    first, second = room.marketo.create(items, lookup="email", partition="EMEA")
    assert (first.status, first.ref) == (Status.CREATED, Ref(Table.PERSON, "7"))
    assert (second.status, second.ref, second.cause) == (Status.EXISTS, None, Cause.KEY_TAKEN)
    (body,) = room.account.bodies(LEADS)
    assert (body["action"], body["lookupField"], body["partitionName"]) == ("createOnly", "email", "EMEA")
    assert body["input"] == [{"email": "a@b.c", "firstName": "Ann"}, {"email": "d@e.f"}]


def test_a_person_without_the_lookup_value_is_not_sent() -> None:
    room = Room({LEADS: done})
    items = [create(None, dynPersonGuid="g1"), create(" "), create("a@b.c")]
    outcomes = room.marketo.create(items)
    assert statuses(outcomes) == ["refused", "refused", "created"]
    assert (outcomes[0].cause, outcomes[0].column) == (Cause.REQUIRED_MISSING, "email")
    assert statuses(room.marketo.create(items[:1], lookup="dynPersonGuid")) == ["created"]


@pytest.mark.parametrize(
    ("code", "message", "status", "cause", "column"),
    [
        ("1003", "Invalid value for field 'pct' and value '100%'", Status.REFUSED, Cause.WRONG_TYPE, "pct"),
        ("1006", "Field 'nope' not found", Status.REFUSED, Cause.COLUMN_MISSING, "nope"),
        ("1007", "Multiple lead match lookup criteria", Status.REFUSED, Cause.SEVERAL_MATCHES, ""),
        ("1010", "Partition update not allowed", Status.REFUSED, Cause.PARTITION, ""),
        ("1014", "Failed to create Object", Status.LATER, Cause.UNAVAILABLE, ""),
        ("1021", "Company update not allowed", Status.REFUSED, Cause.COMPANY_FIELD, ""),
        ("1999", "Never heard of", Status.REFUSED, Cause.UNKNOWN, ""),
    ],
)
def test_a_skipped_record_keeps_its_reason(code: str, message: str, status: Status, cause: Cause, column: str) -> None:
    room = Room({LEADS: ok(skipped(code, message), {"id": 2, "status": "updated"})})
    bad, good = room.marketo.update([update(1), update(2)])
    assert (bad.status, bad.cause, bad.column, bad.code, bad.message) == (status, cause, column, code, message)
    assert good.status is Status.UPDATED


def test_a_row_that_says_nothing_may_be_repeated() -> None:
    room = Room({LEADS: ok({"status": "created"}, {"status": "dancing", "id": 4})})
    outcomes = room.marketo.create([create("a@b.c"), create("d@e.f")])
    assert statuses(outcomes) == ["later", "later"]
    assert outcomes[0].cause == Cause.MALFORMED_ANSWER


@pytest.mark.parametrize(
    "reply",
    [
        ok({"id": 1, "status": "updated"}),
        ok(),
        ok({"id": 2, "status": "updated"}, {"id": 1, "status": "updated"}),
        ok("text", "text"),
        {"requestId": "1", "success": True},
        httpx.Response(200, text='{"success":true,"result":[{"id":1,'),
        httpx.Response(200, text="<html>gateway</html>"),
        failed("502", "Bad Gateway"),
        httpx.Response(504, text="time-out"),
    ],
)
def test_an_answer_that_does_not_fit_what_was_sent_is_no_answer(reply: Reply) -> None:
    room = Room({LEADS: reply})
    with pytest.raises(errors.NoAnswer):
        room.marketo.update([update(1), update(2)])
    assert len(room.account.to(LEADS)) == 1


def test_three_hundred_records_make_a_call() -> None:
    room = Room({LEADS: done})
    outcomes = room.marketo.update([update(number) for number in range(1, 702)])
    assert [len(body["input"]) for body in room.account.bodies(LEADS)] == [300, 300, 101]
    assert [outcome.ref and outcome.ref.id for outcome in outcomes] == [str(number) for number in range(1, 702)]


def test_a_call_stays_under_a_megabyte_counted_in_bytes() -> None:
    room = Room({LEADS: done})
    outcomes = room.marketo.update([update(number, mktoPersonNotes="漢" * 10_000) for number in range(1, 101)])
    sizes = [len(call.content) for call in room.account.to(LEADS)]
    assert max(sizes) < requests.MOST_BYTES
    assert len(sizes) == 4
    assert set(statuses(outcomes)) == {"updated"}


def test_a_record_larger_than_a_call_is_refused_alone() -> None:
    room = Room({LEADS: done})
    outcomes = room.marketo.update([update(1, mktoPersonNotes="x" * 10_000_000), update(2)])
    assert statuses(outcomes) == ["refused", "updated"]
    assert outcomes[0].cause == Cause.TOO_LARGE


def test_one_address_or_id_is_never_twice_in_a_call() -> None:
    room = Room({LEADS: done})
    room.marketo.create([create("a@b.c"), create(" A@B.C "), create("d@e.f"), create("a@b.c")])
    assert [[row["email"] for row in body["input"]] for body in room.account.bodies(LEADS)] == [
        ["a@b.c", "d@e.f"],
        [" A@B.C "],
        ["a@b.c"],
    ]
    room = Room({LEADS: done})
    room.marketo.update([update(1, firstName="a"), update(1, firstName="b"), update(2)])
    assert [[row["id"] for row in body["input"]] for body in room.account.bodies(LEADS)] == [[1, 2], [1]]


def test_two_writes_of_one_person_keep_their_order_even_when_the_first_must_wait_for_room() -> None:
    room = Room({LEADS: done})
    filler = [update(number, mktoPersonNotes="x" * 30_000) for number in range(1, 33)]
    large, small = update(99, mktoPersonNotes="y" * 60_000), update(99, firstName="last")
    room.marketo.update([*filler, large, small])
    sent = [row for body in room.account.bodies(LEADS) for row in body["input"] if row["id"] == 99]
    assert [set(row) - {"id"} for row in sent] == [{"mktoPersonNotes"}, {"firstName"}]


def test_people_created_by_our_id_keep_their_addresses_apart_too() -> None:
    room = Room({LEADS: done})
    items = [create("a@b.c", dynPersonGuid="g1"), create("a@b.c", dynPersonGuid="g2")]
    room.marketo.create(items, lookup="dynPersonGuid")
    assert len(room.account.bodies(LEADS)) == 2


@pytest.mark.parametrize("code", ["611", "604"])
@pytest.mark.parametrize("bad", [{1}, {150}, {300}, {7, 250}])
def test_a_record_that_crashes_the_call_is_found_by_halving(code: str, bad: set[int]) -> None:
    room = Room({LEADS: poisoned(bad, code)})
    outcomes = room.marketo.update([update(number) for number in range(1, 301)])
    expected = "refused" if code == "611" else "later"
    assert {index + 1 for index, outcome in enumerate(outcomes) if str(outcome.status) == expected} == bad
    assert statuses(outcomes).count("updated") == 300 - len(bad)
    assert len(room.account.to(LEADS)) <= 1 + 2 * 9 * len(bad)


def test_a_body_that_marketo_finds_too_large_is_halved() -> None:
    def reply(request: httpx.Request) -> Any:
        return httpx.Response(413) if len(json.loads(request.content)["input"]) > 80 else done(request)

    room = Room({LEADS: reply})
    assert set(statuses(room.marketo.update([update(number) for number in range(1, 301)]))) == {"updated"}


def test_a_crash_that_spares_nobody_is_given_up_soon() -> None:
    room = Room({LEADS: failed("611", "System error")})
    outcomes = room.marketo.update([update(number) for number in range(1, 301)])
    assert set(statuses(outcomes)) == {"later"}
    assert len(room.account.to(LEADS)) == 15


def test_a_field_nobody_knows_costs_only_the_records_that_carry_it() -> None:
    def reply(request: httpx.Request) -> dict[str, Any]:
        rows = json.loads(request.content)["input"]
        return failed("1006", "Field 'nope' not found") if any("nope" in row for row in rows) else done(request)

    room = Room({LEADS: reply})
    outcomes = room.marketo.update([update(1, nope="x"), update(2), update(3, nope="y")])
    assert statuses(outcomes) == ["refused", "updated", "refused"]
    assert (outcomes[0].cause, outcomes[0].column) == (Cause.COLUMN_MISSING, "nope")
    assert len(room.account.to(LEADS)) == 2


def test_a_person_said_to_be_gone_by_the_whole_call_is_told_apart() -> None:
    room = Room({LEADS: poisoned({2}, "1004")})
    assert statuses(room.marketo.update([update(1), update(2), update(3)])) == ["updated", "gone", "updated"]


def test_nobody_is_gone_because_a_whole_batch_was_refused() -> None:
    room = Room({LEADS: failed("1004", "Lead not found")})
    assert set(statuses(room.marketo.update([update(number) for number in range(1, 301)]))) == {"later"}


def test_a_wrong_partition_is_every_records_failure() -> None:
    room = Room({LEADS: failed("1008", "Access denied to partition 'EMEA'")})
    outcomes = room.marketo.create([create("a@b.c"), create("d@e.f")], partition="EMEA")
    assert [(outcome.status, outcome.cause) for outcome in outcomes] == [(Status.REFUSED, Cause.PARTITION)] * 2
    assert len(room.account.to(LEADS)) == 1


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (failed("603", "Access denied"), errors.PermissionMissing),
        (failed("606", "Max rate"), errors.Throttled),
        (failed("609", "Invalid JSON"), errors.Refused),
        (httpx.ConnectError("no"), errors.Unreachable),
    ],
)
def test_a_first_call_that_fails_as_a_whole_raises(reply: Reply, kind: type[errors.ConnectorError]) -> None:
    with pytest.raises(kind):
        Room({LEADS: reply}).marketo.update([update(1)])


def test_a_later_call_without_an_answer_puts_the_whole_write_in_doubt() -> None:
    room = Room({LEADS: [done, httpx.ReadError("cut")]})
    with pytest.raises(errors.NoAnswer):
        room.marketo.update([update(number) for number in range(1, 702)])
    assert len(room.account.to(LEADS)) == 2


def test_a_later_call_that_was_not_executed_leaves_what_is_known() -> None:
    room = Room({LEADS: [done, failed("607", "Daily quota reached")]})
    outcomes = room.marketo.update([update(number) for number in range(1, 702)])
    assert statuses(outcomes) == ["updated"] * 300 + ["later"] * 401
    assert {outcomes[300].cause, outcomes[599].cause} == {Cause.QUOTA_SPENT}
    assert {outcomes[600].cause, outcomes[700].cause} == {Cause.UNAVAILABLE}
    assert len(room.account.to(LEADS)) == 2


def test_values_that_cannot_be_sent_spare_the_others() -> None:
    room = Room({LEADS: done})
    outcomes = room.marketo.update(
        [update(1, annualRevenue="much"), update("x"), update(3, firstName="\ud83d"), update(4)]
    )
    assert statuses(outcomes) == ["refused", "refused", "refused", "updated"]
    assert [outcome.cause for outcome in outcomes[:3]] == [
        Cause.WRONG_TYPE,
        Cause.WRONG_TYPE,
        Cause.ILLEGAL_CHARACTERS,
    ]
    assert len(room.account.bodies(LEADS)[0]["input"]) == 1


def test_nothing_to_write_is_no_call() -> None:
    room = Room({})
    assert (room.marketo.update([]), room.marketo.create([]), room.marketo.log([])) == ([], [], [])
    assert room.account.asked == []


def entry(person: int | str = 40217, **attributes: str) -> LogEntry:
    return LogEntry(str(person), AT, 100003, "Created", attributes)


def test_log_entries_are_posted_and_answered_one_by_one() -> None:
    added = {"id": 902113500, "marketoGUID": "902113500", "status": "added"}
    room = Room({LOG: ok(added, skipped("1004", "Lead not found", under="errors"))})
    first, second = room.marketo.log([entry(crmEntity="contact"), entry(99999999)])
    assert (first.status, first.ref) == (Status.CREATED, Ref(Table.PERSON, "40217"))
    assert (second.status, second.ref, second.code) == (Status.GONE, Ref(Table.PERSON, "99999999"), "1004")
    (body,) = room.account.bodies(LOG)
    assert body["input"][0] == {
        "leadId": 40217,
        "activityDate": "2026-03-04T09:20:11Z",
        "activityTypeId": 100003,
        "primaryAttributeValue": "Created",
        "attributes": [{"apiName": "crmEntity", "value": "contact"}],
    }


def test_log_entries_that_timed_out_are_not_sent_again() -> None:
    room = Room({LOG: failed("604", "Request timed out")})
    with pytest.raises(errors.NoAnswer):
        room.marketo.log([entry(1), entry(2)])
    assert len(room.account.to(LOG)) == 1


def test_the_same_person_may_be_logged_twice_in_a_call() -> None:
    added = {"id": 1, "marketoGUID": "1", "status": "added"}
    room = Room({LOG: ok(added, added)})
    assert statuses(room.marketo.log([entry(), entry()])) == ["created", "created"]


def test_long_attributes_are_cut_at_a_letter_below_the_limit() -> None:
    added = {"id": 1, "marketoGUID": "1", "status": "added"}
    room = Room({LOG: ok(added)})
    room.marketo.log([entry(errorMessage='"\n漢\x01' * 40_000, fields="short", runId="7")])
    attributes = room.account.bodies(LOG)[0]["input"][0]["attributes"]
    assert len(json.dumps(attributes, ensure_ascii=False).encode()) <= 65_536
    texts = {each["apiName"]: each["value"] for each in attributes}
    assert (texts["fields"], texts["runId"]) == ("short", "7")
    assert texts["errorMessage"].endswith("…")
    assert len(texts["errorMessage"]) > 5_000


def test_half_a_letter_in_a_log_text_is_replaced() -> None:
    room = Room({LOG: ok({"id": 1, "marketoGUID": "1", "status": "added"})})
    room.marketo.log([entry(errorMessage="bad \ud83d name")])
    assert room.account.bodies(LOG)[0]["input"][0]["attributes"][0]["value"] == "bad ? name"
