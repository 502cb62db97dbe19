"""$expand: related rows inside a row."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from . import errors
from .filters import Parser, related
from .operands import comparable
from .render import Annotations, Renderer
from .schema import LOOKUPS, Column, Relationship, Table
from .state import Row, State


@dataclass(frozen=True, slots=True)
class Expansion:
    """`many` None: a single-valued navigation property through `column`."""

    name: str
    table: Table
    columns: tuple[Column, ...] | None
    column: Column | None = None
    many: Relationship | None = None
    options: dict[str, str] = field(default_factory=dict)

    def show(self, state: State, row: Row, root: str, annotations: Annotations) -> dict[str, Any]:
        renderer = Renderer(state, self.table, self.columns, annotations)
        if self.many is None:
            return {self.name: self._single(state, row, renderer)}
        owner = state.schema.tables[self.many.target]
        rows = self._chosen(state, related(state, self.many, row[owner.id]))
        shown: dict[str, Any] = {self.name: [renderer.row(each) for each in rows]}
        top = self.options.get("$top")
        if top is not None and len(rows) > int(top):
            shown[self.name] = shown[self.name][: int(top)]
            shown[f"{self.name}@odata.nextLink"] = f"{root}{owner.set}({row[owner.id]})/{self.name}"
        return shown

    def _single(self, state: State, row: Row, renderer: Renderer) -> dict[str, Any] | None:
        if self.column is None or row.get(self.column.name) is None:
            return None
        target = row.get(f"{self.column.name}@type") or self.table.name
        found = state.get(target, row[self.column.name]) if target == self.table.name else None
        return None if found is None else renderer.row(found)

    def _chosen(self, state: State, rows: list[Row]) -> list[Row]:
        if "$filter" in self.options:
            test = Parser(state, self.table, self.options["$filter"], {}, "").parse().test
            rows = [row for row in rows if test(row)]
        order = self.options.get("$orderby", "")
        for part in reversed([piece.strip() for piece in order.split(",") if piece.strip()]):
            name, _, direction = part.partition(" ")
            column = self.table.by_wire.get(name)
            if column is None:
                raise errors.unknown_column(self.table.name, name)
            rows = sorted(rows, key=lambda row: _place(column, row), reverse=direction.strip() == "desc")
        return rows


def _place(column: Column, row: Row) -> tuple[int, Any]:
    value = comparable(column, row.get(column.name))
    return (0, 0) if value is None else (1, value)


def parse_expand(state: State, table: Table, text: str | None) -> list[Expansion]:
    return [_one(state, table, part) for part in split_outside(text or "", ",")]


def split_outside(text: str, mark: str) -> list[str]:
    """Split at `mark` outside parentheses and quotes."""
    parts, depth, quoted, start = [], 0, False, 0
    for position, char in enumerate(text):
        if char == "'":
            quoted = not quoted
        elif not quoted and char in "()":
            depth += 1 if char == "(" else -1
        elif char == mark and depth == 0 and not quoted:
            parts.append(text[start:position])
            start = position + 1
    return [part.strip() for part in [*parts, text[start:]] if part.strip()]


def _one(state: State, table: Table, text: str) -> Expansion:
    match = re.fullmatch(r"(\w+)(?:\((.*)\))?", text, re.DOTALL)
    if not match:
        raise errors.invalid(f"Syntax error in '{text}'.")
    name = match.group(1)
    pairs = (part.partition("=") for part in split_outside(match.group(2) or "", ";"))
    options = {key.strip(): value.strip() for key, _, value in pairs}
    if name in table.by_navigation:
        column, targets = table.by_navigation[name]
        other = _known(state, table, targets[0], name)
        return Expansion(name, other, _columns(other, options), column=column, options=options)
    many = state.schema.collections(table.name).get(name)
    if many is None:
        raise errors.unknown_column(table.name, name)
    other = state.schema.tables[many.source]
    return Expansion(name, other, _columns(other, options), many=many, options=options)


def _known(state: State, table: Table, target: str, name: str) -> Table:
    if target not in state.schema.tables:
        raise errors.unknown_column(table.name, name)
    return state.schema.tables[target]


def _columns(table: Table, options: dict[str, str]) -> tuple[Column, ...] | None:
    if "$select" not in options:
        return None
    found = []
    for name in split_outside(options["$select"], ","):
        column = table.by_wire.get(name) or (table.columns.get(name) if _is_lookup(table, name) else None)
        if column is None:
            raise errors.unknown_column(table.name, name)
        found.append(column)
    return tuple(found)


def _is_lookup(table: Table, name: str) -> bool:
    return name in table.columns and table.columns[name].type in LOOKUPS
