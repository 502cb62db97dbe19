"""The activity log and its three streams, by paging token."""

from datetime import timedelta

import pytest

from tests.sandbox.marketo.conftest import Client, Clock

ACTIVITIES = "/rest/v1/activities.json"
CHANGES = "/rest/v1/activities/leadchanges.json"
DELETED = "/rest/v1/activities/deletedleads.json"
KINDS = "12,13,22,24,25,32,37,110"


def attributes(row):
    return {item["name"]: item["value"] for item in row["attributes"]}


def read(client: Client, token: str, path: str = ACTIVITIES, **params):
    """Everything from the token on, and the token after it."""
    params = params or {"activityTypeIds": KINDS}
    rows = []
    while True:
        reply = client.get(path, nextPageToken=token, **params).json
        rows += reply.get("result", [])
        token = reply["nextPageToken"]
        if not reply["moreResult"]:
            return rows, token


@pytest.fixture
def start(client: Client, clock: Clock) -> str:
    return client.since(clock.now)


def test_types_list_the_relevant_ones_with_their_attributes(sandbox, client: Client):
    types = {row["id"]: row for row in client.get("/rest/v1/activities/types.json").result}
    assert {1, 2, 12, 13, 22, 24, 25, 32, 37, 46, 110, 300} <= set(types)
    assert types[13]["primaryAttribute"] == {"name": "Attribute Name", "dataType": "integer"}
    assert "Request Id" in {item["name"] for item in types[13]["attributes"]}
    sandbox.set_knobs(write_marks=False)
    types = {row["id"]: row for row in client.get("/rest/v1/activities/types.json").result}
    assert {item["name"] for item in types[13]["attributes"]} == {"New Value", "Old Value", "Reason", "Source"}


def test_a_creation_is_one_new_lead_and_no_changes(client: Client, start: str):
    client.sync([{"email": "a@x.example", "firstName": "Ines", "lastName": "Kallas", "leadScore": 5}])
    (row,), _ = read(client, start)
    assert (row["activityTypeId"], row["leadId"], row["primaryAttributeValue"]) == (12, 1000, "Ines Kallas")
    assert row["primaryAttributeValueId"] == 1000
    assert attributes(row)["Source Type"] == "Web service API"
    assert attributes(row)["Created Date"] == "2026-03-04"
    assert client.person(1000, "registrationSourceType")["registrationSourceType"] == "Web service API"


def test_each_changed_field_is_one_activity_with_the_write_marks(client: Client, start: str, clock: Clock):
    client.sync([{"email": "a@x.example", "city": "Riga", "unsubscribed": False}])
    clock.tick()
    reply = client.post(
        "/rest/v1/leads.json",
        {"input": [{"email": "a@x.example", "city": "Oslo", "unsubscribed": True, "numberOfEmployees": 7}]},
    )
    rows = [row for row in read(client, start)[0] if row["activityTypeId"] == 13]
    said = {row["primaryAttributeValue"]: attributes(row) for row in rows}
    assert set(said) == {"City", "Unsubscribed", "Num Employees"}
    assert said["City"] == {
        "New Value": "Oslo",
        "Old Value": "Riga",
        "Reason": "Web service API",
        "Source": "Web service API",
        "API Method Name": "syncLeads",
        "Modifying User": "sandbox@sandbox.example",
        "Request Id": reply.json["requestId"],
    }
    assert (said["Unsubscribed"]["Old Value"], said["Unsubscribed"]["New Value"]) == ("false", "true")
    assert said["Num Employees"]["New Value"] == "7"
    assert "Old Value" not in said["Num Employees"]
    assert {row["activityDate"] for row in rows} == {"2026-03-04T09:00:01Z"}
    assert len({row["marketoGUID"] for row in rows}) == 3
    assert {row["primaryAttributeValueId"] for row in rows} == {64, 79, 16}


def test_write_marks_and_ids_can_be_missing(sandbox, client: Client, start: str):
    sandbox.set_knobs(write_marks=False, activity_ids=False)
    client.sync([{"email": "a@x.example"}])
    (row,), _ = read(client, start)
    assert set(attributes(row)) == {"Created Date", "Source Type"}
    assert "id" not in row
    assert row["marketoGUID"]


def test_a_score_change_is_logged_twice(sandbox, client: Client, start: str):
    id = sandbox.create("person", {"email": "a@x.example", "leadScore": 5})
    sandbox.edit("person", id, {"leadScore": 15}, by="campaign", campaign=2211)
    rows = [row for row in read(client, start)[0] if row["activityTypeId"] in (13, 22)]
    assert [row["activityTypeId"] for row in rows] == [22, 13]
    assert attributes(rows[0])["Change Value"] == "+10"
    assert {row["campaignId"] for row in rows} == {2211}


def test_sources_of_people_campaigns_and_forms(sandbox, client: Client, start: str):
    id = sandbox.create("person", {"email": "a@x.example"})
    sandbox.edit("person", id, {"city": "A"})
    sandbox.edit("person", id, {"city": "B"}, by="campaign")
    sandbox.edit("person", id, {"city": "C"}, by="form")
    rows, _ = read(client, start)
    assert attributes(rows[0])["Source Type"] == "New lead"
    said = [(attributes(row)["Source"], attributes(row)["Reason"]) for row in rows[1:]]
    assert said == [
        ("Lead update", "Manual person edit"),
        (
            "Marketo Flow Action",
            "Changed by Smart Campaign Spring Webinar.Fast Track to Sales action Change Data Value",
        ),
        ("Web form fillout", "Form fill-out, URL: https://www.sandbox.example/contact"),
    ]
    assert [row.get("campaignId") for row in rows[1:]] == [None, 2210, None]


def test_lead_changes_speak_rest_names_and_mix_in_new_people(client: Client, start: str):
    client.sync([{"email": "a@x.example", "mobilePhone": "1"}])
    client.sync([{"email": "a@x.example", "mobilePhone": None, "city": "Riga", "title": "Buyer"}])
    rows, _ = read(client, start, CHANGES, fields="mobilePhone,title")
    assert [row["activityTypeId"] for row in rows] == [12, 13, 13]
    assert rows[1]["fields"] == [{"id": 58, "name": "mobilePhone", "newValue": None, "oldValue": "1"}]
    assert rows[2]["fields"] == [{"id": 60, "name": "title", "newValue": "Buyer", "oldValue": None}]
    assert attributes(rows[1])["Lead ID"] == 1000
    assert "New Value" not in attributes(rows[1])
    assert "primaryAttributeValue" in rows[0]
    long = client.form(CHANGES + "?_method=GET", {"nextPageToken": start, "fields": "mobilePhone"})
    assert len(long.result) == 2


def test_stream_refusals(client: Client, start: str):
    assert client.get(CHANGES, nextPageToken=start).code == "1002"
    assert client.get(CHANGES, nextPageToken=start, fields="nope").code == "1006"
    assert client.get(ACTIVITIES, nextPageToken=start).code == "1002"
    assert client.get(ACTIVITIES, activityTypeIds="12").code == "1002"
    assert client.get(ACTIVITIES, nextPageToken="NONSENSE", activityTypeIds="12").code == "1003"
    assert client.get(ACTIVITIES, nextPageToken=start, activityTypeIds="99999").code == "1003"
    leads = ",".join(str(n) for n in range(31))
    assert client.get(ACTIVITIES, nextPageToken=start, activityTypeIds="12", leadIds=leads).code == "1003"
    for bad in ("yesterday", "2026-03-04T09:00:00", ""):
        code = client.get("/rest/v1/activities/pagingtoken.json", sinceDatetime=bad).code
        assert code == ("1001" if bad else "1002")


def test_the_since_token_starts_at_the_datetime_inclusive(sandbox, client: Client, clock: Clock):
    for number in range(5):
        sandbox.create("person", {"email": f"p{number}@x.example"})
        clock.tick(10)
    rows, _ = read(client, client.since(clock.now - timedelta(seconds=30)))
    assert [row["leadId"] for row in rows] == [1002, 1003, 1004]
    assert read(client, client.since(clock.now + timedelta(days=1)))[0] == []
    token = client.since(clock.now)
    assert token == token.upper()
    assert token.strip("=").isalnum()


def test_a_token_is_a_position_and_goes_on_where_it_stopped(client: Client, start: str):
    client.sync([{"email": "a@x.example"}])
    first, token = read(client, start)
    assert read(client, token)[0] == []
    client.sync([{"email": "b@x.example"}])
    assert [row["leadId"] for row in read(client, token)[0]] == [1001]
    assert [row["leadId"] for row in read(client, start)[0]] == [1000, 1001]
    assert len(first) == 1


def test_pages_are_short_or_empty_when_other_activities_fill_the_block(sandbox, client: Client, start: str):
    sandbox.load("person", [{"email": f"p{n}@x.example"} for n in range(1200)])
    sandbox.delete("person", 1003)
    first = client.get(DELETED, nextPageToken=start).json
    assert first["moreResult"] is True
    assert "result" not in first
    rows, _ = read(client, start, DELETED, batchSize=300)
    assert [row["leadId"] for row in rows] == [1003]
    page = client.get(ACTIVITIES, nextPageToken=start, activityTypeIds="12", batchSize=100).json
    assert len(page["result"]) == 100
    assert page["moreResult"] is True


def test_deletions_carry_id_and_name_for_fourteen_days(sandbox, client: Client, start: str, clock: Clock):
    id = sandbox.create("person", {"firstName": "Test", "lastName": "Person"})
    sandbox.delete("person", id)
    (row,), _ = read(client, start, DELETED, batchSize=300)
    assert row["activityTypeId"] == 37
    assert (row["leadId"], row["primaryAttributeValueId"], row["primaryAttributeValue"]) == (1000, 1000, "Test Person")
    assert row["attributes"] == []
    clock.tick(14 * 86400 - 10)
    client.sign_in()
    assert len(read(client, start, DELETED, batchSize=300)[0]) == 1
    clock.tick(20)
    assert read(client, start, DELETED, batchSize=300)[0] == []


def test_changes_are_kept_90_days_and_new_people_longer(sandbox, client: Client, start: str, clock: Clock):
    id = sandbox.create("person", {"email": "a@x.example"})
    sandbox.edit("person", id, {"city": "Riga"})
    clock.tick(91 * 86400)
    client.sign_in()
    assert [row["activityTypeId"] for row in read(client, start)[0]] == [12]


def test_merges_lists_and_their_attributes(sandbox, client: Client, start: str):
    for name in "abc":
        sandbox.create("person", {"email": f"{name}@x.example", "firstName": name})
    client.post("/rest/v1/lists/1207/leads.json", {"input": [{"id": 1000}]})
    client.call("DELETE", "/rest/v1/lists/1207/leads.json", {"id": "1000"})
    client.post("/rest/v1/leads/1000/merge.json", leadIds="1001,1002")
    rows = [row for row in read(client, start)[0] if row["activityTypeId"] != 12]
    assert [row["activityTypeId"] for row in rows] == [24, 25, 32]
    assert rows[0]["primaryAttributeValueId"] == 1207
    assert rows[0]["primaryAttributeValue"] == "Sync to Dynamics 365"
    assert rows[2]["leadId"] == 1000
    assert attributes(rows[2])["Merge IDs"] == "[1001, 1002]"


def test_streams_can_be_narrowed_by_person_list_and_asset(sandbox, client: Client, start: str):
    for name in "ab":
        sandbox.create("person", {"email": f"{name}@x.example"})
    sandbox.add_to_list(1208, [1001])
    sandbox.add_to_list(1209, [1000])
    assert [row["leadId"] for row in read(client, start, ACTIVITIES, activityTypeIds="12", leadIds="1001")[0]] == [1001]
    assert [row["leadId"] for row in read(client, start, ACTIVITIES, activityTypeIds="12", listId="1208")[0]] == [1001]
    assert [row["leadId"] for row in read(client, start, ACTIVITIES, activityTypeIds="24", assetIds="1209")[0]] == [
        1000
    ]


def test_new_and_changed_people_of_an_import(sandbox, client: Client, start: str):
    sandbox.load("person", [{"email": "a@x.example"}])
    sandbox.load("person", [{"email": "a@x.example", "city": "Riga"}], dedupe=True)
    rows, _ = read(client, start)
    assert attributes(rows[0])["Source Type"] == "List import"
    assert attributes(rows[1])["Source"] == "List import"


def test_accounts_differ_in_spelling(sandbox, client: Client, start: str):
    sandbox.set_knobs(
        activity_zone="+0000", boolean_words=("False", "True"), merge_ids_as_list=True, early_updated_at=True
    )
    client.sync([{"email": "a@x.example"}, {"email": "b@x.example"}])
    assert client.person(1000, "createdAt,updatedAt") == {
        "id": 1000,
        "createdAt": "2026-03-04T09:00:00Z",
        "updatedAt": "2026-03-04T08:59:59Z",
    }
    client.sync([{"email": "a@x.example", "doNotCall": True}])
    client.post("/rest/v1/leads/1000/merge.json", leadIds="1001")
    changed, merged = read(client, start, ACTIVITIES, activityTypeIds="13,32")[0]
    assert changed["activityDate"] == "2026-03-04T09:00:00+0000"
    assert (attributes(changed)["Old Value"], attributes(changed)["New Value"]) == ("False", "True")
    assert attributes(merged)["Merge IDs"] == [1001]
