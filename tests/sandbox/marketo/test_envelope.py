"""The envelope, transport oddities, sizes, unknown paths and methods."""

import re

from tests.sandbox.marketo.conftest import Client

LEADS = "/rest/v1/leads.json"


def test_success_and_failure_look_alike_from_outside(client: Client):
    good = client.get(LEADS, filterType="email", filterValues="nobody@x.example")
    assert good.status == 200
    assert list(good.json) == ["requestId", "result", "success"]
    assert good.json["result"] == []
    assert re.fullmatch(r"[0-9a-f]{1,5}#[0-9a-f]{11}", good.json["requestId"])
    assert good.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert good.headers["Server"] == "nginx"
    bad = client.get("/rest/v1/nothing.json")
    assert bad.status == 200
    assert bad.json["errors"] == [{"code": "610", "message": "Requested resource not found"}]
    assert "result" not in bad.json


def test_request_ids_carry_the_time(client: Client, clock):
    _, _, stamp = client.get(LEADS).json["requestId"].partition("#")
    assert int(stamp, 16) == int(clock.now.timestamp() * 1000)


def test_unknown_paths_and_wrong_methods(client: Client):
    assert client.get("/rest//v1/leads.json").code == "610"
    assert client.get("/rest/bulk/v1/leads/export.json").code == "610"
    assert client.call("PUT", LEADS).code == "605"
    assert client.call("DELETE", "/rest/v1/leads/describe.json").code == "605"
    assert client.get("/rest/v1/leads").status == 404


def test_what_is_out_of_scope_is_610(client: Client):
    for path in ("companies", "opportunities", "opportunities/roles", "salespersons", "companies/describe"):
        assert client.get(f"/rest/v1/{path}.json").code == "610"
    assert client.post("/rest/v1/leads/push.json").code == "610"
    assert client.post("/rest/v1/leads/submitForm.json").code == "610"
    assert client.post("/rest/v1/leads/partitions.json", {"input": [{"id": 1}]}).code == "610"


def test_bodies_need_their_content_type_and_must_be_json(client: Client):
    assert client.call("POST", LEADS, body=b'{"input":[]}', content_type="text/plain").code == "612"
    assert client.call("POST", LEADS, body=b"{nope", content_type="application/json").code == "609"
    assert client.call("POST", LEADS, body=b"[1]", content_type="application/json").code == "609"
    reply = client.call(
        "POST", LEADS, body=b'{"input":[{"email":"a@b.c"}]}', content_type="application/json;charset=UTF-8"
    )
    assert reply.result[0]["status"] == "created"


def test_too_long_addresses_and_bodies(client: Client):
    values = ",".join(["x" * 40] * 250)
    assert client.get(LEADS, filterType="email", filterValues=values).status == 414
    assert client.form(LEADS + "?_method=GET", {"filterType": "email", "filterValues": values}).result == []
    big = {"input": [{"email": "a@b.c", "mktoPersonNotes": "x" * 1_100_000}]}
    assert client.post(LEADS, big).status == 413


def test_method_override_reads_the_form_body(sandbox, client: Client):
    id = sandbox.create("person", {"email": "ines@x.example", "lastName": "Kallas"})
    form = {"filterType": "id", "filterValues": f"{id},99", "fields": "lastName"}
    assert client.form(LEADS + "?_method=GET", form).result == [{"id": int(id), "lastName": "Kallas"}]
    reply = client.post(LEADS + "?_method=DELETE", {"input": [{"id": int(id)}]})
    assert reply.result == [{"id": int(id), "status": "deleted"}]


def test_inputs_are_between_one_and_three_hundred_rows(sandbox, client: Client):
    assert client.post(LEADS, {"input": []}).code == "701"
    assert client.post(LEADS, {}).code == "701"
    assert client.post(LEADS, {"input": [{"email": f"p{n}@x.example"} for n in range(301)]}).code == "1003"
    assert list(sandbox.rows("person")) == []


def test_list_parameters_may_be_repeated_or_comma_separated(client: Client, clock):
    token = client.since(clock.now)
    one = client.get("/rest/v1/activities.json", nextPageToken=token, activityTypeIds=["12", "13"])
    two = client.get("/rest/v1/activities.json", nextPageToken=token, activityTypeIds="12,13")
    assert one.json["nextPageToken"] == two.json["nextPageToken"]
    many = ",".join(str(n) for n in (1, 2, 3, 6, 7, 8, 9, 10, 11, 12, 13))
    assert client.get("/rest/v1/activities.json", nextPageToken=token, activityTypeIds=many).code == "1003"
