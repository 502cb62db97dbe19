"""Custom activity types with their draft, and activities of them."""

import pytest

from tests.sandbox.marketo.conftest import Client, Clock

TYPE = "/rest/v1/activities/external/type"
ADD = "/rest/v1/activities/external.json"
SYNC = {
    "apiName": "dynSync",
    "name": "Dynamics 365 Sync",
    "triggerName": "Synced to Dynamics 365",
    "filterName": "Was Synced to Dynamics 365",
    "primaryAttribute": {"apiName": "result", "name": "Result"},
}
ATTRIBUTES = [
    {"apiName": "crmEntity", "name": "CRM Entity", "dataType": "string"},
    {"apiName": "errorMessage", "name": "Error Message", "dataType": "text"},
    {"apiName": "count", "name": "Count", "dataType": "integer"},
]


@pytest.fixture
def kind(client: Client) -> int:
    id = client.post(TYPE + ".json", SYNC).result[0]["id"]
    client.post(f"{TYPE}/dynSync/attributes/create.json", {"attributes": ATTRIBUTES})
    assert client.post(f"{TYPE}/dynSync/approve.json").result[0]["status"] == "approved"
    return id


def activity(kind: int, **more):
    return {
        "leadId": 1000,
        "activityDate": "2026-03-04T09:20:11Z",
        "activityTypeId": kind,
        "primaryAttributeValue": "Created",
        "attributes": [],
    } | more


def test_the_life_of_a_type(client: Client):
    draft = client.post(TYPE + ".json", SYNC).result[0]
    assert (draft["id"], draft["status"]) == (100001, "draft")
    attributes = client.post(f"{TYPE}/dynSync/attributes/create.json", {"attributes": ATTRIBUTES}).result[0]
    assert [row["apiName"] for row in attributes["attributes"]] == ["crmEntity", "errorMessage", "count"]
    assert 100001 not in {row["id"] for row in client.get("/rest/v1/activities/types.json").result}
    client.post(f"{TYPE}/dynSync/approve.json")
    shown = client.get("/rest/v1/activities/types.json").result[-1]
    assert (shown["id"], shown["apiName"], shown["primaryAttribute"]["apiName"]) == (100001, "dynSync", "result")
    more = {"attributes": [{"apiName": "runId", "name": "Run", "dataType": "string"}]}
    changed = client.post(f"{TYPE}/dynSync/attributes/create.json", more).result[0]
    assert changed["status"] == "approved with draft"
    assert len(client.get(f"{TYPE}/dynSync/describe.json").result[0]["attributes"]) == 3
    assert len(client.get(f"{TYPE}/dynSync/describe.json", draft="true").result[0]["attributes"]) == 4
    assert client.post(f"{TYPE}/dynSync/discardDraft.json").result[0]["status"] == "approved"
    assert client.post(f"{TYPE}/dynSync/delete.json").result[0]["status"] == "deleted"
    assert client.get("/rest/v1/activities/external/types.json").result[0]["status"] == "deleted"


def test_attributes_can_be_changed_and_deleted_in_a_draft(client: Client, kind: int):
    update = {"attributes": [{"apiName": "crmEntity", "name": "Record Type"}]}
    body = client.post(f"{TYPE}/dynSync/attributes/update.json", update).result[0]
    assert body["attributes"][0]["name"] == "Record Type"
    gone = client.post(f"{TYPE}/dynSync/attributes/delete.json", {"attributes": [{"apiName": "count"}]}).result[0]
    assert [row["apiName"] for row in gone["attributes"]] == ["crmEntity", "errorMessage"]
    assert client.post(f"{TYPE}/dynSync/attributes/delete.json", {"attributes": [{"apiName": "no"}]}).code == "1013"


def test_the_core_of_an_approved_type_stays(client: Client, kind: int):
    assert client.post(f"{TYPE}/dynSync.json", {"name": "Other"}).code == "1003"
    assert client.post(f"{TYPE}/dynSync.json", {"description": "Ours"}).result[0]["status"] == "approved with draft"


def test_type_refusals(client: Client):
    assert client.post(TYPE + ".json", {"apiName": "x"}).code == "701"
    client.post(TYPE + ".json", SYNC)
    assert client.post(TYPE + ".json", SYNC).code == "1017"
    assert client.post(TYPE + ".json", SYNC | {"apiName": "other"}).code == "1017"
    assert client.get(f"{TYPE}/nope/describe.json").code == "1013"
    assert client.post(f"{TYPE}/dynSync/discardDraft.json").code == "1003"
    many = [{"apiName": f"a{n}", "name": f"A {n}"} for n in range(21)]
    assert client.post(f"{TYPE}/dynSync/attributes/create.json", {"attributes": many}).code == "1028"
    for number in range(9):
        names = {key: f"{SYNC[key]} {number}" for key in ("name", "triggerName", "filterName")}
        assert client.post(TYPE + ".json", SYNC | names | {"apiName": f"t{number}"}).json["success"] is True
    assert client.post(TYPE + ".json", SYNC | {"apiName": "tooMany", "name": "Too many"}).code == "1027"


def test_an_activity_appears_in_the_log_and_in_the_stream(sandbox, client: Client, kind: int, clock: Clock):
    client.sync([{"email": "a@x.example"}])
    token = client.since(clock.now)
    values = [{"apiName": "crmEntity", "value": "contact"}, {"name": "Count", "value": "3"}]
    row = client.post(ADD, {"input": [activity(kind, attributes=values)]}).result[0]
    assert row["status"] == "added"
    assert row["marketoGUID"] == str(row["id"])
    stream = client.get("/rest/v1/activities.json", nextPageToken=token, activityTypeIds=kind).result
    assert stream[0]["primaryAttributeValue"] == "Created"
    assert stream[0]["activityDate"] == "2026-03-04T09:20:11Z"
    assert stream[0]["attributes"] == [{"name": "CRM Entity", "value": "contact"}, {"name": "Count", "value": 3}]
    assert sandbox.activities_of(1000)[0]["t"] == kind
    assert sandbox.truth.of("person", "1000")[-1].action == "activity"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"leadId": 99999999}, "1004"),
        ({"activityTypeId": 100009}, "1003"),
        ({"activityTypeId": 13}, "1003"),
        ({"activityDate": "soon"}, "1003"),
        ({"primaryAttributeValue": None}, "1002"),
        ({"attributes": [{"apiName": "nope", "value": 1}]}, "1006"),
        ({"attributes": [{"apiName": "count", "value": "many"}]}, "1003"),
        ({"attributes": [{"apiName": "errorMessage", "value": "ä" * 33_000}]}, "1049"),
    ],
)
def test_refused_rows_say_errors_and_leave_the_others(client: Client, kind: int, change, code):
    client.sync([{"email": "a@x.example"}])
    result = client.post(ADD, {"input": [activity(kind, **change), activity(kind)]}).result
    assert result[0]["status"] == "skipped"
    assert result[0]["errors"][0]["code"] == code
    assert "reasons" not in result[0]
    assert result[1]["status"] == "added"


def test_a_draft_takes_no_activities(client: Client):
    client.sync([{"email": "a@x.example"}])
    id = client.post(TYPE + ".json", SYNC).result[0]["id"]
    assert client.post(ADD, {"input": [activity(id)]}).result[0]["errors"][0]["code"] == "1003"
