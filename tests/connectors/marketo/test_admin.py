from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from syncadmin.connectors import errors
from syncadmin.connectors.contract import ActivityType, NewField, Status
from syncadmin.engine.failures import Cause
from tests.connectors.marketo.test_metadata import described
from tests.connectors.marketo.world import DESCRIBE, DESCRIBE2, SCHEMA, Reply, Room, failed, ok, skipped

TYPES = "/rest/v1/activities/external/types.json"
TYPE = "/rest/v1/activities/external/type.json"
ONE = "/rest/v1/activities/external/type/dynSync"
WANTED = ActivityType(
    "dynSync",
    "Dynamics 365 Sync",
    "Synced to Dynamics 365",
    "Was synced to Dynamics 365",
    ("result", "Result"),
    (("crmEntity", "CRM Entity", "string"), ("errorMessage", "Error", "text")),
)
FIELDS = [NewField("dynPersonGuid", "Dynamics Person GUID", "string"), NewField("dynDeleted", "Is Deleted", "boolean")]


class Fields:
    """The schema API's create call and its list behind one path."""

    def __init__(self, create: Any) -> None:
        self.create = create
        self.created: list[list[str]] = []

    def __call__(self, request: httpx.Request) -> Any:
        if request.method == "GET":
            return ok(moreResult=False)
        rows = json.loads(request.content)["input"]
        self.created.append([row["name"] for row in rows])
        return self.create(rows) if callable(self.create) else self.create


def created(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return ok(*({"name": row["name"], "status": "created"} for row in rows))


def room_with(create: Any, *fields: dict[str, Any]) -> tuple[Room, Fields]:
    schema = Fields(create)
    return Room({DESCRIBE: ok(*fields), DESCRIBE2: ok(), SCHEMA: schema}), schema


def test_missing_fields_are_created_and_present_ones_taken_over_in_any_case() -> None:
    room, schema = room_with(created, described("DynPersonGUID"))
    there, made = room.marketo.ensure_fields(FIELDS)
    assert (there.status, there.column) == (Status.EXISTS, "DynPersonGUID")
    assert (made.status, made.column) == (Status.CREATED, "dynDeleted")
    assert schema.created == [["dynDeleted"]]


def test_a_field_of_another_type_is_not_taken_over() -> None:
    room, schema = room_with(created, described("dynPersonGuid", "email"), described("dynDeleted", "string"))
    there, wrong = room.marketo.ensure_fields(FIELDS)
    assert there.status is Status.EXISTS
    assert (wrong.status, wrong.cause) == (Status.REFUSED, Cause.COLUMN_RETYPED)
    assert schema.created == []


def test_without_the_permission_each_field_comes_with_its_recipe() -> None:
    room, _ = room_with(failed("603", "Access denied"))
    outcomes = room.marketo.ensure_fields(FIELDS)
    assert [(each.status, each.cause) for each in outcomes] == [(Status.REFUSED, Cause.PERMISSION)] * 2
    assert "Read-Write Schema Custom Field" in outcomes[0].message
    assert "'dynPersonGuid'" in outcomes[0].message
    assert "boolean" in outcomes[1].message


def test_one_field_that_cannot_be_created_spares_the_other() -> None:
    def reply(rows: list[dict[str, Any]]) -> dict[str, Any]:
        bad = any(row["name"] == "dynDeleted" for row in rows)
        return failed("1003", "Invalid data type") if bad else created(rows)

    room, schema = room_with(reply)
    assert [each.status for each in room.marketo.ensure_fields(FIELDS)] == [Status.CREATED, Status.REFUSED]
    assert schema.created == [["dynPersonGuid", "dynDeleted"], ["dynPersonGuid"], ["dynDeleted"]]


def test_rows_that_are_skipped_keep_their_reason() -> None:
    rows = ok(skipped("1017", "Field dynPersonGuid already exists"), skipped("1017", "Display name is in use"))
    room, _ = room_with(rows)
    outcomes = room.marketo.ensure_fields(FIELDS)
    assert [each.status for each in outcomes] == [Status.EXISTS, Status.REFUSED]
    assert outcomes[1].message == "Display name is in use"


def test_more_than_a_hundred_fields_take_several_calls() -> None:
    room, schema = room_with(created)
    many = [NewField(f"f{number}", f"F {number}", "string") for number in range(101)]
    assert len(room.marketo.ensure_fields(many)) == 101
    assert [len(call) for call in schema.created] == [100, 1]


def test_an_answer_of_another_length_is_malformed() -> None:
    room, _ = room_with(ok({"name": "dynDeleted", "status": "created"}))
    with pytest.raises(errors.Malformed):
        room.marketo.ensure_fields(FIELDS)


def described_type(*attributes: str, status: str = "approved", **more: Any) -> dict[str, Any]:
    rows = [{"apiName": name, "name": name, "dataType": "string"} for name in attributes]
    return ok({"apiName": "dynSync", "id": 100003, "status": status, "attributes": rows} | more)


def listed(status: str) -> dict[str, Any]:
    return ok(
        {"apiName": "other", "id": 100001, "status": "approved"}, {"apiName": "DynSync", "id": 100003, "status": status}
    )


def types(**routes: Reply | list[Reply]) -> Room:
    named = {
        "types": TYPES,
        "type": TYPE,
        "describe": "/rest/v1/activities/external/type/{}/describe.json",
        "attributes": "/rest/v1/activities/external/type/{}/attributes/create.json",
        "approve": "/rest/v1/activities/external/type/{}/approve.json",
    }
    return Room({named[key].format(case): reply for key, reply in routes.items() for case in ("dynSync", "DynSync")})


def steps(room: Room) -> list[str]:
    return [request.url.path.rsplit("/", 1)[-1] for request in room.account.asked[1:]]


DONE = described_type("crmEntity", "errorMessage")


@pytest.mark.parametrize("none", [ok(), failed("702", "No data found for a given search scenario")])
def test_a_missing_type_is_drafted_completed_and_approved(none: dict[str, Any]) -> None:
    room = types(
        types=none,
        type=described_type(status="draft"),
        describe=[described_type(status="draft"), DONE],
        attributes=DONE,
        approve=DONE,
    )
    assert room.marketo.ensure_activity_type(WANTED) == 100003
    assert steps(room) == ["types.json", "type.json", "describe.json", "create.json", "approve.json", "describe.json"]
    (added,) = room.account.bodies(f"{ONE}/attributes/create.json")
    assert [each["apiName"] for each in added["attributes"]] == ["crmEntity", "errorMessage"]


def test_an_approved_type_is_left_alone() -> None:
    for state in ("approved", "approved with draft", "APPROVED_WITH_DRAFT"):
        room = types(types=listed(state), describe=DONE)
        assert room.marketo.ensure_activity_type(WANTED) == 100003
        assert steps(room) == ["types.json", "describe.json"]


def test_an_approved_type_that_lacks_an_attribute_gets_it() -> None:
    room = types(
        types=listed("approved"),
        describe=[described_type("CRMENTITY"), described_type("CRMENTITY"), DONE],
        attributes=DONE,
        approve=DONE,
    )
    assert room.marketo.ensure_activity_type(WANTED) == 100003
    (added,) = room.account.bodies("/rest/v1/activities/external/type/DynSync/attributes/create.json")
    assert [each["apiName"] for each in added["attributes"]] == ["errorMessage"]


def test_a_draft_that_is_complete_is_only_approved() -> None:
    room = types(types=listed("draft"), describe=DONE, approve=DONE)
    assert room.marketo.ensure_activity_type(WANTED) == 100003
    assert steps(room) == ["types.json", "describe.json", "approve.json", "describe.json"]


def test_a_deleted_type_cannot_be_used_again() -> None:
    with pytest.raises(errors.Refused, match="deleted"):
        types(types=listed("deleted")).marketo.ensure_activity_type(WANTED)


@pytest.mark.parametrize(("code", "words"), [("1027", "custom activity types"), ("1028", "20 attributes")])
@pytest.mark.parametrize("whole", [True, False])
def test_a_limit_of_the_account_is_told_with_its_remedy(code: str, words: str, whole: bool) -> None:
    refused = failed(code, "Limit") if whole else ok(skipped(code, "Limit", under="errors"))
    with pytest.raises(errors.Refused, match=words) as caught:
        types(types=ok(), type=refused).marketo.ensure_activity_type(WANTED)
    assert caught.value.code == code


def test_a_missing_permission_names_itself() -> None:
    with pytest.raises(errors.PermissionMissing, match="Read-Write Activity Metadata"):
        types(types=ok(), type=failed("603")).marketo.ensure_activity_type(WANTED)


def test_a_type_without_an_id_is_malformed() -> None:
    nameless = described_type("crmEntity", "errorMessage", id=None)
    with pytest.raises(errors.Malformed):
        types(types=ok(), type=nameless, describe=nameless, approve=nameless).marketo.ensure_activity_type(WANTED)
