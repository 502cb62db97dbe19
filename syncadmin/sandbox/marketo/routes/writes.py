"""Writing people: create and update, delete, merge, associate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncadmin.sandbox.faults import Fault
from syncadmin.sandbox.marketo import persons
from syncadmin.sandbox.marketo.answers import ApiError, Payload, RowError
from syncadmin.sandbox.marketo.requests import Request
from syncadmin.sandbox.marketo.routing import route
from syncadmin.sandbox.marketo.state import Cause, State

from .leads import PARTITIONS

if TYPE_CHECKING:
    from syncadmin.sandbox.marketo.app import MarketoSandbox

_ACTIONS = ("createOrUpdate", "createOnly", "updateOnly", "createDuplicate")
_API = "Web service API"
Row = dict[str, Any]


def api_cause(request: Request, method: str) -> Cause:
    return Cause(f"api:{request.client}", _API, _API, None, request.id, request.user, method)


def skipped(error: RowError, name: str = "reasons") -> Row:
    return {"status": "skipped", name: [error.reason]}


def partial(fault: Fault | None, number: int) -> None:
    """The order that the n-th row of a batch (from 1) fails; `value` may also say with which code."""
    if fault is None:
        return
    wanted: Row = fault.value if isinstance(fault.value, dict) else {"row": fault.value or 1}
    if number == wanted.get("row", 1):
        raise RowError(wanted.get("code", 1003), wanted.get("message", "Invalid data"))


def sync(sandbox: MarketoSandbox, request: Request) -> Payload:
    body, rows = request.json(), request.rows()
    job = _Sync(sandbox.state, body, api_cause(request, "syncLeads"))
    fault, result = sandbox.partial(request), []
    for number, row in enumerate(rows, 1):
        try:
            partial(fault, number)
            result.append(job.row(row))
        except RowError as error:
            result.append(skipped(error))
    # Asynchronous calls are acknowledged without rows; here the work is done all the same.
    return Payload(None if body.get("asyncProcessing") is True else result)


def partition_of(name: Any) -> int | None:
    """The partition's id; None if none is named."""
    if not name:
        return None
    for partition in PARTITIONS:
        if str(name).casefold() == str(partition["name"]).casefold():
            return int(str(partition["id"]))
    raise ApiError(1008, f"Access denied to partition '{name}'")


class _Sync:
    """The settings of one sync call, and what it does to each row."""

    def __init__(self, state: State, body: Row, cause: Cause) -> None:
        self.state, self.cause = state, cause
        self.action = body.get("action") or "createOrUpdate"
        self.lookup = body.get("lookupField") or "email"
        if self.action not in _ACTIONS:
            raise ApiError(1003, f"Invalid value for field 'action' and value '{self.action}'")
        if self.action != "createDuplicate":
            self._check_lookup()
        self.partition = self._partition(body.get("partitionName"))

    def _check_lookup(self) -> None:
        field = self.state.fields.get(self.lookup) if isinstance(self.lookup, str) else None
        if field is None:
            raise ApiError(1006, f"Lookup field '{self.lookup}' not found")
        if not field.searchable:
            raise ApiError(1011, f"Field '{self.lookup}' not supported")
        if self.lookup == "id" and self.action != "updateOnly":
            raise ApiError(1003, f"Lookup field 'id' is not allowed with action '{self.action}'")

    def _partition(self, name: Any) -> int | None:
        creates = self.action != "updateOnly"
        if not name:
            if creates and self.state.knobs.partition_required:
                raise ApiError(1009, "Partition name must be specified")
            return None
        if self.action not in ("createOnly", "createOrUpdate"):
            raise ApiError(1003, f"partitionName is not allowed with action '{self.action}'")
        return partition_of(name)

    def row(self, row: Any) -> Row:
        if not isinstance(row, dict):
            raise RowError(1003, "Invalid data")
        matches = self._matches(row)
        # Sending an id with another key would let a row name two people.
        if "id" in row and self.lookup != "id":
            raise RowError(1003, f"Field 'id' is not allowed with action '{self.action}' and this lookup field")
        # The whole record is checked before the match decides: a bad value is told in any case.
        values = persons.checked(self.state, {name: value for name, value in row.items() if name != "id"})
        if len(matches) > 1 and self.action in ("createOrUpdate", "updateOnly"):
            raise RowError(1007, "Multiple lead match lookup criteria")
        if matches and self.action == "createOnly":
            raise RowError(1005, "Lead already exists")
        if not matches and self.action == "updateOnly":
            raise RowError(1004, "Lead not found")
        if matches:
            return self._update(matches[0], values)
        id = persons.create(self.state, values, self.cause, partition=self.partition or 1)
        return {"id": int(id), "status": "created"}

    def _matches(self, row: Row) -> list[str]:
        if self.action == "createDuplicate":
            return []
        value = row.get(self.lookup)
        if value is None or value == "":
            raise RowError(1002, f"Missing value for the required parameter '{self.lookup}'")
        return self.state.find(self.lookup, value)

    def _update(self, id: str, values: Row) -> Row:
        person = self.state.people[id]
        if self.partition is not None and str(self.partition) != str(person.get("leadPartitionId", 1)):
            raise RowError(1010, "Partition update not allowed")
        if self.state.knobs.company_writes == "refuse" and self.state.linked_company(person):
            for name in values:
                field = self.state.fields.get(name)
                if field and field.company and name != "externalCompanyId":
                    raise RowError(1021, "Company update not allowed")
        persons.change(self.state, id, values, self.cause)
        return {"id": int(id), "status": "updated"}


def delete(sandbox: MarketoSandbox, request: Request) -> Payload:
    state, cause = sandbox.state, api_cause(request, "deleteLeads")
    fault, result = sandbox.partial(request), []
    for number, id in enumerate(request.ids(), 1):
        try:
            partial(fault, number)
            if state.person(id) is None:
                raise RowError(1004, "Lead not found")
            persons.delete(state, str(id), cause)
            result.append({"id": int(id), "status": "deleted"})
        except RowError as error:
            # Unlike a skipped upsert row, a delete names the id it could not find.
            result.append({**({"id": int(id)} if str(id).isdigit() else {}), **skipped(error)})
    return Payload(result)


def merge(sandbox: MarketoSandbox, request: Request, id: str) -> Payload:
    losers = request.many("leadIds") or request.many("leadId")
    if not losers:
        raise ApiError(1002, "Missing value for the required parameter 'leadId'")
    persons.merge(sandbox.state, id, losers, api_cause(request, "mergeLeads"))
    return Payload()


def associate(sandbox: MarketoSandbox, request: Request, id: str) -> Payload:
    state, cookie = sandbox.state, request.required("cookie")
    row = state.person(id)
    if row is None:
        raise ApiError(1004, f"Lead '{id}' not found")
    if not cookie.startswith("id:"):
        raise ApiError(1012, f"Invalid cookie value '{cookie}'")
    if cookie not in row.get("_cookies", ()):
        state.keep(id, {**row, "_cookies": [*row.get("_cookies", ()), cookie]})
    return Payload()


_WRITE = "Read-Write Lead"
ROUTES = (
    route("POST", "/rest/v1/leads.json", sync, _WRITE),
    route("DELETE", "/rest/v1/leads.json", delete, _WRITE),
    route("POST", "/rest/v1/leads/delete.json", delete, _WRITE),
    route("DELETE", "/rest/v1/leads/delete.json", delete, _WRITE),
    route("POST", "/rest/v1/leads/{id}/merge.json", merge, _WRITE),
    route("POST", "/rest/v1/leads/{id}/associate.json", associate, _WRITE),
)
