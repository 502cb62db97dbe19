"""Every trouble the sandbox can be told to make, as it looks on Marketo's side."""

import json

import pytest

from syncadmin.sandbox.faults import Cut, Fault
from tests.sandbox.marketo.conftest import Client, Clock

PATH = "/rest/v1/leads/partitions.json"
LEADS = "/rest/v1/leads.json"
ONE = {"input": [{"email": "a@x.example"}]}


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("rate_limit", None, "606"),
        ("daily_limit", None, "607"),
        ("concurrency", None, "615"),
        ("expired_token", None, "602"),
        ("expired_token", 601, "601"),
        ("error", 502, "502"),
        ("error", "604", "604"),
        ("error", "611", "611"),
        ("error", "713", "713"),
        ("unavailable", "608", "608"),
    ],
)
def test_errors_inside_a_200(sandbox, client: Client, kind, value, code):
    sandbox.faults.add(Fault(kind, path="*leads.json*", value=value))
    reply = client.post(LEADS, ONE)
    assert (reply.status, reply.code) == (200, code)
    assert list(sandbox.rows("person")) == []
    assert client.post(LEADS, ONE).result[0]["status"] == "created"


@pytest.mark.parametrize(
    ("kind", "status", "body"),
    [
        ("unavailable", 503, b"<html>"),
        ("error", 500, b"<html>"),
        ("html", 200, b"<html>"),
        ("garbage", 200, b'{"requestId"'),
        ("empty", 200, b""),
    ],
)
def test_gateways_in_between(sandbox, client: Client, kind, status, body):
    sandbox.faults.add(Fault(kind))
    reply = client.post(LEADS, ONE)
    assert reply.status == status
    assert reply.body.startswith(body)
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(reply.body)
    assert list(sandbox.rows("person")) == []


def test_a_timeout_after_has_applied_the_write_and_one_before_has_not(sandbox, client: Client):
    sandbox.faults.add(Fault("timeout_before"))
    sandbox.faults.add(Fault("timeout_after"))
    for people in (0, 1):
        with pytest.raises(Cut):
            client.post(LEADS, ONE)
        assert len(list(sandbox.rows("person"))) == people


def test_a_cut_ends_in_the_middle_of_the_body(sandbox, client: Client):
    sandbox.faults.add(Fault("cut"))
    with pytest.raises(Cut) as cut:
        client.post(LEADS, ONE)
    length = int(dict(cut.value.headers)["Content-Length"])
    assert 0 < len(cut.value.part) < length
    assert len(list(sandbox.rows("person"))) == 1


def test_slow_sleeps_and_answers(sandbox, client: Client, clock: Clock):
    before = clock.now
    sandbox.faults.add(Fault("slow", value=7))
    assert client.get(PATH).result
    assert (clock.now - before).total_seconds() == 7


def test_a_row_of_a_batch_fails_alone(sandbox, client: Client):
    sandbox.faults.add(Fault("partial_batch", method="POST", path="/rest/v1/leads.json", value=2))
    result = client.sync([{"email": f"{name}@x.example"} for name in "abc"])
    assert [row["status"] for row in result] == ["created", "skipped", "created"]
    sandbox.faults.add(Fault("partial_batch", value={"row": 1, "code": "1014", "message": "Failed to create Object"}))
    assert client.sync([{"email": "b@x.example"}])[0]["reasons"][0]["code"] == "1014"


def test_a_rival_is_faster_by_a_moment(sandbox, client: Client):
    client.sync([{"email": "a@x.example", "city": "Riga"}])
    change = {"entity": "person", "id": 1000, "changes": {"city": "Rival"}}
    sandbox.faults.add(Fault("rival", method="POST", path=LEADS, value=change))
    client.sync([{"email": "a@x.example", "city": "Ours"}])
    said = [(entry.who, entry.old, entry.new) for entry in sandbox.truth.of("person", "1000") if entry.field == "city"]
    assert said == [("rival", "Riga", "Rival"), ("api:sandbox", "Rival", "Ours")]
    match = {"entity": "person", "match": {"email": "a@x.example"}, "changes": {"city": "Again"}, "by": "campaign"}
    sandbox.faults.add(Fault("rival", value=match))
    assert client.person(1000, "city")["city"] == "Again"


def test_a_rival_may_be_any_deed(sandbox, client: Client):
    sandbox.faults.add(Fault("rival", value=lambda: sandbox.create("person", {"email": "a@x.example"})))
    assert client.post(LEADS, ONE | {"action": "createOnly"}).result[0]["reasons"][0]["code"] == "1005"


CHANGES = "/rest/v1/activities/leadchanges.json"


def feed(client: Client, token: str):
    reply = client.get(CHANGES, nextPageToken=token, fields="city").json
    return [row["leadId"] for row in reply.get("result", [])], reply["nextPageToken"], reply["moreResult"]


def test_feeds_repeat_lines(sandbox, client: Client, clock: Clock):
    token = client.since(clock.now)
    client.sync([{"email": "a@x.example"}, {"email": "b@x.example"}])
    sandbox.faults.add(Fault("duplicate_events"))
    assert feed(client, token)[0] == [1000, 1001, 1000, 1001]


def test_feeds_hold_lines_back_and_deliver_them_later(sandbox, client: Client, clock: Clock):
    token = client.since(clock.now)
    client.sync([{"email": "a@x.example"}])
    sandbox.faults.add(Fault("late_events", path="*leadchanges*", value=30))
    rows, token, _ = feed(client, token)
    assert rows == []
    clock.tick(10)
    client.sync([{"email": "b@x.example"}])
    rows, token, _ = feed(client, token)
    assert rows == [1001]
    clock.tick(20)
    rows, token, more = feed(client, token)
    assert (rows, more) == ([1000], False)
    reply = client.get(CHANGES, nextPageToken=client.since(clock.now), fields="city").json
    assert reply["result"][0]["activityDate"] == "2026-03-04T09:00:00Z"


def test_feeds_answer_empty_pages_with_more_to_come(sandbox, client: Client, clock: Clock):
    token = client.since(clock.now)
    client.sync([{"email": "a@x.example"}])
    sandbox.faults.add(Fault("empty", path="*leadchanges*", times=2))
    for _ in range(2):
        rows, token, more = feed(client, token)
        assert (rows, more) == ([], True)
    assert feed(client, token)[0] == [1000]


def test_feeds_may_lose_their_token(sandbox, client: Client, clock: Clock):
    token = client.since(clock.now)
    sandbox.faults.add(Fault("expired_delta", path="*leadchanges*"))
    assert client.get(CHANGES, nextPageToken=token, fields="city").code == "1003"
    assert client.get(CHANGES, nextPageToken=token, fields="city").json["success"] is True


def test_skip_times_and_path_choose_the_request(sandbox, client: Client):
    sandbox.faults.add(Fault("rate_limit", path="*partitions*", skip=1, times=2))
    assert client.post(LEADS, ONE).result
    codes = [client.get(PATH).json["success"] for _ in range(4)]
    assert codes == [True, False, False, True]
    assert {"errorCode": "606", "count": 2} in client.get("/rest/v1/stats/errors.json").result[0]["errors"]
