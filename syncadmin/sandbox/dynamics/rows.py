"""The routes of an entity set: read, create, update, upsert, delete, one column, one reference."""

from __future__ import annotations

import re
from typing import Any

from . import errors, guards
from .address import by_key, existing, follow, key_values, named, set_of
from .expand import parse_expand
from .payload import Changes, read
from .query import Listing, check_options, context, selected
from .render import Annotations, Renderer, etag
from .schema import Column, Table
from .tracking import Tracking, wanted
from .values import parse
from .wire import Answer, Request, Segment, ok
from .write import Manner, Writer

_ETAG = re.compile(r'(?:W/)?"([^"]+)"')


def manner(request: Request) -> Manner:
    detect = request.headers.get("mscrm.suppressduplicatedetection", "true").strip().lower() == "false"
    return Manner(request.actor, detect)


class Rows:
    """Answers requests below an entity set."""

    def __init__(self, writer: Writer) -> None:
        self._writer, self._state = writer, writer.state

    def answer(self, request: Request) -> Answer:
        first, *rest = request.path
        table = set_of(self._state, first.name)
        if first.key is None:
            return self._collection(request, table, rest)
        if not rest:
            return self._row(request, table, first.key)
        return self._below(request, table, first.key, rest)

    # -- the set

    def _collection(self, request: Request, table: Table, rest: list[Segment]) -> Answer:
        if [piece.name for piece in rest] == ["$count"] and request.method == "GET":
            return self._count(request, table)
        if rest:
            raise errors.no_segment(rest[0].name)
        if request.method == "GET":
            return self._list(request, table)
        if request.method == "POST":
            return self._create(request, table)
        raise errors.ApiError(
            405, "0x80060888", f"The requested resource does not support http method '{request.method}'."
        )

    def _list(self, request: Request, table: Table) -> Answer:
        guards.privilege(self._writer, "Read", table, request.actor)
        hidden = guards.unreadable_columns(self._writer, table)
        if wanted(request):
            body = Tracking(self._state, self._writer.settings, table, request, hidden).page()
        else:
            body = Listing(self._state, table, request, hidden).page()
        answer = ok(body)
        answer.applied = [f"{name}={_quoted(name, value)}" if value else name for name, value in _honoured(request)]
        return answer

    def _count(self, request: Request, table: Table) -> Answer:
        hidden = guards.unreadable_columns(self._writer, table)
        if "$deltatoken" in request.options:
            number = Tracking(self._state, self._writer.settings, table, request, hidden).count()
        else:
            number = Listing(self._state, table, request, hidden).count()
        # The real answer begins with a byte order mark too.
        return Answer(200, f"\ufeff{number}".encode(), type="text/plain")

    def _create(self, request: Request, table: Table) -> Answer:
        changes = read(self._state, table, request.json(table.set), True, request.references)
        id = self._writer.create(table, changes, manner(request))
        return self._written(request, table, id, f"{table.set}({id})", created=True)

    # -- one row

    def _row(self, request: Request, table: Table, key: str) -> Answer:
        match request.method:
            case "GET":
                return self._retrieve(request, table, existing(self._state, table, key))
            case "PATCH":
                return self._patch(request, table, key)
            case "DELETE":
                id = existing(self._state, table, key)
                self._match(request, table, id)
                self._writer.delete(table, id, manner(request))
                return Answer(204)
            case other:
                raise errors.ApiError(
                    405, "0x80060888", f"The requested resource does not support http method '{other}'."
                )

    def _retrieve(self, request: Request, table: Table, id: str) -> Answer:
        guards.privilege(self._writer, "Read", table, request.actor)
        check_options(request)
        row = self._state.rows(table.name)[id]
        plain = "$expand" not in request.options and not request.annotations and table.concurrency
        if plain and request.headers.get("if-none-match", "").strip() == etag(row):
            return Answer(304, headers={"ETag": etag(row)})
        body = self._shown(request, table, id)
        answer = ok(body, ETag=etag(row))
        if request.annotations:
            answer.applied = [f'odata.include-annotations="{request.annotations}"']
        return answer

    def _shown(self, request: Request, table: Table, id: str, expand: bool = True) -> dict[str, Any]:
        columns = selected(table, request.options.get("$select"))
        expands = parse_expand(self._state, table, request.options.get("$expand")) if expand else []
        annotations = Annotations.read(request.annotations)
        hidden = guards.unreadable_columns(self._writer, table)
        row = self._state.rows(table.name)[id]
        shown = Renderer(self._state, table, columns, annotations, hidden).row(row)
        for expansion in expands:
            shown.update(expansion.show(self._state, row, request.root, annotations))
        return {"@odata.context": context(request, table, columns, expands, "/$entity"), **shown}

    def _patch(self, request: Request, table: Table, key: str) -> Answer:
        """Update, or create if the row is absent and no If-Match forbids it."""
        id, values = named(table, key), {}
        if id is None:
            if "=" not in key:
                raise errors.bad_key(table.name)
            values = key_values(table, key)
            id = by_key(self._state, table, values)
        if id is not None and self._state.get(table.name, id) is not None:
            if request.headers.get("if-none-match", "").strip() == "*":
                raise errors.exists()
            return self._update(request, table, id, values, key)
        # Any If-Match forbids the create half of the upsert.
        if "if-match" in request.headers:
            # Who may not write at all learns nothing about ids.
            guards.privilege(self._writer, "Write", table, request.actor)
            raise errors.absent(table.name, id) if id else errors.absent_by_key(table.name)
        changes = read(self._state, table, request.json(table.set), True, request.references)
        changes.values = {**values, **changes.values}
        id = self._writer.create(table, changes, manner(request), id)
        return self._written(request, table, id, f"{table.set}({key if values else id})", created=True)

    def _update(self, request: Request, table: Table, id: str, dropped: dict[str, Any], key: str) -> Answer:
        self._match(request, table, id)
        changes = read(self._state, table, request.json(table.set), False, request.references)
        # The key in the address wins over the body on an update, and loses on a create.
        changes.values = {name: value for name, value in changes.values.items() if name not in dropped}
        self._writer.update(table, id, changes, manner(request))
        return self._written(request, table, id, f"{table.set}({key if dropped else id})", created=False)

    def _match(self, request: Request, table: Table, id: str) -> None:
        wanted_tag = request.headers.get("if-match", "*").strip()
        if wanted_tag == "*":
            return
        if not table.concurrency:
            message = f"Optimistic concurrency isn't enabled for entity type {table.name}."
            raise errors.ApiError(400, "0x8006088d", message)
        match = _ETAG.fullmatch(wanted_tag)
        if not match or match.group(1) != str(self._state.rows(table.name)[id]["versionnumber"]):
            raise errors.version_mismatch()

    def _written(self, request: Request, table: Table, id: str, address: str, created: bool) -> Answer:
        if request.prefer.get("return") == "representation":
            body = self._shown(request, table, id, expand=False)
            answer = ok(body, 201 if created else 200, ETag=body["@odata.etag"])
            answer.applied = ["return=representation"]
            if request.annotations:
                answer.applied.append(f'odata.include-annotations="{request.annotations}"')
            answer.row = address
            return answer
        link = f"{request.root}{address}"
        return Answer(204, headers={"Location": link, "OData-EntityId": link}, row=address)

    # -- below one row

    def _below(self, request: Request, table: Table, key: str, rest: list[Segment]) -> Answer:
        id, name, tail = existing(self._state, table, key), rest[0].name, [piece.name for piece in rest[1:]]
        collections = self._state.schema.collections(table.name)
        if tail == ["$ref"] and (name in table.by_navigation or name in collections):
            return self._reference(request, table, id, rest[0])
        column = table.by_wire.get(name)
        if column is not None and tail in ([], ["$value"]):
            return self._value(request, table, id, column, raw=bool(tail))
        if request.method == "GET" and not tail and name in table.by_navigation:
            return self._related(request, table, id, name)
        if request.method == "GET" and not tail and name in collections:
            expanded = parse_expand(self._state, table, name)[0]
            shown = expanded.show(self._state, self._state.rows(table.name)[id], request.root, Annotations())
            return ok({"@odata.context": f"{request.root}$metadata#{expanded.table.set}", "value": shown[name]})
        raise errors.no_segment(name)

    def _related(self, request: Request, table: Table, id: str, navigation: str) -> Answer:
        column, targets = table.by_navigation[navigation]
        row = self._state.rows(table.name)[id]
        target = row.get(f"{column.name}@type", targets[0])
        other = row.get(column.name)
        if other is None or target not in targets or self._state.get(target, other) is None:
            return Answer(204)
        return ok(self._shown(request, self._state.schema.tables[target], other))

    def _value(self, request: Request, table: Table, id: str, column: Column, raw: bool) -> Answer:
        match request.method:
            case "GET":
                shown = Renderer(self._state, table, [column], Annotations()).row(self._state.rows(table.name)[id])
                value = shown[column.wire]
                if value is None:
                    return Answer(204)
                if raw:
                    return Answer(200, str(value).strip("\x01").encode(), type="text/plain")
                return ok(
                    {"@odata.context": f"{request.root}$metadata#{table.set}({id})/{column.wire}", "value": value}
                )
            case "PUT":
                sent = request.json(table.set).get("value")
                self._set(request, table, id, {column.name: parse(column, sent, table)})
                return Answer(204)
            case "DELETE" if column.wire == column.name:
                self._set(request, table, id, {column.name: None})
                return Answer(204)
            case other:
                raise errors.ApiError(
                    405, "0x80060888", f"The requested resource does not support http method '{other}'."
                )

    def _set(self, request: Request, table: Table, id: str, values: dict[str, Any]) -> None:
        self._match(request, table, id)
        for name, value in values.items():
            column = table.columns.get(name)
            if column is not None and value is None and column.level == "SystemRequired":
                raise errors.required_null(name, table.name)
        writable = {name: value for name, value in values.items() if "u" in table.columns[name.split("@")[0]].ops}
        self._writer.update(table, id, Changes(writable), manner(request))

    def _reference(self, request: Request, table: Table, id: str, piece: Segment) -> Answer:
        """PUT, POST or DELETE of `…/$ref`: point a lookup somewhere or nowhere."""
        relation = self._state.schema.collections(table.name).get(piece.name)
        other: tuple[Table, str] | None = None
        if request.method in ("PUT", "POST"):
            other = follow(self._state, str(request.json(table.set).get("@odata.id")), request.references)
        elif request.method != "DELETE":
            raise errors.not_implemented("GET of $ref")
        if relation is not None:
            source = self._state.schema.tables[relation.source]
            many = other[1] if other else existing(self._state, source, piece.key or "")
            values = {relation.column: id if other else None, f"{relation.column}@type": table.name if other else None}
            self._set(request, source, many, values)
        else:
            column, targets = table.by_navigation[piece.name]
            if other and other[0].name not in targets:
                raise errors.undeclared(table.set, piece.name)
            self._set(
                request,
                table,
                id,
                {column.name: other[1] if other else None, f"{column.name}@type": other[0].name if other else None},
            )
        return Answer(204)


def _honoured(request: Request) -> list[tuple[str, str]]:
    names = ("odata.track-changes", "odata.maxpagesize", "odata.include-annotations")
    return [(name, request.prefer[name]) for name in names if name in request.prefer]


def _quoted(name: str, value: str) -> str:
    return f'"{value}"' if name == "odata.include-annotations" else value
