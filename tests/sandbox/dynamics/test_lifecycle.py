"""Checklist 11: qualifying, merging, disqualifying and reopening."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import code

UNKNOWN = "8a41c0de-52f1-4e11-a1fd-000d3ab1c001"
ALL = {"CreateAccount": True, "CreateContact": True, "CreateOpportunity": False, "Status": 3}
LEAD = {
    "subject": "Webinar", "firstname": "Ida", "lastname": "Solheim", "emailaddress1": "ida@x.example", "companyname": "Fjordlift",
    "jobtitle": "Boss", "address1_city": "Oslo", "donotbulkemail": True, "telephone1": "1", "mobilephone": "2",
}  # fmt: skip


def qualify(api: Any, id: str, **more: Any) -> Any:
    return api.post(f"leads({id})/Microsoft.Dynamics.CRM.QualifyLead", ALL | more)


def test_qualify_creates_and_links(api: Any) -> None:
    id = api.create("leads", **LEAD)
    answer = qualify(api, id)
    assert answer.status_code == 200
    made = {row["@odata.type"].rpartition(".")[2]: row for row in answer.json()["value"]}
    account, contact = made["account"]["accountid"], made["contact"]["contactid"]
    lead = api.read("leads", id, "statecode", "statuscode", "_parentaccountid_value", "_parentcontactid_value")
    assert (lead["statecode"], lead["statuscode"]) == (1, 3)
    assert (lead["_parentaccountid_value"], lead["_parentcontactid_value"]) == (account, contact)
    row = api.read(
        "contacts",
        contact,
        "fullname",
        "emailaddress1",
        "jobtitle",
        "address1_city",
        "donotbulkemail",
        "mobilephone",
        "telephone1",
        "_originatingleadid_value",
        "_parentcustomerid_value",
        "_ownerid_value",
    )
    assert (row["fullname"], row["emailaddress1"], row["jobtitle"], row["address1_city"]) == (
        "Ida Solheim",
        "ida@x.example",
        "Boss",
        "Oslo",
    )
    assert (row["donotbulkemail"], row["mobilephone"], row["telephone1"]) == (True, "2", None)
    assert (row["_originatingleadid_value"], row["_parentcustomerid_value"]) == (id, account)
    company = api.read("accounts", account, "name", "_primarycontactid_value", "_originatingleadid_value")
    assert (company["name"], company["_primarycontactid_value"], company["_originatingleadid_value"]) == (
        "Fjordlift",
        contact,
        id,
    )


def test_qualify_with_what_is_there(api: Any) -> None:
    account = api.create("accounts", name="Norvik")
    id = api.create("leads", **LEAD, **{"parentaccountid@odata.bind": f"/accounts({account})"})
    answer = qualify(api, id, CreateAccount=False, CreateOpportunity=True)
    made = {row["@odata.type"].rpartition(".")[2]: row for row in answer.json()["value"]}
    assert made.keys() == {"contact", "opportunity"}
    assert (
        api.read("contacts", made["contact"]["contactid"], "_parentcustomerid_value")["_parentcustomerid_value"]
        == account
    )
    deal = api.read("opportunities", made["opportunity"]["opportunityid"], "name", "_customerid_value")
    assert (deal["name"], deal["_customerid_value"]) == ("Webinar", account)


def test_qualification_shows_in_both_deltas(api: Any) -> None:
    id = api.create("leads", **LEAD)
    links = {
        name: api.get(f"{name}?$select=createdon", Prefer="odata.track-changes").json()["@odata.deltaLink"]
        for name in ("leads", "contacts")
    }
    qualify(api, id)
    assert [row["leadid"] for row in api.get(links["leads"]).json()["value"]] == [id]
    assert len(api.get(links["contacts"]).json()["value"]) == 1


@pytest.mark.parametrize(
    ("change", "status", "number"), [({"Status": 1}, 400, "0x80048408"), ({"Status": 99}, 400, "0x80048408")]
)
def test_a_status_of_another_state(api: Any, change: dict[str, Any], status: int, number: str) -> None:
    id = api.create("leads", **LEAD)
    assert code(qualify(api, id, **change)) == (status, number)
    assert api.values("contacts?$select=lastname") == []


def test_qualify_refusals(api: Any, org: Any) -> None:
    assert code(qualify(api, UNKNOWN)) == (404, "0x80040217")
    id = api.create("leads", **LEAD)
    org.configure(missing=["prvCreateAccount"])
    assert code(qualify(api, id)) == (403, "0x80081018")
    org.configure(missing=[])
    api.create("contacts", emailaddress1="IDA@x.example")
    assert code(qualify(api, id, SuppressDuplicateDetection=False)) == (412, "0x80040333")
    assert api.read("leads", id, "statecode")["statecode"] == 0
    assert api.values("accounts?$select=name") == [], "nothing of a refused qualification stays"
    assert qualify(api, id).status_code == 200
    answer = qualify(api, id)
    assert (code(answer), answer.json()["error"]["message"]) == ((400, "0x80040519"), "The lead is already closed.")
    assert api.post(f"leads({id})/Microsoft.Dynamics.CRM.QualifyLead", {"CreateAccount": True}).status_code == 400


def test_reopen_after_qualification(api: Any) -> None:
    id = api.create("leads", **LEAD)
    qualify(api, id)
    assert api.patch(f"leads({id})", {"statecode": 0, "statuscode": 1}).status_code == 204
    row = api.read("leads", id, "statecode", "_parentcontactid_value")
    assert row["statecode"] == 0
    assert row["_parentcontactid_value"]
    assert len(api.values("contacts?$select=lastname")) == 1


def merge(api: Any, entity: str, target: str, loser: str, **content: Any) -> Any:
    kind, key = f"Microsoft.Dynamics.CRM.{entity}", f"{entity}id"
    body = {
        "Target": {"@odata.type": kind, key: target},
        "Subordinate": {"@odata.type": kind, key: loser},
        "PerformParentingChecks": False,
    }
    return api.post("Merge", body | ({"UpdateContent": {"@odata.type": kind, **content}} if content else {}))


def test_merge_deactivates_the_loser_and_moves_its_rows(api: Any) -> None:
    winner, loser = api.create("contacts", lastname="A"), api.create("contacts", lastname="B")
    child = api.create("contacts", lastname="C", **{"parentcustomerid_contact@odata.bind": f"/contacts({loser})"})
    delta = api.get("contacts?$select=merged,_masterid_value", Prefer="odata.track-changes").json()["@odata.deltaLink"]
    assert merge(api, "contact", winner, loser, jobtitle="Fleet manager").status_code == 204
    assert api.read("contacts", winner, "jobtitle")["jobtitle"] == "Fleet manager"
    assert api.read("contacts", child, "_parentcustomerid_value")["_parentcustomerid_value"] == winner
    row = api.read("contacts", loser, "merged", "_masterid_value", "statecode", "statuscode", "lastname")
    assert (row["merged"], row["_masterid_value"], row["statecode"], row["statuscode"], row["lastname"]) == (
        True,
        winner,
        1,
        2,
        "B",
    )
    changed = {each["contactid"]: each for each in api.get(delta).json()["value"]}
    assert (changed[loser]["merged"], changed[loser]["_masterid_value"]) == (True, winner)


def test_a_merged_lead_is_disqualified(api: Any) -> None:
    winner, loser = api.create("leads", lastname="A"), api.create("leads", lastname="B")
    assert merge(api, "lead", winner, loser).status_code == 204
    assert api.read("leads", loser, "statecode")["statecode"] == 2


def test_merge_refusals(api: Any) -> None:
    lead, contact = api.create("leads", lastname="A"), api.create("contacts", lastname="B")
    assert code(merge(api, "lead", lead, UNKNOWN)) == (404, "0x80040217")
    assert merge(api, "lead", lead, lead).status_code == 400
    assert merge(api, "lead", lead, contact).status_code == 404


def test_closed_rows_may_be_read_only(api: Any, org: Any) -> None:
    lead, contact = api.create("leads", lastname="A"), api.create("contacts", lastname="B")
    api.patch(f"leads({lead})", {"statecode": 2})
    api.patch(f"contacts({contact})", {"statecode": 1})
    assert api.patch(f"leads({lead})", {"lastname": "X"}).status_code == 204
    org.configure(closed_readonly=True)
    assert code(api.patch(f"leads({lead})", {"lastname": "Y"})) == (400, "0x8004022e")
    assert code(api.patch(f"contacts({contact})", {"lastname": "Y"})) == (400, "0x80040230")
    assert api.patch(f"contacts({contact})", {"statecode": 0}).status_code == 204


def test_what_cannot_be_deleted(api: Any) -> None:
    user = api.values("systemusers?$select=fullname")[0]["systemuserid"]
    assert code(api.delete(f"systemusers({user})")) == (405, "0x80040227")


def test_out_of_scope(api: Any) -> None:
    assert api.post("Restore", {}).status_code == 501


def test_a_deleted_lead_leaves_its_contact_unlinked(api: Any) -> None:
    id = api.create("leads", **LEAD)
    contact = {row["@odata.type"]: row for row in qualify(api, id).json()["value"]}["#Microsoft.Dynamics.CRM.contact"][
        "contactid"
    ]
    delta = api.get("contacts?$select=lastname", Prefer="odata.track-changes").json()["@odata.deltaLink"]
    assert api.delete(f"leads({id})").status_code == 204
    assert api.read("contacts", contact, "_originatingleadid_value")["_originatingleadid_value"] is None
    assert [row["contactid"] for row in api.get(delta).json()["value"]] == [contact]


def test_impersonation_is_out_of_scope(api: Any) -> None:
    assert api.get("WhoAmI", CallerObjectId=UNKNOWN).status_code == 501
