from __future__ import annotations

import json
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from syncadmin.connectors.contract import Check
from syncadmin.connectors.marketo.config import MarketoConfig
from tests.connectors.marketo.world import (
    DESCRIBE,
    DESCRIBE2,
    LEADS,
    LOG,
    SCHEMA,
    TOKEN,
    Reply,
    Room,
    failed,
    ok,
    skipped,
)
from tests.connectors.world import START

TYPES = "/rest/v1/activities/external/types.json"
USAGE = "/rest/v1/stats/usage.json"
CALLS = ok({"date": "2026-03-04", "total": 8123, "users": [{"userId": "x", "count": 22}]})


def told_at(seconds: float) -> httpx.Response:
    """An answer of a server whose clock is ahead of ours."""
    there = format_datetime(START + timedelta(seconds=seconds), usegmt=True)
    return httpx.Response(200, json=CALLS, headers={"Date": there})


HEALTHY: dict[str, Reply | list[Reply]] = {
    DESCRIBE: ok(),
    DESCRIBE2: ok({"fields": [{"name": "email", "crmManaged": False}]}),
    LEADS: ok(skipped("1004", "Lead not found")),
    "/rest/v1/activities/types.json": ok(),
    LOG: ok(skipped("1004", "Lead not found", under="errors")),
    TYPES: ok(),
    SCHEMA: ok(),
    USAGE: told_at(0),
    "/rest/v1/leads/partitions.json": ok({"name": "Default"}, {"name": "EMEA"}),
}


def checked(routes: dict[str, Any], **config: str) -> dict[str, Check]:
    room = Room(HEALTHY | routes, config=MarketoConfig("811-QXT-402", "client", "very-secret", **config))  # type: ignore[arg-type]
    return {check.name: check for check in room.marketo.check()}


def test_a_healthy_connection_is_green_throughout() -> None:
    assert {check.ok for check in checked({}, partition="EMEA").values()} == {True}
    assert list(checked({})) == [
        "Address",
        "Sign-in",
        "Read people",
        "Write people",
        "Read activities",
        "Write to the activity log",
        "Read custom activity types",
        "Create custom fields",
        "Calls of today",
        "Time difference",
        "No native CRM sync",
    ]


def test_the_probes_change_nobody() -> None:
    room = Room(HEALTHY)
    room.marketo.check()
    (body,) = room.account.bodies(LEADS)
    assert body == {"action": "updateOnly", "lookupField": "id", "input": [{"id": 2147483647}]}
    (entry,) = json.loads(room.account.to(LOG)[0].content)["input"]
    assert entry["leadId"] == 2147483647


@pytest.mark.parametrize(
    ("path", "name", "permission"),
    [
        (DESCRIBE, "Read people", "Read-Only Lead"),
        (LEADS, "Write people", "Read-Write Lead"),
        ("/rest/v1/activities/types.json", "Read activities", "Read-Only Activity"),
        (LOG, "Write to the activity log", "Read-Write Activity"),
        (TYPES, "Read custom activity types", "Read-Write Activity Metadata"),
        (SCHEMA, "Create custom fields", "Read-Write Schema Custom Field"),
    ],
)
def test_a_missing_permission_turns_its_check_red(path: str, name: str, permission: str) -> None:
    checks = checked({path: failed("603", "Access denied")})
    assert checks[name].ok is False
    assert f"'{permission}'" in checks[name].advice
    assert {check.ok for other, check in checks.items() if other != name} == {True}


def test_a_probe_that_is_refused_for_its_content_shows_the_permission() -> None:
    checks = checked({LOG: failed("1006", "Activity type not found"), LEADS: failed("1004", "Lead not found")})
    assert checks["Write to the activity log"].ok
    assert checks["Write people"].ok


def test_wrong_credentials_leave_the_rest_unchecked() -> None:
    checks = checked({TOKEN: httpx.Response(401, json={"error": "invalid_client", "error_description": "Bad"})})
    assert checks["Address"].ok
    assert checks["Sign-in"].ok is False
    assert "LaunchPoint" in checks["Sign-in"].remedy
    assert {check.ok for name, check in checks.items() if name not in ("Address", "Sign-in")} == {None}


@pytest.mark.parametrize("reply", [httpx.ConnectError("unknown host"), httpx.Response(404, text="no")])
def test_a_wrong_address_is_told_first(reply: Reply) -> None:
    checks = checked({TOKEN: reply})
    assert checks["Address"].ok is False
    assert "Web Services" in checks["Address"].remedy
    assert {check.ok for name, check in checks.items() if name != "Address"} == {None}


def test_a_probe_that_found_no_marketo_shows_nothing() -> None:
    assert checked({LOG: httpx.Response(404, text="no such page")})["Write to the activity log"].ok is False
    assert checked({LEADS: failed("611", "System error")})["Write people"].ok is None


def test_trouble_that_passes_is_no_red_check() -> None:
    assert checked({DESCRIBE: failed("608")})["Read people"].ok is None
    assert checked({TOKEN: httpx.Response(503)})["Address"].ok is None


def test_a_native_crm_sync_is_recognised_by_its_fields() -> None:
    view = {"fields": [{"name": "msType", "crmManaged": True}, {"name": "email", "crmManaged": False}]}
    check = checked({DESCRIBE2: ok(view)})["No native CRM sync"]
    assert check.ok is False
    assert "msType" in check.text
    assert check.accept == "native"


def test_the_days_calls_are_told() -> None:
    check = checked({})["Calls of today"]
    assert (check.ok, check.text) == (True, "8,123 calls were made today, 8,123 of them by others.")


@pytest.mark.parametrize(("seconds", "green"), [(59, True), (-59, True), (62, False), (-3600, False)])
def test_a_clock_that_makes_our_own_lines_look_like_somebody_elses_is_told(seconds: float, green: bool) -> None:
    check = checked({USAGE: told_at(seconds)})["Time difference"]
    assert (check.ok, check.text) == (green, f"{abs(seconds):.0f} seconds")
    assert bool(check.remedy) is not green


def test_a_server_that_tells_no_time_is_neither_green_nor_red() -> None:
    check = checked({USAGE: CALLS})["Time difference"]
    assert (check.ok, check.text) == (None, "No time was told.")


def test_an_unknown_partition_is_told_with_the_known_ones() -> None:
    check = checked({}, partition="APAC")["Partition"]
    assert (check.ok, "Default, EMEA" in check.remedy) == (False, True)
