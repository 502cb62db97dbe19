"""Checklist 4 and 7: change tracking, delta links, tombstones, expiry."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import BASE, code

TRACK = {"Prefer": "odata.track-changes"}


def link(api: Any, target: str = "contacts?$select=lastname", **headers: str) -> str:
    """The delta link at the end of a full read."""
    body = api.get(target, **(headers or TRACK)).json()
    while "@odata.nextLink" in body:
        assert "@odata.deltaLink" not in body
        body = api.get(body["@odata.nextLink"], **(headers or TRACK)).json()
    found: str = body["@odata.deltaLink"]
    return found


def test_the_first_read_is_a_full_copy_with_a_token(api: Any) -> None:
    id = api.create("contacts", lastname="A")
    answer = api.get("contacts?$select=lastname", Prefer="odata.track-changes,odata.maxpagesize=1000")
    body = answer.json()
    assert [row["contactid"] for row in body["value"]] == [id]
    assert "odata.track-changes" in answer.headers["Preference-Applied"]
    version = body["value"][0]["@odata.etag"].split('"')[1]
    assert body["@odata.deltaLink"].endswith(f"$deltatoken={version}%2103%2f02%2f2026%2009%3a00%3a00")


def test_pages_have_a_next_link_and_only_the_last_a_delta_link(api: Any) -> None:
    ids = {api.create("contacts", lastname=f"L{number}") for number in range(5)}
    body, found, pages = (
        api.get("contacts?$select=lastname", Prefer="odata.track-changes,odata.maxpagesize=2").json(),
        [],
        1,
    )
    while "@odata.nextLink" in body:
        assert "@odata.deltaLink" not in body
        assert "istracking=%22True%22" in body["@odata.nextLink"]
        found += [row["contactid"] for row in body["value"]]
        body, pages = (
            api.get(body["@odata.nextLink"], Prefer="odata.track-changes,odata.maxpagesize=2").json(),
            pages + 1,
        )
    found += [row["contactid"] for row in body["value"]]
    assert (set(found), len(found), pages) == (ids, 5, 3)
    assert "@odata.deltaLink" in body


def test_net_effect_updates_first_then_deletes(api: Any) -> None:
    first, second, third = (api.create("contacts", lastname=name) for name in "ABC")
    delta = link(api)
    api.delete(f"contacts({first})")
    for name in ("D", "E"):
        api.patch(f"contacts({second})", {"lastname": name})
    new = api.create("contacts", lastname="F")
    body = api.get(delta).json()
    assert body["@odata.context"] == f"{BASE}/api/data/v9.2/$metadata#contacts(lastname)/$delta"
    assert [(row.get("contactid"), row.get("lastname")) for row in body["value"][:2]] == [(second, "E"), (new, "F")]
    assert body["value"][2:] == [
        {"@odata.context": f"{BASE}/api/data/v9.2/$metadata#contacts/$deletedEntity", "id": first, "reason": "deleted"}
    ]
    assert third not in str(body)
    assert api.get(body["@odata.deltaLink"]).json()["value"] == []
    assert api.get(delta).json()["value"] == body["value"], "an old link may be used again"


def test_an_empty_delta_has_a_new_link(api: Any, clock: Any) -> None:
    delta = link(api)
    clock.forward(minutes=5)
    body = api.get(delta).json()
    assert body["value"] == []
    assert "2009%3a05%3a00" in body["@odata.deltaLink"]


def test_created_and_deleted_between_two_calls(api: Any) -> None:
    delta = link(api)
    id = api.create("contacts", lastname="A")
    api.delete(f"contacts({id})")
    assert [row["id"] for row in api.get(delta).json()["value"]] == [id]


def test_delta_pages_miss_nothing_and_repeat_nothing(api: Any) -> None:
    ids = [api.create("contacts", lastname=f"L{number}") for number in range(6)]
    delta = link(api)
    for id in ids[:4]:
        api.patch(f"contacts({id})", {"firstname": "x"})
    for id in ids[4:]:
        api.delete(f"contacts({id})")
    size, found = {"Prefer": "odata.maxpagesize=1"}, []
    body = api.get(delta, **size).json()
    changed_meanwhile = False
    while True:
        found += [row.get("contactid") or row["id"] for row in body["value"]]
        if "@odata.nextLink" not in body:
            break
        if not changed_meanwhile:
            api.patch(f"contacts({ids[3]})", {"firstname": "later"})
            changed_meanwhile = True
        body = api.get(body["@odata.nextLink"], **size).json()
    rest = [row["contactid"] for row in api.get(body["@odata.deltaLink"]).json()["value"]]
    assert sorted(found + rest) == sorted(ids)
    assert rest == [ids[3]]


def test_a_row_changed_during_the_full_read_is_not_lost(api: Any) -> None:
    ids = sorted(api.create("contacts", lastname=f"L{number}") for number in range(4))
    size = {"Prefer": "odata.track-changes,odata.maxpagesize=2"}
    body = api.get("contacts?$select=lastname", **size).json()
    api.patch(f"contacts({ids[0]})", {"lastname": "late"})
    body = api.get(body["@odata.nextLink"], **size).json()
    assert [row["lastname"] for row in api.get(body["@odata.deltaLink"]).json()["value"]] == ["late"]


def test_a_row_counts_as_changed_even_if_no_selected_column_did(api: Any) -> None:
    id = api.create("contacts", lastname="A")
    delta = link(api)
    api.patch(f"contacts({id})", {"jobtitle": "Boss"})
    assert [row["lastname"] for row in api.get(delta).json()["value"]] == ["A"]


@pytest.mark.parametrize("option", ["$filter=lastname eq 'A'", "$orderby=lastname", "$expand=ownerid", "$top=1"])
def test_forbidden_options(api: Any, option: str) -> None:
    answer = api.get(f"contacts?{option}", **TRACK)
    name = option.partition("=")[0]
    assert answer.status_code == 400
    assert (
        answer.json()["error"]["message"]
        == f'The "{name}" query parameter isn\'t supported when Change Tracking is enabled.'
    )


def test_the_bare_token_works_on_the_bare_set(api: Any) -> None:
    token = link(api).partition("$deltatoken=")[2]
    id = api.create("contacts", lastname="A")
    rows = api.values(f"contacts?$deltatoken={token}")
    assert rows[0]["contactid"] == id
    assert "emailaddress1" in rows[0]


def test_count_of_changes(api: Any) -> None:
    delta = link(api)
    id = api.create("contacts", lastname="A")
    api.create("contacts", lastname="B")
    api.delete(f"contacts({id})")
    token = delta.partition("$deltatoken=")[2]
    assert api.get(f"contacts/$count?$deltatoken={token}").text == "\ufeff2"


def test_tables_without_tracking(api: Any) -> None:
    answer = api.get("teams?$select=name", **TRACK)
    assert code(answer) == (400, "0x80072491")
    assert answer.json()["error"]["message"] == "Entity team isn't enabled for change tracking."


def test_a_narrow_read_right_is_a_privilege_error(api: Any, org: Any) -> None:
    org.configure(org_read=False)
    answer = api.get("contacts?$select=lastname", **TRACK)
    assert code(answer) == (403, "0x80040220")
    assert "is missing prvReadContact privilege" in answer.json()["error"]["message"]
    assert api.get("contacts?$select=lastname").status_code == 200


def test_tokens_expire_after_the_organisations_days(api: Any, org: Any, clock: Any) -> None:
    delta = link(api)
    clock.forward(days=7)
    api.sign_in()
    assert api.get(delta).status_code == 200
    clock.forward(seconds=1)
    answer = api.get(delta)
    assert code(answer) == (400, "0x80044352")
    assert (
        answer.json()["error"]["message"]
        == "Version stamp associated with the client has expired. Please perform a full sync."
    )
    org.set_expiry(30)
    assert api.get(delta).status_code == 200


def test_tokens_end_on_order_and_with_the_schema(api: Any, org: Any) -> None:
    leads, contacts = link(api, "leads?$select=lastname"), link(api)
    org.add_column("contact", "nvk_new", type="String", length=20)
    assert code(api.get(contacts)) == (400, "0x80044352")
    assert api.get(leads).status_code == 200
    org.expire_delta_tokens()
    assert code(api.get(leads)) == (400, "0x80044352")
    assert api.get(link(api)).status_code == 200


@pytest.mark.parametrize("token", ["junk", "12", "4470000!99/99/2026 00:00:00", ""])
def test_malformed_tokens(api: Any, token: str) -> None:
    assert api.get(f"contacts?$deltatoken={token}").status_code == 400


def test_a_restored_row_comes_back_as_an_update(api: Any, org: Any) -> None:
    id = api.create("contacts", lastname="A", emailaddress1="a@x.example")
    row = org.get("contact", id)
    delta = link(api)
    api.delete(f"contacts({id})")
    between = api.get(delta).json()["@odata.deltaLink"]
    org.restore("contact", id, row)
    assert [(each["contactid"], each["lastname"]) for each in api.get(between).json()["value"]] == [(id, "A")]
    assert len(api.get(delta).json()["value"]) == 1
    assert len(api.values("contacts?$select=lastname")) == 1


def test_secured_columns_stay_hidden(api: Any, org: Any) -> None:
    api.create("contacts", lastname="A", jobtitle="Boss")
    org.configure(secured={"contact": {"jobtitle": ["read"]}})
    assert api.values("contacts?$select=jobtitle", **TRACK)[0]["jobtitle"] is None
    assert code(api.get("contacts?$filter=jobtitle eq 'Boss'")) == (403, "0x8004f504")
