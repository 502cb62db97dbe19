"""The desk, the truth log, `/_sandbox/`, the state on disk and the web page."""

import json
from datetime import datetime, timedelta

import pytest

from syncadmin.sandbox.marketo import MarketoSandbox
from syncadmin.sandbox.marketo.answers import RowError
from tests.sandbox.marketo.conftest import Client, Clock


def lines(reply):
    assert reply.status == 200
    return [json.loads(line) for line in reply.body.splitlines()]


def test_the_truth_names_who_did_what(sandbox, client: Client):
    client.sync([{"email": "a@x.example", "city": "Riga"}])
    sandbox.edit("person", 1000, {"city": "Oslo"}, by="campaign")
    client.sync([{"email": "a@x.example", "city": "Oslo"}])
    sandbox.delete("person", 1000)
    said = [(row.who, row.action, row.field, row.old, row.new) for row in sandbox.truth.of("person", "1000")]
    assert said[0][:3] == ("api:sandbox", "create", None)
    assert said[0][4]["city"] == "Riga"
    assert said[1:3] == [("campaign", "update", "city", "Riga", "Oslo"), ("api:sandbox", "update", None, None, None)]
    assert said[3][:2] == ("person", "delete")
    assert sandbox.truth.writes() == 2


def test_merges_are_in_the_truth_of_both(sandbox):
    sandbox.create("person", {"email": "a@x.example"})
    sandbox.create("person", {"email": "b@x.example", "city": "Riga"})
    sandbox.merge(1000, [1001])
    assert [(row.action, row.field, row.new) for row in sandbox.truth.of("person", "1000")][1:] == [
        ("merge", "city", "Riga"),
        ("merge", None, ["1001"]),
    ]
    assert sandbox.truth.of("person", "1001")[-1].new == "1000"


def test_the_desk_validates_like_the_screens(sandbox):
    with pytest.raises(RowError, match="firstName"):
        sandbox.create("person", {"firstName": "x" * 300})
    with pytest.raises(RowError, match="nope"):
        sandbox.create("person", {"nope": 1})
    with pytest.raises(ValueError, match="people only"):
        sandbox.create("lead", {"firstName": "x"})
    with pytest.raises(KeyError):
        sandbox.edit("person", 5, {"city": "Riga"})
    with pytest.raises(ValueError, match="row 2"):
        sandbox.load("person", [{"city": "Riga"}, {"leadScore": "many"}])
    assert list(sandbox.rows("person")) == []
    id = sandbox.create("person", {"email": "a@x.example", "priority": 3})
    assert sandbox.get("person", int(id))["priority"] == 3


def test_what_is_loaded_may_have_come_about_long_ago(sandbox, client: Client, clock: Clock):
    sandbox.load("person", [{"email": "old@x.example"}], days_ago=30)
    token = client.since(clock.now - timedelta(days=1))
    sandbox.load("person", [{"email": "new@x.example"}])
    created = {row["email"]: datetime.fromisoformat(row["createdAt"]) for row in sandbox.rows("person")}
    assert created["new@x.example"] - created["old@x.example"] == timedelta(days=30)
    feed = client.get("/rest/v1/activities.json", nextPageToken=token, activityTypeIds="12").json["result"]
    assert [row["leadId"] for row in feed] == [1001]


def test_only_the_api_insists_on_ascii_addresses(sandbox, client: Client):
    sandbox.load("person", [{"email": "stanisław@x.example"}])
    assert client.person(1000, "email")["email"] == "stanisław@x.example"
    assert client.sync([{"email": "stanisława@x.example"}])[0]["status"] == "skipped"
    with pytest.raises(RowError, match="email"):
        sandbox.edit("person", 1000, {"email": "łódź@x.example"}, by="api:other")


def test_the_same_seed_gives_the_same_account(clock: Clock):
    tokens = {Client(MarketoSandbox(clock=clock, seed=3, base_url="http://m")).sign_in().token for _ in range(3)}
    assert len(tokens) == 1


def test_control_over_http(sandbox):
    outside = Client(sandbox)
    made = outside.post("/_sandbox/create", {"entity": "person", "values": {"email": "a@x.example"}, "by": "person"})
    assert made.json == {"id": "1000"}
    outside.post("/_sandbox/edit", {"entity": "person", "id": 1000, "changes": {"city": "Riga"}, "by": "campaign"})
    assert lines(outside.get("/_sandbox/rows", entity="person"))[0]["city"] == "Riga"
    truth = lines(outside.get("/_sandbox/truth", since=0))
    assert [row["action"] for row in truth] == ["create", "update"]
    assert lines(outside.get("/_sandbox/truth", since=1)) == truth[1:]
    loaded = outside.post("/_sandbox/load", {"entity": "person", "rows": [{"email": "b@x.example"}]})
    assert loaded.json == {"ids": ["1001"]}
    assert outside.post("/_sandbox/merge", {"winner": 1000, "losers": [1001]}).status == 200
    assert outside.post("/_sandbox/list/add", {"list_id": 1207, "ids": [1000]}).status == 200
    assert lines(outside.get("/_sandbox/activities", id=1000))[0]["t"] == 24
    assert outside.post("/_sandbox/field", {"name": "f", "display": "F", "kind": "string"}).status == 200
    assert outside.post("/_sandbox/delete", {"entity": "person", "id": 1000}).status == 200
    assert lines(outside.get("/_sandbox/rows")) == []


def test_control_refuses_with_a_sentence(sandbox):
    outside = Client(sandbox)
    assert outside.get("/_sandbox/nothing").status == 404
    bad = outside.post("/_sandbox/edit", {"entity": "person", "id": 5, "changes": {}})
    assert (bad.status, bad.json) == (400, {"error": "'no person 5'"})
    assert outside.post("/_sandbox/edit", [1]).json == {"error": "the body must be a JSON object"}
    assert outside.post("/_sandbox/faults", [{"kind": "earthquake"}]).status == 400
    assert outside.post("/_sandbox/limits", {"nonsense": 1}).status == 400


def test_control_is_for_this_machine_only(sandbox):
    seen = []
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/_sandbox/rows", "REMOTE_ADDR": "192.0.2.7"}
    b"".join(sandbox(environ, lambda status, headers: seen.append(status)))
    assert seen == ["403 Forbidden"]


def test_troubles_and_limits_over_http(sandbox, client: Client):
    assert client.post("/_sandbox/faults", [{"kind": "rate_limit", "times": 2}]).json == {"waiting": 1}
    assert client.get("/rest/v1/lists.json").code == "606"
    assert client.get("/_sandbox/faults").json[0]["times"] == 1
    assert client.call("DELETE", "/_sandbox/faults").status == 204
    assert client.get("/rest/v1/lists.json").result
    assert client.post("/_sandbox/limits", {"on": True, "daily": 1}).json == {"on": True}
    assert client.get("/_sandbox/limits").json == {"on": True, "refused": {"606": 1}}
    assert client.get("/rest/v1/lists.json").code == "607"


def test_everything_acknowledged_survives_a_restart(tmp_path, clock: Clock):
    def start() -> MarketoSandbox:
        return MarketoSandbox(clock=clock, seed=7, base_url="http://m", path=tmp_path / "marketo.db")

    client = Client(start()).sign_in()
    since = client.since(clock.now)
    client.sync([{"email": "a@x.example"}, {"email": "b@x.example"}])
    client.post(
        "/rest/v1/leads/schema/fields.json",
        {"input": [{"displayName": "Dynamics Person GUID", "name": "dynPersonGuid", "dataType": "string"}]},
    )
    client.sync([{"id": 1000, "dynPersonGuid": "g"}], action="updateOnly", lookupField="id")
    client.post("/rest/v1/lists/1207/leads.json", {"input": [{"id": 1001}]})
    body = {"fields": ["id"], "filter": {"staticListId": 1207}}
    job = client.post("/bulk/v1/leads/export/create.json", body).result[0]["exportId"]
    client.post(f"/bulk/v1/leads/export/{job}/enqueue.json")
    client.get(f"/bulk/v1/leads/export/{job}/status.json")
    clock.tick(5)
    client.get(f"/bulk/v1/leads/export/{job}/status.json")
    jobs = {job}
    # No close: a killed process does not say goodbye.
    again = Client(start(), client.token)
    assert again.person(1000, "dynPersonGuid") == {"id": 1000, "dynPersonGuid": "g"}
    assert again.get("/rest/v1/lists/1207/leads.json", fields="id").result == [{"id": 1001}]
    assert len(again.get("/rest/v1/activities.json", nextPageToken=since, activityTypeIds="12,13,24").result) == 4
    assert again.get(f"/bulk/v1/leads/export/{job}/file.json").body == b"id\n1001\n"
    for _ in range(3):
        started = Client(start()).sign_in()
        jobs.add(started.post("/bulk/v1/leads/export/create.json", body).result[0]["exportId"])
    assert len(jobs) == 4
    assert again.sync([{"email": "c@x.example"}]) == [{"id": 1002, "status": "created"}]
    assert [row.action for row in again.app.truth.of("person", "1000")] == ["create", "update"]


def test_the_page_lists_searches_and_shows(sandbox, client: Client):
    sandbox.create("person", {"email": "ines@x.example", "firstName": "<Ines>", "lastName": "Kallas"})
    sandbox.load("person", [{"email": f"p{n}@x.example"} for n in range(60)])
    page = Client(sandbox).get("/").body.decode()
    assert "&lt;Ines&gt; Kallas" in page
    assert "<Ines>" not in page
    assert "after=1049" in page
    second = Client(sandbox).get("/", after="1049").body.decode()
    assert "p59@x.example" in second
    assert "ines@x.example" not in second
    found = Client(sandbox).get("/", q="kallas").body.decode()
    assert "ines@x.example" in found
    assert "p1@x.example" not in found
    one = Client(sandbox).get("/person/1000").body.decode()
    assert "Sync Person to Microsoft" in one
    assert "New Lead" in one
    assert Client(sandbox).get("/person/5").status == 404
    assert "Unsubscribed Reason" in Client(sandbox).get("/person/1000", all=1).body.decode()


def test_the_page_edits_adds_deletes_merges_and_lists(sandbox):
    page = Client(sandbox)
    made = page.form("/new", {"email": "a@x.example", "lastName": "Kallas", "unsubscribed": "false"})
    assert (made.status, made.headers["Location"]) == (303, "/person/1000")
    saved = page.form("/person/1000/edit", {"email": "a@x.example", "lastName": "Tamm", "by": "campaign"})
    assert "Saved: lastName" in saved.body.decode()
    assert sandbox.activities_of(1000)[0]["a"]["Source"] == "Marketo Flow Action"
    assert "Nothing was different" in page.form("/person/1000/edit", {"lastName": "Tamm"}).body.decode()
    assert page.form("/person/1000/edit", {"leadScore": "many"}).status == 400
    page.form("/person/1000/join", {"list": "1207"})
    assert sandbox.state.on("1207").keys() == {"1000"}
    page.form("/person/1000/leave", {"list": "1207"})
    assert not sandbox.state.on("1207")
    page.form("/new", {"email": "b@x.example"})
    page.form("/person/1000/merge", {"losers": "1001"})
    assert sandbox.get("person", 1001) is None
    assert page.form("/person/1000/delete", {}).status == 303
    assert list(sandbox.rows("person")) == []
    page.form("/lists", {"name": "Mine"})
    assert "Mine" in page.get("/lists").body.decode()


def test_the_button_shows_our_answer(clock: Clock):
    sandbox = MarketoSandbox(
        clock=clock, seed=1, base_url="http://m", send=lambda *call: (202, "Accepted", b'{"status":"queued"}')
    )
    sandbox.create("person", {"email": "a@x.example"})
    shown = Client(sandbox).form("/person/1000/sync", {"syncAs": "lead", "assignTo": ""}).body.decode()
    assert "HTTP 202 Accepted" in shown
    assert "{&quot;status&quot;:&quot;queued&quot;}" in shown
    assert "Call Webhook" in shown
