"""What a new organisation holds before anybody adds people: users, teams, a currency, regions, messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .schema import metadata_id
from .state import Actor, State

# (first name, last name, e-mail, access mode, disabled)
USERS = (
    ("", "SYSTEM", "", 3, False),
    ("Sync", "Service", "sync.service@sandbox.example", 4, False),
    ("Ola", "Vik", "ola.vik@sandbox.example", 0, False),
    ("Ada", "Sørensen", "ada.sorensen@sandbox.example", 0, False),
    ("Rui", "Tavares", "rui.tavares@sandbox.example", 0, False),
    ("Mei", "Lin", "mei.lin@sandbox.example", 0, False),
    ("Gone", "Hansen", "gone.hansen@sandbox.example", 0, True),
)
_TABLE_MESSAGES = ("lead", "contact", "account", "opportunity", "nvk_region")


def user_id(last_name: str) -> str:
    """The id of a seeded user; the same in every sandbox."""
    return metadata_id("systemuser", last_name)


SYSTEM, SYNC, PERSON, RIVAL = (user_id(name) for name in ("SYSTEM", "Service", "Vik", "Tavares"))


def fill(state: State) -> None:
    """Put the fixed rows in place; their ids do not depend on the seed."""
    unit, organisation = metadata_id("businessunit"), metadata_id("organization")
    _put(state, "businessunit", unit, {"name": "sandbox", "isdisabled": False})
    facts = {
        "name": "sandbox",
        "languagecode": 1033,
        "expirechangetrackingindays": 7,
        "fullnameconventioncode": 1,
        "pricingdecimalprecision": 2,
    }
    _put(state, "organization", organisation, facts)
    currency = {
        "currencyname": "Euro",
        "isocurrencycode": "EUR",
        "currencysymbol": "€",
        "currencyprecision": 2,
        "exchangerate": "1.000000000000",
    }
    _put(state, "transactioncurrency", metadata_id("currency"), currency)
    for first, last, address, mode, disabled in USERS:
        _put(state, "systemuser", user_id(last), _user(first, last, address, mode, disabled, unit))
    for name in ("sandbox", "Field marketing"):
        facts = {"name": name, "teamtype": 0, "isdefault": name == "sandbox", "businessunitid": unit}
        _put(state, "team", metadata_id("team", name), facts)
    for name in ("Nordics", "Iberia", "Benelux"):
        _put(state, "nvk_region", metadata_id("region", name), {"nvk_name": name})
    messages(state)


def messages(state: State) -> None:
    """Which bulk messages exist for which table; UpsertMultiple is there without being listed."""
    for name in ("CreateMultiple", "UpdateMultiple"):
        message = metadata_id("message", name)
        _put(state, "sdkmessage", message, {"name": name})
        for entity in _TABLE_MESSAGES:
            id = metadata_id("filter", name, entity)
            if name in state.schema.tables[entity].messages:
                _put(
                    state,
                    "sdkmessagefilter",
                    id,
                    {"name": name, "primaryobjecttypecode": entity, "sdkmessageid": message},
                )
            elif state.get("sdkmessagefilter", id):
                state.remove("sdkmessagefilter", id, Actor("system", SYSTEM))


def _user(first: str, last: str, address: str, mode: int, disabled: bool, unit: str) -> dict[str, Any]:
    return {
        "firstname": first or None,
        "lastname": last,
        "fullname": f"{first} {last}".strip(),
        "internalemailaddress": address or None,
        "domainname": address or last,
        "isdisabled": disabled,
        "accessmode": mode,
        "caltype": 0,
        "userlicensetype": 0,
        "islicensed": True,
        "isintegrationuser": False,
        "businessunitid": unit,
        "applicationid": metadata_id("application") if last == "Service" else None,
        "azureactivedirectoryobjectid": metadata_id("directory", last),
    }


def _put(state: State, entity: str, id: str, values: Mapping[str, Any]) -> None:
    table, now = state.schema.tables[entity], state.now()
    row: dict[str, Any] = {table.id: id, **values}
    row.update({name: now for name in ("createdon", "modifiedon") if table.has(name)})
    row.update(
        {f"{name}@type": next(iter(table.columns[name].targets)) for name in values if table.columns[name].targets}
    )
    state.put(entity, id, row, Actor("system", SYSTEM), "create", told=())
