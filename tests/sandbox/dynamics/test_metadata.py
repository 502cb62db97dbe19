"""Checklist 3: EntityDefinitions with columns, casts, keys, relationships; the custom columns; $metadata."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from .conftest import BASE, code

LEAD = "EntityDefinitions(LogicalName='lead')"
CAST = "Microsoft.Dynamics.CRM."


def test_table_facts(api: Any) -> None:
    names = "LogicalName,SchemaName,EntitySetName,PrimaryIdAttribute,PrimaryNameAttribute,ObjectTypeCode,OwnershipType,ChangeTrackingEnabled,CanChangeTrackingBeEnabled,IsOptimisticConcurrencyEnabled,IsDuplicateDetectionEnabled,DisplayName"
    told = api.get(f"{LEAD}?$select={names}").json()
    assert told["@odata.context"].endswith(f"$metadata#EntityDefinitions({names})/$entity")
    assert told.keys() == {"@odata.context", "MetadataId", *names.split(",")}
    assert (
        told["SchemaName"],
        told["EntitySetName"],
        told["PrimaryIdAttribute"],
        told["PrimaryNameAttribute"],
        told["ObjectTypeCode"],
    ) == ("Lead", "leads", "leadid", "fullname", 4)
    assert (told["OwnershipType"], told["ChangeTrackingEnabled"], told["IsOptimisticConcurrencyEnabled"]) == (
        "UserOwned",
        True,
        True,
    )
    assert told["CanChangeTrackingBeEnabled"] == {
        "Value": True,
        "CanBeChanged": True,
        "ManagedPropertyLogicalName": "canchangetrackingbeenabled",
    }
    assert told["DisplayName"]["UserLocalizedLabel"]["Label"] == "Lead"
    assert api.get(f"EntityDefinitions({told['MetadataId']})?$select=LogicalName").json()["LogicalName"] == "lead"


@pytest.mark.parametrize(
    ("condition", "inside", "outside"),
    [
        ("ChangeTrackingEnabled eq true", "lead", "team"),
        ("OwnershipType eq Microsoft.Dynamics.CRM.OwnershipTypes'UserOwned'", "contact", "systemuser"),
        ("CanChangeTrackingBeEnabled/Value eq true", "lead", "nothing"),
        ("LogicalName eq 'lead' or LogicalName eq 'contact'", "contact", "account"),
    ],
)
def test_tables_by_filter(api: Any, condition: str, inside: str, outside: str) -> None:
    found = {each["LogicalName"] for each in api.values(f"EntityDefinitions?$select=LogicalName&$filter={condition}")}
    assert inside in found
    assert outside not in found


def test_columns_with_their_common_properties(api: Any) -> None:
    names = "LogicalName,SchemaName,AttributeType,AttributeTypeName,RequiredLevel,IsValidForCreate,IsValidForUpdate,IsValidForRead,AttributeOf,IsLogical,IsCustomAttribute,IsPrimaryId,IsPrimaryName,DisplayName"
    found = {each["LogicalName"]: each for each in api.values(f"{LEAD}/Attributes?$select={names}")}
    mail = found["emailaddress1"]
    assert mail["@odata.type"] == "#Microsoft.Dynamics.CRM.StringAttributeMetadata"
    assert (mail["SchemaName"], mail["AttributeType"], mail["AttributeTypeName"]) == (
        "EMailAddress1",
        "String",
        {"Value": "StringType"},
    )
    assert mail["RequiredLevel"] == {
        "Value": "None",
        "CanBeChanged": True,
        "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings",
    }
    assert found["lastname"]["RequiredLevel"]["Value"] == "ApplicationRequired"
    assert found["leadid"]["IsPrimaryId"] is True
    assert found["fullname"]["IsValidForUpdate"] is False
    assert found["owneridname"]["AttributeOf"] == "ownerid"
    assert (found["nvk_interests"]["AttributeType"], found["nvk_interests"]["AttributeTypeName"]["Value"]) == (
        "Virtual",
        "MultiSelectPicklistType",
    )
    assert found["nvk_marketoid"]["IsCustomAttribute"] is True
    assert {
        "new_synctomkto",
        "nvk_segment",
        "nvk_region",
        "nvk_renewalon",
        "nvk_interests",
        "mkt_leadscore",
    } <= found.keys()


@pytest.mark.parametrize(
    ("cast", "column", "facts"),
    [
        ("String", "emailaddress1", {"MaxLength": 100, "FormatName": {"Value": "Email"}}),
        ("Memo", "description", {"MaxLength": 2000}),
        ("Integer", "numberofemployees", {"MinValue": 0, "MaxValue": 1000000, "Format": "None"}),
        ("BigInt", "versionnumber", {"MaxValue": 9223372036854775807}),
        ("Decimal", "nvk_discount", {"MinValue": 0, "MaxValue": 100, "Precision": 2}),
        ("Double", "address1_latitude", {"MinValue": -90, "MaxValue": 90, "Precision": 5}),
        ("Money", "revenue", {"MinValue": 0, "PrecisionSource": 2, "CalculationOf": None}),
        ("Money", "revenue_base", {"CalculationOf": "revenue"}),
        ("DateTime", "nvk_renewalon", {"Format": "DateOnly", "DateTimeBehavior": {"Value": "DateOnly"}}),
        ("DateTime", "nvk_localvisit", {"DateTimeBehavior": {"Value": "TimeZoneIndependent"}}),
        ("DateTime", "createdon", {"Format": "DateAndTime", "DateTimeBehavior": {"Value": "UserLocal"}}),
        ("Boolean", "donotbulkemail", {"DefaultValue": False}),
        ("Picklist", "leadqualitycode", {"DefaultFormValue": 2}),
        ("Lookup", "ownerid", {"Targets": ["systemuser", "team"]}),
        ("Lookup", "customerid", {"Targets": ["account", "contact"]}),
    ],
)
def test_casts_show_what_is_special(api: Any, cast: str, column: str, facts: dict[str, Any]) -> None:
    target = f"{LEAD}/Attributes/{CAST}{cast}AttributeMetadata?$select=LogicalName,{','.join(facts)}"
    found = {each["LogicalName"]: each for each in api.values(target)}
    assert {name: found[column][name] for name in facts} == facts
    # The address says the type already.
    assert all("@odata.type" not in each for each in found.values())


def test_a_plain_list_of_columns_knows_common_properties_only(api: Any) -> None:
    texts = f"$filter=AttributeType eq {CAST}AttributeTypeCode'Memo'"
    answer = api.get(f"{LEAD}/Attributes?$select=LogicalName,MaxLength&{texts}")
    assert code(answer) == (400, "0x80060888")
    assert "'MaxLength' on type 'Microsoft.Dynamics.CRM.AttributeMetadata'" in answer.json()["error"]["message"]
    assert api.get(f"{LEAD}?$expand=Attributes($select=LogicalName,MaxLength)").status_code == 400
    everything = api.values(f"{LEAD}/Attributes?{texts}")
    assert all(each["@odata.type"] == f"#{CAST}MemoAttributeMetadata" and each["MaxLength"] for each in everything)


def test_a_preference_on_metadata_is_told_as_applied(api: Any) -> None:
    wish = 'odata.include-annotations="*"'
    for target in (LEAD, f"{LEAD}/Attributes?$select=LogicalName"):
        assert api.get(target, Prefer=wish).headers["Preference-Applied"] == wish


def options(api: Any, cast: str, column: str, expand: str) -> Any:
    found = {
        each["LogicalName"]: each
        for each in api.values(f"{LEAD}/Attributes/{CAST}{cast}AttributeMetadata?$select=LogicalName&$expand={expand}")
    }
    return found[column]


def test_options(api: Any) -> None:
    both = "OptionSet($select=Options),GlobalOptionSet($select=Options)"
    local = options(api, "Picklist", "leadsourcecode", both)
    assert local["GlobalOptionSet"] is None
    assert {each["Value"]: each["Label"]["UserLocalizedLabel"]["Label"] for each in local["OptionSet"]["Options"]}[
        7
    ] == "Trade Show"
    shared = options(api, "Picklist", "nvk_segment", both)
    assert shared["OptionSet"] is None
    assert shared["GlobalOptionSet"]["Options"][0]["Value"] == 100000000
    many = options(api, "MultiSelectPicklist", "nvk_interests", "OptionSet")
    assert [each["Value"] for each in many["OptionSet"]["Options"]] == [1, 2, 3, 4, 7]
    yes_no = options(api, "Boolean", "donotemail", "OptionSet")["OptionSet"]
    assert (yes_no["TrueOption"]["Value"], yes_no["FalseOption"]["Value"]) == (1, 0)
    assert api.get("GlobalOptionSetDefinitions(Name='nvk_segment')").json()["IsGlobal"] is True


def test_states_and_reasons(api: Any) -> None:
    states = {each["Value"]: each for each in options(api, "State", "statecode", "OptionSet")["OptionSet"]["Options"]}
    assert {value: each["DefaultStatus"] for value, each in states.items()} == {0: 1, 1: 3, 2: 7}
    assert states[0]["InvariantName"] == "Open"
    reasons = options(api, "Status", "statuscode", "OptionSet($select=Options)")["OptionSet"]["Options"]
    assert {each["Value"]: each["State"] for each in reasons} == {1: 0, 2: 0, 3: 1, 4: 2, 5: 2, 6: 2, 7: 2}


def test_columns_by_filter_and_expand(api: Any) -> None:
    level = "RequiredLevel/Value eq Microsoft.Dynamics.CRM.AttributeRequiredLevel'ApplicationRequired'"
    assert {each["LogicalName"] for each in api.values(f"{LEAD}/Attributes?$select=LogicalName&$filter={level}")} == {
        "lastname",
        "subject",
    }
    kind = "AttributeType eq Microsoft.Dynamics.CRM.AttributeTypeCode'Picklist'"
    told = api.get(f"{LEAD}?$select=LogicalName&$expand=Attributes($select=LogicalName;$filter={kind})").json()
    assert "leadsourcecode" in {each["LogicalName"] for each in told["Attributes"]}
    assert "emailaddress1" not in {each["LogicalName"] for each in told["Attributes"]}


def test_relationships_name_the_navigation(api: Any) -> None:
    names = "SchemaName,ReferencingAttribute,ReferencedEntity,ReferencedAttribute,ReferencingEntityNavigationPropertyName,ReferencedEntityNavigationPropertyName"
    found = api.values(f"EntityDefinitions(LogicalName='contact')/ManyToOneRelationships?$select={names}")
    parents = {
        each["ReferencedEntity"]: each["ReferencingEntityNavigationPropertyName"]
        for each in found
        if each["ReferencingAttribute"] == "parentcustomerid"
    }
    assert parents == {"account": "parentcustomerid_account", "contact": "parentcustomerid_contact"}
    regions = [each for each in found if each["ReferencedEntity"] == "nvk_region"]
    assert (regions[0]["ReferencingEntityNavigationPropertyName"], regions[0]["ReferencedAttribute"]) == (
        "nvk_Region",
        "nvk_regionid",
    )


def test_keys_are_listed(api: Any) -> None:
    found = api.values(
        "EntityDefinitions(LogicalName='contact')/Keys?$select=LogicalName,SchemaName,KeyAttributes,EntityKeyIndexStatus"
    )
    assert [(each["SchemaName"], each["KeyAttributes"], each["EntityKeyIndexStatus"]) for each in found] == [
        ("nvk_MarketoIdKey", ["nvk_marketoid"], "Active")
    ]


def test_refusals(api: Any) -> None:
    assert api.get("EntityDefinitions(LogicalName='nothing')").status_code == 404
    assert code(api.get(f"{LEAD}?$select=Nonsense")) == (400, "0x80060888")
    assert code(api.get(f"{LEAD}/Attributes?$select=MaxLength2")) == (400, "0x80060888")
    assert api.get("EntityDefinitions?$top=1").status_code == 400
    assert api.get(f"{LEAD}/Attributes/{CAST}EnumAttributeMetadata").status_code == 404


def test_a_column_is_created(api: Any) -> None:
    label = {"LocalizedLabels": [{"Label": "Shoe size", "LanguageCode": 1033}]}
    body = {
        "@odata.type": f"{CAST}StringAttributeMetadata",
        "SchemaName": "nvk_ShoeSize",
        "DisplayName": label,
        "RequiredLevel": {"Value": "None"},
        "MaxLength": 5,
        "FormatName": {"Value": "Text"},
    }
    assert api.post(f"{LEAD}/Attributes", body).status_code == 204
    assert code(api.post("leads", {"nvk_shoesize": "123456"})) == (400, "0x80044331")
    id = api.create("leads", nvk_shoesize="44")
    assert api.read("leads", id, "nvk_shoesize")["nvk_shoesize"] == "44"
    assert api.post(f"{LEAD}/Attributes", body).status_code == 400
    assert (
        api.post(
            f"{LEAD}/Attributes", {**body, "SchemaName": "nvk_X", "RequiredLevel": {"Value": "SystemRequired"}}
        ).status_code
        == 400
    )


@pytest.mark.parametrize("by", ["LogicalName", "MetadataId"])
def test_a_column_is_removed_by_name_or_id(api: Any, by: str) -> None:
    (found,) = api.values(f"{LEAD}/Attributes?$select=LogicalName&$filter=LogicalName eq 'nvk_discount'")
    key = found["MetadataId"] if by == "MetadataId" else "LogicalName='nvk_discount'"
    assert api.delete(f"{LEAD}/Attributes({key})").status_code == 204
    assert api.get("leads?$select=nvk_discount").status_code == 400
    assert api.delete(f"{LEAD}/Attributes({key})").status_code == 404


def test_tracking_is_switched_on_and_never_off(api: Any, org: Any) -> None:
    org.set_tracking("lead", False)
    assert code(api.get("leads", Prefer="odata.track-changes")) == (400, "0x80072491")
    assert api.request("PUT", LEAD, {"ChangeTrackingEnabled": True}).status_code == 204
    assert api.get("leads", Prefer="odata.track-changes").status_code == 200
    assert api.request("PUT", LEAD, {"ChangeTrackingEnabled": False}).status_code == 400


def test_csdl(api: Any) -> None:
    answer = api.get("$metadata")
    assert answer.headers["Content-Type"] == "application/xml"
    space = {"edm": "http://docs.oasis-open.org/odata/ns/edm"}
    tree = ElementTree.fromstring(answer.text)
    sets = {each.get("Name"): each.get("EntityType") for each in tree.iterfind(".//edm:EntitySet", space)}
    assert sets["leads"] == "Microsoft.Dynamics.CRM.lead"
    lead = tree.find(".//edm:EntityType[@Name='lead']", space)
    assert lead is not None
    properties = {each.get("Name"): each.get("Type") for each in lead.iterfind("edm:Property", space)}
    assert (properties["revenue"], properties["_ownerid_value"], properties["estimatedclosedate"]) == (
        "Edm.Decimal",
        "Edm.Guid",
        "Edm.Date",
    )
    assert "ChangeTracking" in api.get("$metadata?annotations=true").text
    assert BASE not in answer.text
