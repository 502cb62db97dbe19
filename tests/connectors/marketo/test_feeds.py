from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from syncadmin.connectors import errors
from syncadmin.connectors.contract import Line, Merged
from syncadmin.engine.records import Ref, Table
from tests.connectors.marketo.world import Room, failed, form, ok

CHANGES = "/rest/v1/activities/leadchanges.json"
ACTIVITIES = "/rest/v1/activities.json"
DELETED = "/rest/v1/activities/deletedleads.json"
AT = "2026-03-04T09:16:10Z"
MOMENT = datetime(2026, 3, 4, 9, 16, 10, tzinfo=UTC)


def row(kind: int, person: Any = 40217, **more: Any) -> dict[str, Any]:
    return {"marketoGUID": "902113378", "leadId": person, "activityDate": AT, "activityTypeId": kind} | more


def change(name: str, new: Any, old: Any = None) -> dict[str, Any]:
    return {"id": 58, "name": name, "newValue": new, "oldValue": old}


def page(*rows: Any, more: bool = False) -> dict[str, Any]:
    return ok(*rows, nextPageToken="NEXT=", moreResult=more)


def test_a_changed_field_is_a_line_with_its_marks() -> None:
    marks = [
        {"name": "reason", "value": "Web service API"},
        {"name": "Source", "value": "Web service API"},
        {"name": "REQUEST ID", "value": "17c90#19a3c2e0412"},
        {"name": "Lead ID", "value": 40217},
    ]
    fields = [change("mobilePhone", "+372 5550 0177", None)]
    room = Room({CHANGES: page(row(13, fields=fields, attributes=marks, campaignId=2210))})
    read = room.marketo.lead_changes("T=", ["mobilePhone", "email"])
    assert read.lines == (
        Line(
            guid="902113378",
            person="40217",
            at=MOMENT,
            field="mobilePhone",
            old=None,
            new="+372 5550 0177",
            source="Web service API",
            reason="Web service API",
            campaign="2210",
            request_id="17c90#19a3c2e0412",
        ),
    )
    assert (read.token, read.more) == ("NEXT=", False)
    (call,) = room.account.to(CHANGES)
    assert (call.method, call.url.params["_method"]) == ("POST", "GET")
    assert form(call)["fields"] == "mobilePhone,email"
    assert form(call)["nextPageToken"] == "T="


def test_marks_that_an_account_does_not_have_are_empty() -> None:
    read = Room({CHANGES: page(row(13, fields=[change("city", "Riga")]))}).marketo.lead_changes("T", ["city"])
    assert (read.lines[0].source, read.lines[0].campaign, read.lines[0].request_id) == ("", "", "")


def test_several_fields_of_one_activity_become_lines_of_their_own() -> None:
    fields = [change("city", "Riga", "Tartu"), change("doNotCall", True, False)]
    read = Room({CHANGES: page(row(13, fields=fields))}).marketo.lead_changes("T", ["city"])
    assert [(line.guid, line.old, line.new) for line in read.lines] == [
        ("902113378:city", "Tartu", "Riga"),
        ("902113378:doNotCall", "false", "true"),
    ]


def test_new_people_are_mixed_in_each_once() -> None:
    rows = [row(12, 40391), row(13, fields=[change("city", "x")]), row(12, 40391), row(12, "40392"), row(46, 5)]
    read = Room({CHANGES: page(*rows)}).marketo.lead_changes("T", ["city"])
    assert read.created == ("40391", "40392")
    assert len(read.lines) == 1


def test_an_empty_page_with_more_behind_it_is_no_end() -> None:
    empty = {"requestId": "1#1", "success": True, "nextPageToken": "NEXT=", "moreResult": True}
    read = Room({CHANGES: empty}).marketo.lead_changes("T", ["city"])
    assert (read.lines, read.created, read.token, read.more) == ((), (), "NEXT=", True)


@pytest.mark.parametrize(
    "ids", [[40392, 40393], "[40392, 40393]", "40392,40393", "['40392', '40393']", [40217, 40392, 40393]]
)
def test_the_losers_of_a_merge_come_as_array_or_text(ids: Any) -> None:
    merge = row(32, attributes=[{"name": "Merge IDs", "value": ids}])
    read = Room({ACTIVITIES: page(merge)}).marketo.events("T", with_lists=False)
    assert read.merged == (Merged("902113378", "40217", ("40392", "40393"), MOMENT),)


def test_list_additions_are_read_where_wanted() -> None:
    room = Room({ACTIVITIES: page(row(24, primaryAttributeValueId=1207), row(32, attributes=[]), more=True)})
    read = room.marketo.events("T", with_lists=True)
    assert [(each.person, each.list_id) for each in read.listed] == [("40217", "1207")]
    assert read.merged[0].losers == ()
    assert read.more
    assert room.account.asked[-1].url.params["activityTypeIds"] == "32,24"
    room.marketo.events("T", with_lists=False)
    assert room.account.asked[-1].url.params["activityTypeIds"] == "32"


def test_deleted_people_are_a_notice() -> None:
    read = Room({DELETED: page(row(37, 40392), row(37, 40392), row(37, 40393), more=True)}).marketo.deleted("T")
    assert read.deleted == (Ref(Table.PERSON, "40392"), Ref(Table.PERSON, "40393"))
    assert (read.cursor, read.more, read.records) == ("NEXT=", True, ())


@pytest.mark.parametrize(
    ("code", "message"),
    [("1003", "Invalid nextPageToken"), ("1001", "Invalid value 'x'"), ("701", "nextPageToken cannot be blank")],
)
def test_a_refused_token_is_an_expired_cursor(code: str, message: str) -> None:
    room = Room({DELETED: failed(code, message)})
    with pytest.raises(errors.CursorExpired):
        room.marketo.deleted("OLD")


def test_a_field_that_is_gone_is_no_expired_cursor() -> None:
    for code, message in (("1006", "Field 'nope' not found"), ("1003", "Invalid fields [nope]")):
        with pytest.raises(errors.Refused) as caught:
            Room({CHANGES: failed(code, message)}).marketo.lead_changes("T", ["nope"])
        assert type(caught.value) is errors.Refused


@pytest.mark.parametrize(
    "bad",
    [
        row(13, None, fields=[change("a", "b")]),
        row(13, fields=[change("a", "b")], activityDate="soon"),
        row(12, "x"),
        row(13, fields=[change("a", "b")], marketoGUID=None),
        "text",
    ],
)
def test_a_line_nobody_can_attribute_stops_the_page_instead_of_being_lost(bad: Any) -> None:
    with pytest.raises(errors.Malformed):
        Room({CHANGES: page(bad)}).marketo.lead_changes("T", ["a"])


def test_a_page_that_does_not_say_where_to_go_on_is_malformed() -> None:
    with pytest.raises(errors.Malformed):
        Room({DELETED: ok()}).marketo.deleted("T")


def test_a_paging_token_is_asked_for_a_time() -> None:
    path = "/rest/v1/activities/pagingtoken.json"
    room = Room({path: {"requestId": "1", "success": True, "nextPageToken": "GIYD=="}})
    assert room.marketo.paging_token(MOMENT) == "GIYD=="
    assert room.account.to(path)[0].url.params["sinceDatetime"] == AT
    with pytest.raises(errors.Malformed):
        Room({path: ok()}).marketo.paging_token(MOMENT)
