"""Checklist 14: trouble on order."""

from __future__ import annotations

import json
from typing import Any

import pytest

from syncadmin.sandbox import Cut
from syncadmin.sandbox.faults import Fault

from .conftest import code
from .test_batch import answers, operation, send


@pytest.mark.parametrize(
    ("kind", "value", "status", "number"),
    [
        ("rate_limit", 37, 429, "0x80072322"),
        ("concurrency", None, 429, "0x80072326"),
        ("error", None, 500, "0x80040216"),
        ("error", "0x80044150", 500, "0x80044150"),
    ],
)
def test_refusals_before_anything_is_done(api: Any, org: Any, kind: str, value: Any, status: int, number: str) -> None:
    org.faults.add(Fault(kind, method="POST", path="*/leads*", times=2, value=value))
    assert api.get("leads").status_code == 200
    for _ in range(2):
        answer = api.post("leads", {"lastname": "A"})
        assert code(answer) == (status, number)
        assert ("Retry-After" in answer.headers) == (status == 429)
    assert api.values("leads?$select=lastname") == []
    assert api.post("leads", {"lastname": "A"}).status_code == 204


def test_unavailable_html_garbage_and_empty(api: Any, org: Any) -> None:
    for kind in ("unavailable", "html", "garbage", "empty"):
        org.faults.add(Fault(kind, path="*WhoAmI*"))
    assert api.get("WhoAmI").status_code == 503
    answer = api.get("WhoAmI")
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html")
    answer = api.get("WhoAmI")
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    answer = api.get("WhoAmI")
    assert (answer.status_code, answer.content) == (200, b"")
    assert api.get("WhoAmI").json()["UserId"]


def test_no_answer_with_and_without_the_write(api: Any, org: Any) -> None:
    org.faults.add(Fault("timeout_before"))
    org.faults.add(Fault("timeout_after"))
    with pytest.raises(Cut):
        api.post("leads", {"lastname": "A"})
    assert list(org.rows("lead")) == []
    with pytest.raises(Cut):
        api.post("leads", {"lastname": "B"})
    assert [row["lastname"] for row in org.rows("lead")] == ["B"]


def test_an_answer_cut_in_the_middle(api: Any, org: Any) -> None:
    org.faults.add(Fault("cut"))
    with pytest.raises(Cut) as caught:
        api.get("WhoAmI")
    assert caught.value.status == "200 OK"
    length = int(dict(caught.value.headers)["Content-Length"])
    assert 0 < len(caught.value.part) < length


def test_slow(api: Any, org: Any, clock: Any) -> None:
    org.faults.add(Fault("slow", value=30))
    started = clock.now
    assert api.get("WhoAmI").status_code == 200
    assert (clock.now - started).total_seconds() == 30


def test_expired_token_and_expired_delta(api: Any, org: Any) -> None:
    org.faults.add(Fault("expired_token"))
    assert api.get("WhoAmI").status_code == 401
    delta = api.get("leads?$select=lastname", Prefer="odata.track-changes").json()["@odata.deltaLink"]
    org.faults.add(Fault("expired_delta", path="*deltatoken*"))
    assert code(api.get(delta)) == (400, "0x80044352")
    assert api.get(delta).status_code == 200


def test_part_of_a_batch_fails(api: Any, org: Any) -> None:
    org.faults.add(Fault("partial_batch", path="*$batch", value=2))
    parts = [operation("POST", "leads", {"lastname": name}) for name in "ABC"]
    found = answers(send(api, *parts, Prefer="odata.continue-on-error"))
    assert [status for status, _ in found] == [204, 400, 204]
    assert sorted(row["lastname"] for row in org.rows("lead")) == ["A", "C"]


def test_part_of_a_bulk_request_fails_it_all(api: Any, org: Any) -> None:
    org.faults.add(Fault("partial_batch", path="*CreateMultiple", value=2))
    kind = {"@odata.type": "Microsoft.Dynamics.CRM.lead"}
    body = {"Targets": [{**kind, "lastname": "A"}, {**kind, "lastname": "B"}]}
    assert code(api.post("leads/Microsoft.Dynamics.CRM.CreateMultiple", body)) == (400, "0x80040265")
    assert list(org.rows("lead")) == []


def test_throttling_inside_a_batch(api: Any, org: Any) -> None:
    org.faults.add(Fault("rate_limit", method="POST", path="*/leads", skip=1))
    parts = [operation("POST", "leads", {"lastname": name}) for name in "ABC"]
    found = answers(send(api, *parts, Prefer="odata.continue-on-error"))
    assert [status for status, _ in found] == [204, 429, 204]


def test_a_rival_is_faster(api: Any, org: Any) -> None:
    id = api.create("leads", lastname="A")
    tag = api.read("leads", id, "lastname")["@odata.etag"]
    org.faults.add(
        Fault(
            "rival",
            method="PATCH",
            value={"entity": "lead", "match": {"lastname": "A"}, "changes": {"jobtitle": "rival"}},
        )
    )
    assert code(api.patch(f"leads({id})", {"lastname": "B"}, If_Match=tag)) == (412, "0x80060882")
    row = api.read("leads", id, "jobtitle", "lastname", "_modifiedby_value")
    assert (row["jobtitle"], row["lastname"]) == ("rival", "A")
    assert row["_modifiedby_value"] != api.get("WhoAmI").json()["UserId"]
    assert org.truth.of("lead", id)[-1].who == "rival"
    seen: list[str] = []
    org.faults.add(Fault("rival", value=lambda: seen.append("called")))
    api.get("WhoAmI")
    assert seen == ["called"]


def test_a_rival_inside_a_batch(api: Any, org: Any) -> None:
    id = api.create("leads", lastname="A")
    tag = api.read("leads", id, "lastname")["@odata.etag"]
    org.faults.add(
        Fault("rival", path=f"*leads({id})*", value={"entity": "lead", "id": id, "changes": {"jobtitle": "rival"}})
    )
    found = answers(
        send(
            api,
            operation("PATCH", f"leads({id})", {"lastname": "B"}, If_Match=tag),
            operation("POST", "leads", {"lastname": "C"}),
            Prefer="odata.continue-on-error",
        )
    )
    assert [status for status, _ in found] == [412, 204]
    assert api.read("leads", id, "jobtitle")["jobtitle"] == "rival"


def test_a_plug_in_refuses_a_value(api: Any, org: Any) -> None:
    org.configure(vetoes=[{"entity": "lead", "column": "jobtitle", "value": "Pirate", "message": "No pirates."}])
    answer = api.post("leads", {"jobtitle": "Pirate"})
    assert (code(answer), answer.json()["error"]["message"]) == ((400, "0x80040265"), "No pirates.")
    assert api.post("leads", {"jobtitle": "Captain"}).status_code == 204


def test_a_plug_in_rewrites_a_value(api: Any, org: Any) -> None:
    org.configure(rewrites=[{"entity": "lead", "column": "address1_country", "value": "UK", "to": "United Kingdom"}])
    id = api.create("leads", address1_country="UK")
    row = api.read("leads", id, "address1_country", "_modifiedby_value")
    assert row["address1_country"] == "United Kingdom"
    assert row["_modifiedby_value"] != api.get("WhoAmI").json()["UserId"]
    assert [each.who for each in org.truth.of("lead", id)] == ["api:sandbox", "system"]


def test_locked_rows_and_secured_columns(api: Any, org: Any) -> None:
    id = api.create("leads", lastname="A")
    org.configure(locked=[id])
    assert code(api.patch(f"leads({id})", {"lastname": "B"})) == (500, "0x80044151")
    org.configure(locked=[], secured={"lead": {"jobtitle": ["create", "update"]}})
    assert code(api.post("leads", {"jobtitle": "x"})) == (403, "0x8004f502")
    assert code(api.patch(f"leads({id})", {"jobtitle": "x"})) == (403, "0x8004f507")


def test_missing_privileges(api: Any, org: Any) -> None:
    id = api.create("leads", lastname="A")
    org.configure(missing=["prvCreateLead", "prvWriteLead", "prvDeleteLead", "prvReadContact"])
    for answer in (
        api.post("leads", {}),
        api.patch(f"leads({id})", {}),
        api.delete(f"leads({id})"),
        api.get("contacts"),
    ):
        assert code(answer) == (403, "0x80040220")
    message = api.post("leads", {}).json()["error"]["message"]
    assert "is missing prvCreateLead privilege" in message
    assert "on OTC=4 for entity 'lead' (LocalizedName='Lead')" in message


def test_columns_come_go_and_change(api: Any, org: Any) -> None:
    id = api.create("leads", lastname="A", jobtitle="Boss")
    org.add_column("lead", "nvk_new", type="Integer", min=0, max=9)
    assert api.patch(f"leads({id})", {"nvk_new": 5}).status_code == 204
    org.remove_column("lead", "jobtitle")
    assert code(api.get("leads?$select=jobtitle")) == (400, "0x80060888")
    assert code(api.patch(f"leads({id})", {"jobtitle": "x"})) == (400, "0x80048d19")
    org.retype_column("lead", "nvk_new", type="String", length=4)
    assert api.read("leads", id, "nvk_new")["nvk_new"] is None
    assert api.patch(f"leads({id})", {"nvk_new": "text"}).status_code == 204
    told = api.get("EntityDefinitions(LogicalName='lead')/Attributes(LogicalName='nvk_new')").json()
    assert told["AttributeType"] == "String"


def test_the_sign_in_service_has_its_own_troubles(api: Any, org: Any) -> None:
    org.faults.add(Fault("rate_limit", path="*oauth2*", value=9))
    org.faults.add(Fault("unavailable", path="*oauth2*"))
    answer = api.token()
    assert (answer.status_code, answer.headers["Retry-After"], answer.json()["error"]) == (
        429,
        "9",
        "temporarily_unavailable",
    )
    assert (api.token().status_code, api.token().status_code) == (503, 200)


def test_trouble_waits_for_a_request_it_fits(api: Any, org: Any) -> None:
    org.faults.add(Fault("expired_delta"))
    org.faults.add(Fault("partial_batch"))
    assert api.get("WhoAmI").status_code == 200
    assert [fault.kind for fault in org.faults.waiting()] == ["expired_delta", "partial_batch"]
