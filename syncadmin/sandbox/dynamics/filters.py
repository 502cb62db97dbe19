"""$filter: parsed once into a test on rows, with hints for finding candidates quickly."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import functions, operands
from .errors import ApiError, invalid, unknown_column
from .schema import Relationship, Table
from .state import Row, State
from .tokens import Token, split

Truth = bool | None
Test = Callable[[Row], Truth]
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_TEXT_FUNCTIONS = ("contains", "startswith", "endswith")
_MOST_CONDITIONS = 500
# Equality on one of these goes through an index; the rest is read row by row.
_INDEXED = frozenset(
    {"emailaddress1", "originatingleadid", "parentcontactid", "masterid", "nvk_marketoid", "accountnumber"}
)


@dataclass(slots=True)
class Condition:
    """`equal`: column → wanted values, `since`: modifiedon's lower bound; both hold for every row that passes."""

    test: Test
    equal: dict[str, list[Any]] = field(default_factory=dict)
    since: str | None = None

    def candidates(self, state: State, table: Table) -> Iterable[Row]:
        """Rows that may pass, found without reading the whole table where a hint allows it."""
        if table.id in self.equal:
            found = (state.get(table.name, id) for id in self.equal[table.id])
            return [row for row in found if row is not None]
        for column, values in self.equal.items():
            if column in _INDEXED:
                ids = {id: None for value in values for id in state.matching(table.name, (column,), (value,))}
                return [row for id in ids if (row := state.get(table.name, id)) is not None]
        if self.since is not None:
            return state.modified_since(table.name, self.since)
        return state.rows(table.name).values()


class Parser:
    """Recursive descent: or, and, not, parentheses, comparison, function, any and all."""

    def __init__(self, state: State, table: Table, text: str, aliases: Mapping[str, str], user: str) -> None:
        self._state, self._table, self._aliases, self._user = state, table, aliases, user
        self._tokens, self._at, self._conditions = split(text), 0, 0
        self._text, self._variable = text, ""

    def parse(self) -> Condition:
        condition = self._or()
        if self._peek().kind != "end":
            raise self._syntax()
        return condition

    def _peek(self) -> Token:
        return self._tokens[self._at]

    def _next(self) -> Token:
        token = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def _syntax(self) -> ApiError:
        return invalid(f"Syntax error at position {self._peek().at} in '{self._text}'.")

    def _take(self, value: str) -> bool:
        if self._peek().value == value and self._peek().kind in ("mark", "name"):
            self._at += 1
            return True
        return False

    def _expect(self, value: str) -> None:
        if not self._take(value):
            raise self._syntax()

    def _or(self) -> Condition:
        parts = [self._and()]
        while self._take("or"):
            parts.append(self._and())
        if len(parts) == 1:
            return parts[0]
        tests = [part.test for part in parts]
        return Condition(lambda row: _any(test(row) for test in tests))

    def _and(self) -> Condition:
        parts = [self._unary()]
        while self._take("and"):
            parts.append(self._unary())
        if len(parts) == 1:
            return parts[0]
        tests = [part.test for part in parts]
        equal = {column: values for part in parts for column, values in part.equal.items()}
        since = max((part.since for part in parts if part.since), default=None)
        return Condition(lambda row: _all(test(row) for test in tests), equal, since)

    def _unary(self) -> Condition:
        if self._take("not"):
            if self._peek().value.startswith(functions.PREFIX):
                raise invalid("The query function may not follow 'not'.")
            inner = self._unary().test
            return Condition(lambda row: None if (found := inner(row)) is None else not found)
        if self._take("("):
            condition = self._or()
            self._expect(")")
            return condition
        self._conditions += 1
        if self._conditions > _MOST_CONDITIONS:
            raise ApiError(400, "0x8004430c", "Number of conditions in query exceeded maximum limit.")
        return self._condition()

    def _condition(self) -> Condition:
        token = self._peek()
        followed = self._tokens[min(self._at + 1, len(self._tokens) - 1)].value == "("
        if token.kind == "name" and followed:
            self._at += 2
            if token.value in _TEXT_FUNCTIONS:
                return self._text_function(token.value)
            if token.value.startswith(functions.PREFIX):
                return self._query_function(token.value.removeprefix(functions.PREFIX))
            collection, _, quantifier = token.value.rpartition("/")
            if quantifier in ("any", "all"):
                return self._quantified(collection, quantifier)
            raise invalid(f"An unknown function with name '{token.value}' was found.")
        return self._comparison()

    def _operand(self) -> operands.Operand:
        token = self._next()
        if token.kind == "alias":
            return operands.literal(split(self._alias(token.value))[0])
        if token.kind == "name" and token.value not in ("true", "false", "null"):
            return operands.column(self._state, self._table, token.value.removeprefix(self._variable))
        if token.kind in ("mark", "end", "list"):
            self._at -= 1
            raise self._syntax()
        return operands.literal(token)

    def _alias(self, name: str) -> str:
        if name not in self._aliases:
            raise invalid(f"The parameter alias '{name}' has no value.")
        return self._aliases[name]

    def _comparison(self) -> Condition:
        left = self._operand()
        word = self._next()
        if word.value not in _COMPARE:
            self._at -= 1
            raise self._syntax()
        right = self._operand()
        operands.check(left, right)
        if left.column is None and right.column is not None:
            mirror = {"gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}
            return _compare(right, mirror.get(word.value, word.value), left)
        return _compare(left, word.value, right)

    def _text_function(self, name: str) -> Condition:
        operand = self._operand()
        self._expect(",")
        wanted = self._operand()
        self._expect(")")
        if operand.kind != "column" or wanted.kind != "text":
            raise invalid(f"No function signature for the function with name '{name}' matches the specified arguments.")
        matches = operands.like(wanted.read({}), name)
        return Condition(lambda row: None if (text := operand.read(row)) is None else matches(text))

    def _query_function(self, name: str) -> Condition:
        given: dict[str, Any] = {}
        while not self._take(")"):
            key = self._next().value
            self._expect("=")
            given[key] = self._argument()
            self._take(",")
        operand = operands.column(self._state, self._table, str(given.get("PropertyName", "")))
        test, wanted = functions.build(self._state, self._table, name, given, operand, self._user)
        if wanted is not None and operand.direct and operand.column:
            return Condition(test, {operand.column.name: wanted})
        return Condition(test)

    def _argument(self) -> Any:
        if self._take("["):
            values = []
            while not self._take("]"):
                token = self._next()
                if token.kind == "end":
                    raise self._syntax()
                values.append(json.loads(token.value) if token.kind == "list" else token.value)
                self._take(",")
            return values
        token = self._next()
        return functions.argument(self._alias(token.value)) if token.kind == "alias" else token.value

    def _quantified(self, collection: str, quantifier: str) -> Condition:
        relation = self._state.schema.collections(self._table.name).get(collection.removeprefix(self._variable))
        if relation is None:
            raise unknown_column(self._table.name, collection)
        if self._take(")"):
            return Condition(
                lambda row: bool(related(self._state, relation, row[self._state.schema.tables[relation.target].id]))
            )
        outer = self._table, self._variable
        self._variable = f"{self._next().value}/"
        self._expect(":")
        self._table = self._state.schema.tables[relation.source]
        inner = self._or().test
        self._expect(")")
        (self._table, self._variable), id_column = outer, outer[0].id
        join = any if quantifier == "any" else all
        return Condition(
            lambda row: join(inner(each) is True for each in related(self._state, relation, row[id_column]))
        )


def related(state: State, relation: Relationship, id: str) -> list[Row]:
    """The rows on the many side of a relationship."""
    ids = state.matching(relation.source, (relation.column,), (id,))
    rows = (state.get(relation.source, each) for each in ids)
    return [row for row in rows if row and row.get(f"{relation.column}@type", relation.target) == relation.target]


def _compare(left: operands.Operand, word: str, right: operands.Operand) -> Condition:
    compare, read, other = _COMPARE[word], left.read, right.read
    if right.kind == "null":
        return Condition(lambda row: compare(read(row) is None, True) if word in ("eq", "ne") else None)

    # Three-valued as in SQL: a comparison with an empty value is unknown, and unknown rows are not returned.
    def test(row: Row) -> Truth:
        one, two = read(row), other(row)
        return None if one is None or two is None else compare(one, two)

    condition = Condition(test)
    if left.direct and left.column and right.column is None:
        if word == "eq":
            condition.equal = {left.column.name: [right.read({})]}
        if left.column.name == "modifiedon" and word in ("ge", "gt"):
            condition.since = right.read({})
    return condition


def _any(found: Iterable[Truth]) -> Truth:
    unknown = False
    for each in found:
        if each:
            return True
        unknown = unknown or each is None
    return None if unknown else False


def _all(found: Iterable[Truth]) -> Truth:
    unknown = False
    for each in found:
        if each is False:
            return False
        unknown = unknown or each is None
    return None if unknown else True
