"""Columns the server fills by itself."""

from __future__ import annotations

from . import errors
from .schema import Table
from .state import Actor, Row, State
from .values import parse

_NAME_PARTS = ("firstname", "middlename", "lastname")
_ADDRESS_PARTS = ("line1", "line2", "line3", "city", "stateorprovince", "postalcode", "country")


def default_status(table: Table, state: int | None) -> int | None:
    option = table.columns["statecode"].option(state)
    return option.extra if option else None


def states(table: Table, id: str, old: Row, values: Row) -> Row:
    """statecode and statuscode after a write that names one or both; 400 if they do not go together."""
    if "statuscode" not in table.columns or not {"statecode", "statuscode"} & values.keys():
        return {}
    state, status = values.get("statecode", old.get("statecode", 0)), values.get("statuscode")
    if status is None:
        return {"statecode": state, "statuscode": default_status(table, state)}
    option = table.columns["statuscode"].option(status)
    if option is None or option.extra != state:
        found = table.columns["statecode"].option(state)
        raise errors.bad_status(status, table.name, found.label if found else str(state), id)
    return {"statecode": state, "statuscode": status}


def money(state: State, table: Table, row: Row, values: Row) -> None:
    """The base-currency companion of each money column, and the currency itself when a first amount comes."""
    for name in values:
        column = table.columns.get(name)
        if column is None or column.type != "Money":
            continue
        if table.has(f"{name}_base"):
            # One currency with exchange rate 1: the amount is its own base amount.
            row[f"{name}_base"] = row.get(name)
        if row.get(name) is not None and row.get("transactioncurrencyid") is None:
            row["transactioncurrencyid"] = next(iter(state.rows("transactioncurrency")), None)
            row["transactioncurrencyid@type"] = "transactioncurrency"
    if table.has("exchangerate") and table.name != "transactioncurrency" and row.get("transactioncurrencyid"):
        row.setdefault("exchangerate", parse(table.columns["exchangerate"], 1, table))


def names(table: Table, row: Row, values: Row) -> None:
    """fullname from its parts (convention 1: first, last) and the composite of each address that was touched."""
    if table.has("fullname") and any(part in values for part in _NAME_PARTS):
        row["fullname"] = " ".join(row[part] for part in ("firstname", "lastname") if row.get(part)) or None
    for number in ("1", "2", "3"):
        prefix = f"address{number}_"
        if table.has(f"{prefix}composite") and any(name.startswith(prefix) for name in values):
            row[f"{prefix}composite"] = _composite(*(row.get(prefix + part) for part in _ADDRESS_PARTS))


def _composite(
    line1: str | None,
    line2: str | None,
    line3: str | None,
    city: str | None,
    region: str | None,
    postal: str | None,
    country: str | None,
) -> str | None:
    place = " ".join(part for part in (region, postal) if part)
    town = ", ".join(part for part in (city, place) if part)
    return "\r\n".join(part for part in (line1, line2, line3, town, country) if part) or None


def copies(state: State, table: Table, row: Row, values: Row) -> None:
    """Read-only companions of the owner and of the customer columns."""
    if "ownerid" in row and ("ownerid" in values or "owninguser" not in row):
        _owner(state, row)
    for name in ("parentcustomerid", "customerid"):
        if name in values and table.name in ("lead", "contact"):
            target = row.get(f"{name}@type")
            own = {"contact": "parentcontactid", "lead": "contactid"}[table.name]
            row["accountid"], row["accountid@type"] = (row[name], "account") if target == "account" else (None, None)
            row[own], row[f"{own}@type"] = (row[name], "contact") if target == "contact" else (None, None)


def _owner(state: State, row: Row) -> None:
    user = row.get("ownerid@type") == "systemuser"
    row.update({"owninguser": None, "owningteam": None, "owninguser@type": None, "owningteam@type": None})
    held = "owninguser" if user else "owningteam"
    row[held], row[f"{held}@type"] = row["ownerid"], "systemuser" if user else "team"
    owner = state.get("systemuser" if user else "team", row["ownerid"]) or {}
    row["owningbusinessunit"], row["owningbusinessunit@type"] = owner.get("businessunitid"), "businessunit"


def stamps(state: State, table: Table, row: Row, actor: Actor, created: bool) -> None:
    now = state.now()
    if created:
        back = row.get("overriddencreatedon")
        row["createdon"] = back or now
        row["overriddencreatedon"] = now if back else None
        row["createdby"], row["createdby@type"] = actor.user, "systemuser"
    row["modifiedon"] = now
    row["modifiedby"], row["modifiedby@type"] = actor.user, "systemuser"
    for name in ("createdon", "createdby", "modifiedon", "modifiedby", "overriddencreatedon"):
        if not table.has(name):
            row.pop(name, None)
            row.pop(f"{name}@type", None)
