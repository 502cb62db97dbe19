from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from syncadmin.connectors import errors
from syncadmin.connectors.contract import Create, Outcome, Status, Update
from syncadmin.engine.failures import Cause
from syncadmin.engine.records import Raw, Ref, Table
from tests.connectors.dynamics.tenant import (
    IDA,
    NOT_FOUND,
    OLA,
    VIK,
    Tenant,
    address,
    error,
    multipart,
    ok,
    operations,
    refusal,
)

LEAD, OTHER = Ref(Table.LEAD, IDA), Ref(Table.LEAD, VIK)
TOO_LONG = "A validation error occurred.  The length of the 'jobtitle' attribute of the 'lead' entity exceeded the maximum allowed length of '100'."
EXISTS = refusal("0x80040237", "A record with matching key values already exists.")
BULK = "/leads/Microsoft.Dynamics.CRM.CreateMultiple"


def lead(number: int) -> Ref:
    return Ref(Table.LEAD, f"8a41c0de-52f1-ee11-a1fd-{number:012d}")


def create(ref: Ref, **values: Raw) -> Create:
    return Create(ref.table, {"lastname": "Solheim", **values}, ref)


def created(ref: Ref) -> tuple[int, dict[str, Any]]:
    return 201, {"@odata.etag": 'W/"5"', "leadid": ref.id}


def updated(ref: Ref, tag: str = 'W/"6"') -> tuple[int, dict[str, Any]]:
    return 200, {"@odata.etag": tag, "leadid": ref.id}


def ids(request: httpx.Request) -> httpx.Response:
    return ok({"Ids": [row["leadid"] for row in json.loads(request.content)["Targets"]]})


def all_updated(request: httpx.Request) -> httpx.Response:
    return multipart(*((200, {"@odata.etag": 'W/"6"'}) for _ in operations(request)))


def statuses(outcomes: list[Outcome]) -> list[Status]:
    return [outcome.status for outcome in outcomes]


def test_creates_go_in_one_bulk_message_with_their_own_ids() -> None:
    tenant = Tenant().on("POST", BULK, ids)
    owner: Raw = {"id": OLA, "table": "systemuser", "name": "Ola"}
    outcomes = tenant.connector().create([create(LEAD, ownerid=owner, revenue="1250000.10"), create(OTHER)])
    assert json.loads(tenant.asked[0].content) == {
        "Targets": [
            {
                "@odata.type": "Microsoft.Dynamics.CRM.lead",
                "leadid": IDA,
                "lastname": "Solheim",
                "ownerid@odata.bind": f"/systemusers({OLA})",
                "revenue": 1250000.10,
            },
            {"@odata.type": "Microsoft.Dynamics.CRM.lead", "leadid": VIK, "lastname": "Solheim"},
        ]
    }
    assert b'"revenue":1250000.10' in tenant.asked[0].content
    assert outcomes == [Outcome(Status.CREATED, LEAD), Outcome(Status.CREATED, OTHER)]


@pytest.mark.parametrize(
    "reply",
    [
        error(400, "0x80044331", TOO_LONG),
        error(404, NOT_FOUND, f"Entity 'systemuser' With Id = {OLA} Does Not Exist"),
        error(412, "0x80040237", "Cannot insert duplicate key."),
        error(403, "0x80048306", "no WriteAccess right(s) for record"),
        error(500, "0x80040224", "plug-in crashed"),
        error(500, "0x80040216", "An unexpected error occurred."),
    ],
)
def test_a_bad_row_is_isolated_and_the_others_are_created(reply: httpx.Response) -> None:
    tenant = Tenant().on("POST", BULK, reply)
    tenant.on("POST", "$batch", multipart(created(LEAD), (400, refusal("0x80044331", TOO_LONG))))
    first, second = tenant.connector().create([create(LEAD), create(OTHER, jobtitle="x" * 101)])
    assert first == Outcome(Status.CREATED, LEAD, 'W/"5"', request_id="req-201")
    assert (second.status, second.ref, second.cause, second.column) == (
        Status.REFUSED,
        None,
        Cause.TOO_LONG,
        "jobtitle",
    )
    assert second.code == "0x80044331"
    method, path, headers, body = operations(tenant.asked[-1])[1]
    assert (method, path) == ("POST", "/api/data/v9.2/leads?$select=leadid")
    assert body["leadid"] == VIK
    assert headers["Prefer"] == "return=representation"
    assert "MSCRM.SuppressDuplicateDetection" not in headers
    assert tenant.asked[-1].headers["Prefer"] == "odata.continue-on-error"


def test_a_disabled_owner_holds_back_its_own_row_only() -> None:
    reply = refusal("0x80040225", f"The specified user(Id = {OLA}) is disabled. Consider enabling this user.")
    tenant = Tenant().on("POST", BULK, httpx.Response(403, json=reply))
    tenant.on("POST", "$batch", multipart(created(LEAD), (403, reply)))
    first, second = tenant.connector().create([create(LEAD), create(OTHER, ownerid={"id": OLA, "table": "systemuser"})])
    assert first.status is Status.CREATED
    assert (second.status, second.cause, second.column) == (Status.REFUSED, Cause.OWNER_DISABLED, "ownerid")


def test_duplicate_detection_is_asked_for_row_by_row() -> None:
    gone = (404, refusal(NOT_FOUND, f"Entity 'lead' With Id = {VIK} Does Not Exist"))
    hit = (412, refusal("0x80040333", "a duplicate"))
    tenant = Tenant().on("POST", "$batch", multipart(created(LEAD), hit), multipart(gone))
    outcomes = tenant.connector().create([create(LEAD), create(OTHER)], detect_duplicates=True)
    assert [(outcome.status, outcome.ref) for outcome in outcomes] == [(Status.CREATED, LEAD), (Status.DUPLICATE, None)]
    assert all(
        headers["MSCRM.SuppressDuplicateDetection"] == "false" for _, _, headers, _ in operations(tenant.asked[0])
    )


def test_a_create_without_an_answer_is_repeated_and_finds_its_own_id() -> None:
    tenant = Tenant().on("POST", BULK, httpx.ReadTimeout("slow"), error(412, "0x80040237", "exists"))
    held = multipart((200, {"@odata.etag": 'W/"9"', "leadid": IDA}), (200, {"@odata.etag": 'W/"9"', "leadid": VIK}))
    # halved after the time-out: each goes alone, is told "exists", and its own id is looked up
    single = [multipart((412, EXISTS)), multipart((200, {"@odata.etag": 'W/"9"', "leadid": IDA}))]
    tenant.on("POST", "$batch", *single, *single, held)
    outcomes = tenant.connector().create([create(LEAD), create(OTHER)])
    assert [(outcome.status, outcome.ref, outcome.version) for outcome in outcomes] == [
        (Status.EXISTS, LEAD, 'W/"9"'),
        (Status.EXISTS, OTHER, 'W/"9"'),
    ]
    assert operations(tenant.asked[2])[0][:2] == ("GET", f"/api/data/v9.2/leads({IDA})?$select=leadid")


def test_a_duplicate_that_is_our_own_earlier_write_exists() -> None:
    hit = multipart((412, refusal("0x80040333", "a duplicate")))
    held = multipart((200, {"@odata.etag": 'W/"9"', "leadid": IDA}))
    tenant = Tenant().on("POST", "$batch", httpx.ReadTimeout("slow"), hit, held)
    outcome = tenant.connector().create([create(LEAD)], detect_duplicates=True)[0]
    assert (outcome.status, outcome.ref, outcome.version) == (Status.EXISTS, LEAD, 'W/"9"')


def test_exists_is_not_ours_when_our_id_is_not_there() -> None:
    gone = (404, refusal(NOT_FOUND, f"Entity 'lead' With Id = {IDA} Does Not Exist"))
    tenant = Tenant().on("POST", "$batch", multipart((412, EXISTS)), multipart(gone))
    outcome = tenant.connector().create([create(LEAD)])[0]
    assert (outcome.status, outcome.ref, outcome.cause) == (Status.EXISTS, None, Cause.KEY_TAKEN)


def test_an_alternate_key_taken_by_another_names_no_record() -> None:
    text = "A record that has the attribute values Marketo id already exists. The entity key Marketo id requires ..."
    for code in ("0x80060892", "0x80040237"):
        tenant = Tenant().on("POST", "$batch", multipart((412, refusal(code, text))))
        outcome = tenant.connector().create([create(LEAD)])[0]
        assert (outcome.status, outcome.ref) == (Status.EXISTS, None)
        assert len(tenant.asked) == 1


@pytest.mark.parametrize(
    "reply",
    [
        error(404, "0x8006088a", "Resource not found for the segment 'x'."),
        error(501, "", ""),
        error(400, "", "CreateMultiple has not yet been implemented."),
    ],
)
def test_a_table_without_the_bulk_message_is_remembered(reply: httpx.Response) -> None:
    tenant = Tenant().on("POST", BULK, reply).on("POST", "$batch", lambda _: multipart(created(LEAD), created(OTHER)))
    dynamics = tenant.connector()
    for _ in range(2):
        assert statuses(dynamics.create([create(LEAD), create(OTHER)])) == [Status.CREATED, Status.CREATED]
    assert [BULK in address(asked) for asked in tenant.asked] == [True, False, False]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (error(429, "0x80072322", "limit", Retry_After="300"), errors.Throttled),
        (error(401, "", ""), errors.SignInRefused),
        (error(403, "0x80040220", "is missing prvCreateLead privilege"), errors.PermissionMissing),
        (error(403, "0x80042f09", "no role"), errors.PermissionMissing),
        (error(503, "", ""), errors.Unavailable),
        (httpx.ConnectError("no"), errors.Unreachable),
        (ok({"Ids": [VIK]}), errors.Malformed),
        (ok("<html>"), errors.Malformed),
    ],
)
def test_what_concerns_the_whole_call_is_raised(reply: httpx.Response, kind: type[errors.ConnectorError]) -> None:
    tenant = Tenant().on("POST", BULK, reply)
    with pytest.raises(kind):
        tenant.connector().create([create(LEAD), create(OTHER)])
    assert all(BULK in address(asked) for asked in tenant.asked)


@pytest.mark.parametrize(
    ("values", "cause", "column"),
    [
        ({"nvk_gone": "x"}, Cause.COLUMN_MISSING, "nvk_gone"),
        ({"revenue": "lots"}, Cause.WRONG_TYPE, "revenue"),
        ({"revenue": "NaN"}, Cause.WRONG_TYPE, "revenue"),
        ({"ownerid": {"id": "x", "table": "systemuser"}}, Cause.WRONG_TYPE, "ownerid"),
        ({"ownerid": {"id": OLA, "table": "queue"}}, Cause.WRONG_TYPE, "ownerid"),
        ({"ownerid": OLA}, Cause.WRONG_TYPE, "ownerid"),
        ({"jobtitle": {"id": OLA}}, Cause.WRONG_TYPE, "jobtitle"),
        ({"jobtitle": "half an emoji \ud83d"}, Cause.ILLEGAL_CHARACTERS, "jobtitle"),
    ],
)
def test_what_no_request_can_carry_is_refused_and_the_rest_is_sent(
    values: dict[str, Raw], cause: Cause, column: str
) -> None:
    tenant = Tenant().on("POST", "$batch", multipart(created(OTHER)))
    bad, good = tenant.connector().create([create(LEAD, **values), create(OTHER)])
    assert (bad.status, bad.ref, bad.cause, bad.column) == (Status.REFUSED, None, cause, column)
    assert good.status is Status.CREATED
    assert [body["leadid"] for _, _, _, body in operations(tenant.asked[0])] == [VIK]


def test_lookups_are_bound_by_their_navigation_property() -> None:
    tenant = Tenant().on("POST", "$batch", multipart(updated(LEAD)))
    team: Raw = {"id": OLA.upper(), "table": "team", "name": None}
    account: Raw = {"id": VIK, "table": "account"}
    tenant.connector().update([Update(LEAD, {"ownerid": team, "customerid": account, "parentcontactid": None})])
    assert operations(tenant.asked[0])[0][3] == {
        "ownerid@odata.bind": f"/teams({OLA})",
        "customerid_account@odata.bind": f"/accounts({VIK})",
        "parentcontactid@odata.bind": None,
    }


def test_updates_carry_their_version_and_return_the_new_one() -> None:
    tenant = Tenant().on("POST", "$batch", multipart(updated(LEAD), updated(OTHER, 'W/"7"')))
    changes: list[Update] = [Update(LEAD, {"jobtitle": None}, 'W/"4"'), Update(OTHER, {"donotemail": False})]
    outcomes = tenant.connector().update(changes)
    assert [(outcome.status, outcome.ref, outcome.version) for outcome in outcomes] == [
        (Status.UPDATED, LEAD, 'W/"6"'),
        (Status.UPDATED, OTHER, 'W/"7"'),
    ]
    first, second = operations(tenant.asked[0])
    assert first[0:2] == ("PATCH", f"/api/data/v9.2/leads({IDA})?$select=leadid")
    assert (first[2]["If-Match"], first[3]) == ('W/"4"', {"jobtitle": None})
    assert (second[2]["If-Match"], second[3]) == ("*", {"donotemail": False})


def test_each_answer_of_a_batch_lands_on_its_own_record() -> None:
    replies = [
        updated(lead(0)),
        (
            412,
            refusal("0x80060882", "The version of the existing record doesn't match the RowVersion property provided."),
        ),
        (404, refusal(NOT_FOUND, f"Entity 'lead' With Id = {lead(2).id} Does Not Exist")),
        (400, refusal("0x80040265", "Our policy forbids this title.")),
        (500, refusal("0x80044151", "Generic SQL error.")),
        (404, refusal(NOT_FOUND, f"Entity 'systemuser' With Id = {OLA} Does Not Exist")),
    ]
    tenant = Tenant().on("POST", "$batch", multipart(*replies))
    values: dict[str, Raw] = {"ownerid": {"id": OLA, "table": "systemuser"}}
    outcomes = tenant.connector().update([Update(lead(number), values) for number in range(6)])
    assert [(outcome.status, outcome.cause) for outcome in outcomes] == [
        (Status.UPDATED, ""),
        (Status.STALE, Cause.UNKNOWN),
        (Status.GONE, Cause.NOT_FOUND),
        (Status.REFUSED, Cause.REFUSED_BY_PLUGIN),
        (Status.LATER, Cause.UNAVAILABLE),
        (Status.REFUSED, Cause.OWNER_UNKNOWN),
    ]
    assert outcomes[3].message == "Our policy forbids this title."
    assert [outcome.ref for outcome in outcomes] == [lead(number) for number in range(6)]


def test_throttling_inside_a_batch_delays_its_record_and_stops_the_rest() -> None:
    throttled = (429, refusal("0x80072322", "limit"))
    tenant = Tenant().on(
        "POST", "$batch", lambda request: multipart(updated(LEAD), *[throttled] * (len(operations(request)) - 1))
    )
    outcomes = tenant.connector().update([Update(lead(number), {"jobtitle": "x"}) for number in range(150)])
    assert statuses(outcomes) == [Status.UPDATED] + [Status.LATER] * 149
    assert {outcome.cause for outcome in outcomes[1:]} == {Cause.THROTTLED}
    assert tenant.budget.pauses == [tenant.clock.now + timedelta(seconds=45)]
    assert len(tenant.asked) == 1


def test_a_batch_that_stopped_early_leaves_the_rest_for_later() -> None:
    tenant = Tenant().on("POST", "$batch", multipart(updated(LEAD), (400, refusal("0x80044331", TOO_LONG)), status=400))
    outcomes = tenant.connector().update([Update(lead(number), {"jobtitle": "x"}) for number in range(3)])
    assert statuses(outcomes) == [Status.UPDATED, Status.REFUSED, Status.LATER]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (error(400, "0x80048d19", "Stream was not readable."), errors.Refused),
        (error(429, "0x80072322", "limit", Retry_After="300"), errors.Throttled),
        (httpx.Response(200, text="<html>"), errors.Malformed),
        (multipart(updated(LEAD), updated(LEAD)), errors.Malformed),
        (httpx.ReadTimeout("slow"), errors.NoAnswer),
    ],
)
def test_a_batch_refused_as_a_whole_is_raised(reply: httpx.Response, kind: type[errors.ConnectorError]) -> None:
    with pytest.raises(kind):
        Tenant().on("POST", "$batch", reply).connector().update([Update(LEAD, {"jobtitle": "x"})])


def test_an_error_after_some_chunks_keeps_what_was_done() -> None:
    tenant = Tenant().on("POST", "$batch", all_updated, error(429, "0x80072322", "limit", Retry_After="300"))
    outcomes = tenant.connector().update([Update(lead(number), {"jobtitle": "x"}) for number in range(150)])
    assert statuses(outcomes) == [Status.UPDATED] * 100 + [Status.LATER] * 50
    assert outcomes[149].cause is Cause.THROTTLED
    assert outcomes[149].ref == lead(149)


def sizes(tenant: Tenant) -> list[int]:
    return [len(operations(asked)) for asked in tenant.asked]


def test_time_outs_halve_the_batch_and_quick_answers_let_it_grow() -> None:
    tenant = Tenant().on("POST", "$batch", httpx.ReadTimeout("slow"), all_updated)
    dynamics = tenant.connector()
    items = [Update(lead(number), {"jobtitle": "x"}) for number in range(100)]
    assert statuses(dynamics.update(items)) == [Status.UPDATED] * 100
    assert sizes(tenant) == [100, 50, 50]
    tenant.asked.clear()
    dynamics.update(items)
    assert sizes(tenant) == [62, 38]


def test_slow_answers_make_the_next_batches_smaller() -> None:
    tenant = Tenant()

    def slowly(request: httpx.Request) -> httpx.Response:
        tenant.clock.sleep(9)
        return all_updated(request)

    tenant.on("POST", "$batch", slowly)
    dynamics = tenant.connector()
    dynamics.update([Update(lead(number), {"jobtitle": "x"}) for number in range(100)])
    dynamics.update([Update(lead(number), {"jobtitle": "x"}) for number in range(100)])
    assert sizes(tenant) == [100, 50, 25, 12, 10, 3]


def test_without_an_answer_to_smaller_pieces_the_call_is_given_up() -> None:
    tenant = Tenant().on("POST", "$batch", httpx.ReadTimeout("slow"))
    with pytest.raises(errors.NoAnswer):
        tenant.connector().update([Update(lead(number), {"jobtitle": "x"}) for number in range(100)])
    assert sizes(tenant) == [100, 50, 25, 12]


def test_a_call_without_an_answer_is_not_reported_as_not_sent() -> None:
    tenant = Tenant().on("POST", "$batch", httpx.ReadTimeout("slow"), httpx.ConnectError("down"))
    with pytest.raises(errors.NoAnswer):
        tenant.connector().update([Update(lead(number), {"jobtitle": "x"}) for number in range(4)])


def test_a_row_too_large_for_any_batch_is_found() -> None:
    def weigh(request: httpx.Request) -> httpx.Response:
        return error(413, "0x8004418a", "too large") if b"HUGE" in request.content else all_updated(request)

    tenant = Tenant().on("POST", "$batch", weigh)
    values: list[Callable[[], dict[str, Raw]]] = [lambda: {"jobtitle": "x"}] * 40
    items = [Update(lead(number), value()) for number, value in enumerate(values)]
    items[17] = Update(lead(17), {"jobtitle": "HUGE"})
    outcomes = tenant.connector().update(items)
    assert [outcome.status for outcome in outcomes].count(Status.UPDATED) == 39
    assert (outcomes[17].status, outcomes[17].cause) == (Status.REFUSED, Cause.TOO_LARGE)


def test_a_version_that_would_break_the_batch_is_stale() -> None:
    tenant = Tenant().on("POST", "$batch", multipart(updated(OTHER)))
    items = [Update(LEAD, {"jobtitle": "x"}, 'W/"4"\r\nX: y'), Update(OTHER, {"jobtitle": "y"}, 'W/"4"')]
    assert statuses(tenant.connector().update(items)) == [Status.STALE, Status.UPDATED]
    assert len(operations(tenant.asked[0])) == 1


def test_nothing_to_send_sends_nothing() -> None:
    tenant = Tenant()
    dynamics = tenant.connector()
    assert dynamics.create([]) == []
    assert dynamics.update([Update(LEAD, {}, 'W/"4"')]) == [Outcome(Status.UPDATED, LEAD, 'W/"4"')]
    assert dynamics.update([Update(Ref(Table.LEAD, "x"), {"jobtitle": "y"})])[0].status is Status.REFUSED
    assert tenant.asked == []


def test_leads_and_contacts_in_one_call_keep_their_places() -> None:
    contact = Ref(Table.CONTACT, VIK)
    tenant = Tenant().on("POST", "$batch", lambda _: multipart((201, {"@odata.etag": 'W/"5"'})))
    outcomes = tenant.connector().create([create(contact), create(LEAD)])
    assert [outcome.ref for outcome in outcomes] == [contact, LEAD]
    assert [operations(asked)[0][1].partition("?")[0] for asked in tenant.asked] == [
        "/api/data/v9.2/contacts",
        "/api/data/v9.2/leads",
    ]
    tenant.asked.clear()
    tenant.on("POST", "$batch", all_updated)
    tenant.connector().update([Update(contact, {"jobtitle": "x"}), Update(LEAD, {"jobtitle": "y"})])
    assert [path.partition("(")[0] for _, path, _, _ in operations(tenant.asked[0])] == [
        "/api/data/v9.2/contacts",
        "/api/data/v9.2/leads",
    ]
