"""Reading and writing people: the outcome matrix, whole-record validation, doubles, merges, deletions."""

import pytest

from tests.sandbox.marketo.conftest import Client, Clock

LEADS = "/rest/v1/leads.json"


def code(row):
    assert row["status"] == "skipped"
    assert "id" not in row
    return row["reasons"][0]["code"]


def test_ids_start_at_1000_and_are_never_reused(sandbox, client: Client):
    first, second = client.sync([{"email": "a@x.example"}, {"email": "b@x.example"}])
    assert (first, second) == ({"id": 1000, "status": "created"}, {"id": 1001, "status": "created"})
    sandbox.delete("person", 1001)
    assert client.sync([{"email": "b@x.example"}]) == [{"id": 1002, "status": "created"}]


@pytest.mark.parametrize(
    ("action", "none", "one", "several"),
    [
        ("createOrUpdate", "created", "updated", "1007"),
        ("createOnly", "created", "1005", "1005"),
        ("updateOnly", "1004", "updated", "1007"),
        ("createDuplicate", "created", "created", "created"),
    ],
)
def test_the_outcome_matrix(sandbox, client: Client, action, none, one, several):
    sandbox.create("person", {"email": "one@x.example"})
    for _ in range(2):
        sandbox.create("person", {"email": "two@x.example"})
    rows = [{"email": f"{who}@x.example", "city": "Riga"} for who in ("none", "one", "two")]
    said = client.sync(rows, action=action)
    assert [code(row) if row["status"] == "skipped" else row["status"] for row in said] == [none, one, several]
    expected = {"created": 1, "updated": 1}.get(none, 0) + {"created": 1}.get(one, 0) + {"created": 1}.get(several, 0)
    assert len(list(sandbox.rows("person"))) == 3 + expected


def test_matching_ignores_case_and_several_may_share_an_email(sandbox, client: Client):
    id = sandbox.create("person", {"email": "Ines.Kallas@X.example"})
    assert client.sync([{"email": "ines.kallas@x.EXAMPLE"}]) == [{"id": int(id), "status": "updated"}]
    sandbox.create("person", {"email": "INES.KALLAS@x.example"})
    found = client.get(LEADS, filterType="email", filterValues="ines.kallas@x.example").result
    assert [row["id"] for row in found] == [1000, 1001]


def test_one_bad_value_refuses_the_whole_record_and_no_other(sandbox, client: Client):
    said = client.sync(
        [
            {"email": "a@x.example", "firstName": "A", "numberOfEmployees": "14.1"},
            {"email": "b@x.example", "firstName": "B"},
        ]
    )
    assert said[0]["reasons"] == [
        {"code": "1003", "message": "Invalid value for field 'numberOfEmployees' and value '14.1'"}
    ]
    assert said[1]["status"] == "created"
    assert [row["firstName"] for row in sandbox.rows("person")] == ["B"]


@pytest.mark.parametrize(
    ("field", "value", "stored"),
    [
        ("numberOfEmployees", "14", 14),
        ("numberOfEmployees", 14.0, 14),
        ("numberOfEmployees", 2**31, None),
        ("annualRevenue", "1250.5", 1250.5),
        ("annualRevenue", "14c", None),
        ("doNotCall", "true", True),
        ("doNotCall", 1, True),
        ("doNotCall", "other", None),
        ("dateOfBirth", "1980-02-29", "1980-02-29"),
        ("dateOfBirth", "29.2.1980", None),
        ("mktoAcquisitionDate", "2026-03-04T10:15:42.731+01:00", "2026-03-04T09:15:42Z"),
        ("mktoAcquisitionDate", "yesterday", None),
        ("firstName", 42, "42"),
        ("firstName", "x" * 256, None),
        ("firstName", ["x"], None),
        ("mktoPersonNotes", "ä" * 15_000, "ä" * 15_000),
        ("mktoPersonNotes", "ä" * 15_001, None),
        ("email", "jörg@x.example", None),
        ("mktoName", "Full Name", None),
    ],
)
def test_values_by_type(client: Client, field, value, stored):
    client.sync([{"email": "a@x.example"}])
    row = client.sync([{"id": 1000, field: value}], action="updateOnly", lookupField="id")[0]
    if stored is None:
        assert code(row) == "1003"
    else:
        assert row == {"id": 1000, "status": "updated"}
        assert client.person(1000, field)[field] == stored


def test_percent_takes_whole_numbers_only(sandbox, client: Client):
    sandbox.add_field("percent_done", "Percent Done", "percent")
    client.sync([{"email": "a@x.example", "percent_done": 30}])
    assert client.person(1000, "percent_done")["percent_done"] == 30
    assert code(client.sync([{"email": "a@x.example", "percent_done": "100%"}])[0]) == "1003"


def test_null_and_empty_clear_and_booleans_fall_to_false(client: Client):
    client.sync([{"email": "a@x.example", "city": "Riga", "state": "RI", "unsubscribed": True}])
    client.sync([{"email": "a@x.example", "city": None, "state": "", "unsubscribed": None}])
    assert client.person(1000, "city,state,unsubscribed") == {
        "id": 1000,
        "city": None,
        "state": None,
        "unsubscribed": False,
    }


def test_only_fields_sent_are_touched_and_equal_values_leave_no_trace(sandbox, client: Client, clock: Clock):
    client.sync([{"email": "a@x.example", "city": "Riga", "firstName": "Ada"}])
    token = client.since(clock.now)
    clock.tick(60)
    assert client.sync([{"email": "a@x.example", "city": "Riga"}]) == [{"id": 1000, "status": "updated"}]
    assert client.person(1000, "updatedAt,firstName") == {
        "id": 1000,
        "updatedAt": "2026-03-04T09:00:00Z",
        "firstName": "Ada",
    }
    rows = client.get("/rest/v1/activities.json", nextPageToken=token, activityTypeIds="13").json
    assert "result" not in rows


def test_updated_at_follows_standard_fields_only(sandbox, client: Client, clock: Clock):
    sandbox.add_field("dynState", "Dynamics State")
    client.sync([{"email": "a@x.example"}])
    clock.tick(60)
    client.sync([{"email": "a@x.example", "dynState": "Open"}])
    assert client.person(1000, "updatedAt")["updatedAt"] == "2026-03-04T09:00:00Z"
    client.sync([{"email": "a@x.example", "city": "Riga"}])
    assert client.person(1000, "updatedAt")["updatedAt"] == "2026-03-04T09:01:00Z"


def test_lookup_fields_and_their_refusals(sandbox, client: Client):
    sandbox.add_field("dynPersonGuid", "Dynamics Person GUID")
    body = {"lookupField": "dynPersonGuid", "input": [{"dynPersonGuid": "7b0e", "email": "a@x.example"}]}
    assert client.post(LEADS, body).result == [{"id": 1000, "status": "created"}]
    assert client.post(LEADS, body | {"input": [{"dynPersonGuid": "7B0E", "email": "b@x.example"}]}).result == [
        {"id": 1000, "status": "updated"}
    ]
    assert client.person(1000, "email")["email"] == "b@x.example"
    assert code(client.sync([{"email": "c@x.example"}], lookupField="dynPersonGuid")[0]) == "1002"
    assert client.post(LEADS, {"lookupField": "nope", "input": [{"nope": 1}]}).code == "1006"
    assert client.post(LEADS, {"lookupField": "firstName", "input": [{"firstName": "A"}]}).code == "1011"
    assert client.post(LEADS, {"lookupField": "id", "input": [{"id": 1000}]}).code == "1003"
    assert client.post(LEADS, {"action": "destroy", "input": [{"email": "a@x.example"}]}).code == "1003"


def test_an_id_in_a_create_row_an_unknown_and_a_read_only_field_skip_the_row(client: Client):
    rows = [
        {"email": "a@x.example", "id": 7},
        {"email": "b@x.example", "nope": 1},
        {"email": "c@x.example", "createdAt": "2026-01-01T00:00:00Z"},
    ]
    assert [code(row) for row in client.sync(rows, action="createOnly")] == ["1003", "1006", "1003"]


def test_fields_the_platform_keeps_are_accepted_and_ignored(client: Client):
    client.sync([{"email": "a@x.example", "priority": 5, "personType": "lead", "isAnonymous": True}])
    assert client.person(1000, "priority,personType,isAnonymous") == {
        "id": 1000,
        "priority": None,
        "personType": "contact",
        "isAnonymous": False,
    }


def test_one_key_twice_in_a_call_is_taken_in_order(client: Client):
    said = client.sync([{"email": "a@x.example", "city": "Riga"}, {"email": "A@x.example", "city": "Oslo"}])
    assert [row["status"] for row in said] == ["created", "updated"]
    assert client.person(1000, "city")["city"] == "Oslo"


def test_an_email_may_become_somebody_elses(client: Client):
    client.sync([{"email": "a@x.example"}, {"email": "b@x.example"}])
    said = client.sync([{"id": 1001, "email": "a@x.example"}], action="updateOnly", lookupField="id")
    assert said == [{"id": 1001, "status": "updated"}]


def test_people_without_email_are_legal_by_another_key(sandbox, client: Client):
    sandbox.add_field("dynPersonGuid", "Dynamics Person GUID")
    said = client.sync(
        [{"dynPersonGuid": "g1", "lastName": "Kallas"}], action="createOnly", lookupField="dynPersonGuid"
    )
    assert said == [{"id": 1000, "status": "created"}]
    assert client.person(1000, "email,lastName") == {"id": 1000, "email": None, "lastName": "Kallas"}


def test_asynchronous_processing_answers_without_rows(sandbox, client: Client):
    reply = client.post(LEADS, {"asyncProcessing": True, "input": [{"email": "a@x.example"}]})
    assert reply.json["success"] is True
    assert "result" not in reply.json
    assert len(list(sandbox.rows("person"))) == 1


def test_default_fields_of_a_lookup(client: Client):
    client.sync([{"email": "a@x.example", "firstName": "Ines"}])
    row = client.get(LEADS, filterType="id", filterValues="1000").result[0]
    assert row == {
        "id": 1000,
        "email": "a@x.example",
        "updatedAt": "2026-03-04T09:00:00Z",
        "createdAt": "2026-03-04T09:00:00Z",
        "firstName": "Ines",
        "lastName": None,
    }


def test_absent_instead_of_null_can_be_switched_on(sandbox, client: Client):
    client.sync([{"email": "a@x.example"}])
    sandbox.set_knobs(empty_fields=False)
    assert client.person(1000, "email,city,unsubscribed") == {"id": 1000, "email": "a@x.example", "unsubscribed": False}


def test_filter_refusals(client: Client):
    assert client.get(LEADS, filterValues="1").code == "1002"
    assert client.get(LEADS, filterType="email").code == "1002"
    assert client.get(LEADS, filterType="firstName", filterValues="A").code == "1011"
    assert client.get(LEADS, filterType="updatedAt", filterValues="A").code == "1011"
    assert client.get(LEADS, filterType="nope", filterValues="A").code == "1006"
    assert client.get(LEADS, filterType="id", filterValues="1", fields="nope").code == "1006"
    many = ",".join(str(n) for n in range(301))
    assert client.get(LEADS, filterType="id", filterValues=many).code == "1003"
    assert client.get(LEADS, filterType="id", filterValues="1", nextPageToken="junk").code == "1003"


def test_more_than_a_thousand_matches_are_refused_and_pages_hold_300(sandbox, client: Client):
    sandbox.load("person", [{"email": "same@x.example"} for _ in range(1000)])
    seen, token = [], {}
    while True:
        reply = client.get(LEADS, filterType="email", filterValues="same@x.example", fields="id", **token)
        seen.append(len(reply.result))
        if "nextPageToken" not in reply.json:
            break
        token = {"nextPageToken": reply.json["nextPageToken"]}
    assert seen == [300, 300, 300, 100]
    sandbox.create("person", {"email": "same@x.example"})
    reply = client.get(LEADS, filterType="email", filterValues="same@x.example")
    assert reply.error == {"code": "1003", "message": "Too many results match the filter"}


def test_one_person_by_id_and_an_unknown_one(client: Client):
    client.sync([{"email": "a@x.example"}])
    assert client.get("/rest/v1/lead/1000.json", fields="email").result == [{"id": 1000, "email": "a@x.example"}]
    assert client.get("/rest/v1/lead/77.json").result == []


def test_delete_by_body_and_by_query(client: Client):
    client.sync([{"email": "a@x.example"}, {"email": "b@x.example"}])
    said = client.post("/rest/v1/leads/delete.json", {"input": [{"id": 1000}, {"id": 4}]}).result
    assert said == [
        {"id": 1000, "status": "deleted"},
        {"id": 4, "status": "skipped", "reasons": [{"code": "1004", "message": "Lead not found"}]},
    ]
    assert client.call("POST", "/rest/v1/leads/delete.json", {"id": "1001"}).result[0]["status"] == "deleted"


def test_merge_fills_gaps_and_kills_the_losers(sandbox, client: Client):
    client.sync([{"email": "a@x.example", "city": "Riga"}, {"email": "b@x.example", "city": "Oslo", "phone": "1"}])
    sandbox.add_to_list(1207, [1001])
    reply = client.post("/rest/v1/leads/1000/merge.json", leadId=1001)
    assert list(reply.json) == ["requestId", "success"]
    assert client.person(1000, "email,city,phone") == {"id": 1000, "email": "a@x.example", "city": "Riga", "phone": "1"}
    assert sandbox.get("person", 1001) is None
    assert client.get("/rest/v1/lists/1207/leads.json", fields="id").result == [{"id": 1000}]
    assert {row["l"] for row in sandbox.activities_of(1000)} == {1000}
    assert [row["t"] for row in sandbox.activities_of(1000)].count(12) == 2


def test_merge_refusals(client: Client):
    client.sync([{"email": "a@x.example"}])
    merge = "/rest/v1/leads/1000/merge.json"
    assert client.post(merge, leadId=5).code == "1004"
    assert client.post(merge, leadId=1000).code == "1003"
    assert client.post(merge).code == "1002"
    assert client.post(merge, leadIds=",".join(str(n) for n in range(2000, 2026))).code == "1080"


def test_partitions(sandbox, client: Client):
    assert [row["name"] for row in client.get("/rest/v1/leads/partitions.json").result] == ["Default", "EMEA"]
    assert client.sync([{"email": "a@x.example"}], partitionName="EMEA")[0]["status"] == "created"
    assert code(client.sync([{"email": "a@x.example"}], partitionName="Default")[0]) == "1010"
    assert client.post(LEADS, {"partitionName": "Mars", "input": [{"email": "a@x.example"}]}).code == "1008"
    sandbox.set_knobs(partition_required=True)
    assert client.post(LEADS, {"input": [{"email": "b@x.example"}]}).code == "1009"


def test_company_fields_of_linked_people_are_read_through_and_not_written(sandbox, client: Client):
    client.sync([{"email": "a@x.example", "company": "Own"}])
    assert client.person(1000, "company")["company"] == "Own"
    sandbox.link_company(1000, "acc-1", {"company": "Norvik Cranes", "industry": "Machinery"})
    assert client.sync([{"email": "a@x.example", "company": "Other"}]) == [{"id": 1000, "status": "updated"}]
    assert client.person(1000, "company,industry")["company"] == "Norvik Cranes"
    sandbox.set_knobs(company_writes="refuse")
    assert code(client.sync([{"email": "a@x.example", "company": "Other"}])[0]) == "1021"
    assert code(client.sync([{"email": "a@x.example", "externalCompanyId": "acc-9"}])[0]) == "1013"


def test_blocked_updates_say_updated_and_change_nothing_filled(sandbox, client: Client):
    client.sync([{"email": "a@x.example", "city": "Riga"}])
    sandbox.block_field_updates("city")
    sandbox.block_field_updates("state")
    assert client.sync([{"email": "a@x.example", "city": "Oslo", "state": "OS"}])[0]["status"] == "updated"
    assert client.person(1000, "city,state") == {"id": 1000, "city": "Riga", "state": "OS"}
    sandbox.edit("person", 1000, {"city": "Bergen"})
    assert client.person(1000, "city")["city"] == "Bergen"


def test_cookies_can_be_associated_and_looked_up(client: Client):
    client.sync([{"email": "a@x.example"}])
    cookie = "id:811-QXT-402&token:_mch-x.example-17"
    assert client.post("/rest/v1/leads/1000/associate.json", cookie=cookie).json["success"] is True
    assert client.get(LEADS, filterType="cookies", filterValues=cookie).result[0]["id"] == 1000
    assert client.post("/rest/v1/leads/1000/associate.json", cookie="x").code == "1012"
    assert client.post("/rest/v1/leads/9/associate.json", cookie=cookie).code == "1004"


def test_odd_characters_survive_and_break_nothing(sandbox, client: Client):
    odd = "A\x00\u202e\U0001f33b"
    assert client.sync([{"email": "a@x.example", "firstName": odd, "lastName": "\ud800"}])[0]["status"] == "created"
    assert client.person(1000, "firstName")["firstName"] == odd
    assert client.get("/person/1000").status == 200


@pytest.mark.parametrize(
    "body",
    [
        {"input": "text"},
        {"input": {"email": "a@x.example"}},
        {"action": 5, "input": [{"email": "a@x.example"}]},
        {"lookupField": ["email"], "input": [{"email": "a@x.example"}]},
    ],
)
def test_misshapen_calls_are_refused_as_a_whole(sandbox, client: Client, body):
    assert client.post(LEADS, body).json["success"] is False
    assert list(sandbox.rows("person")) == []


def test_misshapen_rows_are_skipped(client: Client):
    rows = [None, [], "a@x.example", {"email": ["a@x.example"]}, {"email": {"a": 1}}, {"email": "b@x.example"}]
    assert [row["status"] for row in client.sync(rows)] == ["skipped"] * 5 + ["created"]
