"""Checklist 2: who we are, the version, the small tables, the service document, the headers of every answer."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import BASE, code

ROOT = f"{BASE}/api/data/v9.2/"


def test_who_am_i_is_an_application_user(api: Any) -> None:
    for name in ("WhoAmI", "WhoAmI()"):
        told = api.get(name).json()
        assert told["@odata.context"] == f"{ROOT}$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse"
    user = api.read("systemusers", told["UserId"], "fullname", "accessmode", "applicationid")
    assert user["accessmode"] == 4
    assert user["applicationid"]


def test_the_older_roots_answer_too(api: Any) -> None:
    for version in ("v9.0", "v9.1"):
        assert api.client.get(f"/api/data/{version}/WhoAmI").status_code == 200
    assert api.client.get("/api/data/v8.2/WhoAmI").status_code == 404


def test_version_and_organisation(api: Any) -> None:
    assert api.get("RetrieveVersion").json()["Version"].startswith("9.2.")
    rows = api.values(
        "organizations?$select=name,organizationid,languagecode,expirechangetrackingindays,fullnameconventioncode"
    )
    assert len(rows) == 1
    assert (rows[0]["expirechangetrackingindays"], rows[0]["languagecode"]) == (7, 1033)


def test_users_teams_and_one_currency(api: Any) -> None:
    enabled = api.values(
        "systemusers?$select=systemuserid,fullname,internalemailaddress,isdisabled&$filter=isdisabled eq false"
    )
    assert len(enabled) >= 4
    assert len(api.values("systemusers?$select=fullname&$filter=isdisabled eq true")) == 1
    assert len(api.values("teams?$select=teamid,name,teamtype")) == 2
    assert len(api.values("transactioncurrencies?$select=isocurrencycode")) == 1


def test_service_document_lists_sets(api: Any) -> None:
    told = api.get("").json()
    assert told["@odata.context"] == f"{ROOT}$metadata"
    assert {"name": "leads", "kind": "EntitySet", "url": "leads"} in told["value"]


def test_wrong_addresses(api: Any) -> None:
    assert code(api.post("WhoAmI")) == (404, "")
    for misspelt in ("WhoIAm", "WhoIAm()"):
        answer = api.get(misspelt)
        assert code(answer) == (404, "")
        assert answer.json()["error"]["message"].startswith("No HTTP resource was found that matches the request URI")


@pytest.mark.parametrize("name", ["leadz", "lead", "Lead", "Leads"])
def test_a_set_written_wrongly_is_a_missing_segment(api: Any, name: str) -> None:
    answer = api.get(name)
    assert code(answer) == (404, "0x8006088a")
    assert answer.json()["error"]["message"] == f"Resource not found for the segment '{name}'."


def test_every_answer_carries_the_service_headers(api: Any) -> None:
    for answer in (api.get("WhoAmI"), api.get("leadz")):
        headers = answer.headers
        assert headers["OData-Version"] == "4.0"
        assert headers["x-ms-dop-hint"] == "4"
        assert headers["x-ms-ratelimit-time-remaining-xrm-requests"].startswith("1,")
        assert int(headers["x-ms-ratelimit-burst-remaining-xrm-requests"]) < 6001
        assert headers["REQ_ID"]
        assert headers["x-ms-service-request-id"].startswith(headers["REQ_ID"])
        assert headers["Set-Cookie"].startswith("ARRAffinity=")


def test_total_record_count(api: Any) -> None:
    api.create("leads", lastname="A")
    told = api.get('RetrieveTotalRecordCount(EntityNames=@p)?@p=["lead","contact"]').json()
    assert told["EntityRecordCountCollection"]["Values"] == [1, 0]
