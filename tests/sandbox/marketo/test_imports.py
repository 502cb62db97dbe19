"""Bulk import of people: the upload, the states of a batch, failed and warned rows, the queue."""

import csv
import io

import pytest

from syncadmin.sandbox.marketo import MarketoSandbox
from tests.sandbox.marketo.conftest import Client, Clock, Reply

IMPORT = "/bulk/v1/leads.json"


def upload(client: Client, text: str, name: str = "file", **params: str) -> Reply:
    body = (
        f'--b1\r\nContent-Disposition: form-data; name="{name}"; filename="p.csv"\r\nContent-Type: text/csv\r\n\r\n'
        f"{text}\r\n--b1--\r\n"
    )
    asked = {"format": "csv"} | params
    return client.call("POST", IMPORT, asked, body=body.encode(), content_type="multipart/form-data; boundary=b1")


def batch(client: Client, reply: Reply) -> str:
    return f"/bulk/v1/leads/batch/{reply.result[0]['batchId']}"


def by_email(client: Client, address: str, fields: str = "firstName,title") -> list[dict]:
    return client.get("/rest/v1/leads.json", filterType="email", filterValues=address, fields=fields).result


def rows(reply: Reply) -> list[list[str]]:
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/csv;charset=UTF-8")
    return list(csv.reader(io.StringIO(reply.body.decode())))


def test_the_life_of_a_batch(client: Client, clock: Clock):
    (old,) = client.sync([{"email": "a@x.example", "firstName": "Ann", "title": "Boss"}])
    started = upload(client, "email,firstName,title\nA@x.example,Anna,\nb@x.example,Bø,Clerk")
    (queued,) = started.result
    assert (queued["status"], queued["importId"]) == ("Queued", str(queued["batchId"]))
    path = batch(client, started)
    assert client.get(f"{path}.json").result[0]["status"] == "Importing"
    assert by_email(client, "b@x.example") == []
    clock.tick(2)
    assert client.get(f"{path}.json").result == [
        {
            "batchId": queued["batchId"],
            "importId": queued["importId"],
            "status": "Complete",
            "numOfLeadsProcessed": 2,
            "numOfRowsFailed": 0,
            "numOfRowsWithWarning": 0,
            "message": "Import succeeded, 2 records imported (2 members)",
        }
    ]
    # An empty cell leaves what is there.
    assert client.person(old["id"], "firstName,title") == {"id": old["id"], "firstName": "Anna", "title": "Boss"}
    assert by_email(client, "b@x.example")[0]["firstName"] == "Bø"
    for kind in ("failures", "warnings"):
        none = client.get(f"{path}/{kind}.json")
        assert (none.status, none.body) == (200, b"")


def test_what_it_did_is_seen_without_asking_for_the_batch(client: Client, clock: Clock):
    token = client.since(clock.now)
    upload(client, "email\nb@x.example")
    client.get("/rest/v1/leads/partitions.json")
    clock.tick(2)
    (row,) = client.get("/rest/v1/activities.json", nextPageToken=token, activityTypeIds="12").result
    assert {"name": "Source Type", "value": "List import"} in row["attributes"]
    assert by_email(client, "b@x.example")


def test_failed_and_warned_rows_come_back_with_their_reason(client: Client, clock: Clock):
    client.sync([{"email": "two@x.example"}])
    client.sync([{"email": "two@x.example"}], action="createDuplicate")
    long = "x" * 300
    text = f"email,numberOfEmployees,title\na@x.example,many,\ntwo@x.example,1,\nb@x.example,2,{long}\n,3,"
    path = batch(client, upload(client, text))
    client.get(f"{path}.json")
    clock.tick(2)
    done = client.get(f"{path}.json").result[0]
    assert (done["numOfLeadsProcessed"], done["numOfRowsFailed"], done["numOfRowsWithWarning"]) == (1, 3, 1)
    assert done["message"] == "Import completed with errors, 1 records imported (1 members), 3 failed"
    head, *failed = rows(client.get(f"{path}/failures.json"))
    assert head == ["email", "numberOfEmployees", "title", "Import Failure Reason"]
    assert [row[0] for row in failed] == ["a@x.example", "two@x.example", ""]
    assert failed[1][-1] == "Multiple lead match lookup criteria"
    warned = rows(client.get(f"{path}/warnings.json"))[1]
    assert (warned[0], warned[2]) == ("b@x.example", long)
    assert by_email(client, "b@x.example")[0]["title"] == "x" * 255


def test_by_id_people_are_updated_only_and_put_on_a_list(sandbox: MarketoSandbox, client: Client, clock: Clock):
    (old,) = client.sync([{"email": "a@x.example"}])
    list_id = str(sandbox.add_list("Guests"))
    path = batch(client, upload(client, f"id,title\n{old['id']},Boss\n99,Ghost", lookupField="id", listId=list_id))
    client.get(f"{path}.json")
    clock.tick(2)
    assert client.get(f"{path}.json").result[0]["numOfRowsFailed"] == 1
    members = client.get(f"/rest/v1/lists/{list_id}/leads.json", fields="title").result
    assert members == [{"id": old["id"], "title": "Boss"}]


@pytest.mark.parametrize(
    ("text", "params", "code"),
    [
        ("email\na@x.example", {"format": "xls"}, "1003"),
        ("email\na@x.example", {"format": ""}, "1002"),
        ("email\na@x.example", {"lookupField": "nope"}, "1006"),
        ("email\na@x.example", {"lookupField": "firstName"}, "1011"),
        ("email\na@x.example", {"listId": "77"}, "1013"),
        ("email\na@x.example", {"partitionName": "Moon"}, "1008"),
        ("email,nope\na@x.example,1", {}, "1006"),
        ("firstName\nAnn", {}, "1002"),
        ("", {}, "1003"),
        ("x" * 200_000, {}, "1003"),
        ("email\na@x.example", {"name": "data"}, "613"),
    ],
)
def test_what_is_refused(client: Client, text: str, params: dict[str, str], code: str):
    assert upload(client, text, **params).code == code


def test_an_upload_is_a_form_with_a_file(client: Client):
    assert client.call("POST", f"{IMPORT}?format=csv", body=b"email\n", content_type="text/csv").code == "612"
    broken = client.call("POST", f"{IMPORT}?format=csv", body=b"email\n", content_type="multipart/form-data")
    assert broken.code == "613"
    assert upload(client, "email\n" + "a@x.example\n" * 100_000).json["success"] is True
    assert upload(client, "x" * 11_000_000).status == 413


def test_ten_batches_wait_and_a_list_is_imported_into_once_at_a_time(sandbox: MarketoSandbox, client: Client):
    list_id = str(sandbox.add_list("Guests"))
    upload(client, "email\na@x.example", listId=list_id)
    assert upload(client, "email\nb@x.example", listId=list_id).code == "1019"
    for _ in range(9):
        assert upload(client, "email\na@x.example").json["success"] is True
    assert upload(client, "email\na@x.example").error["code"] == "1016"


def test_a_batch_is_known_to_its_user_for_a_week(sandbox: MarketoSandbox, client: Client, clock: Clock):
    path = batch(client, upload(client, "email\na@x.example"))
    sandbox.set_knobs(clients={"sandbox": "sandbox-secret", "other": "s"})
    assert Client(sandbox).sign_in("other", "s").get(f"{path}.json").code == "1013"
    clock.tick(8 * 86_400)
    client.sign_in()
    assert client.get(f"{path}.json").code == "1013"
