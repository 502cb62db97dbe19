"""What stops a write: privileges, locks, plug-ins, column security, closed rows, owners, duplicate rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import errors
from .schema import Table
from .state import Actor, Row

if TYPE_CHECKING:
    from .write import Manner, Writer


def privilege(writer: Writer, verb: str, table: Table, actor: Actor) -> None:
    """403 if the sync user's role lacks this verb on this table."""
    name = f"prv{verb}{table.schema}"
    if actor.who.startswith("api:") and name in writer.settings["missing"]:
        raise errors.no_privilege(actor.user, name, table.name, table.code, table.label)


def may_create(writer: Writer, table: Table, values: Row, manner: Manner) -> None:
    privilege(writer, "Create", table, manner.actor)
    if manner.guarded:
        _secured(writer, table, values, "create", "0x8004f502")
        _veto(writer, table, values)


def may_update(writer: Writer, table: Table, id: str, old: Row, values: Row, manner: Manner) -> None:
    privilege(writer, "Write", table, manner.actor)
    if not manner.guarded:
        return
    _locked(writer, id)
    _secured(writer, table, values, "update", "0x8004f507")
    _veto(writer, table, values)
    closed = old.get("statecode", 0) != 0 and "statecode" not in values
    if closed and writer.settings["closed_readonly"]:
        code = "0x8004022e" if table.name == "lead" else "0x80040230"
        raise errors.ApiError(400, code, f"The {table.name} with id {id} is inactive or read-only.")


def may_delete(writer: Writer, table: Table, id: str, manner: Manner) -> None:
    privilege(writer, "Delete", table, manner.actor)
    if manner.guarded:
        _locked(writer, id)
    if table.name in ("systemuser", "transactioncurrency", "businessunit", "organization"):
        message = "The object you tried to delete is associated with another object and cannot be deleted."
        raise errors.ApiError(405, "0x80040227", message)


def _locked(writer: Writer, id: str) -> None:
    if id in writer.settings["locked"]:
        raise errors.ApiError(500, "0x80044151", "SQL timeout expired.")


def _secured(writer: Writer, table: Table, values: Row, verb: str, code: str) -> None:
    for name, denied in writer.settings["secured"].get(table.name, {}).items():
        if name in values and verb in denied:
            message = f"Caller user does not have privilege to {verb} the secured attribute '{name}' of '{table.name}'."
            raise errors.ApiError(403, code, message)


def _veto(writer: Writer, table: Table, values: Row) -> None:
    for veto in writer.settings["vetoes"]:
        if veto["entity"] == table.name and veto["column"] in values and values[veto["column"]] == veto["value"]:
            raise errors.ApiError(400, "0x80040265", veto.get("message", "This value is not allowed here."))


def rewrite(writer: Writer, table: Table, id: str, values: Row, manner: Manner) -> None:
    """A plug-in that runs as the system after a write and turns one value into another."""
    if not manner.guarded:
        return
    for rule in writer.settings["rewrites"]:
        name = rule["column"]
        if rule["entity"] == table.name and name in values and values[name] == rule["value"]:
            row: dict[str, Any] = {**(writer.state.get(table.name, id) or {}), name: rule["to"]}
            system = Actor("system", next(iter(writer.state.rows("systemuser"))))
            row.update({"modifiedby": system.user, "modifiedon": writer.state.now()})
            writer.state.put(table.name, id, row, system, "update")


def owner(writer: Writer, table: Table, row: Row, values: Row) -> None:
    """A disabled user may hold rows but gets no new ones; one without a role neither."""
    id = values.get("ownerid")
    if id is None or row.get("ownerid@type") != "systemuser":
        return
    if (writer.state.get("systemuser", id) or {}).get("isdisabled"):
        message = f"The specified user(Id = {id}) is disabled. Consider enabling this user."
        raise errors.ApiError(403, "0x80040225", message)
    if id in writer.settings["roleless"]:
        message = f"The owner with Id {id} does not have prvRead{table.schema} privilege on entity '{table.name}'."
        raise errors.ApiError(403, "0x80040229", message)


def duplicates(writer: Writer, table: Table, id: str, row: Row) -> None:
    """The published rules: same e-mail, by table and matching table."""
    address = str(row.get("emailaddress1") or "").strip()
    if not address or not table.duplicates:
        return
    for rule in writer.settings["duplicate_rules"]:
        mine, _, theirs = rule.partition(":")
        if mine != table.name:
            continue
        for other in writer.state.matching(theirs, ("emailaddress1",), (address,)):
            if (theirs, other) != (table.name, id):
                raise errors.duplicate()


def unreadable_columns(writer: Writer, table: Table) -> frozenset[str]:
    """Columns whose values the sync user may not see."""
    secured = writer.settings["secured"].get(table.name, {})
    return frozenset(name for name, denied in secured.items() if "read" in denied)
