"""Bulk extract of people and activities: the states, the file, ranges, quota."""

import csv
import hashlib
import io
from datetime import timedelta

import pytest

from syncadmin.sandbox.marketo import MarketoSandbox
from tests.sandbox.marketo.conftest import Client, Clock

PEOPLE, ACTIVITIES = "/bulk/v1/leads/export", "/bulk/v1/activities/export"
TODAY = {"startAt": "2026-03-04T00:00:00Z", "endAt": "2026-03-05T00:00:00Z"}


def order(**more):
    return {"fields": ["id", "email", "firstName", "unsubscribed"], "filter": {"createdAt": TODAY}} | more


def extract(client: Client, clock: Clock, body, base: str = PEOPLE):
    job = client.post(base + "/create.json", body).result[0]["exportId"]
    client.post(f"{base}/{job}/enqueue.json")
    client.get(f"{base}/{job}/status.json")
    clock.tick(2)
    assert client.get(f"{base}/{job}/status.json").result[0]["status"] == "Completed"
    return job, client.get(f"{base}/{job}/file.json")


def rows(reply, delimiter=","):
    return list(csv.reader(io.StringIO(reply.body.decode()), delimiter=delimiter))


def test_the_life_of_a_job(sandbox, client: Client, clock: Clock):
    sandbox.create("person", {"email": "a@x.example", "firstName": 'Ines "Ini", K'})
    job = client.post(PEOPLE + "/create.json", order()).result[0]
    assert job["status"] == "Created"
    base = f"{PEOPLE}/{job['exportId']}"
    early = client.get(base + "/file.json")
    assert (early.status, early.headers["Content-Type"]) == (404, "text/plain")
    assert client.post(base + "/enqueue.json").result[0]["status"] == "Queued"
    assert client.post(base + "/enqueue.json").code == "1029"
    assert client.get(base + "/status.json").result[0]["status"] == "Processing"
    clock.tick(1)
    done = client.get(base + "/status.json").result[0]
    file = client.get(base + "/file.json")
    assert done["status"] == "Completed"
    assert {"createdAt", "queuedAt", "startedAt", "finishedAt"} <= set(done)
    assert (done["numberOfRecords"], done["fileSize"]) == (1, len(file.body))
    assert done["fileChecksum"] == "sha256:" + hashlib.sha256(file.body).hexdigest()
    assert rows(file) == [
        ["id", "email", "firstName", "unsubscribed"],
        ["1000", "a@x.example", 'Ines "Ini", K', "false"],
    ]
    assert b'"Ines ""Ini"", K"' in file.body


def test_empty_values_are_the_text_null(sandbox, client: Client, clock: Clock):
    sandbox.create("person", {"lastName": "Kallas"})
    _, file = extract(client, clock, order())
    assert rows(file)[1] == ["1000", "null", "null", "false"]


def test_ranges(sandbox, client: Client, clock: Clock):
    sandbox.load("person", [{"email": f"p{n}@x.example"} for n in range(50)])
    job, whole = extract(client, clock, order())
    path = f"{PEOPLE}/{job}/file.json"
    first = client.call("GET", path, range="bytes=0-99")
    assert (first.status, first.headers["Content-Range"]) == (206, f"bytes 0-99/{len(whole.body)}")
    rest = client.call("GET", path, range="bytes=100-")
    assert first.body + rest.body == whole.body
    assert client.call("GET", path, range="bytes=-5").body == whole.body[-5:]
    assert client.call("GET", path, range=f"bytes={len(whole.body)}-").status == 416


def test_formats_and_column_names(sandbox, client: Client, clock: Clock):
    sandbox.create("person", {"email": "a@x.example"})
    _, file = extract(client, clock, order(format="TSV", columnHeaderNames={"id": "marketoId"}))
    assert rows(file, "\t")[0] == ["marketoId", "email", "firstName", "unsubscribed"]


def test_only_people_of_the_window_or_the_list(sandbox, client: Client, clock: Clock):
    sandbox.create("person", {"email": "a@x.example"})
    clock.tick(86400 * 2)
    client.sign_in()
    sandbox.create("person", {"email": "b@x.example"})
    sandbox.add_to_list(1207, [1001])
    _, file = extract(client, clock, order())
    assert [row[0] for row in rows(file)[1:]] == ["1000"]
    for wanted in ({"staticListId": 1207}, {"staticListName": "Sync to Dynamics 365"}):
        _, file = extract(client, clock, order(filter=wanted))
        assert [row[0] for row in rows(file)[1:]] == ["1001"]


def test_updated_at_means_any_field(sandbox, client: Client, clock: Clock):
    sandbox.add_field("dynState", "Dynamics State")
    sandbox.create("person", {"email": "a@x.example"})
    clock.tick(86400 * 2)
    client.sign_in()
    sandbox.edit("person", 1000, {"dynState": "Open"})
    window = {"startAt": "2026-03-06T00:00:00Z", "endAt": "2026-03-07T00:00:00Z"}
    _, file = extract(client, clock, order(filter={"updatedAt": window}))
    assert len(rows(file)) == 2
    sandbox.set_knobs(bulk_updated_at=False)
    assert client.post(PEOPLE + "/create.json", order(filter={"updatedAt": window})).code == "1035"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"fields": ["id", "nope"]}, "1003"),
        ({"fields": []}, "1002"),
        ({"filter": {}}, "1003"),
        ({"filter": {"createdAt": TODAY, "staticListId": 1207}}, "1003"),
        ({"filter": {"createdAt": TODAY | {"endAt": "2026-04-05T00:00:01Z"}}}, "1003"),
        ({"filter": {"createdAt": TODAY | {"startAt": "2026-03-04T00:00:00.000Z"}}}, "1001"),
        ({"filter": {"createdAt": {"startAt": "2026-03-04T00:00:00Z"}}}, "1002"),
        ({"filter": {"smartListId": 5}}, "1035"),
        ({"filter": {"staticListId": 5}}, "1013"),
        ({"format": "XML"}, "1003"),
    ],
)
def test_refused_orders(client: Client, change, code):
    reply = client.post(PEOPLE + "/create.json", order(**change))
    assert reply.code == code
    assert client.get(PEOPLE + ".json").result == []


def test_an_unknown_field_is_named(client: Client):
    reply = client.post(PEOPLE + "/create.json", order(fields=["id", "nope", "nada"]))
    assert reply.error["message"] == "Invalid fields [nope, nada]"


def test_two_run_ten_wait(client: Client, sandbox: MarketoSandbox, clock: Clock):
    sandbox.set_knobs(bulk_run=60)
    jobs = [client.post(PEOPLE + "/create.json", order()).result[0]["exportId"] for _ in range(11)]
    for job in jobs[:10]:
        assert client.post(f"{PEOPLE}/{job}/enqueue.json").json["success"] is True
    full = client.post(f"{PEOPLE}/{jobs[10]}/enqueue.json")
    assert full.error == {"code": "1029", "message": "Too many jobs (10) in queue"}
    listed = [row["status"] for row in client.get(PEOPLE + ".json").result]
    assert listed == ["Processing"] * 2 + ["Queued"] * 8 + ["Created"]
    clock.tick(60)
    listed = [row["status"] for row in client.get(PEOPLE + ".json", status="Completed,Processing").result]
    assert listed == ["Completed"] * 2 + ["Processing"] * 2


def test_cancelling_has_two_spellings(client: Client):
    job = client.post(PEOPLE + "/create.json", order()).result[0]["exportId"]
    assert client.post(f"{PEOPLE}/{job}/cancel.json").result[0]["status"] == "Cancelled"
    assert client.get(f"{PEOPLE}/{job}/status.json").result[0]["status"] == "Canceled"
    assert client.post(f"{PEOPLE}/{job}/enqueue.json").code == "1003"


def test_the_daily_quota_counts_bytes_of_all_kinds(sandbox, client: Client, clock: Clock):
    sandbox.create("person", {"email": "a@x.example"})
    sandbox.set_limits(True, bulk_bytes=10)
    extract(client, clock, order())
    job = client.post(ACTIVITIES + "/create.json", {"filter": {"createdAt": TODAY}}).result[0]["exportId"]
    reply = client.post(f"{ACTIVITIES}/{job}/enqueue.json")
    assert reply.code == "1029"
    assert "Export daily quota" in reply.error["message"]
    clock.tick(86400)
    client.sign_in()
    assert client.post(f"{ACTIVITIES}/{job}/enqueue.json").result[0]["status"] == "Queued"


def test_files_go_after_seven_days_and_jobs_belong_to_their_user(sandbox, client: Client, clock: Clock):
    sandbox.set_knobs(clients={"sandbox": "sandbox-secret", "forms": "other"})
    job, _ = extract(client, clock, order())
    other = Client(sandbox).sign_in("forms", "other")
    assert other.get(f"{PEOPLE}/{job}/status.json").code == "1013"
    clock.tick(timedelta(days=7).total_seconds() + 10)
    client.sign_in()
    assert client.get(f"{PEOPLE}/{job}/file.json").status == 404


def test_status_is_refreshed_once_a_minute_when_told(sandbox, client: Client, clock: Clock):
    sandbox.set_knobs(bulk_refresh=60)
    job = client.post(PEOPLE + "/create.json", order()).result[0]["exportId"]
    client.post(f"{PEOPLE}/{job}/enqueue.json")
    status = f"{PEOPLE}/{job}/status.json"
    assert client.get(status).result[0]["status"] == "Processing"
    clock.tick(30)
    assert client.get(status).result[0]["status"] == "Processing"
    clock.tick(31)
    assert client.get(status).result[0]["status"] == "Completed"


def test_activities(sandbox, client: Client, clock: Clock):
    sandbox.create("person", {"email": "a@x.example"})
    sandbox.edit("person", 1000, {"title": "Head of Purchasing"}, by="campaign")
    sandbox.edit("person", 1000, {"city": "Riga"})
    _, file = extract(client, clock, {"filter": {"createdAt": TODAY, "activityTypeIds": [13]}}, ACTIVITIES)
    head, first, second = rows(file)
    assert head == [
        "marketoGUID",
        "leadId",
        "activityDate",
        "activityTypeId",
        "campaignId",
        "primaryAttributeValueId",
        "primaryAttributeValue",
        "attributes",
    ]
    assert first[1:7] == ["1000", "2026-03-04T09:00:00Z", "13", "2210", "60", "Job Title"]
    assert '"New Value":"Head of Purchasing"' in first[7]
    assert second[4] == "null"
    wanted = {"createdAt": TODAY, "activityTypeIds": [13], "primaryAttributeValues": ["City"]}
    _, file = extract(client, clock, {"filter": wanted, "fields": ["leadId", "actionResult"]}, ACTIVITIES)
    assert rows(file) == [["leadId", "actionResult"], ["1000", "succeeded"]]


@pytest.mark.parametrize(
    "wanted",
    [
        {"createdAt": TODAY, "activityTypeIds": [37]},
        {"createdAt": TODAY, "primaryAttributeValues": ["City"]},
        {"createdAt": TODAY, "activityTypeIds": [13], "primaryAttributeValues": [str(n) for n in range(51)]},
        {"createdAt": TODAY, "activityTypeIds": [13], "primaryAttributeValues": ["a"], "primaryAttributeValueIds": [1]},
    ],
)
def test_refused_activity_orders(client: Client, wanted):
    assert client.post(ACTIVITIES + "/create.json", {"filter": wanted}).code == "1003"
    assert client.post(ACTIVITIES + "/create.json", {"filter": {"activityTypeIds": [13]}}).code == "1002"
