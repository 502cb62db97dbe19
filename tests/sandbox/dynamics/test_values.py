"""Checklist 5, validation: every column type's rules with the exact codes and messages of the error table."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import code


def test_too_long_text_is_refused_never_cut(api: Any) -> None:
    answer = api.post("leads", {"subject": "x" * 301})
    assert code(answer) == (400, "0x80044331")
    assert answer.json()["error"]["message"] == (
        "A validation error occurred.  The length of the 'subject' attribute of the 'lead' entity exceeded the maximum "
        "allowed length of '300'."
    )


def test_lengths_count_utf16_units(api: Any) -> None:
    assert api.post("leads", {"firstname": "😀" * 25}).status_code == 204
    assert code(api.post("leads", {"firstname": "😀" * 25 + "x"})) == (400, "0x80044331")


def test_empty_text_is_null_and_blanks_stay(api: Any) -> None:
    id = api.create("leads", firstname="", lastname="  A ")
    row = api.read("leads", id, "firstname", "lastname")
    assert (row["firstname"], row["lastname"]) == (None, "  A ")


def test_illegal_characters(api: Any) -> None:
    for text in (rb"a\u0000b", rb"a\u000bb", rb"\ud800"):
        sent = api.client.post("/api/data/v9.2/leads", content=b'{"lastname":"' + text + b'"}')
        assert code(sent) == (400, "0x80040278")
    assert api.post("leads", {"description": "tab\tline\r\nend"}).status_code == 204


def test_application_required_and_mail_format_are_not_checked(api: Any) -> None:
    assert api.post("leads", {}).status_code == 204
    assert api.post("contacts", {"emailaddress1": "not an address"}).status_code == 204


def test_system_required_may_not_be_null(api: Any) -> None:
    id = api.create("leads", lastname="A")
    assert code(api.patch(f"leads({id})", {"statecode": None})) == (400, "0x80040203")
    assert code(api.patch(f"leads({id})", {"ownerid@odata.bind": None})) == (400, "0x80040203")
    assert code(api.post("systemusers", {"lastname": "A"})) == (400, "0x80040200")


def test_whole_numbers(api: Any) -> None:
    id = api.create("leads", numberofemployees="200")
    assert api.read("leads", id, "numberofemployees")["numberofemployees"] == 200
    answer = api.post("leads", {"numberofemployees": 2000000})
    assert code(answer) == (400, "0x8004432f")
    assert answer.json()["error"]["message"] == (
        "A validation error occurred. The value 2000000 of 'numberofemployees' on record of type 'lead' is outside the valid range."
    )
    answer = api.post("leads", {"numberofemployees": "lots"})
    assert code(answer) == (400, "0x80048d19")
    message = answer.json()["error"]["message"]
    assert message.startswith(
        "Error identified in Payload provided by the user for Entity :'leads', For more information"
    )
    assert "Cannot convert the literal 'lots' to the expected type 'Edm.Int32'. ---> System.FormatException" in message


@pytest.mark.parametrize("value", [1.5, True, [1], {"a": 1}])
def test_no_other_json_type_is_a_whole_number(api: Any, value: Any) -> None:
    assert code(api.post("leads", {"numberofemployees": value})) == (400, "0x80048d19")


def test_fractions_are_cut_to_precision(api: Any) -> None:
    id = api.create("leads", address1_latitude=47.639583, nvk_discount=12.349)
    row = api.read("leads", id, "address1_latitude", "nvk_discount")
    assert (row["address1_latitude"], row["nvk_discount"]) == (47.63958, 12.34)
    assert code(api.post("leads", {"address1_latitude": 91})) == (400, "0x80044330")
    assert code(api.post("leads", {"nvk_discount": "100.01"})) == (400, "0x80044330")


def test_money_is_answered_with_four_decimals(api: Any) -> None:
    id = api.create("leads", revenue=5000000)
    assert '"revenue":5000000.0000' in api.get(f"leads({id})?$select=revenue").text
    assert code(api.post("leads", {"revenue": -1})) == (400, "0x80044330")


def test_booleans_take_true_false_and_null(api: Any) -> None:
    id = api.create("leads", new_synctomkto=True)
    assert api.read("leads", id, "new_synctomkto")["new_synctomkto"] is True
    api.patch(f"leads({id})", {"new_synctomkto": None})
    assert api.read("leads", id, "new_synctomkto")["new_synctomkto"] is None
    api.patch(f"leads({id})", {"donotemail": True})
    api.patch(f"leads({id})", {"donotemail": None})
    assert api.read("leads", id, "donotemail")["donotemail"] is False, "with a default there is no third state"
    for wrong in (1, "true", "Yes"):
        assert code(api.post("leads", {"new_synctomkto": wrong})) == (400, "0x80048d19")


def test_choices_take_known_numbers_only(api: Any) -> None:
    answer = api.post("leads", {"leadsourcecode": 99})
    assert code(answer) == (400, "0x8004431a")
    assert answer.json()["error"]["message"] == (
        "A validation error occurred. The value 99 of 'leadsourcecode' on record of type 'lead' is outside the valid range. "
        "Accepted Values: 1,2,3,4,5,6,7,8,9,10"
    )
    assert code(api.post("leads", {"leadsourcecode": "Web"})) == (400, "0x80048d19")


def test_multi_select(api: Any) -> None:
    id = api.create("leads", nvk_interests="1,3,7")
    row = api.get(f"leads({id})?$select=nvk_interests", Prefer='odata.include-annotations="*"').json()
    assert row["nvk_interests"] == "1,3,7"
    assert row["nvk_interests@OData.Community.Display.V1.FormattedValue"] == "Cranes; Hoists; Spare parts"
    assert code(api.post("leads", {"nvk_interests": "1,5"})) == (400, "0x8004431a")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2026-02-03T09:15:27Z", "2026-02-03T09:15:27Z"),
        ("2026-02-03T09:15:27.987Z", "2026-02-03T09:15:27Z"),
        ("2026-02-03T09:15:27+01:00", "2026-02-03T08:15:27Z"),
        ("2026-02-03T09:15:27", "2026-02-03T09:15:27Z"),
        ("1753-01-01T00:00:00Z", "1753-01-01T00:00:00Z"),
    ],
)
def test_moments(api: Any, sent: str, kept: str) -> None:
    id = api.create("leads", schedulefollowup_qualify=sent)
    assert api.read("leads", id, "schedulefollowup_qualify")["schedulefollowup_qualify"] == kept


@pytest.mark.parametrize("sent", ["1752-12-31T23:59:59Z", "2026-02-30T00:00:00Z", "soon", "2026-02-03T09:15:27+01:00Z"])
def test_bad_moments(api: Any, sent: str) -> None:
    assert code(api.post("leads", {"schedulefollowup_qualify": sent})) == (400, "0x80040239")


def test_local_times_are_never_shifted(api: Any) -> None:
    for sent in ("2026-02-03T09:15:27Z", "2026-02-03T09:15:27+05:00"):
        id = api.create("leads", nvk_localvisit=sent)
        assert api.read("leads", id, "nvk_localvisit")["nvk_localvisit"] == "2026-02-03T09:15:27Z"


def test_dates_have_no_time(api: Any) -> None:
    id = api.create("contacts", birthdate="1984-11-30")
    assert api.read("contacts", id, "birthdate")["birthdate"] == "1984-11-30"
    assert api.post("contacts", {"birthdate": "1984-11-30T00:00:00Z"}).status_code == 400


def test_names_are_case_sensitive_and_must_exist(api: Any) -> None:
    for name in ("foo", "LastName"):
        answer = api.post("leads", {name: "x"})
        assert code(answer) == (400, "0x80048d19")
        assert (
            f"Invalid property '{name}' was found in entity 'Microsoft.Dynamics.CRM.lead'."
            in answer.json()["error"]["message"]
        )


def test_broken_json_is_a_400(api: Any) -> None:
    for body in (b"{", b"[1]", b"\xff"):
        answer = api.client.post("/api/data/v9.2/leads", content=body, headers={"Content-Type": "application/json"})
        assert code(answer) == (400, "0x80048d19")


def test_error_details_on_request(api: Any) -> None:
    answer = api.post("leads", {"foo": 1}, Prefer='odata.include-annotations="*"')
    assert "@Microsoft.PowerApps.CDS.TraceText" in answer.json()["error"]
    assert answer.json()["error"].keys() > {"code", "message"}


def test_states_and_reasons_must_go_together(api: Any) -> None:
    id = api.create("leads", lastname="A")
    answer = api.patch(f"leads({id})", {"statuscode": 7})
    assert code(answer) == (400, "0x80048408")
    assert answer.json()["error"]["message"].startswith(
        f"7 is not a valid status code for state code LeadState.Open on lead with Id {id}"
    )
    assert api.patch(f"leads({id})", {"statecode": 2}).status_code == 204
    assert api.read("leads", id, "statuscode")["statuscode"] == 7
    assert api.patch(f"leads({id})", {"statuscode": 5}).status_code == 204
    assert api.patch(f"leads({id})", {"statecode": 0, "statuscode": 2}).status_code == 204
    assert code(api.patch(f"leads({id})", {"statecode": 1, "statuscode": 1})) == (400, "0x80048408")
