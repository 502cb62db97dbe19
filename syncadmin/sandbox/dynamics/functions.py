"""The Dataverse query functions: `Microsoft.Dynamics.CRM.In(PropertyName=…,PropertyValues=[…])` and its kin."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from .errors import invalid
from .operands import Operand, comparable
from .schema import Table
from .state import Row, State
from .values import moment, parse, stamp

Truth = bool | None
PREFIX = "Microsoft.Dynamics.CRM."


def argument(text: str) -> Any:
    """A parameter alias's value: JSON, or text in single quotes."""
    text = text.strip()
    if text.startswith("'") and text.endswith("'") and len(text) > 1:
        return text[1:-1].replace("''", "'")
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def build(
    state: State, table: Table, name: str, given: Mapping[str, Any], operand: Operand, user: str
) -> tuple[Callable[[Row], Truth], list[Any] | None]:
    """The test for one function call, and the wanted values if it is an equality with a list of them."""
    values = given.get("PropertyValues", given.get("PropertyValue"))
    wanted = [] if values is None else values if isinstance(values, list) else [values]
    if name in _LISTS:
        return _LISTS[name](operand, [_form(operand, value, table) for value in wanted])
    if name in _SPANS:
        low, high = _SPANS[name](state, values)
        return (lambda row: _within(operand.read(row), low, high)), None
    if name in ("EqualUserId", "NotEqualUserId"):
        same = name == "EqualUserId"
        return (lambda row: (operand.read(row) == user) is same), None
    if name in ("ContainValues", "DoesNotContainValues"):
        sought, present = {str(value) for value in wanted}, name == "ContainValues"
        return (lambda row: bool(sought & set((operand.read(row) or "").split(","))) is present), None
    raise invalid(f"An unknown function with name '{PREFIX}{name}' was found.")


def _form(operand: Operand, value: Any, table: Table) -> Any:
    column = operand.column
    if column is None:
        raise invalid("PropertyName must name a column.")
    if column.edm == "Edm.Guid":
        return str(value).lower()
    if column.type == "Boolean":
        return str(value).lower() in ("true", "1")
    if column.edm in ("Edm.Int32", "Edm.Int64"):
        return int(value)
    return comparable(column, value if column.edm == "Edm.String" else parse(column, value, table))


def _in(operand: Operand, values: list[Any]) -> tuple[Callable[[Row], Truth], list[Any] | None]:
    wanted = set(values)
    return (lambda row: operand.read(row) in wanted), values


def _not_in(operand: Operand, values: list[Any]) -> tuple[Callable[[Row], Truth], list[Any] | None]:
    wanted = {*values, None}
    return (lambda row: operand.read(row) not in wanted), None


def _between(operand: Operand, values: list[Any]) -> tuple[Callable[[Row], Truth], list[Any] | None]:
    if len(values) != 2:
        raise invalid("Between takes two values.")
    return (lambda row: (found := operand.read(row)) is not None and values[0] <= found <= values[1]), None


def _not_between(operand: Operand, values: list[Any]) -> tuple[Callable[[Row], Truth], list[Any] | None]:
    inside, _ = _between(operand, values)
    return (lambda row: operand.read(row) is not None and not inside(row)), None


_LISTS = {"In": _in, "NotIn": _not_in, "Between": _between, "NotBetween": _not_between}


def _within(value: Any, low: str | None, high: str | None) -> Truth:
    if value is None:
        return None
    return (low is None or value >= low) and (high is None or value < high)


def _ago(**unit: int) -> Callable[[State, Any], tuple[str | None, str | None]]:
    def span(state: State, count: Any) -> tuple[str | None, str | None]:
        now = state.clock()
        return _bare(stamp(now - timedelta(**unit) * int(count))), _bare(stamp(now + timedelta(seconds=1)))

    return span


def _bare(text: str) -> str:
    return text.rstrip("Z")


def _day(value: Any) -> tuple[str, str]:
    start = moment(str(value)[:10])
    if start is None:
        raise invalid(f"The date '{value}' is not valid.")
    first = start[:10]
    # "T~" sorts behind every time of that day.
    return first, f"{first}T~"


_SPANS: dict[str, Callable[[State, Any], tuple[str | None, str | None]]] = {
    "LastXHours": _ago(hours=1),
    "LastXDays": _ago(days=1),
    "On": lambda state, value: _day(value),
    "OnOrAfter": lambda state, value: (_day(value)[0], None),
    "OnOrBefore": lambda state, value: (None, _day(value)[1]),
    "Today": lambda state, value: _day(stamp(state.clock())),
}
