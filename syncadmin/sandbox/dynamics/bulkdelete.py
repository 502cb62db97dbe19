"""BulkDelete: a job that deletes what its queries find. It runs as soon as it is asked for; what it leaves can be polled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from . import errors
from .operands import comparable
from .rows import manner
from .schema import Column, Table
from .state import Row
from .text import fold
from .values import moment, parse
from .wire import Answer, Request, ok
from .write import Manner, Writer

_PREFIX = "Microsoft.Dynamics.CRM."
_NEEDED = ("QuerySet", "JobName", "SendEmailNotification", "ToRecipients", "CCRecipients", "RecurrencePattern", "StartDateTime")  # fmt: skip
_OPERATION = 13
_COMPLETED, _SUCCEEDED, _FAILED = 3, 30, 31
Test = Callable[[Row], bool]


class BulkDelete:
    def __init__(self, writer: Writer) -> None:
        self._writer, self._state = writer, writer.state

    def answer(self, request: Request) -> Answer:
        body = request.json("BulkDelete")
        for name in _NEEDED:
            if name not in body:
                raise _unclear(f"The parameter '{name}' is missing.")
        start, queries = moment(str(body["StartDateTime"])), body["QuerySet"]
        if start is None:
            raise errors.bad_date(body["StartDateTime"])
        if not isinstance(queries, list) or not queries:
            raise _unclear("The parameter 'QuerySet' holds no queries.")
        # All are read before the first row is touched: a query nobody understands must not be half a job.
        found = [self._found(query) for query in queries]
        how = manner(request)
        failed = [id for table, ids in found for id in ids if not self._deleted(table, id, start, how)]
        job = self._job(str(body["JobName"]), _FAILED if failed else _SUCCEEDED, how)
        return ok({"@odata.context": f"{request.root}$metadata#{_PREFIX}BulkDeleteResponse", "JobId": job})

    def _found(self, query: Any) -> tuple[Table, list[str]]:
        name = query.get("EntityName") if isinstance(query, dict) else None
        table = self._state.schema.tables.get(str(name))
        if table is None:
            raise _unclear(f"The query names no table: '{name}'.")
        test = _filter(table, query.get("Criteria") or {})
        return table, [row[table.id] for row in list(self._state.rows(table.name).values()) if test(row)]

    def _deleted(self, table: Table, id: str, start: str, how: Manner) -> bool:
        """Whether the row is gone or was not meant; a refusal stops neither the other rows nor takes anything back."""
        row = self._state.get(table.name, id)
        if row is None or row.get("createdon", "") > start:
            return True
        try:
            self._writer.delete(table, id, how)
        except errors.ApiError:
            return False
        return True

    def _job(self, name: str, status: int, how: Manner) -> str:
        state, id = self._state, self._state.new_id()
        row: Row = {"asyncoperationid": id, "name": name, "operationtype": _OPERATION, "createdon": state.now()}
        row |= {"modifiedon": row["createdon"], "statecode": _COMPLETED, "statuscode": status}
        state.put("asyncoperation", id, row, how.actor, "create", told=())
        return id


def _unclear(text: str) -> errors.ApiError:
    return errors.payload("BulkDelete", f"Microsoft.OData.ODataException: {text}")


def _filter(table: Table, criteria: Mapping[str, Any]) -> Test:
    """A FilterExpression: conditions and filters inside it, joined by its operator."""
    tests = [_condition(table, each) for each in criteria.get("Conditions") or ()]
    tests += [_filter(table, each) for each in criteria.get("Filters") or ()]
    join: Callable[[Iterable[bool]], bool] = any if criteria.get("FilterOperator") == "Or" and tests else all
    return lambda row: join(test(row) for test in tests)


def _condition(table: Table, condition: Mapping[str, Any]) -> Test:
    name, operator = condition.get("AttributeName"), str(condition.get("Operator"))
    column = table.columns.get(str(name))
    if column is None:
        raise errors.unknown_column(table.name, str(name))
    if operator not in _OPERATORS:
        raise errors.not_implemented(f"The operator {operator}")
    values = [_value(table, column, each) for each in condition.get("Values") or ()]
    test = _OPERATORS[operator]
    return lambda row: test(comparable(column, row.get(column.name)), values)


def _value(table: Table, column: Column, given: Any) -> Any:
    """A value of a condition, wrapped with its .NET type or bare."""
    raw = given.get("Value") if isinstance(given, dict) else given
    if column.edm == "Edm.Guid":
        return str(raw).lower()
    if column.edm == "Edm.Boolean":
        return str(raw).lower() in ("true", "1")
    return fold(raw) if column.edm == "Edm.String" else comparable(column, parse(column, raw, table))


def _first(values: list[Any]) -> Any:
    return values[0] if values else None


_OPERATORS: dict[str, Callable[[Any, list[Any]], bool]] = {
    "Equal": lambda held, values: held is not None and held == _first(values),
    "NotEqual": lambda held, values: held is not None and held != _first(values),
    "In": lambda held, values: held is not None and held in values,
    "NotIn": lambda held, values: held is not None and held not in values,
    "Null": lambda held, values: held is None,
    "NotNull": lambda held, values: held is not None,
    "GreaterThan": lambda held, values: held is not None and held > values[0],
    "GreaterEqual": lambda held, values: held is not None and held >= values[0],
    "LessThan": lambda held, values: held is not None and held < values[0],
    "LessEqual": lambda held, values: held is not None and held <= values[0],
}
