"""Which part of the Web API answers a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import errors
from .address import existing, set_of
from .batch import Batch
from .bulk import Bulk
from .bulkdelete import BulkDelete
from .definitions import Definitions
from .lifecycle import Lifecycle
from .rows import Rows
from .wire import Answer, Request, ok
from .write import Writer

_PREFIX = "Microsoft.Dynamics.CRM."
_OUT_OF_SCOPE = frozenset({"RetrieveDuplicates", "Restore"})
VERSION = "9.2.25114.00181"


class Api:
    """Everything below `/api/data/v9.x/`. `inner_fault` may raise for an operation inside a batch."""

    def __init__(self, writer: Writer, inner_fault: Callable[[Request], None]) -> None:
        self.writer, self.state = writer, writer.state
        self.rows, self.bulk = Rows(writer), Bulk(writer)
        self.lifecycle, self.bulk_delete = Lifecycle(writer), BulkDelete(writer)
        self.definitions = Definitions(writer)
        self._inner_fault = inner_fault
        self._batch = Batch(self.state, self._inside)

    def answer(self, request: Request, failing: int | None = None) -> Answer:
        """One transaction, or one per operation for a batch; ApiError means that nothing stays."""
        if [piece.name for piece in request.path] == ["$batch"]:
            if request.method != "POST":
                raise errors.ApiError(405, "0x80060888", "A batch is posted.")
            return self._batch.answer(request, failing)
        self.state.begin()
        try:
            answer = self.single(request, failing)
        except BaseException:
            self.state.rollback()
            raise
        self.state.keep()
        return answer

    def _inside(self, request: Request) -> Answer:
        self._inner_fault(request)
        return self.single(request)

    def single(self, request: Request, failing: int | None = None) -> Answer:
        path = request.path
        if not path:
            return ok(self.definitions.service_document(request.root))
        first = path[0]
        if first.name == "$metadata":
            return self.definitions.csdl(request)
        if first.name in ("EntityDefinitions", "GlobalOptionSetDefinitions"):
            return self.definitions.answer(request)
        if len(path) == 1 and first.name in _FUNCTIONS:
            if request.method != "GET":
                raise errors.no_resource(f"{request.root}{request.target}")
            return ok(_FUNCTIONS[first.name](self, request))
        if len(path) == 1 and first.name == "Merge" and request.method == "POST":
            return self.lifecycle.merge_request(request)
        if len(path) == 1 and first.name == "BulkDelete" and request.method == "POST":
            return self.bulk_delete.answer(request)
        if first.name in _OUT_OF_SCOPE:
            raise errors.not_implemented(first.name)
        if len(path) > 1 and path[-1].name.startswith(_PREFIX):
            return self._bound(request, failing)
        if first.name[:1].isupper() and not self._means_a_set(first.name):
            raise errors.no_resource(f"{request.root}{request.target}")
        return self.rows.answer(request)

    def _means_a_set(self, name: str) -> bool:
        """Whether a name with a capital is a set or table written wrongly; anything else is a function written wrongly."""
        schema = self.state.schema
        return name.lower() in schema.sets or name.lower() in schema.tables

    def _bound(self, request: Request, failing: int | None) -> Answer:
        """An action bound to a set (bulk messages) or to a row (QualifyLead)."""
        table, action = set_of(self.state, request.path[0].name), request.path[-1].name
        if len(request.path) != 2 or request.method != "POST":
            raise errors.no_resource(f"{request.root}{request.target}")
        key = request.path[0].key
        if key is None and action.endswith("Multiple"):
            return self.bulk.answer(request, table, action, failing)
        if key is not None and action == f"{_PREFIX}QualifyLead" and table.name == "lead":
            return self.lifecycle.qualify_request(request, existing(self.state, table, key))
        raise errors.no_resource(f"{request.root}{request.target}")

    # -- functions

    def who_am_i(self, request: Request) -> dict[str, Any]:
        user = self.state.rows("systemuser")[request.actor.user]
        return {
            "@odata.context": f"{request.root}$metadata#{_PREFIX}WhoAmIResponse",
            "BusinessUnitId": user["businessunitid"],
            "UserId": request.actor.user,
            "OrganizationId": next(iter(self.state.rows("organization"))),
        }

    def version(self, request: Request) -> dict[str, Any]:
        return {"@odata.context": f"{request.root}$metadata#{_PREFIX}RetrieveVersionResponse", "Version": VERSION}

    def total_count(self, request: Request) -> dict[str, Any]:
        names = self.definitions.alias(request, "EntityNames")
        if not isinstance(names, list) or any(name not in self.state.schema.tables for name in names):
            raise errors.invalid("EntityNames must be a list of table names.")
        counts = [len(self.state.rows(name)) for name in names]
        return {
            "@odata.context": f"{request.root}$metadata#{_PREFIX}RetrieveTotalRecordCountResponse",
            "EntityRecordCountCollection": {"Count": len(names), "IsReadOnly": False, "Keys": names, "Values": counts},
        }


_FUNCTIONS: dict[str, Callable[[Api, Request], dict[str, Any]]] = {
    "WhoAmI": Api.who_am_i,
    "RetrieveVersion": Api.version,
    "RetrieveTotalRecordCount": Api.total_count,
}
