"""Reading many rows: options, order, pages, counts."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import total_ordering
from typing import Any
from urllib.parse import quote, unquote_plus

from . import errors
from .expand import Expansion, parse_expand
from .filters import Parser
from .operands import comparable
from .render import METADATA_VERSION, TOTAL, TOTAL_EXCEEDED, Annotations, Renderer
from .schema import LOOKUPS, Column, Table
from .state import Row, State
from .wire import Request

MOST = 5000
KNOWN = frozenset({"$select", "$expand", "$orderby", "$filter", "$top", "$count", "$skiptoken", "$deltatoken"})
_ELSEWHERE = frozenset({"$apply", "fetchXml", "savedQuery", "sql", "userQuery"})


@total_ordering
class _Descending:
    """Turns an order around."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: _Descending) -> bool:
        return bool(other.value < self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Descending) and other.value == self.value

    def __hash__(self) -> int:
        return hash(self.value)


@dataclass(frozen=True, slots=True)
class Term:
    column: Column
    descending: bool


def check_options(request: Request) -> None:
    """Refuse options this API does not have; their names are case-sensitive."""
    for name in request.options:
        if name in _ELSEWHERE:
            raise errors.not_implemented(name)
        if name.startswith("$") and name not in KNOWN:
            raise errors.invalid(f"The query parameter {name} is not supported.")


def selected(table: Table, text: str | None) -> list[Column] | None:
    """The columns of a $select in its order, or None for all of them."""
    if text is None:
        return None
    names = [part.strip() for part in text.split(",") if part.strip()]
    return list({column.name: column for column in (_select(table, name) for name in names)}.values())


def _select(table: Table, name: str) -> Column:
    column = table.by_wire.get(name)
    if column is not None:
        return column
    plain = table.columns.get(name)
    if plain is not None and plain.type in LOOKUPS:
        return plain
    if name in table.by_navigation:
        return table.by_navigation[name][0]
    raise errors.unknown_column(table.name, name)


def ordered(table: Table, text: str) -> list[Term]:
    terms = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, direction = part.partition(" ")
        if direction.strip() not in ("", "asc", "desc"):
            raise errors.invalid(f"Syntax error at position {len(name)} in '{part}'.")
        column = table.by_wire.get(name)
        if column is None:
            raise errors.unknown_column(table.name, name)
        terms.append(Term(column, direction.strip() == "desc"))
    return terms


def page_size(request: Request) -> int | None:
    """The page size asked for by Prefer, cut to what the server gives; None if not asked."""
    text = request.prefer.get("odata.maxpagesize")
    if text is None:
        return None
    if not text.isdigit() or int(text) == 0:
        raise errors.invalid("The value of odata.maxpagesize must be a positive integer.")
    return min(int(text), MOST)


def cookie(number: int, state: Any, tracking: bool) -> str:
    """A skip token. Opaque; `state` says where the next page starts."""
    inner = base64.urlsafe_b64encode(json.dumps(state).encode()).decode()
    text = f'<cookie pagenumber="{number}" pagingcookie="{inner}" istracking="{tracking}" />'
    return quote(text, safe="/=")


def open_cookie(text: str) -> tuple[int, Any, bool]:
    """Page number, state and whether it belongs to change tracking; 400 if it is not ours."""
    match = re.fullmatch(r'<cookie pagenumber="(\d+)" pagingcookie="([\w=-]+)" istracking="(True|False)" />', text)
    if not match:
        raise errors.invalid("The paging cookie is malformed.")
    try:
        state = json.loads(base64.urlsafe_b64decode(match.group(2)))
    except ValueError:
        raise errors.invalid("The paging cookie is malformed.") from None
    return int(match.group(1)), state, match.group(3) == "True"


def with_option(request: Request, set_name: str, option: str, value: str) -> str:
    """The request's own address with one paging option in place of those it came with."""
    parts = [part for part in request.query.split("&") if part]
    kept = [part for part in parts if unquote_plus(part.partition("=")[0]) not in ("$skiptoken", "$deltatoken")]
    return f"{request.root}{set_name}?{'&'.join([*kept, f'{option}={value}'])}"


def context(
    request: Request, table: Table, columns: Iterable[Column] | None, expands: list[Expansion], tail: str = ""
) -> str:
    names = [column.wire for column in columns or ()]
    names += [f"{each.name}({','.join(column.wire for column in each.columns or ())})" for each in expands]
    shape = f"({','.join(names)})" if names else ""
    return f"{request.root}$metadata#{table.set}{shape}{tail}"


class Listing:
    """One GET of an entity set."""

    def __init__(self, state: State, table: Table, request: Request, hidden: frozenset[str]) -> None:
        check_options(request)
        self.state, self.table, self.request, self.hidden = state, table, request, hidden
        self.columns = selected(table, request.options.get("$select"))
        self.annotations = Annotations.read(request.annotations)
        self.expands = parse_expand(state, table, request.options.get("$expand"))
        self.terms = ordered(table, request.options.get("$orderby", ""))

    def rows(self) -> Iterable[Row]:
        """What the filter lets through, in no order."""
        text = self.request.options.get("$filter")
        if text is None:
            return self.state.rows(self.table.name).values()
        names = self.hidden & set(re.findall(r"\w+", text))
        if names:
            message = f"Caller user does not have privilege to read the secured attribute '{', '.join(sorted(names))}'."
            raise errors.ApiError(403, "0x8004f504", message)
        parser = Parser(self.state, self.table, text, self.request.options, self.request.actor.user)
        condition = parser.parse()
        return [row for row in condition.candidates(self.state, self.table) if condition.test(row)]

    def key(self, row: Row) -> tuple[Any, ...]:
        found: list[Any] = []
        for term in self.terms:
            value = self._sort_value(term.column, row)
            # Empty values come first, as in the database.
            place = (0, 0) if value is None else (1, value)
            found.append(_Descending(place) if term.descending else place)
        return (*found, row[self.table.id])

    def _sort_value(self, column: Column, row: Row) -> Any:
        value = row.get(column.name)
        if value is not None and column.type in LOOKUPS:
            target = row.get(f"{column.name}@type") or next(iter(column.targets))
            return comparable(self.table.columns[self.table.id], (self.state.title(target, value) or "").lower())
        return comparable(column, value)

    def page(self) -> dict[str, Any]:
        """The answer's body: this page, the total if asked, the link to the next page if there is one."""
        size = page_size(self.request)
        top = self.request.options.get("$top")
        if top is not None and (not top.isdigit()):
            raise errors.invalid("Invalid value for $top query option.")
        number, last = 1, None
        if "$skiptoken" in self.request.options:
            number, last, _ = open_cookie(self.request.options["$skiptoken"])
        body, found = self._head(), self._behind(last)
        total = None
        if self.request.options.get("$count") == "true" or TOTAL in self.annotations:
            total = sum(1 for _ in self.rows())
        self._count(body, total)
        limit = size or (min(int(top), MOST) if top is not None else MOST)
        chunk = found[:limit]
        renderer = Renderer(self.state, self.table, self.columns, self.annotations, self.hidden)
        body["value"] = [self._show(renderer, row) for row in chunk]
        if len(found) > limit and (size or top is None):
            token = cookie(number + 1, [self._mark(chunk[-1])], False)
            body["@odata.nextLink"] = with_option(self.request, self.table.set, "$skiptoken", token)
        return body

    def _mark(self, row: Row) -> dict[str, Any]:
        kept = {
            name: row[name]
            for term in self.terms
            for name in (term.column.name, f"{term.column.name}@type")
            if name in row
        }
        return {**kept, self.table.id: row[self.table.id]}

    def _behind(self, last: list[Row] | None) -> list[Row]:
        if not self.terms and "$filter" not in self.request.options:
            return self._plain(last[0][self.table.id] if last else "")
        rows = sorted(self.rows(), key=self.key)
        if last:
            edge = self.key(last[0])
            rows = [row for row in rows if self.key(row) > edge]
        return rows

    def _plain(self, last: str) -> list[Row]:
        found = []
        for row in self.state.after(self.table.name, last):
            found.append(row)
            if len(found) > MOST:
                break
        return found

    def _head(self) -> dict[str, Any]:
        body: dict[str, Any] = {"@odata.context": context(self.request, self.table, self.columns, self.expands)}
        if METADATA_VERSION in self.annotations:
            body[f"@{METADATA_VERSION}"] = str(self.state.schema.version)
        return body

    def _count(self, body: dict[str, Any], total: int | None) -> None:
        if self.request.options.get("$count") == "true" and total is not None:
            body["@odata.count"] = min(total, MOST)
        if TOTAL in self.annotations:
            asked = self.request.options.get("$count") == "true" and total is not None
            body[f"@{TOTAL}"] = min(total or 0, MOST) if asked else -1
            body[f"@{TOTAL_EXCEEDED}"] = bool(asked and (total or 0) > MOST)

    def _show(self, renderer: Renderer, row: Row) -> dict[str, Any]:
        shown = renderer.row(row)
        for expansion in self.expands:
            shown.update(expansion.show(self.state, row, self.request.root, self.annotations))
        return shown

    def count(self) -> int:
        return min(sum(1 for _ in self.rows()), MOST)
