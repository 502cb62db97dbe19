"""Checklist 12: duplicate rules, looked at only when the header asks."""

from __future__ import annotations

from typing import Any

from .conftest import code

ON = {"MSCRM.SuppressDuplicateDetection": "false"}


def test_without_the_header_nothing_is_checked(api: Any) -> None:
    for header in ({}, {"MSCRM.SuppressDuplicateDetection": "true"}):
        assert api.post("leads", {"emailaddress1": "a@x.example"}, **header).status_code == 204
    assert len(api.values("leads?$select=lastname")) == 2


def test_the_same_mail_is_a_hit_on_either_table(api: Any) -> None:
    api.create("contacts", emailaddress1="A@x.example")
    for entity_set in ("contacts", "leads"):
        answer = api.post(entity_set, {"emailaddress1": "a@X.example"}, **ON)
        assert code(answer) == (412, "0x80040333")
        assert (
            answer.json()["error"]["message"]
            == "A record was not created or updated because a duplicate of the current record already exists."
        )
    assert api.post("accounts", {"emailaddress1": "a@x.example"}, **ON).status_code == 204
    assert api.post("leads", {"lastname": "no mail"}, **ON).status_code == 204
    assert len(api.values("leads?$select=lastname")) == 1


def test_updates_are_checked_too_but_not_against_themselves(api: Any) -> None:
    api.create("leads", emailaddress1="a@x.example")
    id = api.create("leads", emailaddress1="b@x.example")
    assert api.patch(f"leads({id})", {"jobtitle": "Boss"}, **ON).status_code == 204
    assert code(api.patch(f"leads({id})", {"emailaddress1": "a@x.example"}, **ON)) == (412, "0x80040333")


def test_a_hit_fails_a_whole_bulk_request(api: Any) -> None:
    api.create("leads", emailaddress1="a@x.example")
    kind = {"@odata.type": "Microsoft.Dynamics.CRM.lead"}
    targets = [{**kind, "emailaddress1": "new@x.example"}, {**kind, "emailaddress1": "a@x.example"}]
    answer = api.post("leads/Microsoft.Dynamics.CRM.CreateMultiple", {"Targets": targets}, **ON)
    assert code(answer) == (412, "0x80040333")
    assert len(api.values("leads?$select=lastname")) == 1


def test_rules_can_be_unpublished(api: Any, org: Any) -> None:
    api.create("contacts", emailaddress1="a@x.example")
    org.configure(duplicate_rules=["lead:lead"])
    assert api.post("leads", {"emailaddress1": "a@x.example"}, **ON).status_code == 204
