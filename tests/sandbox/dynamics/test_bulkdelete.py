"""BulkDelete as Microsoft's own client sends it, and the job it leaves behind."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import code

CRM = "Microsoft.Dynamics.CRM."


def condition(column: str, operator: str, *values: Any, type: str = "System.Guid") -> dict[str, Any]:
    wrapped = [{"Value": value, "Type": type} for value in values]
    return {
        "@odata.type": f"{CRM}ConditionExpression",
        "AttributeName": column,
        "Operator": operator,
        "Values": wrapped,
    }


def order(*conditions: dict[str, Any], entity: str = "lead", how: str = "And", **more: Any) -> dict[str, Any]:
    query = {
        "@odata.type": f"{CRM}QueryExpression",
        "EntityName": entity,
        "ColumnSet": {"@odata.type": f"{CRM}ColumnSet", "AllColumns": False, "Columns": []},
        "Criteria": {"@odata.type": f"{CRM}FilterExpression", "FilterOperator": how, "Conditions": list(conditions)},
    }
    return {
        "JobName": "purge",
        "QuerySet": [query],
        "StartDateTime": "2026-03-02T09:00:00Z",
        "RecurrencePattern": "",
        "SendEmailNotification": False,
        "ToRecipients": [],
        "CCRecipients": [],
    } | more


def names(api: Any) -> list[str]:
    return sorted(row["lastname"] for row in api.values("leads?$select=lastname"))


def job(api: Any, answer: Any) -> tuple[int, int]:
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["@odata.context"].endswith(f"#{CRM}BulkDeleteResponse")
    row = api.get(f"asyncoperations({told['JobId']})?$select=statecode,statuscode").json()
    return row["statecode"], row["statuscode"]


def test_rows_are_deleted_by_id_and_told_by_change_tracking(api: Any) -> None:
    one, two = api.create("leads", lastname="A"), api.create("leads", lastname="B")
    api.create("leads", lastname="C")
    delta = api.get("leads?$select=lastname", Prefer="odata.track-changes").json()["@odata.deltaLink"]
    assert job(api, api.post("BulkDelete", order(condition("leadid", "In", one, two.upper())))) == (3, 30)
    assert names(api) == ["C"]
    assert {(row["id"], row["reason"]) for row in api.values(delta)} == {(one, "deleted"), (two, "deleted")}


@pytest.mark.parametrize(
    ("conditions", "how", "left"),
    [
        ([condition("lastname", "Equal", "a ", type="System.String")], "And", ["B", "C"]),
        ([condition("leadsourcecode", "GreaterEqual", 7, type="System.Int32")], "And", ["A", "C"]),
        ([condition("leadsourcecode", "Null"), condition("lastname", "NotEqual", "C")], "And", ["B", "C"]),
        ([condition("lastname", "Equal", "A"), condition("donotphone", "Equal", True)], "Or", ["B"]),
        ([], "And", []),
    ],
)
def test_rows_are_deleted_by_what_they_hold(
    api: Any, conditions: list[dict[str, Any]], how: str, left: list[str]
) -> None:
    api.create("leads", lastname="A")
    api.create("leads", lastname="B", leadsourcecode=7)
    api.create("leads", lastname="C", donotphone=True)
    assert job(api, api.post("BulkDelete", order(*conditions, how=how))) == (3, 30)
    assert names(api) == left


def test_rows_made_after_the_start_stay(api: Any, clock: Any) -> None:
    old = api.create("leads", lastname="Old")
    clock.forward(seconds=5)
    new = api.create("leads", lastname="New")
    api.post("BulkDelete", order(condition("leadid", "In", old, new)))
    assert names(api) == ["New"]


def test_a_row_that_cannot_go_stops_no_other(api: Any, org: Any) -> None:
    stuck, loose = api.create("leads", lastname="Stuck"), api.create("leads", lastname="Loose")
    org.settings["locked"] = [stuck]
    assert job(api, api.post("BulkDelete", order(condition("leadid", "In", stuck, loose)))) == (3, 31)
    assert names(api) == ["Stuck"]


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({}, (400, "0x80048d19")),
        (order(QuerySet=[]), (400, "0x80048d19")),
        (order(entity="nothing"), (400, "0x80048d19")),
        (order(condition("nothing", "Null")), (400, "0x80060888")),
        (order(condition("lastname", "Like", "A%")), (501, "0x80060888")),
        (order(StartDateTime="soon"), (400, "0x80040239")),
    ],
)
def test_what_is_not_understood_deletes_nothing(api: Any, body: dict[str, Any], refusal: tuple[int, str]) -> None:
    api.create("leads", lastname="A")
    assert code(api.post("BulkDelete", body)) == refusal
    assert names(api) == ["A"]
