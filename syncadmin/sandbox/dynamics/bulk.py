"""CreateMultiple, UpdateMultiple and UpsertMultiple: one transaction for all rows of a request."""

from __future__ import annotations

from typing import Any

from . import errors
from .address import by_key, key_values, named
from .payload import Changes, read
from .rows import manner
from .schema import Table
from .wire import Answer, Request, ok, segments
from .write import Manner, Writer

_PREFIX = "Microsoft.Dynamics.CRM."


class Bulk:
    """The caller keeps the transaction; an ApiError means that nothing of the request may stay."""

    def __init__(self, writer: Writer) -> None:
        self._writer, self._state = writer, writer.state

    def answer(self, request: Request, table: Table, message: str, failing: int | None = None) -> Answer:
        name = message.removeprefix(_PREFIX)
        if name == "DeleteMultiple":
            raise errors.ApiError(400, "0x80040800", "DeleteMultiple has not yet been implemented.")
        if name not in table.messages:
            raise errors.ApiError(400, "0x80040800", f"{name} has not yet been implemented for entity {table.name}.")
        targets = self._targets(request, table)
        if failing is not None and 1 <= failing <= len(targets):
            raise errors.ApiError(400, "0x80040265", "A plug-in of this organisation refused a record.")
        how = manner(request)
        if name == "CreateMultiple":
            ids = [self._writer.create(table, self._read(request, table, each, True), how) for each in targets]
            return ok({"@odata.context": f"{request.root}$metadata#{_PREFIX}CreateMultipleResponse", "Ids": ids})
        (self._update if name == "UpdateMultiple" else self._upsert)(request, table, targets, how)
        return Answer(204)

    def _targets(self, request: Request, table: Table) -> list[dict[str, Any]]:
        targets = request.json(table.set).get("Targets")
        if not isinstance(targets, list) or not targets:
            raise errors.payload(table.set, "Microsoft.OData.ODataException: The parameter 'Targets' holds no records.")
        for each in targets:
            kind = str(each.get("@odata.type", "")).lstrip("#") if isinstance(each, dict) else ""
            if kind != f"{_PREFIX}{table.name}":
                inner = f"Microsoft.OData.ODataException: A type named '{kind}' could not be resolved for an item of 'Targets' of type '{_PREFIX}crmbaseentity'."
                raise errors.payload(table.set, inner)
        return targets

    def _read(self, request: Request, table: Table, target: dict[str, Any], creating: bool) -> Changes:
        return read(self._state, table, target, creating, request.references)

    def _id(self, table: Table, target: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
        """The row an item names, by id in the body, by `@odata.id`, or by alternate key; with the key's values."""
        key = target.get(table.id)
        if key is None and "@odata.id" in target:
            pieces = segments(str(target["@odata.id"]).rpartition("/")[2])
            if len(pieces) != 1 or pieces[0].key is None:
                raise errors.bad_key(table.name)
            key = pieces[0].key
        if key is None:
            return None, {}
        id = named(table, str(key))
        if id is not None:
            return id, {}
        if "=" not in str(key):
            raise errors.wrong_type(table.set, str(key), "Edm.Guid")
        values = key_values(table, str(key))
        return by_key(self._state, table, values), values

    def _update(self, request: Request, table: Table, targets: list[dict[str, Any]], how: Manner) -> None:
        done: set[str] = set()
        for target in targets:
            id, values = self._id(table, target)
            if id is None and values:
                raise errors.absent_by_key(table.name)
            if id is None:
                raise errors.required(table.id, table.name)
            if self._state.get(table.name, id) is None:
                message = f"{table.schema} With Ids = {id} Do Not Exist"
                raise errors.ApiError(404, "0x80040217", message)
            # The first of several entries for one row wins; the others are dropped without a word.
            if id not in done:
                done.add(id)
                self._writer.update(table, id, self._without(request, table, target, values), how)

    def _without(self, request: Request, table: Table, target: dict[str, Any], dropped: dict[str, Any]) -> Changes:
        changes = self._read(request, table, target, False)
        changes.values = {name: value for name, value in changes.values.items() if name not in dropped}
        return changes

    def _upsert(self, request: Request, table: Table, targets: list[dict[str, Any]], how: Manner) -> None:
        done: set[str] = set()
        for target in targets:
            id, values = self._id(table, target)
            # Unlike UpdateMultiple, which drops later entries, the upsert fails as a whole.
            if id is not None and id in done:
                raise errors.ApiError(412, "0x80040237", "Cannot insert duplicate key.")
            if id is not None and self._state.get(table.name, id) is not None:
                self._writer.update(table, id, self._without(request, table, target, values), how)
            else:
                changes = self._read(request, table, target, True)
                changes.values = {**values, **changes.values}
                id = self._writer.create(table, changes, how, id)
            done.add(id)
