"""Checklist 6: select, filter, order, top, count, expand, pages, annotations."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from .conftest import BASE, code


@pytest.fixture
def people(api: Any, clock: Any) -> dict[str, str]:
    """Five leads, a minute apart."""
    found = {}
    for name, more in {
        "Ada": {"emailaddress1": "Ada@X.example", "leadsourcecode": 7, "revenue": 10, "numberofemployees": 5},
        "Bo": {
            "emailaddress1": "bo+a@x.example",
            "leadsourcecode": 8,
            "revenue": 20.5,
            "numberofemployees": 10,
            "jobtitle": "Boss",
        },
        "Cy": {"emailaddress1": "o'cy@x.example", "companyname": "100% Öl_AG", "new_synctomkto": True},
        "Dé": {"companyname": "Çınar", "jobtitle": "boss  "},
        "Ed": {"emailaddress1": None, "address1_city": "Oslo", "address2_city": "Oslo"},
    }.items():
        found[name] = api.create("leads", firstname=name, **more)
        clock.forward(minutes=1)
    return found


def names(api: Any, condition: str, **more: str) -> list[str]:
    rest = "".join(f"&{name}={quote(value)}" for name, value in more.items())
    rows = api.values(f"leads?$select=firstname&$filter={quote(condition)}&$orderby=createdon,leadid{rest}")
    return [row["firstname"] for row in rows]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("firstname eq 'ada'", ["Ada"]),
        ("firstname eq 'de'", ["Dé"]),
        ("firstname eq 'Ada  '", ["Ada"]),
        ("emailaddress1 eq 'o''cy@x.example'", ["Cy"]),
        ("emailaddress1 eq 'bo+a@x.example'", ["Bo"]),
        ("emailaddress1 eq null", ["Dé", "Ed"]),
        ("emailaddress1 ne null", ["Ada", "Bo", "Cy"]),
        ("jobtitle ne 'boss'", []),
        ("jobtitle eq 'BOSS'", ["Bo", "Dé"]),
        ("not (jobtitle eq 'boss')", []),
        ("jobtitle ne 'x' or jobtitle eq null", ["Ada", "Bo", "Cy", "Dé", "Ed"]),
        ("leadsourcecode gt 7", ["Bo"]),
        ("leadsourcecode ge 7 and leadsourcecode le 8", ["Ada", "Bo"]),
        ("revenue lt 20.5", ["Ada"]),
        ("revenue gt numberofemployees", ["Ada", "Bo"]),
        ("address1_city eq address2_city", ["Ed"]),
        ("new_synctomkto eq true", ["Cy"]),
        ("new_synctomkto eq false", []),
        ("createdon ge 2026-03-02T09:03:00Z", ["Dé", "Ed"]),
        ("createdon gt 2026-03-02T10:03:00%2B01:00".replace("%2B", "+"), ["Ed"]),
        ("modifiedon ge 2026-03-02T09:04:00Z", ["Ed"]),
        ("createdon lt 2026-03-02", []),
        ("contains(companyname,'öl')", ["Cy"]),
        ("startswith(emailaddress1,'ADA')", ["Ada"]),
        ("endswith(emailaddress1,'x.example') and not contains(emailaddress1,'ada')", ["Bo", "Cy"]),
        ("contains(companyname,'1_0')", ["Cy"]),
        ("contains(companyname,'[0-9]%ag')", ["Cy"]),
        ("(firstname eq 'Ada' or firstname eq 'Bo') and leadsourcecode eq 8", ["Bo"]),
        ("firstname eq 'Ada' or firstname eq 'Bo' and leadsourcecode eq 7", ["Ada"]),
        (
            'Microsoft.Dynamics.CRM.In(PropertyName=\'emailaddress1\',PropertyValues=["ada@x.example","BO+A@x.example"])',
            ["Ada", "Bo"],
        ),
        ("Microsoft.Dynamics.CRM.Between(PropertyName='leadsourcecode',PropertyValues=['7','8'])", ["Ada", "Bo"]),
        (
            "Microsoft.Dynamics.CRM.OnOrAfter(PropertyName='createdon',PropertyValue='2026-03-02')",
            ["Ada", "Bo", "Cy", "Dé", "Ed"],
        ),
        ("7 lt leadsourcecode", ["Bo"]),
    ],
)
def test_filters(api: Any, people: dict[str, str], condition: str, expected: list[str]) -> None:
    assert names(api, condition) == expected


def test_functions_take_aliases(api: Any, people: dict[str, str], clock: Any) -> None:
    condition = "Microsoft.Dynamics.CRM.LastXHours(PropertyName=@p1,PropertyValue=@p2)"
    clock.forward(minutes=57)
    api.sign_in()
    assert names(api, condition, **{"@p1": "'modifiedon'", "@p2": "1"}) == ["Cy", "Dé", "Ed"]
    listed = "Microsoft.Dynamics.CRM.In(PropertyName=@p1,PropertyValues=@p2)"
    assert names(api, listed, **{"@p1": "'firstname'", "@p2": '["bo","ed"]'}) == ["Bo", "Ed"]


def test_ids_and_lookups_are_bare_in_filters(api: Any, people: dict[str, str]) -> None:
    me = api.get("WhoAmI").json()["UserId"]
    assert names(api, f"leadid eq {people['Cy']}") == ["Cy"]
    assert names(api, f"_ownerid_value eq {me.upper()} and firstname eq 'Ed'") == ["Ed"]
    assert names(api, "ownerid/fullname eq 'Sync Service' and firstname eq 'Ed'") == ["Ed"]


def test_a_plus_must_be_encoded(api: Any, people: dict[str, str]) -> None:
    assert api.values("leads?$select=firstname&$filter=emailaddress1 eq 'bo%2Ba@x.example'") != []
    assert (
        api.get(f"{BASE}/api/data/v9.2/leads?$select=firstname&$filter=emailaddress1%20eq%20'bo+a@x.example'").json()[
            "value"
        ]
        == []
    )


def test_any_and_all(api: Any) -> None:
    full, empty = api.create("accounts", name="Full"), api.create("accounts", name="Empty")
    api.create("contacts", lastname="A", **{"parentcustomerid_account@odata.bind": f"/accounts({full})"})
    found = api.values("accounts?$select=name&$filter=contact_customer_accounts/any(c:c/lastname eq 'a')")
    assert [row["accountid"] for row in found] == [full]
    assert [row["accountid"] for row in api.values("accounts?$filter=not contact_customer_accounts/any()")] == [empty]


@pytest.mark.parametrize(
    ("target", "status", "number"),
    [
        ("leads?$select=Name", 400, "0x80060888"),
        ("leads?$filter=nothing eq 1", 400, "0x80060888"),
        ("leads?$filter=lastname eq 'x", 400, "0x80060888"),
        ("leads?$filter=lastname eq", 400, "0x80060888"),
        ("leads?$filter=lastname eq 5", 400, "0x80060888"),
        ("leads?$filter=leadsourcecode eq 'Web'", 400, "0x80060888"),
        ("leads?$filter=leadid eq 'x'", 400, "0x80060888"),
        (
            "leads?$filter=not Microsoft.Dynamics.CRM.In(PropertyName='lastname',PropertyValues=[\"a\"])",
            400,
            "0x80060888",
        ),
        ("leads?$skip=5", 400, "0x80060888"),
        ("leads?$Select=lastname", 400, "0x80060888"),
        ("leads?$search=x", 400, "0x80060888"),
        ("leads?$orderby=nothing", 400, "0x80060888"),
        ("leads?$expand=nothing", 400, "0x80060888"),
        ("leads?$skiptoken=junk", 400, "0x80060888"),
        ("leads?fetchXml=<fetch/>", 501, "0x80060888"),
        ("leads?sql=select lastname from lead", 501, "0x80060888"),
    ],
)
def test_what_is_not_understood(api: Any, target: str, status: int, number: str) -> None:
    assert code(api.get(target)) == (status, number)


def test_unknown_column_text(api: Any) -> None:
    message = api.get("leads?$select=Name").json()["error"]["message"]
    assert message == "Could not find a property named 'Name' on type 'Microsoft.Dynamics.CRM.lead'."
    message = api.get("leads?$filter=lastname eq 'x").json()["error"]["message"]
    assert message.startswith("There is an unterminated literal at position")


def test_too_many_conditions(api: Any) -> None:
    condition = " or ".join(["lastname eq 'a'"] * 501)
    assert code(api.get(f"leads?$filter={quote(condition)}")) == (400, "0x8004430c")


def test_order(api: Any, people: dict[str, str]) -> None:
    def order(text: str) -> list[str]:
        return [row["firstname"] for row in api.values(f"leads?$select=firstname&$orderby={text}")]

    assert order("firstname desc") == ["Ed", "Dé", "Cy", "Bo", "Ada"]
    assert order("leadsourcecode,createdon")[:3] == ["Cy", "Dé", "Ed"], "empty values come first"
    assert order("leadsourcecode desc,createdon desc") == ["Bo", "Ada", "Ed", "Dé", "Cy"]


def test_lookups_sort_by_name(api: Any) -> None:
    users = {row["fullname"]: row["systemuserid"] for row in api.values("systemusers?$select=fullname")}
    for user in ("Rui Tavares", "Ada Sørensen", "Mei Lin"):
        api.create("leads", lastname=user, **{"ownerid@odata.bind": f"/systemusers({users[user]})"})
    found = [row["lastname"] for row in api.values("leads?$select=lastname&$orderby=_ownerid_value")]
    assert found == ["Ada Sørensen", "Mei Lin", "Rui Tavares"]


@pytest.mark.parametrize("order", ["", "&$orderby=leadsourcecode desc,firstname"])
def test_pages_follow_the_link_to_the_end(api: Any, people: dict[str, str], order: str) -> None:
    answer, found = api.get(f"leads?$select=firstname{order}", Prefer="odata.maxpagesize=2"), []
    assert answer.headers["Preference-Applied"] == "odata.maxpagesize=2"
    while True:
        body = answer.json()
        found += [row["leadid"] for row in body["value"]]
        if "@odata.nextLink" not in body:
            break
        assert len(body["value"]) == 2
        answer = api.get(body["@odata.nextLink"], Prefer="odata.maxpagesize=2")
    assert sorted(found) == sorted(people.values())
    assert len(found) == 5


def test_top_and_page_size(api: Any, people: dict[str, str]) -> None:
    body = api.get("leads?$select=firstname&$top=2").json()
    assert len(body["value"]) == 2
    assert "@odata.nextLink" not in body
    body = api.get("leads?$select=firstname&$top=2", Prefer="odata.maxpagesize=3").json()
    assert len(body["value"]) == 3, "with a page size $top is ignored"


def test_the_page_cap_is_5000(api: Any, org: Any) -> None:
    assert org.load("contact", ({"lastname": f"L{number}"} for number in range(5003))) == []
    body = api.get("contacts?$select=lastname&$count=true", Prefer="odata.maxpagesize=9000").json()
    assert (len(body["value"]), body["@odata.count"]) == (5000, 5000)
    assert len(api.get(body["@odata.nextLink"]).json()["value"]) == 3
    assert api.get("contacts/$count").text.lstrip("\ufeff") == "5000"


def test_counts(api: Any, people: dict[str, str]) -> None:
    body = api.get(
        "leads?$select=firstname&$count=true&$filter=leadsourcecode ne null",
        Prefer='odata.maxpagesize=1,odata.include-annotations="*"',
    ).json()
    assert (body["@odata.count"], len(body["value"])) == (2, 1)
    assert body["@Microsoft.Dynamics.CRM.totalrecordcount"] == 2
    assert body["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] is False
    body = api.get("leads?$select=firstname", Prefer='odata.include-annotations="*"').json()
    assert body["@Microsoft.Dynamics.CRM.totalrecordcount"] == -1
    answer = api.get("leads/$count?$filter=firstname eq 'Ada'")
    assert (answer.headers["Content-Type"], answer.text) == ("text/plain", "\ufeff1")


def test_only_the_asked_annotations_come(api: Any, people: dict[str, str]) -> None:
    target = f"leads({people['Ada']})?$select=leadsourcecode,_ownerid_value,modifiedon,revenue,createdon"
    assert [name for name in api.get(target).json() if "@" in name] == ["@odata.context", "@odata.etag"]
    wanted = (
        'odata.include-annotations="OData.Community.Display.V1.FormattedValue,Microsoft.Dynamics.CRM.lookuplogicalname"'
    )
    answer = api.get(target, Prefer=wanted)
    row = answer.json()
    assert answer.headers["Preference-Applied"] == wanted
    assert row["leadsourcecode@OData.Community.Display.V1.FormattedValue"] == "Trade Show"
    assert row["modifiedon@OData.Community.Display.V1.FormattedValue"] == "3/2/2026 10:00 AM"
    assert row["_ownerid_value@OData.Community.Display.V1.FormattedValue"] == "Sync Service"
    assert row["_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "systemuser"
    assert "_ownerid_value@Microsoft.Dynamics.CRM.associatednavigationproperty" not in row


def test_expand(api: Any) -> None:
    account = api.create("accounts", name="F")
    for name in ("B", "A", "C"):
        api.create("contacts", lastname=name, **{"parentcustomerid_account@odata.bind": f"/accounts({account})"})
    row = api.values("contacts?$select=lastname&$expand=parentcustomerid_account($select=name)&$orderby=lastname")[0]
    assert row["parentcustomerid_account"]["name"] == "F"
    assert row["parentcustomerid_account"]["accountid"] == account
    assert (
        api.values("contacts?$select=lastname&$expand=parentcustomerid_contact($select=lastname)")[0][
            "parentcustomerid_contact"
        ]
        is None
    )
    many = api.get(
        f"accounts({account})?$select=name&$expand=contact_customer_accounts($select=lastname;$orderby=lastname;$top=2)"
    ).json()
    assert [each["lastname"] for each in many["contact_customer_accounts"]] == ["A", "B"]
    assert "contact_customer_accounts@odata.nextLink" in many


def test_the_schema_version_annotation_moves_with_the_schema(api: Any, org: Any) -> None:
    name, wanted = "@Microsoft.Dynamics.CRM.globalmetadataversion", {"Prefer": 'odata.include-annotations="*"'}
    before = api.get("leads?$select=lastname", **wanted).json()[name]
    org.add_column("lead", "nvk_new", type="String", length=10)
    assert api.get("leads?$select=lastname", **wanted).json()[name] != before


def test_an_amount_brings_its_currency(api: Any) -> None:
    currency = api.values("transactioncurrencies?$select=isocurrencycode")[0]["transactioncurrencyid"]
    paid, free = api.create("leads", lastname="A", revenue=5), api.create("leads", lastname="B")
    for target in (f"leads({paid})?$select=revenue", f"leads({paid})?$select=revenue,_transactioncurrencyid_value"):
        assert api.get(target).json()["_transactioncurrencyid_value"] == currency
    assert api.read("leads", free, "revenue")["_transactioncurrencyid_value"] is None
    assert "_transactioncurrencyid_value" not in api.read("leads", paid, "lastname")
