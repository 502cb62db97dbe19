"""Checklist 9: CreateMultiple, UpdateMultiple, UpsertMultiple."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import BASE, code

UNKNOWN = "8a41c0de-52f1-4e11-a1fd-000d3ab1c001"


def bulk(api: Any, entity_set: str, message: str, *targets: dict[str, Any], **headers: str) -> Any:
    kind = {"leads": "lead", "contacts": "contact", "accounts": "account", "teams": "team"}[entity_set]
    marked = [{"@odata.type": f"Microsoft.Dynamics.CRM.{kind}", **each} for each in targets]
    return api.post(f"{entity_set}/Microsoft.Dynamics.CRM.{message}", {"Targets": marked}, **headers)


def test_create_answers_ids_in_order(api: Any) -> None:
    answer = bulk(api, "leads", "CreateMultiple", {"lastname": "A"}, {"leadid": UNKNOWN, "lastname": "B"})
    told = answer.json()
    assert answer.status_code == 200
    assert told["@odata.context"] == f"{BASE}/api/data/v9.2/$metadata#Microsoft.Dynamics.CRM.CreateMultipleResponse"
    assert [api.read("leads", id, "lastname")["lastname"] for id in told["Ids"]] == ["A", "B"]
    assert told["Ids"][1] == UNKNOWN


@pytest.mark.parametrize("message", ["CreateMultiple", "UpsertMultiple"])
def test_one_bad_row_takes_all_back(api: Any, org: Any, message: str) -> None:
    last = org.truth.last_id
    answer = bulk(api, "leads", message, {"lastname": "A"}, {"lastname": "x" * 51})
    assert code(answer) == (400, "0x80044331")
    assert api.values("leads?$select=lastname") == []
    assert org.truth.last_id == last


def test_a_taken_id_fails_the_request(api: Any) -> None:
    api.create("leads", leadid=UNKNOWN)
    assert code(bulk(api, "leads", "CreateMultiple", {"lastname": "A"}, {"leadid": UNKNOWN})) == (412, "0x80040237")
    assert len(api.values("leads?$select=lastname")) == 1


def test_update_takes_the_first_of_several(api: Any) -> None:
    id, other = api.create("leads", lastname="A", jobtitle="J"), api.create("leads", lastname="B")
    answer = bulk(
        api,
        "leads",
        "UpdateMultiple",
        {"leadid": id, "lastname": "first"},
        {"leadid": other, "jobtitle": None},
        {"leadid": id, "lastname": "second", "jobtitle": "x"},
    )
    assert (answer.status_code, answer.content) == (204, b"")
    row = api.read("leads", id, "lastname", "jobtitle")
    assert (row["lastname"], row["jobtitle"]) == ("first", "J")


def test_update_of_a_missing_row(api: Any) -> None:
    id = api.create("contacts", lastname="A")
    answer = bulk(
        api, "contacts", "UpdateMultiple", {"contactid": id, "lastname": "B"}, {"contactid": UNKNOWN, "lastname": "C"}
    )
    assert code(answer) == (404, "0x80040217")
    assert answer.json()["error"]["message"] == f"Contact With Ids = {UNKNOWN} Do Not Exist"
    assert api.read("contacts", id, "lastname")["lastname"] == "A"


def test_upsert_by_id_and_by_key(api: Any) -> None:
    id = api.create("contacts", lastname="A", nvk_marketoid=1)
    answer = bulk(
        api,
        "contacts",
        "UpsertMultiple",
        {"@odata.id": "contacts(nvk_marketoid=1)", "lastname": "B"},
        {"@odata.id": "contacts(nvk_marketoid=2)", "lastname": "C"},
        {"contactid": UNKNOWN, "lastname": "D"},
    )
    assert (answer.status_code, answer.content) == (204, b"")
    rows = {row["lastname"]: row for row in api.values("contacts?$select=lastname,nvk_marketoid")}
    assert rows["B"]["contactid"] == id
    assert rows["C"]["nvk_marketoid"] == 2
    assert rows["D"]["contactid"] == UNKNOWN


def test_upsert_refuses_the_same_row_twice(api: Any) -> None:
    id = api.create("contacts", lastname="A")
    assert (
        bulk(
            api, "contacts", "UpsertMultiple", {"contactid": id, "lastname": "B"}, {"contactid": id, "lastname": "C"}
        ).status_code
        == 412
    )
    assert api.read("contacts", id, "lastname")["lastname"] == "A"


def test_items_need_their_type(api: Any) -> None:
    answer = api.post("leads/Microsoft.Dynamics.CRM.CreateMultiple", {"Targets": [{"lastname": "A"}]})
    assert code(answer) == (400, "0x80048d19")
    answer = api.post(
        "leads/Microsoft.Dynamics.CRM.CreateMultiple", {"Targets": [{"@odata.type": "Microsoft.Dynamics.CRM.contact"}]}
    )
    assert code(answer) == (400, "0x80048d19")


def test_delete_multiple_is_not_there(api: Any) -> None:
    answer = bulk(api, "leads", "DeleteMultiple", {"leadid": UNKNOWN})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "DeleteMultiple has not yet been implemented."


def test_lookups_bind_in_bulk(api: Any) -> None:
    account = api.create("accounts", name="F")
    answer = bulk(
        api,
        "contacts",
        "CreateMultiple",
        {"lastname": "A", "parentcustomerid_account@odata.bind": f"/accounts({account})"},
    )
    assert (
        api.read("contacts", answer.json()["Ids"][0], "_parentcustomerid_value")["_parentcustomerid_value"] == account
    )


def listed(api: Any, message: str, entity: str) -> int:
    condition = "$filter=sdkmessageid/name eq @m and primaryobjecttypecode eq @t"
    return len(api.values(f"sdkmessagefilters?$select=sdkmessagefilterid&{condition}&@m='{message}'&@t='{entity}'"))


def test_availability_per_table(api: Any, org: Any) -> None:
    for entity in ("lead", "contact", "account"):
        assert listed(api, "CreateMultiple", entity) == listed(api, "UpdateMultiple", entity) == 1
    assert listed(api, "UpsertMultiple", "lead") == 0
    assert listed(api, "CreateMultiple", "team") == 0
    assert bulk(api, "teams", "CreateMultiple", {"name": "T"}).status_code == 400
    org.set_messages("account", ["Create", "Update"])
    assert listed(api, "CreateMultiple", "account") == 0
    assert bulk(api, "accounts", "CreateMultiple", {"name": "T"}).status_code == 400
