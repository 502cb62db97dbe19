"""Checklist 8: $batch with change sets, references, continue-on-error, CRLF strictness and the cap."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from .conftest import BASE

ROOT = "/api/data/v9.2/"
UNKNOWN = "8a41c0de-52f1-4e11-a1fd-000d3ab1c001"


def operation(method: str, target: str, body: Any = None, content_id: int | None = None, **headers: str) -> str:
    head = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
    head += f"Content-ID: {content_id}\r\n" if content_id else ""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    kind = "Content-Type: application/json; type=entry\r\n" if body is not None else ""
    inner = "" if body is None else json.dumps(body)
    return f"{head}\r\n{method} {target} HTTP/1.1\r\n{kind}{lines}\r\n{inner}"


def change_set(*operations: str) -> str:
    inner = "".join(f"--set\r\n{each}\r\n" for each in operations)
    return f'Content-Type: multipart/mixed; boundary="set"\r\n\r\n{inner}--set--\r\n'


def send(api: Any, *parts: str, raw: bytes | None = None, **headers: str) -> httpx.Response:
    body = "".join(f"--batch\r\n{part}\r\n" for part in parts) + "--batch--\r\n"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {"Content-Type": 'multipart/mixed; boundary="batch"', **named}
    return api.client.post(f"{ROOT}$batch", content=body.encode() if raw is None else raw, headers=sent)


def answers(response: httpx.Response) -> list[tuple[int, Any]]:
    """Status and JSON body (or None) of each inner answer in order."""
    found = re.findall(r"HTTP/1\.1 (\d+) [^\r]*\r\n(?:[^\r]+\r\n)*\r\n([^\r]*)\r\n", response.text)
    return [(int(status), json.loads(body) if body else None) for status, body in found]


def test_operations_run_in_order_and_answer_in_order(api: Any) -> None:
    id = api.create("leads", lastname="A")
    response = send(
        api,
        operation("PATCH", f"{ROOT}leads({id})", {"lastname": "B"}, If_Match="*"),
        operation("GET", f"{BASE}{ROOT}leads({id})?$select=lastname"),
        operation("DELETE", f"leads({id})"),
    )
    assert response.status_code == 200
    assert re.fullmatch(r"multipart/mixed; boundary=batchresponse_[0-9a-f-]{36}", response.headers["Content-Type"])
    found = answers(response)
    assert [status for status, _ in found] == [204, 200, 204]
    assert found[1][1]["lastname"] == "B"


def test_without_continue_it_stops_and_keeps_what_was_done(api: Any) -> None:
    response = send(
        api,
        operation("POST", "leads", {"lastname": "A"}),
        operation("POST", "leads", {"jobtitle": "x" * 101}),
        operation("POST", "leads", {"lastname": "C"}),
    )
    assert response.status_code == 400
    found = answers(response)
    assert [status for status, _ in found] == [204, 400]
    assert found[1][1]["error"]["code"] == "0x80044331"
    assert [row["lastname"] for row in api.values("leads?$select=lastname")] == ["A"]


def test_with_continue_every_operation_is_answered(api: Any) -> None:
    response = send(
        api,
        operation("PATCH", f"leads({UNKNOWN})", {"lastname": "A"}, If_Match="*"),
        operation("POST", "leads", {"lastname": "C"}),
        Prefer="odata.continue-on-error",
    )
    assert response.status_code == 200
    assert response.headers["Preference-Applied"] == "odata.continue-on-error"
    assert [status for status, _ in answers(response)] == [404, 204]


def test_conditional_writes_in_a_batch(api: Any) -> None:
    id = api.create("leads", lastname="A")
    tag = api.read("leads", id, "lastname")["@odata.etag"]
    response = send(
        api,
        operation("PATCH", f"leads({id})", {"lastname": "B"}, If_Match=tag),
        operation("PATCH", f"leads({id})", {"lastname": "C"}, If_Match=tag),
        operation(
            "PATCH", f"leads({id})?$select=lastname", {"firstname": "D"}, If_Match="*", Prefer="return=representation"
        ),
        Prefer="odata.continue-on-error",
    )
    found = answers(response)
    assert [status for status, _ in found] == [204, 412, 200]
    assert found[2][1]["lastname"] == "B"
    assert "ETag: W/" in response.text


def test_a_change_set_refers_to_its_own_rows(api: Any) -> None:
    response = send(
        api,
        change_set(
            operation("POST", f"{ROOT}accounts", {"name": "Fjordlift AS"}, content_id=1),
            operation(
                "POST", f"{ROOT}contacts", {"lastname": "S", "parentcustomerid_account@odata.bind": "$1"}, content_id=2
            ),
            operation("PATCH", "$2", {"jobtitle": "Boss"}, content_id=3),
            operation("PUT", "$2/firstname", {"value": "Ida"}, content_id=4),
        ),
        operation("GET", f"{ROOT}contacts?$select=fullname,jobtitle&$expand=parentcustomerid_account($select=name)"),
    )
    assert response.status_code == 200, response.text
    assert "Content-Type: multipart/mixed; boundary=changesetresponse_" in response.text
    assert re.findall(r"Content-ID: (\d)", response.text) == ["1", "2", "3", "4"]
    row = answers(response)[-1][1]["value"][0]
    assert (row["fullname"], row["jobtitle"], row["parentcustomerid_account"]["name"]) == (
        "Ida S",
        "Boss",
        "Fjordlift AS",
    )


def test_a_failed_change_set_rolls_back_and_yields_one_error(api: Any, org: Any) -> None:
    last = org.truth.last_id
    response = send(
        api,
        change_set(
            operation("POST", "accounts", {"name": "F"}, content_id=1),
            operation("POST", "contacts", {"lastname": "x" * 51}, content_id=2),
        ),
        operation("GET", "accounts?$select=name"),
        Prefer="odata.continue-on-error",
    )
    assert [status for status, _ in answers(response)] == [400, 200]
    assert api.values("accounts?$select=name") == []
    assert org.truth.last_id == last


def test_a_rolled_back_row_leaves_no_trace_in_lists_or_deltas(api: Any) -> None:
    api.create("contacts", lastname="Z", emailaddress1="z@x.example")
    api.values("contacts?$filter=emailaddress1 eq 'z@x.example'")
    delta = api.get("contacts?$select=lastname", Prefer="odata.track-changes").json()["@odata.deltaLink"]
    send(
        api,
        change_set(
            operation("POST", "contacts", {"lastname": "A", "emailaddress1": "a@x.example"}, content_id=1),
            operation("POST", "contacts", {"lastname": "x" * 51}, content_id=2),
        ),
    )
    assert api.get(delta).json()["value"] == []
    assert api.values("contacts?$filter=emailaddress1 eq 'a@x.example'") == []
    api.create("contacts", lastname="B")
    assert [row["lastname"] for row in api.get(delta).json()["value"]] == ["B"]


def test_operations_of_a_change_set_need_a_content_id(api: Any) -> None:
    response = send(
        api, operation("POST", "leads", {"lastname": "A"}), change_set(operation("POST", "leads", {"lastname": "B"}))
    )
    assert (response.status_code, response.json()["error"]["code"]) == (400, "0x80060888")
    assert api.values("leads?$select=lastname") == []


def test_a_reference_before_its_definition(api: Any) -> None:
    response = send(
        api,
        change_set(
            operation("POST", "contacts", {"lastname": "S", "parentcustomerid_account@odata.bind": "$1"}, content_id=2)
        ),
    )
    assert response.status_code == 400
    assert (
        answers(response)[0][1]["error"]["message"] == "Content-ID Reference: '$1' does not exist in the batch context."
    )


def test_a_change_set_holds_no_get(api: Any) -> None:
    response = send(api, change_set(operation("GET", "leads")))
    assert (response.status_code, response.headers["Content-Type"].split(";")[0]) == (400, "application/json")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body.replace(b"\r\n", b"\n"),
        lambda body: body.removesuffix(b"\r\n"),
        lambda body: body.replace(b"--batch--", b"--batch"),
        lambda body: body.replace(b"HTTP/1.1\r\n\r\n", b"HTTP/1.1"),
    ],
)
def test_line_ends_must_be_crlf_to_the_last(api: Any, spoil: Any) -> None:
    good = f"--batch\r\n{operation('GET', 'leads')}\r\n--batch--\r\n".encode()
    assert send(api, raw=good).status_code == 200
    response = send(api, raw=spoil(good))
    assert response.status_code == 400
    assert response.json()["error"] == {"code": "0x80048d19", "message": "Stream was not readable."}


def test_two_extra_line_breaks_do_no_harm(api: Any) -> None:
    assert send(api, raw=f"--batch\r\n{operation('GET', 'leads')}\r\n--batch--\r\n\r\n".encode()).status_code == 200


def test_a_thousand_operations_and_no_more(api: Any) -> None:
    assert send(api, *[operation("GET", "RetrieveVersion")] * 1000).status_code == 200
    response = send(
        api,
        *[operation("GET", "RetrieveVersion")] * 999,
        change_set(*[operation("POST", "leads", {}, content_id=1)] * 2),
    )
    assert response.status_code == 400
    assert api.values("leads?$select=lastname") == []


def test_no_batch_inside_a_batch(api: Any) -> None:
    response = send(api, operation("POST", f"{ROOT}$batch", {}))
    assert response.status_code == 400


def test_no_boundary_is_plain_json(api: Any) -> None:
    response = api.client.post(f"{ROOT}$batch", content=b"x", headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["error"]["code"]) == (400, "0x80048d19")


def test_a_reference_to_a_row_that_was_answered_whole(api: Any) -> None:
    response = send(
        api,
        change_set(
            operation("POST", "accounts?$select=name", {"name": "F"}, 1, Prefer="return=representation"),
            operation("POST", "contacts", {"lastname": "S", "parentcustomerid_account@odata.bind": "$1"}, 2),
        ),
    )
    assert [status for status, _ in answers(response)] == [201, 204], response.text
    account, contact = api.values("accounts?$select=name")[0], api.values("contacts?$select=_parentcustomerid_value")[0]
    assert contact["_parentcustomerid_value"] == account["accountid"]


def test_an_operation_may_wish_for_details_of_its_own_error(api: Any) -> None:
    wish = {"Prefer": 'odata.include-annotations="*"'}
    absent = f"leads({UNKNOWN})"
    response = send(api, operation("GET", absent, **wish), operation("GET", absent), Prefer="odata.continue-on-error")
    detailed, plain = (body["error"].keys() for _, body in answers(response))
    assert "@Microsoft.PowerApps.CDS.TraceText" in detailed
    assert plain == {"code", "message"}


def test_an_address_inside_may_be_twice_as_long(api: Any) -> None:
    api.create("leads", lastname="A")

    def listed(length: int) -> str:
        start = "leads?$select=lastname&$filter=lastname eq '"
        return f"{start}{'x' * (length - len(start) - 1)}'"

    assert api.get(listed(33_000)).status_code == 400
    response = send(
        api, operation("GET", listed(65_536)), operation("GET", listed(65_537)), Prefer="odata.continue-on-error"
    )
    assert [status for status, _ in answers(response)] == [200, 400]
