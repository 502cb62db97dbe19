"""$metadata: the service's shape as CSDL."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import quoteattr

from .schema import Schema, Table

_OPEN = (
    '<?xml version="1.0" encoding="utf-8"?><edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">'
    '<edmx:DataServices><Schema Namespace="Microsoft.Dynamics.CRM" Alias="mscrm" xmlns="http://docs.oasis-open.org/odata/ns/edm">'
)
_CLOSE = "</Schema></edmx:DataServices></edmx:Edmx>"
_ACTIONS = """
<EntityType Name="crmbaseentity" Abstract="true" />
<ComplexType Name="WhoAmIResponse"><Property Name="BusinessUnitId" Type="Edm.Guid" Nullable="false" /><Property Name="UserId" Type="Edm.Guid" Nullable="false" /><Property Name="OrganizationId" Type="Edm.Guid" Nullable="false" /></ComplexType>
<ComplexType Name="RetrieveVersionResponse"><Property Name="Version" Type="Edm.String" Unicode="false" /></ComplexType>
<ComplexType Name="CreateMultipleResponse"><Property Name="Ids" Type="Collection(Edm.Guid)" Nullable="false" /></ComplexType>
<Function Name="WhoAmI"><ReturnType Type="mscrm.WhoAmIResponse" Nullable="false" /></Function>
<Function Name="RetrieveVersion"><ReturnType Type="mscrm.RetrieveVersionResponse" Nullable="false" /></Function>
<Action Name="QualifyLead" IsBound="true"><Parameter Name="entity" Type="mscrm.lead" Nullable="false" /><Parameter Name="CreateAccount" Type="Edm.Boolean" Nullable="false" /><Parameter Name="CreateContact" Type="Edm.Boolean" Nullable="false" /><Parameter Name="CreateOpportunity" Type="Edm.Boolean" Nullable="false" /><Parameter Name="Status" Type="Edm.Int32" Nullable="false" /><ReturnType Type="Collection(mscrm.crmbaseentity)" /></Action>
<Action Name="Merge"><Parameter Name="Target" Type="mscrm.crmbaseentity" Nullable="false" /><Parameter Name="Subordinate" Type="mscrm.crmbaseentity" Nullable="false" /><Parameter Name="UpdateContent" Type="mscrm.crmbaseentity" /><Parameter Name="PerformParentingChecks" Type="Edm.Boolean" Nullable="false" /></Action>
"""


def document(schema: Schema, annotated: bool = False) -> bytes:
    """The whole document; `annotated` adds what change tracking can do per set."""
    types = "".join(_entity(schema, table) for table in schema.tables.values())
    return f"{_OPEN}{_ACTIONS}{types}{_container(schema, annotated)}{_CLOSE}".encode()


def _entity(schema: Schema, table: Table) -> str:
    inner = "".join([*_properties(table), *_navigation(schema, table)])
    key = f'<Key><PropertyRef Name="{table.id}" /></Key>'
    return f'<EntityType Name="{table.name}" BaseType="mscrm.crmbaseentity">{key}{inner}</EntityType>'


def _properties(table: Table) -> Iterator[str]:
    for column in table.columns.values():
        unicode = ' Unicode="false"' if column.edm == "Edm.String" else ""
        yield f'<Property Name="{column.wire}" Type="{column.edm}"{unicode} />'


def _navigation(schema: Schema, table: Table) -> Iterator[str]:
    for name, (column, targets) in table.by_navigation.items():
        target = targets[0] if len(targets) == 1 and targets[0] in schema.tables else "crmbaseentity"
        constraint = f'<ReferentialConstraint Property="{column.wire}" ReferencedProperty="{target}id" />'
        yield f'<NavigationProperty Name="{name}" Type="mscrm.{target}">{constraint}</NavigationProperty>'
    for name, relation in schema.collections(table.name).items():
        yield f'<NavigationProperty Name="{name}" Type="Collection(mscrm.{relation.source})" Partner="{relation.navigation}" />'


def _container(schema: Schema, annotated: bool) -> str:
    sets = []
    for table in schema.tables.values():
        binds = "".join(
            f'<NavigationPropertyBinding Path={quoteattr(name)} Target="{schema.tables[targets[0]].set}" />'
            for name, (_, targets) in table.by_navigation.items()
            if targets[0] in schema.tables
        )
        tracked = f'<Annotation Term="Org.OData.Capabilities.V1.ChangeTracking"><Record><PropertyValue Property="Supported" Bool="{str(table.tracked).lower()}" /></Record></Annotation>'
        sets.append(
            f'<EntitySet Name="{table.set}" EntityType="Microsoft.Dynamics.CRM.{table.name}">{binds}{tracked if annotated else ""}</EntitySet>'
        )
    imports = '<FunctionImport Name="WhoAmI" Function="Microsoft.Dynamics.CRM.WhoAmI" /><ActionImport Name="Merge" Action="Microsoft.Dynamics.CRM.Merge" />'
    return f'<EntityContainer Name="System">{"".join(sets)}{imports}</EntityContainer>'
