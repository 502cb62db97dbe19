from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest

from syncadmin.connectors import errors
from syncadmin.engine.records import Side, Table
from syncadmin.engine.schema import Column, DateBehaviour, Kind, Option, Required, Schema
from tests.connectors.dynamics.tenant import Tenant, address, error, rows

NORWEGIAN = 1044


def label(text: str, english: str = "") -> dict[str, Any]:
    labels = [{"Label": text, "LanguageCode": NORWEGIAN}]
    if english:
        labels.insert(0, {"Label": english, "LanguageCode": 1033})
    return {"LocalizedLabels": labels, "UserLocalizedLabel": {"Label": english or text, "LanguageCode": 1033}}


def attribute(name: str, type_name: str, level: str = "None", **more: Any) -> dict[str, Any]:
    return {
        "@odata.type": f"#Microsoft.Dynamics.CRM.{type_name}AttributeMetadata",
        "LogicalName": name,
        "AttributeType": type_name,
        "AttributeTypeName": {"Value": f"{type_name}Type"},
        "RequiredLevel": {"Value": level, "CanBeChanged": True},
        "IsValidForCreate": True,
        "IsValidForUpdate": True,
        "IsValidForRead": True,
        "AttributeOf": None,
        "IsCustomAttribute": False,
        "IsPrimaryId": False,
        "IsPrimaryName": False,
        "DisplayName": label(name.title()),
        "SourceType": 0,
        **more,
    }


READ_ONLY = {"IsValidForCreate": False, "IsValidForUpdate": False}
ATTRIBUTES = [
    attribute("leadid", "Uniqueidentifier", "SystemRequired", IsValidForUpdate=False, IsPrimaryId=True),
    attribute("subject", "String", "ApplicationRequired", DisplayName=label("Emne", "Topic")),
    attribute("emailaddress1", "String", "Recommended"),
    attribute("mobilephone", "String"),
    attribute("websiteurl", "String"),
    attribute("fullname", "String", IsPrimaryName=True, **READ_ONLY),
    attribute("description", "Memo"),
    attribute("address1_composite", "Memo", **READ_ONLY),
    attribute("numberofemployees", "Integer"),
    attribute("versionnumber", "BigInt", **READ_ONLY),
    attribute("exchangerate", "Decimal", **READ_ONLY),
    attribute("address1_latitude", "Double"),
    attribute("revenue", "Money"),
    attribute("budget", "Money"),
    attribute("fee", "Money"),
    attribute("revenue_base", "Money", **READ_ONLY),
    attribute("donotemail", "Boolean"),
    attribute("leadsourcecode", "Picklist"),
    attribute("nvk_region", "Picklist", IsCustomAttribute=True),
    attribute("statecode", "State"),
    attribute("statuscode", "Status"),
    attribute("createdon", "DateTime", **READ_ONLY),
    attribute("nvk_shown", "DateTime"),
    attribute("estimatedclosedate", "DateTime"),
    attribute("nvk_local", "DateTime"),
    attribute("ownerid", "Owner", "SystemRequired"),
    attribute("customerid", "Customer"),
    attribute("masterid", "Lookup", **READ_ONLY),
    attribute("nvk_score", "Integer", SourceType=1),
    attribute("nvk_total", "Decimal", SourceType=2),
    attribute("nvk_topics", "Virtual", AttributeTypeName={"Value": "MultiSelectPicklistType"}),
    attribute("entityimage", "Virtual", AttributeTypeName={"Value": "ImageType"}),
    attribute("owneridname", "String", AttributeOf="ownerid"),
    attribute("owneridtype", "EntityName", AttributeOf="ownerid"),
    attribute("nvk_party", "PartyList"),
]
SHARED = {"Options": [{"Value": 100000000, "Label": label("Nord")}, {"Value": 100000001, "Label": label("Sør")}]}
CASTS: dict[str, list[dict[str, Any]]] = {
    "String": [
        {"LogicalName": "subject", "MaxLength": 300, "FormatName": {"Value": "Text"}},
        {"LogicalName": "emailaddress1", "MaxLength": 100, "FormatName": {"Value": "Email"}},
        {"LogicalName": "mobilephone", "MaxLength": 50, "FormatName": {"Value": "Phone"}},
        {"LogicalName": "websiteurl", "MaxLength": 200, "FormatName": {"Value": "Url"}},
        {"LogicalName": "fullname", "MaxLength": 160, "FormatName": {"Value": "Text"}},
    ],
    "Memo": [{"LogicalName": "description", "MaxLength": 2000}],
    "Integer": [{"LogicalName": "numberofemployees", "MinValue": 0, "MaxValue": 1000000}],
    "BigInt": [],
    "Decimal": [{"LogicalName": "exchangerate", "MinValue": 1e-12, "MaxValue": 100000000000.0, "Precision": 12}],
    "Double": [{"LogicalName": "address1_latitude", "MinValue": -90.0, "MaxValue": 90.0, "Precision": 5}],
    "Money": [
        {"LogicalName": "revenue", "MinValue": 0.0, "MaxValue": 1e14, "Precision": 2, "PrecisionSource": 2},
        {"LogicalName": "budget", "MinValue": 0.0, "MaxValue": 1e14, "Precision": 2, "PrecisionSource": 1},
        {"LogicalName": "fee", "MinValue": 0.0, "MaxValue": 1e14, "Precision": 1, "PrecisionSource": 0},
        {"LogicalName": "revenue_base", "Precision": 4, "PrecisionSource": 2, "CalculationOf": "revenue"},
    ],
    "DateTime": [
        {"LogicalName": "createdon", "Format": "DateAndTime", "DateTimeBehavior": {"Value": "UserLocal"}},
        {"LogicalName": "nvk_shown", "Format": "DateOnly", "DateTimeBehavior": {"Value": "UserLocal"}},
        {"LogicalName": "estimatedclosedate", "Format": "DateOnly", "DateTimeBehavior": {"Value": "DateOnly"}},
        {"LogicalName": "nvk_local", "Format": "DateAndTime", "DateTimeBehavior": {"Value": "TimeZoneIndependent"}},
    ],
    "Boolean": [
        {
            "LogicalName": "donotemail",
            "OptionSet": {
                "TrueOption": {"Value": 1, "Label": label("Nei")},
                "FalseOption": {"Value": 0, "Label": label("Ja")},
            },
        }
    ],
    "Picklist": [
        {
            "LogicalName": "leadsourcecode",
            "OptionSet": {"Options": [{"Value": 7, "Label": label("Messe", "Trade Show")}]},
            "GlobalOptionSet": None,
        },
        {"LogicalName": "nvk_region", "OptionSet": None, "GlobalOptionSet": SHARED},
    ],
    "MultiSelectPicklist": [
        {"LogicalName": "nvk_topics", "OptionSet": {"Options": [{"Value": 1, "Label": label("Kran")}]}}
    ],
    "State": [{"LogicalName": "statecode", "OptionSet": {"Options": [{"Value": 0, "Label": label("Åpen", "Open")}]}}],
    "Status": [
        {"LogicalName": "statuscode", "OptionSet": {"Options": [{"Value": 1, "State": 0, "Label": label("Ny")}]}}
    ],
    "Lookup": [
        {"LogicalName": "ownerid", "Targets": ["systemuser", "team"]},
        {"LogicalName": "customerid", "Targets": ["account", "contact"]},
        {"LogicalName": "masterid", "Targets": ["lead"]},
    ],
}


def organisation() -> Tenant:
    tenant = Tenant()
    for name, found in CASTS.items():
        tenant.on("GET", f"Microsoft.Dynamics.CRM.{name}AttributeMetadata", rows(*found))
    tenant.on("GET", "/Attributes?", rows(*ATTRIBUTES))
    tenant.on("GET", "organizations?$select=languagecode", rows({"languagecode": NORWEGIAN}))
    tenant.on("GET", "organizations?$select=pricing", rows({"pricingdecimalprecision": 3}))
    return tenant.on("GET", "transactioncurrencies", rows({"currencyprecision": 0}, {"currencyprecision": 4}))


@pytest.fixture(scope="module")
def schema() -> Schema:
    return organisation().connector(schema=False).schema(Table.LEAD)


def made(name: str, kind: Kind, **facts: Any) -> Column:
    return Column(Side.DYNAMICS, Table.LEAD, name, facts.pop("label", name.title()), kind, **facts)


NEVER = {"creatable": False, "updatable": False}
EXPECTED = [
    made("leadid", Kind.GUID, updatable=False, required=Required.SYSTEM),
    made("subject", Kind.TEXT, label="Emne", required=Required.APPLICATION, max_length=300),
    made("emailaddress1", Kind.EMAIL, required=Required.RECOMMENDED, max_length=100),
    made("mobilephone", Kind.PHONE, max_length=50),
    made("websiteurl", Kind.URL, max_length=200),
    made("fullname", Kind.TEXT, max_length=160, computed=True, **NEVER),
    made("description", Kind.MEMO, max_length=2000),
    made("address1_composite", Kind.MEMO, computed=True, **NEVER),
    made("numberofemployees", Kind.INTEGER, minimum=Decimal(0), maximum=Decimal(1000000)),
    made("versionnumber", Kind.INTEGER, **NEVER),
    made(
        "exchangerate", Kind.DECIMAL, minimum=Decimal("1e-12"), maximum=Decimal("100000000000.0"), precision=12, **NEVER
    ),
    made("address1_latitude", Kind.DECIMAL, minimum=Decimal("-90.0"), maximum=Decimal("90.0"), precision=5),
    made("revenue", Kind.MONEY, minimum=Decimal("0.0"), maximum=Decimal("1e14"), precision=4),
    made("budget", Kind.MONEY, minimum=Decimal("0.0"), maximum=Decimal("1e14"), precision=3),
    made("fee", Kind.MONEY, minimum=Decimal("0.0"), maximum=Decimal("1e14"), precision=1),
    made("revenue_base", Kind.MONEY, precision=4, computed=True, **NEVER),
    made("donotemail", Kind.BOOLEAN, options=(Option(0, "Ja"), Option(1, "Nei"))),
    made("leadsourcecode", Kind.CHOICE, options=(Option(7, "Messe"),)),
    made("nvk_region", Kind.CHOICE, options=(Option(100000000, "Nord"), Option(100000001, "Sør")), custom=True),
    made("statecode", Kind.STATE, options=(Option(0, "Åpen"),)),
    made("statuscode", Kind.STATUS, options=(Option(1, "Ny"),)),
    made("createdon", Kind.DATETIME, behaviour=DateBehaviour.USER_LOCAL, **NEVER),
    made("nvk_shown", Kind.DATETIME, behaviour=DateBehaviour.USER_LOCAL, shows_date_only=True),
    made("estimatedclosedate", Kind.DATE, behaviour=DateBehaviour.DATE_ONLY),
    made("nvk_local", Kind.DATETIME, behaviour=DateBehaviour.ZONE_INDEPENDENT),
    made("ownerid", Kind.OWNER, required=Required.SYSTEM, targets=("systemuser", "team")),
    made("customerid", Kind.CUSTOMER, targets=("account", "contact")),
    made("masterid", Kind.LOOKUP, targets=("lead",), **NEVER),
    made("nvk_score", Kind.INTEGER, computed=True),
    made("nvk_total", Kind.DECIMAL, computed=True),
    made("nvk_topics", Kind.MULTICHOICE, options=(Option(1, "Kran"),)),
]


@pytest.mark.parametrize("column", EXPECTED, ids=lambda column: column.name)
def test_each_type_is_read_with_its_rules(column: Column, schema: Schema) -> None:
    assert schema.columns[column.name] == column


def test_companions_images_and_parties_are_no_columns(schema: Schema) -> None:
    assert set(schema.columns) == {column.name for column in EXPECTED}
    assert schema.table is Table.LEAD


def test_only_types_the_table_has_are_asked_for() -> None:
    tenant = Tenant().on("GET", "organizations", rows({"languagecode": 1033}))
    tenant.on("GET", "StringAttributeMetadata", rows({"LogicalName": "subject", "MaxLength": 5}))
    tenant.on("GET", "/Attributes?", rows(attribute("subject", "String")))
    schema = tenant.connector(schema=False).schema(Table.LEAD)
    assert [address(asked).rpartition("/")[2].partition("?")[0] for asked in tenant.asked] == [
        "Attributes",
        "Microsoft.Dynamics.CRM.StringAttributeMetadata",
        "organizations",
    ]
    assert [asked.headers.get("Consistency") for asked in tenant.asked] == ["Strong", "Strong", None]
    # no label in the base language: the one shown to us
    assert (schema.columns["subject"].label, schema.columns["subject"].max_length) == ("Subject", 5)


@pytest.mark.parametrize("reply", [error(403, "0x80040220", "is missing prvReadOrganization"), error(400, "0x0", "no")])
def test_settings_we_may_not_read_leave_the_columns_own_facts(reply: httpx.Response) -> None:
    tenant = organisation().on("GET", "organizations", reply).on("GET", "transactioncurrencies", reply)
    schema = tenant.connector(schema=False).schema(Table.LEAD)
    assert schema.columns["revenue"].precision == 2
    assert schema.columns["subject"].label == "Topic"


def test_a_server_without_source_types_is_asked_without_them() -> None:
    tenant = organisation()
    tenant.on(
        "GET", "/Attributes?", error(400, "0x0", "Could not find a property named 'SourceType'"), rows(*ATTRIBUTES)
    )
    tenant.connector(schema=False).schema(Table.LEAD)
    assert "SourceType" in address(tenant.asked[0])
    assert "SourceType" not in address(tenant.asked[1])


def test_a_refusal_of_the_metadata_itself_is_raised() -> None:
    with pytest.raises(errors.PermissionMissing):
        Tenant().on("GET", "/Attributes?", error(403, "0x80040220", "x")).connector(schema=False).schema(Table.LEAD)


def test_the_schema_is_read_once_an_hour_and_again_when_a_column_vanished() -> None:
    delta = "https://norvik.crm4.dynamics.com/api/data/v9.2/leads?$deltatoken=1"
    missing = error(
        400, "0x80060888", "Could not find a property named 'jobtitle' on type 'Microsoft.Dynamics.CRM.lead'."
    )
    tenant = organisation().on("GET", "/leads?", missing, rows(deltaLink=delta))
    dynamics = tenant.connector()
    dynamics.full_read(Table.LEAD, ["subject", "jobtitle"])
    reads = [address(asked) for asked in tenant.asked if "/leads?" in address(asked)]
    assert "jobtitle" in reads[0]
    assert reads[1].endswith("?$select=leadid,subject,modifiedon")
    calls = len(tenant.asked)
    dynamics.full_read(Table.LEAD, ["subject"])
    assert len(tenant.asked) == calls + 1
