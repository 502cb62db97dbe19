from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from syncadmin.connectors import errors
from syncadmin.connectors.contract import StaticList
from syncadmin.engine.records import Lane, Ref, Table
from tests.connectors.marketo.test_metadata import described
from tests.connectors.marketo.world import DESCRIBE, LEADS, Room, asked_ids, failed, form, ok

LISTS = "/rest/v1/lists.json"
MEMBERS = "/rest/v1/lists/1207/leads.json"
USAGE = "/rest/v1/stats/usage.json"
PARTITIONS = "/rest/v1/leads/partitions.json"


def refs(*ids: Any) -> list[Ref]:
    return [Ref(Table.PERSON, str(id)) for id in ids]


def everyone(request: httpx.Request) -> dict[str, Any]:
    """Answers each id asked for, in another order."""
    return ok(*({"id": int(id), "email": f"p{id}@x.example"} for id in reversed(asked_ids(request))))


def test_people_are_read_three_hundred_at_a_time_in_the_order_asked() -> None:
    room = Room({LEADS: everyone})
    fetched = room.marketo.fetch(refs(*range(1, 651), 5), ["email"])
    assert [record.ref.id for record in fetched.records] == [str(number) for number in range(1, 651)]
    assert [len(asked_ids(call)) for call in room.account.to(LEADS)] == [300, 300, 50]
    assert fetched.gone == ()
    assert form(room.account.to(LEADS)[0])["fields"] == "id,updatedAt,email"


def test_who_is_not_answered_is_neither_there_nor_gone() -> None:
    fetched = Room({LEADS: ok({"id": 1}, {"id": 99, "email": "x"})}).marketo.fetch(refs(1, 2, "abc"), ["email"])
    assert [(record.ref.id, dict(record.values)) for record in fetched.records] == [("1", {})]
    assert fetched.gone == ()


def test_nobody_asked_for_is_no_call() -> None:
    room = Room({})
    assert room.marketo.fetch([], ["email"]).records == ()
    assert room.marketo.find(Table.PERSON, "email", ["", " "], ["email"]) == []
    assert room.account.asked == []


def test_a_search_follows_its_pages() -> None:
    room = Room({LEADS: [ok({"id": 1, "email": "a@b.c"}, nextPageToken="P2"), ok({"id": 2, "email": "A@B.C"})]})
    found = room.marketo.find(Table.PERSON, "email", ["a@b.c"], ["email"])
    assert [record.ref.id for record in found] == ["1", "2"]
    assert [form(call).get("nextPageToken") for call in room.account.to(LEADS)] == [None, "P2"]


def test_pages_in_a_circle_end() -> None:
    with pytest.raises(errors.Malformed):
        Room({LEADS: ok({"id": 1}, nextPageToken="P1")}).marketo.find(Table.PERSON, "email", ["a@b.c"], [])


def test_only_true_matches_count_whatever_the_case() -> None:
    rows = [
        {"id": 1, "email": "ANN@x.example"},
        {"id": 2, "email": "other@x.example"},
        {"id": 3},
        {"id": 4, "email": None},
    ]
    room = Room({LEADS: ok(*rows)})
    found = room.marketo.find(Table.PERSON, "email", [" ann@X.example "], ["firstName"])
    assert [record.ref.id for record in found] == ["1"]
    assert form(room.account.to(LEADS)[0])["fields"] == "id,updatedAt,email,firstName"


def test_a_value_with_a_comma_finds_nobody_and_is_not_sent() -> None:
    room = Room({LEADS: ok({"id": 1, "email": "a@b.c"}, {"id": 2, "email": "b@b.c"})})
    found = room.marketo.find(Table.PERSON, "email", ["x,b@b.c", "a@b.c", "A@b.c"], ["email"])
    assert [record.ref.id for record in found] == ["1"]
    assert form(room.account.to(LEADS)[0])["filterValues"] == "a@b.c"


def test_a_search_with_too_many_matches_is_split() -> None:
    def reply(request: httpx.Request) -> dict[str, Any]:
        asked = asked_ids(request)
        if "crowd@x.example" in asked:
            return failed("1003", "Too many results match the filter")
        return ok(*({"id": ord(text[0]), "email": text} for text in asked))

    room = Room({LEADS: reply})
    values = ["a@b.c", "crowd@x.example", "d@e.f"]
    found = room.marketo.find(Table.PERSON, "email", values, ["email"])
    assert sorted(str(record.values["email"]) for record in found) == ["a@b.c", "d@e.f"]


def test_a_search_that_times_out_is_split_and_told_if_that_does_not_help() -> None:
    def reply(request: httpx.Request) -> dict[str, Any]:
        return failed("604", "Request timed out") if len(asked_ids(request)) > 2 else everyone(request)

    assert len(Room({LEADS: reply}).marketo.fetch(refs(1, 2, 3, 4, 5), ["email"]).records) == 5
    with pytest.raises(errors.Unavailable):
        Room({LEADS: failed("604", "Request timed out")}).marketo.fetch(refs(1, 2), ["email"])


def test_a_field_that_cannot_be_searched_by_is_a_refusal() -> None:
    with pytest.raises(errors.Refused) as caught:
        Room({LEADS: failed("1011", "Field 'firstName' not supported")}).marketo.find(
            Table.PERSON, "firstName", ["Ann", "Bob"], []
        )
    assert caught.value.code == "1011"


def test_no_data_found_is_nobody() -> None:
    assert Room({LEADS: failed("702", "No data found")}).marketo.find(Table.PERSON, "email", ["a@b.c"], []) == []


def test_no_data_found_is_an_empty_list_wherever_something_is_listed() -> None:
    nothing = failed("702", "No data found for a given search scenario")
    marketo = Room({LISTS: nothing, MEMBERS: nothing, USAGE: nothing}).marketo
    assert marketo.lists() == []
    assert (marketo.members("1207").people, marketo.members("1207").more) == ((), False)
    assert marketo.usage().total == 0


def test_a_warning_in_place_of_a_result_is_an_empty_list() -> None:
    warned = {"requestId": "1#2", "success": True, "warnings": ["No lists found for the given search criteria."]}
    assert Room({LISTS: warned}).marketo.lists() == []
    for said in ([], ["The answer was cut short."]):
        with pytest.raises(errors.Malformed):
            Room({LISTS: {"requestId": "1#2", "success": True, "warnings": said}}).marketo.lists()


def test_field_types_are_asked_for_once_an_hour() -> None:
    body = b'{"success":true,"result":[{"id":1,"annualRevenue":250000}]}'
    room = Room(
        {
            DESCRIBE: ok(described("annualRevenue", "currency")),
            LEADS: lambda request: httpx.Response(200, content=body),
        },
        known=False,
    )
    for _ in range(3):
        (record,) = room.marketo.fetch(refs(1), ["annualRevenue"]).records
        assert record.values == {"annualRevenue": "250000"}
    assert len(room.account.to(DESCRIBE)) == 1
    room.clock.now += timedelta(hours=1)
    room.marketo.fetch(refs(1), ["annualRevenue"])
    assert len(room.account.to(DESCRIBE)) == 2


def test_calls_are_accounted_to_lane_and_purpose() -> None:
    room = Room({LEADS: everyone})
    worker = room.marketo.for_work(Lane.BACKFILL, "initial")
    worker.fetch(refs(1), [])
    room.marketo.fetch(refs(1), [])
    assert room.budget.calls == [(Lane.BACKFILL, "initial"), (Lane.LIVE, "")]
    assert len(room.account.to("/identity/oauth/token")) == 1


def test_nothing_is_sent_after_the_deadline() -> None:
    room = Room({LEADS: everyone})
    room.marketo.identity()
    late = room.marketo.for_work(Lane.LIVE, "webhook", room.clock.now)
    with pytest.raises(errors.DeadlineOver):
        late.fetch(refs(1), [])
    assert room.account.to(LEADS) == []


def test_who_we_are() -> None:
    identity = Room({}).marketo.identity()
    assert (identity.account, identity.user) == ("811-QXT-402", "sync@norvik.example")


def test_lists_members_and_partitions() -> None:
    room = Room(
        {
            LISTS: [ok({"id": 1207, "name": "To Dynamics"}, nextPageToken="P2"), ok({"id": 8, "name": "Other"})],
            MEMBERS: [ok({"id": 1}, {"id": 2}, nextPageToken="P2"), ok({"id": 3})],
            PARTITIONS: ok({"id": 1, "name": "Default"}, {"id": 2, "name": "EMEA"}),
        }
    )
    assert room.marketo.lists() == [StaticList("1207", "To Dynamics"), StaticList("8", "Other")]
    first = room.marketo.members("1207")
    assert (first.people, first.token, first.more) == (("1", "2"), "P2", True)
    last = room.marketo.members("1207", first.token)
    assert (last.people, last.more) == (("3",), False)
    assert room.marketo.partitions() == ["Default", "EMEA"]


def test_usage_is_ours_by_the_name_in_the_token() -> None:
    today = {"total": 10, "users": [{"userId": "sync@norvik.example", "count": 7}, {"userId": "x", "count": 3}]}
    usage = Room({USAGE: ok(today)}).marketo.usage()
    assert (usage.total, usage.ours) == (10, 7)


def test_an_address_inside_a_network_is_refused_at_the_first_use() -> None:
    from syncadmin.connectors.marketo.config import MarketoConfig

    room = Room({}, config=MarketoConfig("https://10.0.0.7/rest", "a", "b"))
    with pytest.raises(errors.Refused, match="private"):
        room.marketo.identity()
    assert room.account.asked == []
