from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime

import httpx
import pytest

from syncadmin.connectors.contract import Check
from tests.connectors.dynamics.tenant import API, IDA, NOT_FOUND, OLA, VIK, Tenant, address, error, ok, rows
from tests.connectors.world import START

WHO = {"UserId": OLA.upper(), "OrganizationId": IDA, "BusinessUnitId": OLA}
ROW = {"name": "Norvik", "organizationid": IDA, "languagecode": 1044, "expirechangetrackingindays": 30}
PRIVILEGE = "Principal user (Id=5f1d) is missing prvReadContact privilege (Id=x) on OTC=2 for entity 'contact'."


def healthy(seconds: float = 3) -> Tenant:
    date = format_datetime(START + timedelta(seconds=seconds), usegmt=True)
    tenant = Tenant().on("GET", "WhoAmI", lambda _: ok(WHO, Date=date, x_ms_dop_hint="8"))
    tenant.on("GET", "RetrieveVersion", ok({"Version": "9.2.25114.00181"})).on("GET", "organizations", rows(ROW))
    tenant.on("GET", "EntityDefinitions", lambda _: ok({"ChangeTrackingEnabled": True}))
    for table in ("leads", "contacts"):
        tenant.on("GET", f"/{table}?", rows(deltaLink=f"{API}{table}?$deltatoken=1"))
    absent = error(404, NOT_FOUND, f"Entity 'lead' With Id = {IDA} Does Not Exist")
    return tenant.on("PATCH", f"leads({IDA})", absent).on("PATCH", f"contacts({IDA})", absent)


def results(checks: list[Check]) -> dict[str, bool | None]:
    return {check.name: check.ok for check in checks}


ALL = {
    "Address reachable": True,
    "Sign-in": True,
    "Application user": True,
    "Organisation and version": True,
    "Change tracking of leads": True,
    "Read leads": True,
    "Change tracking of contacts": True,
    "Read contacts": True,
    "Time difference": True,
}

WRITES = {"Write leads": True, "Create leads": None, "Write contacts": True, "Create contacts": None}
TAKEN = error(412, "0x80040237", "A record with matching key values already exists.")


def test_a_healthy_connection_is_green_throughout() -> None:
    tenant = healthy()
    checks = tenant.connector().check()
    assert results(checks) == ALL
    assert checks[3].text == "Norvik, version 9.2.25114.00181"
    assert all(asked.method == "GET" for asked in tenant.asked)
    assert tenant.budget.hints == [8]


def test_identity_names_the_organisation_and_us() -> None:
    who = healthy().connector().identity()
    assert (who.account, who.user, who.name, who.version) == (IDA, OLA, "Norvik", "9.2.25114.00181")
    assert (who.details["languagecode"], who.details["expirechangetrackingindays"]) == ("1044", "30")


def test_the_right_to_write_is_tried_on_a_record_that_does_not_exist() -> None:
    tenant = healthy()
    checks = tenant.connector().check(probe_id=IDA)
    assert results(checks) == {**ALL, **WRITES}
    probe = next(asked for asked in tenant.asked if asked.method == "PATCH")
    assert probe.headers["If-Match"] == "*"
    tenant.on("PATCH", "contacts(", error(403, "0x80040220", PRIVILEGE.replace("Read", "Write")))
    red = tenant.connector().check(probe_id=IDA)
    assert results(red)["Write contacts"] is False
    assert "prvWriteContact" in next(check.message for check in red if check.name == "Write contacts")


def test_the_right_to_create_is_tried_with_the_id_of_a_record_that_exists() -> None:
    tenant = healthy().on("GET", "/leads?$select=leadid&$orderby=createdon asc", rows({"leadid": VIK}))
    tenant.on("POST", "/leads", TAKEN)
    assert results(tenant.connector().check(probe_id=IDA))["Create leads"] is True
    probe = next(asked for asked in tenant.asked if address(asked).endswith("/leads"))
    assert json.loads(probe.content) == {"leadid": VIK}

    tenant.on("POST", "/leads", error(412, "0x80040333", "A plug-in of our own says no."))
    assert results(tenant.connector().check(probe_id=IDA))["Create leads"] is None
    tenant.on("POST", "/leads", error(403, "0x80040220", PRIVILEGE.replace("ReadContact", "CreateLead")))
    red = next(check for check in tenant.connector().check(probe_id=IDA) if check.name == "Create leads")
    assert (red.ok, red.accept) == (False, "create")
    assert "prvCreateLead" in red.message


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (lambda: httpx.ConnectError("no route"), (False, None, None)),
        (lambda: httpx.Response(404, text="<html>"), (False, None, None)),
        (lambda: error(401, "", ""), (True, False, None)),
        (lambda: error(403, "0x80072560", "The user is not a member of the organization."), (True, True, False)),
        (lambda: error(429, "0x80072322", "limit", Retry_After="300"), (None, None, None)),
    ],
)
def test_the_first_shut_door_is_named_and_the_rest_is_left_open(
    reply: Callable[[], httpx.Response], expected: tuple[bool | None, ...]
) -> None:
    checks = healthy().on("GET", "WhoAmI", reply()).connector().check()
    assert tuple(check.ok for check in checks[:3]) == expected
    assert all(check.ok is None for check in checks[3:])
    assert [check.name for check in checks] == list(ALL)
    assert all(check.remedy and check.message for check in checks if check.ok is False)


def test_a_missing_read_right_is_named_with_its_table() -> None:
    tenant = healthy().on("GET", "/contacts?", error(403, "0x80040220", PRIVILEGE))
    checks = tenant.connector().check()
    assert results(checks) == {**ALL, "Read contacts": False}
    assert "prvReadContact" in next(check for check in checks if check.name == "Read contacts").message


def test_tracking_switched_off_is_red_and_reading_is_tried_without_it() -> None:
    tenant = healthy().on("GET", "LogicalName='contact'", ok({"ChangeTrackingEnabled": False}))
    checks = tenant.connector().check()
    assert results(checks) == {**ALL, "Change tracking of contacts": False}
    assert "Track changes" in next(check for check in checks if check.ok is False).remedy
    read = next(asked for asked in tenant.asked if "/contacts?" in address(asked))
    assert "Prefer" not in read.headers
    assert "$top=1" in address(read)


def test_settings_that_cannot_be_read_are_red_but_not_fatal() -> None:
    tenant = healthy().on("GET", "organizations", error(403, "0x80040220", "no"))
    assert results(tenant.connector().check()) == {**ALL, "Organisation and version": False}


@pytest.mark.parametrize(("seconds", "green"), [(59, True), (-59, True), (61, False), (-3600, False)])
def test_clocks_that_differ_are_told(seconds: float, green: bool) -> None:
    check = healthy(seconds).connector().check()[-1]
    assert (check.name, check.ok) == ("Time difference", green)
    assert bool(check.remedy) is not green


def test_an_answer_without_a_date_leaves_the_time_unchecked() -> None:
    tenant = healthy().on("GET", "WhoAmI", lambda _: ok(WHO))
    assert tenant.connector().check()[-1].ok is None
