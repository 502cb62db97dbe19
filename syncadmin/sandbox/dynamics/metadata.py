"""Tables, columns, keys and relationships as the metadata service describes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .schema import LOOKUPS, Column, Key, Option, Relationship, Table, metadata_id

CRM = "#Microsoft.Dynamics.CRM."
_CASTS = {
    "Lookup": "LookupAttributeMetadata",
    "Customer": "LookupAttributeMetadata",
    "Owner": "LookupAttributeMetadata",
    "Uniqueidentifier": "UniqueIdentifierAttributeMetadata",
    "Virtual": "AttributeMetadata",
}


def label(text: str | None) -> dict[str, Any]:
    if text is None:
        return {"LocalizedLabels": [], "UserLocalizedLabel": None}
    one = {
        "Label": text,
        "LanguageCode": 1033,
        "IsManaged": True,
        "MetadataId": metadata_id("label", text),
        "HasChanged": None,
    }
    return {"LocalizedLabels": [one], "UserLocalizedLabel": dict(one)}


def managed(value: Any, name: str) -> dict[str, Any]:
    return {"Value": value, "CanBeChanged": True, "ManagedPropertyLogicalName": name}


def cast_of(column: Column) -> str:
    return _CASTS.get(column.type, f"{column.type}AttributeMetadata")


def table_facts(table: Table) -> dict[str, Any]:
    return {
        "LogicalName": table.name,
        "SchemaName": table.schema,
        "EntitySetName": table.set,
        "LogicalCollectionName": table.set,
        "CollectionSchemaName": table.schema + "s",
        "PrimaryIdAttribute": table.id,
        "PrimaryNameAttribute": table.title,
        "ObjectTypeCode": table.code,
        "OwnershipType": table.ownership,
        "TableType": "Standard",
        "DataProviderId": None,
        "ChangeTrackingEnabled": table.tracked,
        "CanChangeTrackingBeEnabled": managed(True, "canchangetrackingbeenabled"),
        "IsOptimisticConcurrencyEnabled": table.concurrency,
        "IsDuplicateDetectionEnabled": managed(table.duplicates, "canmodifyduplicatedetectionsettings"),
        "IsAuditEnabled": managed(False, "canmodifyauditsettings"),
        "IsCustomEntity": table.name.startswith("nvk_"),
        "IsActivity": False,
        # Microsoft's own client lists tables by `IsPrivate eq false`.
        "IsPrivate": False,
        "IsCustomizable": managed(True, "iscustomizable"),
        "IsValidForAdvancedFind": True,
        "IsIntersect": False,
        "IsManaged": True,
        "IsLogicalEntity": False,
        "DisplayName": label(table.label),
        "DisplayCollectionName": label(table.labels),
        "Description": label(None),
        "MetadataId": metadata_id("table", table.name),
        "HasChanged": None,
    }


def column_facts(table: Table, column: Column) -> dict[str, Any]:
    """The properties all columns share."""
    many = column.type == "MultiSelectPicklist"
    return {
        "@odata.type": CRM + cast_of(column),
        "LogicalName": column.name,
        "SchemaName": column.schema,
        "EntityLogicalName": table.name,
        "AttributeType": "Virtual" if many else column.type,
        "AttributeTypeName": {"Value": f"{column.type}Type"},
        "RequiredLevel": managed(column.level, "canmodifyrequirementlevelsettings"),
        "IsValidForCreate": "c" in column.ops,
        "IsValidForUpdate": "u" in column.ops,
        "IsValidForRead": "r" in column.ops,
        "AttributeOf": None,
        "IsLogical": False,
        "IsCustomAttribute": column.custom,
        "IsPrimaryId": column.name == table.id,
        "IsPrimaryName": column.name == table.title,
        "IsSecured": False,
        "IsManaged": not column.custom,
        "SourceType": 0,
        "IsValidODataAttribute": True,
        "IsFilterable": True,
        "IsSortableEnabled": managed(True, "canmodifysortsettings"),
        "DisplayName": label(column.label),
        "Description": label(None),
        "MetadataId": metadata_id("column", table.name, column.name),
        "HasChanged": None,
    }


def companions(table: Table, column: Column) -> Iterator[dict[str, Any]]:
    """The read-only columns that hold the shown text of a lookup or a choice."""
    lookup = column.type in LOOKUPS
    if not lookup and not column.options:
        return
    kind = "String" if lookup else "Virtual"
    suffixes = ("name", "yominame") if lookup else ("name",)
    for suffix in suffixes:
        name, schema = f"{column.name}{suffix}", f"{column.schema}{suffix.capitalize()}"
        shadow = Column(name, schema, kind, column.label, "r", format="Text", length=100)
        facts = column_facts(table, shadow) | typed_facts(table, shadow)
        yield facts | {"AttributeOf": column.name, "IsLogical": True, "IsValidODataAttribute": False}


def all_columns(table: Table) -> list[dict[str, Any]]:
    """Every column with everything that is known of it; the reader selects."""
    found = []
    for column in table.columns.values():
        known = _FACTS.get((table.name, table.id, table.title, id(column)))
        if known is None or known[0] is not column:
            own = column_facts(table, column) | typed_facts(table, column)
            known = _FACTS[table.name, table.id, table.title, id(column)] = (column, [own, *companions(table, column)])
        found += known[1]
    return found


# A client asks for the same columns again and again. Nobody may change what is kept here.
_FACTS: dict[tuple[str, str, str, int], tuple[Column, list[dict[str, Any]]]] = {}


def typed_facts(table: Table, column: Column) -> dict[str, Any]:
    """The properties that only a cast shows; navigation properties (OptionSet) only when expanded."""
    build = _TYPED.get(column.type)
    return build(table, column) if build else {}


def _text(table: Table, column: Column) -> dict[str, Any]:
    # The old Format knows only some of the names.
    shape = column.format or "Text"
    facts: dict[str, Any] = {
        "MaxLength": column.length,
        "Format": shape,
        "FormatName": {"Value": shape},
        "IsLocalizable": False,
        "ImeMode": "Auto",
    }
    return facts | ({"DatabaseLength": (column.length or 0) * 2, "YomiOf": None} if column.type == "String" else {})


def _whole(table: Table, column: Column) -> dict[str, Any]:
    facts: dict[str, Any] = {"MinValue": column.min, "MaxValue": column.max}
    return facts | ({"Format": "None"} if column.type == "Integer" else {})


def _fraction(table: Table, column: Column) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "MinValue": column.min,
        "MaxValue": column.max,
        "Precision": column.precision,
        "ImeMode": "Disabled",
    }
    if column.type == "Money":
        facts["PrecisionSource"] = column.source
        facts["IsBaseCurrency"] = column.name.endswith("_base")
        facts["CalculationOf"] = column.name.removesuffix("_base") if column.name.endswith("_base") else None
    return facts


def _moment(table: Table, column: Column) -> dict[str, Any]:
    return {"Format": column.format, "DateTimeBehavior": {"Value": column.behavior}, "ImeMode": "Inactive"}


def _lookup(table: Table, column: Column) -> dict[str, Any]:
    return {"Targets": list(column.targets), "Format": "None"}


def option(column: Column, each: Option) -> dict[str, Any]:
    facts: dict[str, Any] = {"Value": each.value}
    if column.type == "Status":
        facts |= {"State": each.extra, "TransitionData": None}
    if column.type == "State":
        facts |= {"DefaultStatus": each.extra, "InvariantName": each.label}
    return facts | {
        "Label": label(each.label),
        "Description": label(None),
        "Color": None,
        "IsManaged": True,
        "ExternalValue": "",
        "ParentValues": [],
        "MetadataId": None,
        "HasChanged": None,
    }


def option_set(table: Table, column: Column) -> dict[str, Any]:
    name = column.name if column.shared else f"{table.name}_{column.name}"
    facts = {
        "@odata.type": f"{CRM}{'BooleanOptionSetMetadata' if column.type == 'Boolean' else 'OptionSetMetadata'}",
        "MetadataId": metadata_id("options", name),
        "Name": name,
        "IsGlobal": column.shared,
        "IsCustomOptionSet": column.custom,
        "IsManaged": not column.custom,
        "OptionSetType": {"State": "State", "Status": "Status", "Boolean": "Boolean"}.get(column.type, "Picklist"),
        "DisplayName": label(column.label),
        "Description": label(None),
        "HasChanged": None,
    }
    if column.type == "Boolean":
        by_value = {each.value: option(column, each) for each in column.options}
        return facts | {"TrueOption": by_value.get(1), "FalseOption": by_value.get(0)}
    return facts | {"Options": [option(column, each) for each in column.options]}


def _choice(table: Table, column: Column) -> dict[str, Any]:
    options = option_set(table, column)
    facts: dict[str, Any] = {
        "OptionSet": None if column.shared else options,
        "GlobalOptionSet": options if column.shared else None,
    }
    facts["DefaultFormValue"] = -1 if column.default is None else column.default
    return facts


def _boolean(table: Table, column: Column) -> dict[str, Any]:
    return {"DefaultValue": bool(column.default), "OptionSet": option_set(table, column), "GlobalOptionSet": None}


_TYPED: dict[str, Callable[[Table, Column], dict[str, Any]]] = {
    "String": _text,
    "Memo": _text,
    "Integer": _whole,
    "BigInt": _whole,
    "Decimal": _fraction,
    "Double": _fraction,
    "Money": _fraction,
    "DateTime": _moment,
    "Boolean": _boolean,
    "Picklist": _choice,
    "MultiSelectPicklist": _choice,
    "State": _choice,
    "Status": _choice,
    "Lookup": _lookup,
    "Customer": _lookup,
    "Owner": _lookup,
}
# A plain list of columns has none of these; they need a cast.
TYPED_NAMES = frozenset({
    "CalculationOf", "DatabaseLength", "DateTimeBehavior", "DefaultFormValue", "DefaultValue", "Format", "FormatName",
    "ImeMode", "IsBaseCurrency", "IsLocalizable", "MaxLength", "MaxValue", "MinValue", "Precision", "PrecisionSource",
    "Targets", "YomiOf",
})  # fmt: skip
# Navigation properties: there only when expanded, or asked for by their own address.
EXPANDABLE = frozenset(
    {"OptionSet", "GlobalOptionSet", "Attributes", "Keys", "ManyToOneRelationships", "OneToManyRelationships"}
)


def key_facts(table: Table, key: Key, status: str) -> dict[str, Any]:
    return {
        "LogicalName": key.name,
        "SchemaName": key.schema,
        "EntityLogicalName": table.name,
        "KeyAttributes": list(key.columns),
        "EntityKeyIndexStatus": status,
        "IsManaged": False,
        "DisplayName": label(key.label),
        "MetadataId": metadata_id("key", table.name, key.name),
        "HasChanged": None,
    }


def relationship_facts(tables: dict[str, Table], each: Relationship) -> dict[str, Any]:
    return {
        "SchemaName": each.name,
        "RelationshipType": "OneToManyRelationship",
        "ReferencingEntity": each.source,
        "ReferencingAttribute": each.column,
        "ReferencedEntity": each.target,
        "ReferencedAttribute": tables[each.target].id if each.target in tables else f"{each.target}id",
        "ReferencingEntityNavigationPropertyName": each.navigation,
        "ReferencedEntityNavigationPropertyName": each.name,
        "IsCustomRelationship": each.name.startswith("nvk_"),
        "IsManaged": True,
        "MetadataId": metadata_id("relationship", each.name),
        "HasChanged": None,
    }
