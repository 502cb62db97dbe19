"""Checklist 4 and 5: versions, create, read, update, delete, the header matrix, Prefer, defaults, computed columns."""

from __future__ import annotations

from typing import Any

from .conftest import BASE, code

ROOT = f"{BASE}/api/data/v9.2/"
UNKNOWN = "8a41c0de-52f1-4e11-a1fd-000d3ab1c001"


def test_create_answers_with_the_address(api: Any) -> None:
    answer = api.post("leads", {"subject": "Webinar", "lastname": "Solheim"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["OData-EntityId"] == answer.headers["Location"]
    assert answer.headers["OData-EntityId"].startswith(f"{ROOT}leads(")


def test_create_with_representation(api: Any) -> None:
    answer = api.post("leads?$select=lastname", {"lastname": "Solheim"}, Prefer="return=representation")
    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Preference-Applied"] == "return=representation"
    assert answer.headers["ETag"] == body["@odata.etag"]
    assert "OData-EntityId" not in answer.headers
    assert body.keys() == {"@odata.context", "@odata.etag", "lastname", "leadid"}


def test_defaults_and_stamps_of_a_new_row(api: Any) -> None:
    id = api.create("leads", firstname="Ida", lastname="Solheim", revenue=1250000)
    row = api.read(
        "leads",
        id,
        "fullname",
        "statecode",
        "statuscode",
        "createdon",
        "modifiedon",
        "_ownerid_value",
        "_createdby_value",
        "_modifiedby_value",
        "leadqualitycode",
        "donotbulkemail",
        "revenue_base",
        "_transactioncurrencyid_value",
    )
    me = api.get("WhoAmI").json()["UserId"]
    assert (row["fullname"], row["statecode"], row["statuscode"]) == ("Ida Solheim", 0, 1)
    assert row["createdon"] == row["modifiedon"] == "2026-03-02T09:00:00Z"
    assert {row["_ownerid_value"], row["_createdby_value"], row["_modifiedby_value"]} == {me}
    assert (row["leadqualitycode"], row["donotbulkemail"], row["revenue_base"]) == (2, False, 1250000)
    assert row["_transactioncurrencyid_value"]


def test_a_chosen_id_makes_a_create_repeatable(api: Any) -> None:
    assert api.create("leads", leadid=UNKNOWN, lastname="A") == UNKNOWN
    assert code(api.post("leads", {"leadid": UNKNOWN, "lastname": "A"})) == (412, "0x80040237")


def test_back_dating_moves_the_real_time(api: Any) -> None:
    id = api.create("leads", lastname="A", overriddencreatedon="2020-01-02T03:04:05Z")
    row = api.read("leads", id, "createdon", "overriddencreatedon")
    assert (row["createdon"], row["overriddencreatedon"]) == ("2020-01-02T03:04:05Z", "2026-03-02T09:00:00Z")


def test_deep_insert_creates_in_one_go(api: Any) -> None:
    id = api.create("contacts", lastname="S", parentcustomerid_account={"name": "Fjordlift AS"})
    account = api.read("contacts", id, "_parentcustomerid_value")["_parentcustomerid_value"]
    assert api.read("accounts", account, "name")["name"] == "Fjordlift AS"
    api.post("accounts", {"name": "Norvik", "contact_customer_accounts": [{"lastname": "One"}, {"lastname": "Two"}]})
    assert len(api.values("contacts?$filter=parentcustomerid_account/name eq 'Norvik'")) == 2
    assert api.patch(f"contacts({id})", {"parentcustomerid_account": {"name": "X"}}).status_code == 400


def test_version_and_etag_grow_with_every_write(api: Any, clock: Any) -> None:
    id = api.create("leads", lastname="A")
    seen = [api.read("leads", id, "versionnumber")["versionnumber"]]
    other = api.create("contacts", lastname="B")
    seen.append(api.read("contacts", other, "versionnumber")["versionnumber"])
    clock.forward(seconds=1)
    api.patch(f"leads({id})", {"lastname": "A"})
    row = api.read("leads", id, "versionnumber", "modifiedon")
    assert [*seen, row["versionnumber"]] == sorted({*seen, row["versionnumber"]})
    assert row["@odata.etag"] == f'W/"{row["versionnumber"]}"'
    assert row["modifiedon"] == "2026-03-02T09:00:01Z", "equal values count as an update"


def test_read_one_has_key_and_etag_always(api: Any) -> None:
    id = api.create("leads", lastname="A")
    row = api.read("leads", id, "lastname")
    assert row == {
        "@odata.context": f"{ROOT}$metadata#leads(lastname)/$entity",
        "@odata.etag": row["@odata.etag"],
        "lastname": "A",
        "leadid": id,
    }
    assert api.get(f"leads({id})/lastname").json()["value"] == "A"
    assert api.get(f"leads({id})/lastname/$value").text == "A"
    assert api.get(f"leads({id})/subject").status_code == 204


def test_absent_rows(api: Any) -> None:
    answer = api.get(f"leads({UNKNOWN})")
    assert code(answer) == (404, "0x80040217")
    assert answer.json()["error"]["message"] == f"Entity 'lead' With Id = {UNKNOWN} Does Not Exist"
    assert code(api.delete(f"leads({UNKNOWN})")) == (404, "0x80040217")
    assert code(api.patch(f"leads({UNKNOWN})", {"lastname": "A"}, If_Match="*")) == (404, "0x80040217")
    assert api.get("leads(not-a-guid)").status_code == 400


def test_patch_without_if_match_is_an_upsert(api: Any) -> None:
    answer = api.patch(f"leads({UNKNOWN})", {"lastname": "A"})
    assert answer.status_code == 204
    assert api.read("leads", UNKNOWN, "lastname")["lastname"] == "A"
    again = api.patch(f"leads({UNKNOWN})?$select=leadid", {"lastname": "B"}, Prefer="return=representation")
    assert again.status_code == 200
    other = UNKNOWN.replace("8a41", "9b52")
    assert (
        api.patch(f"leads({other})?$select=leadid", {"lastname": "C"}, Prefer="return=representation").status_code
        == 201
    )


def test_if_none_match_star_only_creates(api: Any) -> None:
    assert api.patch(f"leads({UNKNOWN})", {"lastname": "A"}, If_None_Match="*").status_code == 204
    assert code(api.patch(f"leads({UNKNOWN})", {"lastname": "B"}, If_None_Match="*")) == (412, "0x80040237")
    assert api.read("leads", UNKNOWN, "lastname")["lastname"] == "A"


def test_etags_guard_update_delete_and_read(api: Any) -> None:
    id = api.create("leads", lastname="A")
    old = api.read("leads", id, "lastname")["@odata.etag"]
    assert api.get(f"leads({id})?$select=lastname", If_None_Match=old).status_code == 304
    assert api.patch(f"leads({id})", {"lastname": "B"}, If_Match=old).status_code == 204
    assert code(api.patch(f"leads({id})", {"lastname": "C"}, If_Match=old)) == (412, "0x80060882")
    assert code(api.delete(f"leads({id})", If_Match=old)) == (412, "0x80060882")
    new = api.get(f"leads({id})?$select=lastname", If_None_Match=old)
    assert (new.status_code, new.json()["lastname"]) == (200, "B")
    assert api.delete(f"leads({id})", If_Match=new.json()["@odata.etag"]).status_code == 204


def test_etags_need_a_table_that_supports_them(api: Any) -> None:
    id = api.values("systemusers?$select=fullname")[0]["systemuserid"]
    assert code(api.patch(f"systemusers({id})", {"jobtitle": "X"}, If_Match='W/"1"')) == (400, "0x8006088d")


def test_null_clears_and_absence_leaves_alone(api: Any) -> None:
    id = api.create("leads", lastname="A", jobtitle="Boss", mobilephone="1")
    api.patch(f"leads({id})", {"mobilephone": None})
    row = api.read("leads", id, "jobtitle", "mobilephone", "lastname")
    assert (row["jobtitle"], row["mobilephone"], row["lastname"]) == ("Boss", None, "A")


def test_one_column_by_put_and_delete(api: Any) -> None:
    id = api.create("leads", lastname="A")
    assert api.request("PUT", f"leads({id})/jobtitle", {"value": "Boss"}).status_code == 204
    assert api.read("leads", id, "jobtitle")["jobtitle"] == "Boss"
    assert api.delete(f"leads({id})/jobtitle").status_code == 204
    assert api.read("leads", id, "jobtitle")["jobtitle"] is None


def test_update_with_representation(api: Any) -> None:
    id = api.create("leads", lastname="A")
    answer = api.patch(f"leads({id})?$select=lastname", {"lastname": "B"}, If_Match="*", Prefer="return=representation")
    assert (answer.status_code, answer.json()["lastname"]) == (200, "B")


def test_computed_and_unwritable_columns_are_ignored(api: Any) -> None:
    id = api.create(
        "contacts",
        lastname="A",
        fullname="Somebody",
        address1_line1="Kai 1",
        address1_city="Oslo",
        address1_postalcode="0150",
        address1_country="Norway",
        statecode=1,
    )
    row = api.read("contacts", id, "fullname", "address1_composite", "statecode", "createdon")
    assert (row["fullname"], row["statecode"]) == ("A", 0)
    assert row["address1_composite"] == "Kai 1\r\nOslo, 0150\r\nNorway"
    api.patch(f"contacts({id})", {"createdon": "2020-01-01T00:00:00Z", "firstname": "Ida"})
    row = api.read("contacts", id, "fullname", "createdon")
    assert (row["fullname"], row["createdon"]) == ("Ida A", "2026-03-02T09:00:00Z")


def test_lookups_are_bound_and_cleared(api: Any) -> None:
    account = api.create("accounts", name="Fjordlift", accountnumber="A-100")
    id = api.create("contacts", lastname="A", **{"parentcustomerid_account@odata.bind": f"/accounts({account})"})
    assert api.read("contacts", id, "_parentcustomerid_value")["_parentcustomerid_value"] == account
    for cleared in ({"parentcustomerid_account@odata.bind": None}, {"parentcustomerid_account": None}):
        api.patch(f"contacts({id})", {"parentcustomerid_account@odata.bind": f"{ROOT}accounts({account})"})
        assert api.read("contacts", id, "_parentcustomerid_value")["_parentcustomerid_value"] == account
        assert api.patch(f"contacts({id})", cleared).status_code == 204
        assert api.read("contacts", id, "_parentcustomerid_value")["_parentcustomerid_value"] is None
    api.patch(f"contacts({id})", {"parentcustomerid_account@odata.bind": "accounts(accountnumber='a-100')"})
    assert api.read("contacts", id, "_parentcustomerid_value")["_parentcustomerid_value"] == account


def test_a_polymorphic_lookup_holds_one_target(api: Any) -> None:
    account, boss = api.create("accounts", name="F"), api.create("contacts", lastname="Boss")
    id = api.create("contacts", lastname="A", **{"parentcustomerid_account@odata.bind": f"/accounts({account})"})
    api.patch(f"contacts({id})", {"parentcustomerid_contact@odata.bind": f"/contacts({boss})"})
    name = "_parentcustomerid_value"
    row = api.get(f"contacts({id})?$select={name}", Prefer='odata.include-annotations="*"').json()
    assert row[name] == boss
    assert row[f"{name}@Microsoft.Dynamics.CRM.lookuplogicalname"] == "contact"
    assert row[f"{name}@Microsoft.Dynamics.CRM.associatednavigationproperty"] == "parentcustomerid_contact"
    assert row[f"{name}@OData.Community.Display.V1.FormattedValue"] == "Boss"


def test_wrong_binds(api: Any) -> None:
    for name in ("parentcustomerid", "ParentCustomerId_Account", "nonsense"):
        answer = api.post("contacts", {"lastname": "A", f"{name}@odata.bind": f"/accounts({UNKNOWN})"})
        assert code(answer) == (400, "0x80048d19")
        assert (
            f"An undeclared property '{name}' which only has property annotations" in answer.json()["error"]["message"]
        )
    answer = api.post("contacts", {"lastname": "A", "parentcustomerid_account@odata.bind": f"/accounts({UNKNOWN})"})
    assert code(answer) == (404, "0x80040217")
    assert code(api.post("contacts", {"lastname": "A", "_ownerid_value": UNKNOWN})) == (400, "0x80048d19")
    assert api.values("contacts?$select=lastname") == []


def test_references(api: Any) -> None:
    account, id = api.create("accounts", name="F"), api.create("contacts", lastname="A")
    link = {"@odata.id": f"{ROOT}accounts({account})"}
    assert api.request("PUT", f"contacts({id})/parentcustomerid_account/$ref", link).status_code == 204
    assert api.get(f"contacts({id})/parentcustomerid_account?$select=name").json()["name"] == "F"
    assert api.delete(f"contacts({id})/parentcustomerid_account/$ref").status_code == 204
    assert api.read("contacts", id, "_parentcustomerid_value")["_parentcustomerid_value"] is None
    many = {"@odata.id": f"{ROOT}contacts({id})"}
    assert api.post(f"accounts({account})/contact_customer_accounts/$ref", many).status_code == 204
    assert [row["lastname"] for row in api.get(f"accounts({account})/contact_customer_accounts").json()["value"]] == [
        "A"
    ]


def test_owner_follows_and_must_be_enabled(api: Any, org: Any) -> None:
    users = {row["fullname"]: row["systemuserid"] for row in api.values("systemusers?$select=fullname")}
    team = api.values("teams?$select=name")[0]["teamid"]
    id = api.create("leads", lastname="A", **{"ownerid@odata.bind": f"/systemusers({users['Ola Vik']})"})
    row = api.read("leads", id, "_ownerid_value", "_owninguser_value", "_owningteam_value")
    assert (row["_ownerid_value"], row["_owninguser_value"], row["_owningteam_value"]) == (
        users["Ola Vik"],
        users["Ola Vik"],
        None,
    )
    api.patch(f"leads({id})", {"ownerid@odata.bind": f"/teams({team})"})
    row = api.read("leads", id, "_owninguser_value", "_owningteam_value")
    assert (row["_owninguser_value"], row["_owningteam_value"]) == (None, team)
    assert code(api.patch(f"leads({id})", {"ownerid@odata.bind": f"/systemusers({users['Gone Hansen']})"})) == (
        403,
        "0x80040225",
    )
    org.configure(roleless=[users["Mei Lin"]])
    assert code(api.patch(f"leads({id})", {"ownerid@odata.bind": f"/systemusers({users['Mei Lin']})"})) == (
        403,
        "0x80040229",
    )


def test_a_refused_write_changes_nothing(api: Any, org: Any) -> None:
    id = api.create("leads", lastname="A")
    before, last = api.read("leads", id, "modifiedon"), org.truth.last_id
    assert api.patch(f"leads({id})", {"jobtitle": "fine", "subject": "x" * 301}).status_code == 400
    assert (api.read("leads", id, "modifiedon"), org.truth.last_id) == (before, last)


def test_the_truth_log_names_who_and_what(api: Any, org: Any) -> None:
    id = api.create("leads", lastname="A")
    org.edit("lead", id, {"lastname": "B"})
    api.patch(f"leads({id})", {"lastname": "B"})
    told = [(each.who, each.action, each.field, each.old, each.new) for each in org.truth.of("lead", id)]
    assert told[:3] == [
        ("api:sandbox", "create", "lastname", None, "A"),
        ("person", "update", "lastname", "A", "B"),
        ("person", "update", "fullname", "A", "B"),
    ]
    assert told[3] == ("api:sandbox", "update", None, None, None)
    assert org.truth.writes("api:") == 2
