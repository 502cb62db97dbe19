from __future__ import annotations

from typing import Any

import pytest

from syncadmin.connectors.marketo import metadata
from syncadmin.engine.records import Side, Table
from syncadmin.engine.schema import Kind
from tests.connectors.marketo.world import DESCRIBE, DESCRIBE2, SCHEMA, Room, failed, ok


def described(name: str, kind: str = "string", *, read_only: bool = False, **more: Any) -> dict[str, Any]:
    return {
        "id": 1,
        "displayName": f"The {name}",
        "dataType": kind,
        "rest": {"name": name, "readOnly": read_only},
    } | more


FIELDS = [
    described("id", "integer"),
    described("email", "email", length=255),
    described("mktoPersonNotes", "text", length=30000),
    described("createdAt", "datetime", read_only=True),
    described("leadScore", "score"),
    described("annualRevenue", "currency"),
    described("rank", "formula"),
    described("contactCompany", "reference"),
    described("odd", "array"),
    described("site", length=255),
    described("msTopic", length=255),
    described("dynPersonGuid", length=255),
    {"id": 9, "displayName": "Hidden from REST", "dataType": "string", "length": 255},
]
VIEW = {
    "name": "API Lead",
    "searchableFields": [["id"], ["email"], ["cookies"], ["dynPersonGuid"], ["a", "b"]],
    "fields": [
        {"name": "email", "updateable": True, "crmManaged": False},
        {"name": "msTopic", "updateable": False, "crmManaged": True},
    ],
}
DETAILS = [{"name": "dynPersonGuid", "isCustom": True}, {"name": "email", "isCustom": False}]
SCHEMA_READ = metadata.schema(FIELDS, [VIEW], DETAILS).columns


def test_only_fields_that_rest_exposes_are_there() -> None:
    assert set(SCHEMA_READ) == {field["rest"]["name"] for field in FIELDS if "rest" in field}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("email", Kind.EMAIL),
        ("mktoPersonNotes", Kind.MEMO),
        ("leadScore", Kind.INTEGER),
        ("annualRevenue", Kind.MONEY),
        ("createdAt", Kind.DATETIME),
        ("odd", Kind.OTHER),
        ("rank", Kind.TEXT),
    ],
)
def test_types_are_reduced_to_kinds(name: str, kind: Kind) -> None:
    assert SCHEMA_READ[name].kind is kind


@pytest.mark.parametrize("name", ["id", "createdAt", "rank", "contactCompany", "odd", "msTopic"])
def test_what_cannot_be_written_says_so(name: str) -> None:
    assert not SCHEMA_READ[name].updatable
    assert not SCHEMA_READ[name].creatable


@pytest.mark.parametrize("name", ["email", "site", "leadScore", "dynPersonGuid"])
def test_the_rest_can_be_written(name: str) -> None:
    assert SCHEMA_READ[name].updatable


@pytest.mark.parametrize("name", sorted(metadata.SYSTEM_FIELDS))
def test_system_fields_are_never_written_whatever_describe_says(name: str) -> None:
    assert not metadata.schema([described(name)], [], []).columns[name].updatable


def test_text_has_a_length_and_a_text_area_a_size_in_bytes() -> None:
    assert (SCHEMA_READ["email"].max_length, SCHEMA_READ["email"].max_bytes) == (255, None)
    assert (SCHEMA_READ["mktoPersonNotes"].max_length, SCHEMA_READ["mktoPersonNotes"].max_bytes) == (None, 30_000)


def test_whole_numbers_have_32_bits() -> None:
    assert SCHEMA_READ["leadScore"].maximum == 2147483647
    assert SCHEMA_READ["annualRevenue"].maximum is None


def test_marks_of_search_company_crm_formula_and_custom() -> None:
    assert {name for name, column in SCHEMA_READ.items() if column.searchable} == {"id", "email", "dynPersonGuid"}
    assert {name for name, column in SCHEMA_READ.items() if column.company_class} == {"annualRevenue", "site"}
    assert {name for name, column in SCHEMA_READ.items() if column.crm_managed} == {"msTopic"}
    assert {name for name, column in SCHEMA_READ.items() if column.computed} == {"rank"}
    assert {name for name, column in SCHEMA_READ.items() if column.custom} == {"dynPersonGuid"}
    assert all(column.side is Side.MARKETO and column.table is Table.PERSON for column in SCHEMA_READ.values())


def test_the_schema_is_read_over_all_pages() -> None:
    room = Room(
        {
            DESCRIBE: ok(*FIELDS),
            DESCRIBE2: ok(VIEW),
            SCHEMA: [ok(DETAILS[1], nextPageToken="P2", moreResult=True), ok(DETAILS[0], moreResult=False)],
        },
        known=False,
    )
    assert room.marketo.schema(Table.PERSON).columns["dynPersonGuid"].custom
    assert [call.url.params.get("nextPageToken") for call in room.account.to(SCHEMA)] == [None, "P2"]


def test_without_the_schema_permission_the_rest_is_still_read() -> None:
    room = Room({DESCRIBE: ok(*FIELDS), DESCRIBE2: ok(VIEW), SCHEMA: failed("603")}, known=False)
    columns = room.marketo.schema(Table.PERSON).columns
    assert columns["email"].searchable
    assert not columns["dynPersonGuid"].custom


def test_marketo_has_people_only() -> None:
    with pytest.raises(ValueError, match="no table"):
        Room({}).marketo.schema(Table.LEAD)
