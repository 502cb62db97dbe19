"""Static lists, programs, campaigns and the asset look-ups."""

from tests.sandbox.marketo.conftest import Client

LIST = "/rest/v1/lists/1207/leads.json"


def test_joining_leaving_and_asking(sandbox, client: Client):
    client.sync([{"email": "a@x.example"}, {"email": "b@x.example"}])
    assert client.post(LIST, {"input": [{"id": 1000}, {"id": 7}]}).result == [
        {"id": 1000, "status": "added"},
        {"id": 7, "status": "skipped", "reasons": [{"code": "1004", "message": "Lead not found"}]},
    ]
    assert client.get(LIST, fields="email").result == [{"id": 1000, "email": "a@x.example"}]
    assert client.get("/rest/v1/list/1207/leads.json", fields="email").result[0]["id"] == 1000
    asked = client.get("/rest/v1/lists/1207/leads/ismember.json", id=[1000, 1001]).result
    assert [row["status"] for row in asked] == ["memberof", "notmemberof"]
    member = client.get("/rest/v1/leads/1000/listMembership.json").result[0]
    assert (member["id"], member["name"]) == (1207, "Sync to Dynamics 365")
    gone = client.call("DELETE", LIST, json_body={"input": [{"id": 1000}, {"id": 1001}, {"id": 7}]}).result
    assert [row.get("reasons", [{"code": row["status"]}])[0]["code"] for row in gone] == ["removed", "1015", "1004"]
    assert client.post(LIST + "?id=1000,1001").result[1]["status"] == "added"


def test_adding_twice_logs_once(sandbox, client: Client):
    client.sync([{"email": "a@x.example"}])
    for _ in range(2):
        assert client.post(LIST, {"input": [{"id": 1000}]}).result[0]["status"] == "added"
    assert [row["t"] for row in sandbox.activities_of(1000)].count(24) == 1


def test_members_come_in_pages(sandbox, client: Client):
    ids = sandbox.load("person", [{"email": f"p{n}@x.example"} for n in range(350)])
    sandbox.add_to_list(1207, ids)
    first = client.get(LIST, fields="id")
    second = client.get(LIST, fields="id", nextPageToken=first.json["nextPageToken"])
    assert (len(first.result), len(second.result)) == (300, 50)
    assert "nextPageToken" not in second.json


def test_finding_lists(client: Client):
    assert [row["id"] for row in client.get("/rest/v1/lists.json").result] == [1207, 1208, 1209]
    assert client.get("/rest/v1/lists.json", name="Press and Partners").result[0]["id"] == 1209
    assert client.get("/rest/v1/lists.json", programName="Spring Webinar").result[0]["id"] == 1208
    assert client.get("/rest/v1/lists/1208.json").result[0]["name"] == "Spring Webinar Guests"
    assert client.get("/rest/v1/lists/99/leads.json").code == "1013"
    reply = client.get("/rest/asset/v1/staticList/byName.json", name="sync to dynamics 365")
    assert reply.result[0]["id"] == 1207
    assert reply.result[0]["createdAt"].endswith("Z+0000")
    assert (reply.json["errors"], reply.json["warnings"]) == ([], [])


def test_an_asset_lookup_without_a_hit_is_a_warning(client: Client):
    reply = client.get("/rest/asset/v1/staticList/byName.json", name="nope").json
    assert reply["success"] is True
    assert "result" not in reply
    assert reply["warnings"] == ["No assets found for the given search criteria."]


def test_making_a_list_takes_a_form(client: Client):
    form = {"name": "Fresh", "folder": '{"type":"Folder","id":31}'}
    made = client.form("/rest/asset/v1/staticLists.json", form).result[0]
    assert client.get(f"/rest/v1/lists/{made['id']}.json").result[0]["name"] == "Fresh"
    assert client.form("/rest/asset/v1/staticLists.json", form).code == "709"
    assert (
        client.form("/rest/asset/v1/staticLists.json", form | {"name": "B", "folder": '{"type":"Folder","id":1}'}).code
        == "710"
    )
    assert client.post("/rest/asset/v1/staticLists.json", {"name": "C"}).code == "612"
    assert client.get("/rest/asset/v1/folder/byName.json", name="Group Lists").result[0]["id"] == 31


def test_programs_and_their_members(client: Client):
    client.sync([{"email": "a@x.example"}])
    assert [row["name"] for row in client.get("/rest/asset/v1/programs.json").result] == [
        "Spring Webinar",
        "Product Newsletter",
    ]
    assert client.get("/rest/asset/v1/programs.json", maxReturn=1, offset=1).result[0]["id"] == 1045
    assert client.get("/rest/asset/v1/program/byName.json", name="Spring Webinar").result[0]["id"] == 1044
    status = "/rest/v1/programs/1044/members/status.json"
    body = {"statusName": "Responded", "input": [{"leadId": 1000}, {"leadId": 5}]}
    first = client.post(status, body).result
    assert first[0] == {"seq": 0, "status": "updated", "leadId": 1000}
    assert first[1]["reasons"][0]["code"] == "1004"
    assert client.post(status, body | {"statusName": "Invited"}).result[0]["reasons"][0]["code"] == "1037"
    assert client.post(status, body | {"statusName": "Nope"}).code == "1025"
    member = client.get("/rest/v1/leads/programs/1044.json", fields="email").result[0]
    assert member["membership"]["progressionStatus"] == "Responded"
    assert client.get("/rest/v1/leads/1000/programMembership.json").result[0]["id"] == 1044


def test_campaigns_by_api(sandbox, client: Client):
    client.sync([{"email": "a@x.example"}])
    assert [row["id"] for row in client.get("/rest/v1/campaigns.json").result] == [2210, 2211, 2212]
    assert [row["id"] for row in client.get("/rest/v1/campaigns.json", isTriggerable="true").result] == [2210]
    assert client.get("/rest/v1/campaigns/2210.json").result[0]["name"] == "Fast Track to Sales"
    body = {"input": {"leads": [{"id": 1000}], "tokens": [{"name": "{{my.syncAs}}", "value": "contact"}]}}
    assert client.post("/rest/v1/campaigns/2210/trigger.json", body).result == [{"id": 2210}]
    assert sandbox.activities_of(1000)[0]["t"] == 47
    assert client.post("/rest/v1/campaigns/2212/trigger.json", body).code == "1003"
    assert client.post("/rest/v1/campaigns/1/trigger.json", body).code == "1013"
    assert client.post("/rest/v1/campaigns/2210/trigger.json", {"input": {"leads": [{"id": 5}]}}).code == "1004"
    many = {"input": {"leads": [{"id": 1000}] * 101}}
    assert client.post("/rest/v1/campaigns/2210/trigger.json", many).code == "1003"
    off = client.form("/rest/asset/v1/smartCampaign/2210/deactivate.json", {})
    assert off.result == [{"id": 2210}]
    assert client.post("/rest/v1/campaigns/2210/trigger.json", body).code == "1003"


def test_scheduling_a_batch_campaign(client: Client):
    schedule = "/rest/v1/campaigns/2212/schedule.json"
    assert client.post(schedule, {"input": {"runAt": "2026-03-05T08:00:00+0000"}}).result == [{"id": 2212}]
    assert client.post(schedule, {"input": {"runAt": "2026-03-04T09:01:00Z"}}).code == "1042"
    assert client.post("/rest/v1/campaigns/2210/schedule.json", {"input": {}}).code == "1003"
