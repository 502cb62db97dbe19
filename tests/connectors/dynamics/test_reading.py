from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import httpx
import pytest

from syncadmin.connectors import errors
from syncadmin.engine.records import Lane, Ref, Table
from tests.connectors.dynamics.tenant import (
    API,
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
    rows,
)

COLUMNS = ["lastname", "ownerid", "revenue", "leadsourcecode"]
ANNOTATED = (
    'odata.include-annotations="OData.Community.Display.V1.FormattedValue,Microsoft.Dynamics.CRM.lookuplogicalname"'
)
DELTA = f"{API}leads?$select=leadid&$deltatoken=4472188%2102%2f03%2f2026%2009%3a20%3a44"
NEXT = f"{API}leads?$select=leadid&$skiptoken=%3Ccookie%20pagenumber=%222%22%20istracking=%22True%22%20/%3E"
LEAD, OTHER = Ref(Table.LEAD, IDA), Ref(Table.LEAD, VIK)


def row(id: str = IDA, **values: object) -> dict[str, object]:
    return {"@odata.etag": 'W/"4470011"', "leadid": id, "modifiedon": "2026-02-03T09:15:27Z", **values}


IDAS = row(
    lastname="Solheim",
    leadsourcecode=7,
    _ownerid_value=OLA.upper(),
    **{
        "_ownerid_value@OData.Community.Display.V1.FormattedValue": "Ola Vik",
        "_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "systemuser",
        "leadsourcecode@OData.Community.Display.V1.FormattedValue": "Trade Show",
    },
)


def test_the_first_page_asks_for_tracking_and_for_lookups_by_their_value() -> None:
    tenant = Tenant().on("GET", "/leads?", rows(IDAS, nextLink=NEXT))
    page = tenant.connector().full_read(Table.LEAD, COLUMNS)
    asked = tenant.asked[0]
    assert address(asked) == API + "leads?$select=leadid,lastname,_ownerid_value,revenue,leadsourcecode,modifiedon"
    assert asked.headers["Prefer"] == f"odata.track-changes,odata.maxpagesize=5000,{ANNOTATED}"
    assert asked.headers["Authorization"] == "Bearer token-1"
    assert (page.cursor, page.more, page.deleted) == (NEXT, True, ())
    record = page.records[0]
    assert record.ref == LEAD
    assert record.version == 'W/"4470011"'
    assert record.modified_at == datetime(2026, 2, 3, 9, 15, 27, tzinfo=UTC)
    # revenue was asked for and not answered: unknown, not empty
    assert record.values == {
        "lastname": "Solheim",
        "leadsourcecode": 7,
        "ownerid": {"id": OLA, "table": "systemuser", "name": "Ola Vik"},
    }


def test_without_lookups_no_annotations_are_asked_for() -> None:
    tenant = Tenant().on("GET", "/leads?", rows(deltaLink=DELTA))
    tenant.connector(page_size=2).full_read(Table.LEAD, ["lastname"])
    assert tenant.asked[0].headers["Prefer"] == "odata.track-changes,odata.maxpagesize=2"


@pytest.mark.parametrize(
    ("json_text", "value"),
    [
        ("5000000.0000", "5000000.0000"),
        ("12", "12"),
        ("1E+3", "1000"),
        ("1e-7", "0.0000001"),
        ("-0.10", "-0.10"),
        ("null", None),
    ],
)
def test_money_stays_exact(json_text: str, value: object) -> None:
    tenant = Tenant().on("GET", f"leads({IDA})", ok(f'{{"leadid": "{IDA}", "revenue": {json_text}}}'))
    assert tenant.connector().fetch([LEAD], ["revenue"]).records[0].values == {"revenue": value}


def test_columns_the_table_lacks_or_hides_are_not_asked_for() -> None:
    tenant = Tenant().on("GET", f"leads({IDA})", ok(row(lastname=None)))
    found = tenant.connector().fetch([LEAD], ["lastname", "nvk_gone", "secretnote"])
    assert address(tenant.asked[0]).endswith("?$select=leadid,lastname,modifiedon")
    assert found.records[0].values == {"lastname": None}


def test_a_page_too_large_to_read_is_asked_for_in_smaller_pieces() -> None:
    heavy = error(413, "0x8004418a", "too large")
    tenant = Tenant().on("GET", "/leads?", heavy, heavy, rows(row(), nextLink=NEXT))
    page = tenant.connector().full_read(Table.LEAD, ["lastname"])
    assert page.more
    assert [asked.headers["Prefer"].rpartition("=")[2] for asked in tenant.asked] == ["5000", "625", "78"]
    with pytest.raises(errors.TooLarge):
        Tenant().on("GET", "deltatoken", heavy).connector(page_size=9).changes(Table.LEAD, [], DELTA)


def test_a_value_of_an_unknown_shape_is_left_out() -> None:
    tenant = Tenant().on("GET", f"leads({IDA})", ok(row(lastname={"a": 1}, jobtitle="x")))
    assert tenant.connector().fetch([LEAD], ["lastname", "jobtitle"]).records[0].values == {"jobtitle": "x"}


def test_the_last_page_brings_the_delta_link() -> None:
    tenant = Tenant().on("GET", "skiptoken", rows(row(), deltaLink=DELTA))
    page = tenant.connector().full_read(Table.LEAD, COLUMNS, NEXT)
    assert (page.cursor, page.more) == (DELTA, False)
    assert str(tenant.asked[0].url) == NEXT
    assert tenant.asked[0].headers["Prefer"].startswith("odata.track-changes,odata.maxpagesize=5000")


def test_a_tracked_read_that_ends_without_a_link_is_malformed() -> None:
    with pytest.raises(errors.Malformed):
        Tenant().on("GET", "/leads?", rows(row())).connector().full_read(Table.LEAD, COLUMNS)


def test_changes_tell_updates_from_deletes() -> None:
    gone = {"@odata.context": f"{API}$metadata#leads/$deletedEntity", "id": VIK.upper(), "reason": "deleted"}
    tenant = Tenant().on("GET", "deltatoken", rows(row(lastname="Berg"), gone, deltaLink=DELTA + "9"))
    page = tenant.connector().changes(Table.LEAD, COLUMNS, DELTA)
    assert unquote(str(tenant.asked[0].url)) == unquote(DELTA)
    assert [record.ref for record in page.records] == [LEAD]
    assert page.deleted == (OTHER,)
    assert (page.cursor, page.more) == (DELTA + "9", False)


@pytest.mark.parametrize(
    "reply",
    [
        error(400, "0x80044352", "Version stamp associated with the client has expired. Please perform a full sync."),
        error(400, "", "Malformed token"),
        error(404, "", "nothing here"),
        error(410, "", "gone"),
    ],
)
def test_a_delta_link_no_longer_accepted_is_an_expired_cursor(reply: httpx.Response) -> None:
    with pytest.raises(errors.CursorExpired):
        Tenant().on("GET", "deltatoken", reply).connector().changes(Table.LEAD, COLUMNS, DELTA)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (error(403, "0x80040220", "is missing prvReadLead privilege"), errors.PermissionMissing),
        (error(429, "0x80072322", "limit", Retry_After="300"), errors.Throttled),
        (error(503, "", ""), errors.Unavailable),
        (error(401, "", ""), errors.SignInRefused),
        (error(400, "0x80072491", "Entity lead isn't enabled for change tracking."), errors.Refused),
        (ok("<html>"), errors.Malformed),
        (httpx.ReadTimeout("slow"), errors.NoAnswer),
    ],
)
def test_rights_throttling_and_faults_do_not_cost_the_cursor(
    reply: httpx.Response, kind: type[errors.ConnectorError]
) -> None:
    with pytest.raises(errors.ConnectorError) as caught:
        Tenant().on("GET", "deltatoken", reply).connector().changes(Table.LEAD, COLUMNS, DELTA)
    assert type(caught.value) is kind


def test_a_link_to_another_host_is_not_followed_with_our_token() -> None:
    tenant = Tenant()
    with pytest.raises(errors.Refused):
        tenant.connector().changes(Table.LEAD, COLUMNS, "https://evil.example/api/data/v9.2/leads?$deltatoken=1")
    assert tenant.asked == []


def test_a_foreign_next_link_is_not_followed_either() -> None:
    tenant = Tenant().on("GET", "/leads?", rows(row(lastname="x"), nextLink="https://evil.example/leads?page=2"))
    with pytest.raises(errors.Refused):
        tenant.connector().find(Table.LEAD, "lastname", ["x"], ["lastname"])
    assert len(tenant.asked) == 1


def test_modified_since_has_a_stable_order_and_ends_without_a_cursor() -> None:
    tenant = Tenant().on("GET", "$filter", rows(row(), nextLink=NEXT)).on("GET", "skiptoken", rows(row(VIK)))
    dynamics = tenant.connector()
    since = datetime(2026, 2, 3, 10, 0, 0, 999, tzinfo=UTC).astimezone(tz=None)
    page = dynamics.modified_since(Table.LEAD, ["lastname"], since)
    assert "$filter=modifiedon ge 2026-02-03T10:00:00Z&$orderby=modifiedon asc,leadid asc" in address(tenant.asked[0])
    assert "track" not in tenant.asked[0].headers["Prefer"]
    last = dynamics.modified_since(Table.LEAD, ["lastname"], since, page.cursor)
    assert (page.more, last.more, last.cursor) == (True, False, "")
    assert last.records[0].ref == OTHER


def test_what_a_list_lacks_is_asked_for_by_id_and_only_a_404_of_its_own_is_gone() -> None:
    third, fourth = (Ref(Table.LEAD, IDA[:-1] + digit) for digit in "89")
    tenant = Tenant().on("GET", "$filter", rows(row()))
    tenant.on(
        "POST",
        "$batch",
        multipart(
            (404, refusal(NOT_FOUND, f"Entity 'lead' With Id = {VIK} Does Not Exist")),
            (200, row(third.id, lastname="Late")),
            (403, refusal("0x80048306", "Principal with id x does not have ReadAccess right(s) for record with id y")),
        ),
    )
    found = tenant.connector().fetch([LEAD, OTHER, third, fourth], ["lastname"])
    assert f"$filter=leadid eq {IDA} or leadid eq {VIK} or" in address(tenant.asked[0])
    assert [asked[1] for asked in operations(tenant.asked[1])] == [
        f"/api/data/v9.2/leads({ref.id})?$select=leadid,lastname,modifiedon" for ref in (OTHER, third, fourth)
    ]
    assert [record.ref for record in found.records] == [LEAD, third]
    assert found.gone == (OTHER,)


@pytest.mark.parametrize(
    ("reply", "gone"),
    [
        (error(404, NOT_FOUND, f"Entity 'lead' With Id = {IDA} Does Not Exist"), True),
        (error(404, NOT_FOUND.upper().replace("X", "x"), f"lead With Id = {IDA} Does Not Exist"), True),
        (error(403, "0x80048306", "no ReadAccess right(s) for record"), False),
    ],
)
def test_one_record_is_asked_for_directly(reply: httpx.Response, gone: bool) -> None:
    found = Tenant().on("GET", f"leads({IDA})", reply).connector().fetch([LEAD], ["lastname"])
    assert found.records == ()
    assert found.gone == ((LEAD,) if gone else ())


@pytest.mark.parametrize(
    "reply",
    [
        error(404, "0x8006088a", "Resource not found for the segment 'leads'."),
        error(404, "", "No HTTP resource was found that matches the request URI."),
        error(404, NOT_FOUND, f"Entity 'organization' With Id = {OLA} Does Not Exist"),
        httpx.Response(404, text="<html>not here</html>"),
        error(403, "0x80040220", "is missing prvReadLead privilege"),
    ],
)
def test_any_other_404_or_missing_right_is_an_error_and_never_a_delete(reply: httpx.Response) -> None:
    with pytest.raises((errors.Refused, errors.PermissionMissing)):
        Tenant().on("GET", f"leads({IDA})", reply).connector().fetch([LEAD], ["lastname"])


def test_ids_that_are_no_guids_are_neither_found_nor_gone() -> None:
    tenant = Tenant()
    found = tenant.connector().fetch([Ref(Table.LEAD, "x') or true")], ["lastname"])
    assert (found.records, found.gone, tenant.asked) == ((), (), [])


def test_people_are_found_by_address_whatever_it_holds() -> None:
    wanted = ["Ida+list@x.example", "o'neill@x.example", 'a"b@x.example', " ", "ida+list@x.example"]
    held = [row(IDA, emailaddress1="IDA+LIST@x.example "), row(VIK, emailaddress1="idä+list@x.example")]
    tenant = Tenant().on("GET", "Microsoft.Dynamics.CRM.In", rows(*held))
    found = tenant.connector().find(Table.LEAD, "emailaddress1", wanted, ["lastname"])
    raw = tenant.asked[0].url.raw_path.decode()
    assert "%2B" in raw
    assert "+" not in raw
    assert unquote(raw).endswith(
        "$filter=Microsoft.Dynamics.CRM.In(PropertyName='emailaddress1',PropertyValues="
        '["Ida+list@x.example","o\'neill@x.example","a\\"b@x.example","ida+list@x.example"])'
    )
    assert [record.ref for record in found] == [LEAD]  # the accent makes the other one somebody else


def test_many_values_are_asked_for_in_several_queries_of_at_most_a_hundred() -> None:
    tenant = Tenant().on("GET", "In(", lambda _: rows())
    tenant.connector().find(Table.LEAD, "emailaddress1", [f"p{n}@x.example" for n in range(230)], [])
    assert [address(asked).count("@x.example") for asked in tenant.asked] == [100, 100, 30]
    tenant.asked.clear()
    tenant.connector().find(Table.LEAD, "emailaddress1", ["ü" * 900 + f"{n}@x.example" for n in range(12)], [])
    assert len(tenant.asked) == 6
    assert all(len(asked.url.raw_path) < 32_768 for asked in tenant.asked)


def test_lookups_and_choices_are_compared_bare() -> None:
    tenant = Tenant().on("GET", "$filter", lambda _: rows(row(_parentcontactid_value=VIK)))
    dynamics = tenant.connector()
    assert dynamics.find(Table.LEAD, "parentcontactid", [VIK.upper(), "nonsense"], [])[0].values["parentcontactid"] == {
        "id": VIK,
        "table": "contact",
        "name": None,
    }
    dynamics.find(Table.LEAD, "leadsourcecode", ["7", "x"], [])
    assert address(tenant.asked[0]).endswith(f"$filter=_parentcontactid_value eq {VIK}")
    assert address(tenant.asked[1]).endswith("$filter=leadsourcecode eq 7")


def test_users_are_found_by_id_or_address() -> None:
    user = {
        "systemuserid": OLA,
        "fullname": "Ola Vik",
        "internalemailaddress": "ola@norvik.example",
        "isdisabled": True,
    }
    tenant = Tenant().on("GET", "systemusers", lambda _: rows(user))
    dynamics = tenant.connector()
    found = dynamics.users(email="o'la@norvik.example")
    assert (found[0].id, found[0].name, found[0].email, found[0].disabled) == (
        OLA,
        "Ola Vik",
        "ola@norvik.example",
        True,
    )
    assert "(internalemailaddress eq 'o''la@norvik.example' or domainname eq 'o''la@norvik.example')" in address(
        tenant.asked[0]
    )
    dynamics.users(id=OLA)
    assert address(tenant.asked[1]).endswith(f"$filter=systemuserid eq {OLA}")
    assert dynamics.users(id="nobody") == []


def test_the_advice_on_parallel_calls_is_passed_on_once() -> None:
    tenant = Tenant().on("GET", "/leads?", lambda _: rows(deltaLink=DELTA))
    tenant.on("GET", "deltatoken", ok({"value": [], "@odata.deltaLink": DELTA}, x_ms_dop_hint="4"))
    dynamics = tenant.connector().for_work(Lane.BACKFILL, "full read")
    for _ in range(2):
        dynamics.changes(Table.LEAD, [], DELTA)
    assert tenant.budget.hints == [4]
    assert (Lane.BACKFILL, "full read") in tenant.budget.calls
    assert (Lane.BACKFILL, "sign-in") in tenant.budget.calls


def test_a_401_is_answered_with_one_new_token() -> None:
    tenant = Tenant().on("GET", "deltatoken", error(401, "", ""), rows(deltaLink=DELTA))
    tenant.connector().changes(Table.LEAD, [], DELTA)
    assert [asked.headers["Authorization"] for asked in tenant.asked] == ["Bearer token-1", "Bearer token-2"]


def test_no_call_outlives_its_deadline() -> None:
    tenant = Tenant()
    dynamics = tenant.connector().for_work(Lane.LIVE, "webhook", tenant.clock.now - timedelta(seconds=1))
    with pytest.raises(errors.DeadlineOver):
        dynamics.changes(Table.LEAD, [], DELTA)
    assert tenant.asked == []
