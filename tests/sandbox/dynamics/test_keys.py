"""Checklist 10: alternate keys, upsert by key, the 412s."""

from __future__ import annotations

from typing import Any

from .conftest import BASE, code

ROOT = f"{BASE}/api/data/v9.2/"


def test_read_and_upsert_by_key(api: Any) -> None:
    answer = api.patch("contacts(nvk_marketoid=104522)", {"lastname": "Solheim"})
    assert answer.status_code == 204
    assert answer.headers["OData-EntityId"] == f"{ROOT}contacts(nvk_marketoid=104522)"
    row = api.get("contacts(nvk_marketoid=104522)?$select=lastname,nvk_marketoid").json()
    assert (row["lastname"], row["nvk_marketoid"]) == ("Solheim", 104522)
    again = api.patch(
        "contacts(nvk_marketoid=104522)?$select=contactid",
        {"lastname": "Berg", "nvk_marketoid": 7},
        Prefer="return=representation",
    )
    assert (again.status_code, again.json()["contactid"]) == (200, row["contactid"])
    assert api.get("contacts(nvk_marketoid=104522)?$select=lastname").json()["lastname"] == "Berg", (
        "key columns in the body are dropped"
    )


def test_on_create_the_bodys_key_value_wins(api: Any) -> None:
    api.patch("contacts(nvk_marketoid=1)", {"lastname": "A", "nvk_marketoid": 2})
    assert code(api.get("contacts(nvk_marketoid=1)")) == (404, "0x80060891")
    assert api.get("contacts(nvk_marketoid=2)?$select=lastname").json()["lastname"] == "A"


def test_text_keys_ignore_case_and_double_apostrophes(api: Any) -> None:
    id = api.create("accounts", name="O'Hara", accountnumber="o'h-1")
    assert api.get("accounts(accountnumber='O''H-1')?$select=name").json()["accountid"] == id


def test_absent_by_key(api: Any) -> None:
    answer = api.get("contacts(nvk_marketoid=9)")
    assert code(answer) == (404, "0x80060891")
    assert (
        answer.json()["error"]["message"] == "A record with the specified key values does not exist in contact entity"
    )
    assert code(api.patch("contacts(nvk_marketoid=9)", {"lastname": "A"}, If_Match="*")) == (404, "0x80060891")


def test_unknown_keys(api: Any) -> None:
    for key in ("emailaddress1='a@x.example'", "nonsense=1", "nvk_marketoid=1,lastname='A'"):
        answer = api.get(f"contacts({key})")
        assert answer.status_code == 400
        assert answer.json()["error"]["message"].startswith(
            "The key in the request URI is not valid for resource 'Microsoft.Dynamics.CRM.contact'."
        )


def test_values_are_unique_where_filled(api: Any) -> None:
    api.create("contacts", lastname="A", nvk_marketoid=1)
    other = api.create("contacts", lastname="B")
    api.create("contacts", lastname="C")
    for answer in (api.post("contacts", {"nvk_marketoid": 1}), api.patch(f"contacts({other})", {"nvk_marketoid": 1})):
        assert code(answer) == (412, "0x80060892")
        assert answer.json()["error"]["message"] == (
            "A record that has the attribute values Marketo id already exists. The entity key Marketo id requires that this "
            "set of attributes contains unique values. Select unique values and try again."
        )


def test_a_freed_value_may_be_taken(api: Any) -> None:
    first = api.create("contacts", nvk_marketoid=1)
    api.delete(f"contacts({first})")
    second = api.create("contacts", nvk_marketoid=1)
    assert api.get("contacts(nvk_marketoid=1)?$select=lastname").json()["contactid"] == second


def test_a_key_is_created_and_builds_for_a_while(api: Any, clock: Any) -> None:
    label = {"LocalizedLabels": [{"Label": "Marketo id", "LanguageCode": 1033}]}
    answer = api.post(
        "EntityDefinitions(LogicalName='lead')/Keys",
        {"SchemaName": "nvk_LeadKey", "DisplayName": label, "KeyAttributes": ["nvk_marketoid"]},
    )
    assert answer.status_code == 204

    def status() -> str:
        found: str = api.values("EntityDefinitions(LogicalName='lead')/Keys?$select=EntityKeyIndexStatus")[0][
            "EntityKeyIndexStatus"
        ]
        return found

    assert status() == "Pending"
    clock.forward(seconds=10)
    assert status() == "Active"
    assert api.patch("leads(nvk_marketoid=5)", {"lastname": "A"}).status_code == 204
    assert code(api.post("leads", {"nvk_marketoid": 5})) == (412, "0x80060892")


def test_values_that_break_an_address(api: Any) -> None:
    api.create("accounts", name="A", accountnumber="a+b")
    assert api.get("accounts(accountnumber='a%2Bb')").status_code == 400
