"""The metadata routes: EntityDefinitions and what lies below, option sets, service document, $metadata."""

from __future__ import annotations

import re
from typing import Any

from . import errors, metadata
from .csdl import document
from .expand import split_outside
from .filters import Parser
from .functions import argument
from .operands import Operand, literal
from .render import METADATA_VERSION, Annotations
from .schema import Table, metadata_id
from .schema_writes import SchemaWrites
from .text import fold
from .wire import Answer, Request, Segment, ok
from .write import Writer

_CAST = "Microsoft.Dynamics.CRM."
_COLLECTIONS = ("Attributes", "Keys", "ManyToOneRelationships", "OneToManyRelationships", "ManyToManyRelationships")
Facts = dict[str, Any]


class _FactsParser(Parser):
    """The same grammar over metadata objects: paths into them, and enum literals."""

    def _operand(self) -> Operand:
        token = self._peek()
        if token.kind != "name" or token.value in ("true", "false", "null"):
            return super()._operand()
        self._at += 1
        if self._peek().kind == "text":
            return literal(self._next())
        path = token.value.split("/")
        return Operand(lambda facts: fold(_dig(facts, path)))


def _dig(facts: Any, path: list[str]) -> Any:
    for step in path:
        if not isinstance(facts, dict) or step not in facts:
            raise errors.invalid(f"Could not find a property named '{step}' on the metadata type.")
        facts = facts[step]
    return facts


class Definitions:
    def __init__(self, writer: Writer) -> None:
        self._writer, self._state = writer, writer.state
        self.writes = SchemaWrites(writer)

    def service_document(self, root: str) -> Facts:
        sets = [{"name": name, "kind": "EntitySet", "url": name} for name in sorted(self._state.schema.sets)]
        return {"@odata.context": f"{root}$metadata", "value": sets}

    def csdl(self, request: Request) -> Answer:
        annotated = request.options.get("annotations") == "true"
        return Answer(200, document(self._state.schema, annotated), type="application/xml")

    @staticmethod
    def alias(request: Request, name: str) -> Any:
        """The value of a function's parameter that is given by alias: `F(Name=@p)?@p=…`"""
        match = re.search(rf"{name}=(@\w+)", request.path[0].key or "")
        return argument(request.options.get(match.group(1), "null")) if match else None

    def answer(self, request: Request) -> Answer:
        first, *rest = request.path
        if first.name == "GlobalOptionSetDefinitions":
            return self._global_options(request, first)
        if request.method != "GET":
            return self.writes.answer(request, self._table(first) if first.key else None, rest)
        for name in ("$top", "$orderby", "$skip", "$count"):
            if name in request.options:
                raise errors.invalid(f"The query parameter {name} is not supported for metadata.")
        if first.key is None:
            facts = [self._whole(table) for table in self._state.schema.tables.values()]
            return self._listed(request, facts, "EntityDefinitions")
        table = self._table(first)
        if not rest:
            return self._one(request, self._whole(table), "EntityDefinitions")
        return self._below(request, table, rest)

    def _table(self, piece: Segment) -> Table:
        for table in self._state.schema.tables.values():
            if _meant(piece, "LogicalName", table.name, metadata_id("table", table.name)):
                return table
        raise errors.ApiError(404, "0x80060888", f"Could not find an entity with the key '{piece.key}'.")

    def _whole(self, table: Table) -> Facts:
        """A table's facts; collections are there for $expand and come only then."""
        return metadata.table_facts(table) | {name: _Later(self, table, name) for name in _COLLECTIONS}

    def collection(self, table: Table, name: str) -> list[Facts]:
        schema = self._state.schema
        match name:
            case "Attributes":
                return metadata.all_columns(table)
            case "Keys":
                return [
                    metadata.key_facts(table, key, self.writes.key_status(table, key)) for key in table.keys.values()
                ]
            case "ManyToOneRelationships":
                return [
                    metadata.relationship_facts(schema.tables, each)
                    for each in schema.relationships()
                    if each.source == table.name
                ]
            case "OneToManyRelationships":
                return [
                    metadata.relationship_facts(schema.tables, each)
                    for each in schema.relationships()
                    if each.target == table.name
                ]
        return []

    def _below(self, request: Request, table: Table, rest: list[Segment]) -> Answer:
        piece, *tail = rest
        if piece.name not in _COLLECTIONS:
            raise errors.no_segment(piece.name)
        found = self.collection(table, piece.name)
        cast = ""
        if tail and tail[0].name.startswith(_CAST):
            cast = tail.pop(0).name
            if cast == f"{_CAST}EnumAttributeMetadata":
                raise errors.no_segment(cast)
            found = [facts for facts in found if facts.get("@odata.type") == f"#{cast}"]
        context = f"EntityDefinitions('{table.name}')/{piece.name}{f'/{cast}' if cast else ''}"
        if piece.key is None:
            if tail:
                raise errors.no_segment(tail[0].name)
            return self._listed(request, found, context, bool(cast))
        for facts in found:
            name = str(facts.get("LogicalName", facts["SchemaName"]))
            if _meant(piece, "LogicalName", name, facts["MetadataId"]) or _meant(
                piece, "SchemaName", facts["SchemaName"], ""
            ):
                return self._inside(request, facts, tail, context, bool(cast))
        raise errors.ApiError(404, "0x80060888", f"Could not find an item with the key '{piece.key}'.")

    def _inside(self, request: Request, facts: Facts, tail: list[Segment], context: str, cast: bool) -> Answer:
        if not tail:
            return self._one(request, facts, context, cast)
        if len(tail) == 1 and tail[0].name in facts:
            value = facts[tail[0].name]
            shown = value if isinstance(value, dict) else {"value": value}
            return ok({"@odata.context": f"{request.root}$metadata#{context}/{tail[0].name}", **shown})
        raise errors.no_segment(tail[0].name)

    def _global_options(self, request: Request, piece: Segment) -> Answer:
        found = {}
        for table in self._state.schema.tables.values():
            for column in table.columns.values():
                if column.shared:
                    found[column.name] = metadata.option_set(table, column)
        if piece.key is None:
            return self._listed(request, list(found.values()), "GlobalOptionSetDefinitions")
        for name, facts in found.items():
            if _meant(piece, "Name", name, facts["MetadataId"]):
                return self._one(request, facts, "GlobalOptionSetDefinitions")
        raise errors.ApiError(404, "0x80060888", f"Could not find an option set with the key '{piece.key}'.")

    def _listed(self, request: Request, facts: list[Facts], context: str, cast: bool = False) -> Answer:
        if "$filter" in request.options:
            facts = _filtered(facts, request.options["$filter"], request)
        select, expand = request.options.get("$select"), request.options.get("$expand")
        value = [_shape(each, select, expand, cast, request) for each in facts]
        shape = f"({select})" if select else ""
        return _honoured(request, ok(self._head(request, context + shape) | {"value": value}))

    def _one(self, request: Request, facts: Facts, context: str, cast: bool = False) -> Answer:
        select = request.options.get("$select")
        shown = _shape(facts, select, request.options.get("$expand"), cast, request)
        shape = f"({select})" if select else ""
        return _honoured(request, ok(self._head(request, f"{context}{shape}/$entity") | shown))

    def _head(self, request: Request, context: str) -> Facts:
        head: Facts = {"@odata.context": f"{request.root}$metadata#{context}"}
        if METADATA_VERSION in Annotations.read(request.annotations):
            head[f"@{METADATA_VERSION}"] = str(self._state.schema.version)
        return head


class _Later:
    """A collection that is built only if somebody expands it."""

    def __init__(self, definitions: Definitions, table: Table, name: str) -> None:
        self._definitions, self._table, self._name = definitions, table, name

    def items(self) -> list[Facts]:
        return self._definitions.collection(self._table, self._name)


def _honoured(request: Request, answer: Answer) -> Answer:
    if request.annotations:
        answer.applied = [f'odata.include-annotations="{request.annotations}"']
    return answer


def _meant(piece: Segment, name: str, value: str, id: str) -> bool:
    key = (piece.key or "").strip()
    return key.lower() == id or key in (f"{name}='{value}'", f"'{value}'", f"MetadataId={id}")


def _filtered(facts: list[Facts], text: str, request: Request) -> list[Facts]:
    # The grammar needs no table here: names are paths into the objects.
    parser = _FactsParser(None, None, text, request.options, request.actor.user)  # type: ignore[arg-type]
    test = parser.parse().test
    return [each for each in facts if test(each)]


def _shape(facts: Facts, select: str | None, expand: str | None, cast: bool, request: Request) -> Facts:
    """The selected properties, MetadataId always, and the expanded navigation properties.

    `cast`: the address says which type the answer has, so the answer does not say it again.
    """
    names = None if select is None else [name.strip() for name in select.split(",") if name.strip()]
    if not cast and "AttributeType" in facts:
        for name in metadata.TYPED_NAMES.intersection(names or ()):
            raise errors.invalid(
                f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.AttributeMetadata'."
            )
    common = {
        name: value
        for name, value in facts.items()
        if name not in metadata.EXPANDABLE and not isinstance(value, _Later) and not (cast and name == "@odata.type")
    }
    for name in names or ():
        if name not in common:
            raise errors.invalid(
                f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{_kind(facts)}'."
            )
    shown = (
        common
        if names is None
        else {name: value for name, value in common.items() if name in (*names, "MetadataId", "@odata.type")}
    )
    for part in split_outside(expand or "", ","):
        shown.update(_expanded(facts, part, request))
    return shown


def _expanded(facts: Facts, text: str, request: Request) -> Facts:
    match = re.fullmatch(r"(\w+)(?:\((.*)\))?", text, re.DOTALL)
    name = match.group(1) if match else text
    if not match or name not in facts or not (name in metadata.EXPANDABLE or isinstance(facts[name], _Later)):
        raise errors.invalid(
            f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{_kind(facts)}'."
        )
    pairs = (part.partition("=") for part in split_outside(match.group(2) or "", ";"))
    options = {key.strip(): value.strip() for key, _, value in pairs}
    select, expand, value = options.get("$select"), options.get("$expand"), facts[name]
    if isinstance(value, _Later):
        items = value.items()
        if "$filter" in options:
            items = _filtered(items, options["$filter"], request)
        return {name: [_shape(each, select, expand, False, request) for each in items]}
    return {name: None if value is None else _shape(value, select, expand, True, request)}


def _kind(facts: Facts) -> str:
    return str(facts.get("@odata.type", "EntityMetadata")).rpartition(".")[2]
