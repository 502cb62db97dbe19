"""Describe in both forms and the schema fields API."""

import json
from pathlib import Path

from syncadmin.sandbox.marketo import fields
from tests.sandbox.marketo.conftest import Client

FIELDS = "/rest/v1/leads/schema/fields.json"
GUID = {"displayName": "Dynamics Person GUID", "name": "dynPersonGuid", "dataType": "string", "description": "Key"}


def test_every_field_of_the_data_file_is_described(client: Client):
    shipped = json.loads(Path(fields.__file__).with_name("fields.json").read_text())["fields"]
    described = {row["rest"]["name"]: row for row in client.get("/rest/v1/leads/describe.json").result}
    assert len(shipped) == len(described) == 126
    for id, name, display, kind, length, flags, soap, _ in shipped:
        row = described[name]
        assert (row["id"], row["displayName"], row["dataType"]) == (id, display, kind)
        assert row.get("length") == length
        assert row["rest"]["readOnly"] is ("r" in flags)
        assert row.get("soap", {}).get("name") == soap


def test_describe2_is_the_authority_for_lookups(sandbox, client: Client):
    client.post(FIELDS, {"input": [GUID]})
    sandbox.add_field("dynDeleted", "Dynamics is Deleted", "boolean")
    (row,) = client.get("/rest/v1/leads/describe2.json").result
    assert row["name"] == "API Lead"
    assert row["searchableFields"][:2] == [["id"], ["email"]]
    assert ["dynPersonGuid"] in row["searchableFields"]
    assert ["dynDeleted"] not in row["searchableFields"]
    by_name = {field["name"]: field for field in row["fields"]}
    assert by_name["email"] == {
        "name": "email",
        "displayName": "Email Address",
        "dataType": "email",
        "length": 255,
        "updateable": True,
        "crmManaged": False,
    }
    assert by_name["createdAt"]["updateable"] is False


def test_our_fields_are_not_there_at_first(client: Client):
    assert client.get("/rest/v1/leads/schema/fields/dynPersonGuid.json").code == "1006"
    types = client.get("/rest/v1/activities/external/types.json").result
    assert types == []


def test_creating_a_field(client: Client):
    assert client.post(FIELDS, {"input": [GUID]}).result == [{"name": "dynPersonGuid", "status": "created"}]
    assert client.get("/rest/v1/leads/schema/fields/dynPersonGuid.json").result == [
        {
            "displayName": "Dynamics Person GUID",
            "name": "dynPersonGuid",
            "description": "Key",
            "dataType": "string",
            "length": 255,
            "isHidden": False,
            "isHtmlEncodingInEmail": True,
            "isSensitive": False,
            "isCustom": True,
            "isApiCreated": True,
        }
    ]
    described = client.get("/rest/v1/leads/describe.json").result[-1]
    assert described["rest"] == {"name": "dynPersonGuid", "readOnly": False}
    assert described["id"] >= 1201


def test_field_refusals_are_per_row(client: Client):
    rows = [
        GUID,
        GUID | {"displayName": "Other"},
        GUID | {"name": "other"},
        GUID | {"name": "1st", "displayName": "First"},
        GUID | {"name": "long", "displayName": "Long", "dataType": "text"},
        {"name": "noDisplay", "dataType": "string"},
        GUID | {"name": "bad", "displayName": "No <special>"},
    ]
    result = client.post(FIELDS, {"input": rows}).result
    codes = [row["reasons"][0]["code"] if "reasons" in row else row["status"] for row in result]
    assert codes == ["created", "1017", "1017", "1003", "1003", "1002", "1003"]
    many = [GUID | {"name": f"f{n}", "displayName": f"F {n}"} for n in range(101)]
    assert client.post(FIELDS, {"input": many}).code == "1003"


def test_browsing_pages_with_a_token(client: Client):
    first = client.get(FIELDS, batchSize=100)
    assert (len(first.result), first.json["moreResult"]) == (100, True)
    second = client.get(FIELDS, batchSize=100, nextPageToken=first.json["nextPageToken"])
    assert (len(second.result), second.json["moreResult"]) == (26, False)
    names = {row["name"] for row in first.result + second.result}
    assert len(names) == 126


def test_what_may_be_changed_of_a_field(client: Client):
    client.post(FIELDS, {"input": [GUID]})
    custom, standard = "/rest/v1/leads/schema/fields/dynPersonGuid.json", "/rest/v1/leads/schema/fields/city.json"
    changed = {"displayName": "CRM Key", "isHidden": True, "isSensitive": True}
    assert client.post(custom, {"input": [changed]}).result == [{"name": "dynPersonGuid", "status": "updated"}]
    assert client.get(custom).result[0]["displayName"] == "CRM Key"
    assert client.post(standard, {"input": [{"description": "Where"}]}).result[0]["status"] == "updated"
    assert client.post(standard, {"input": [{"displayName": "Town"}]}).result[0]["reasons"][0]["code"] == "1003"
    assert client.post(standard, {"input": [{"isHidden": True}]}).result[0]["reasons"][0]["code"] == "1003"
    assert client.post(custom, {"input": [{"dataType": "integer"}]}).result[0]["reasons"][0]["code"] == "1003"


def test_schema_changes_behind_our_back(sandbox, client: Client):
    client.post(FIELDS, {"input": [GUID]})
    client.sync([{"email": "a@x.example", "dynPersonGuid": "g"}])
    sandbox.change_field("dynPersonGuid", kind="integer", length=None)
    row = client.sync([{"email": "a@x.example", "dynPersonGuid": "h"}])[0]
    assert row["reasons"][0]["code"] == "1003"
    sandbox.remove_field("dynPersonGuid")
    row = client.sync([{"email": "a@x.example", "dynPersonGuid": "h"}])[0]
    assert row["reasons"][0]["code"] == "1006"
