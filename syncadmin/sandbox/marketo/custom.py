"""Custom activity types: a draft is approved, changed in a new draft, approved again; at most ten of them."""

from __future__ import annotations

import re
from typing import Any

from syncadmin.sandbox.storage import Store

from .activities import FIRST_CUSTOM_TYPE
from .answers import ApiError, blank

_MOST_TYPES, _MOST_ATTRIBUTES = 10, 20
KINDS = (
    "string",
    "boolean",
    "integer",
    "float",
    "link",
    "email",
    "currency",
    "date",
    "datetime",
    "phone",
    "text",
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_CORE = ("name", "description", "triggerName", "filterName")
Type = dict[str, Any]


class CustomTypes:
    """Rows by apiName: {"id", "draft": body or None, "approved": body or None, "deleted": bool, times}."""

    def __init__(self, store: Store) -> None:
        self._table = store.table("custom_types")
        self._counters = store.table("counters")

    def all(self) -> list[Type]:
        return list(self._table.values())

    def approved(self) -> list[Type]:
        return [row for row in self._table.values() if row["approved"] and not row["deleted"]]

    def find(self, api_name: str) -> Type:
        row: Type | None = self._table.get(api_name.casefold())
        if row is None or row["deleted"]:
            raise ApiError(1013, f"Object not found: activity type '{api_name}'")
        return row

    def by_id(self, id: Any) -> Type | None:
        return next((row for row in self.approved() if str(row["id"]) == str(id)), None)

    def create(self, given: dict[str, Any], now: str) -> Type:
        body = self._new_body(given)
        api_name = body["apiName"]
        known = self._table.get(api_name.casefold())
        if known is not None and not known["deleted"]:
            raise ApiError(1017, f"Object already exists: activity type '{api_name}'")
        if sum(not row["deleted"] for row in self._table.values()) >= _MOST_TYPES:
            raise ApiError(1027, "Max Activity Type Limit Reached")
        # Filter and trigger names appear in smart lists of everybody, so they are unique as well.
        self._names_free(body, api_name)
        id = int(self._counters.get("custom_type", FIRST_CUSTOM_TYPE - 1)) + 1
        self._counters["custom_type"] = id
        return self._keep({"id": id, "draft": body, "approved": None, "deleted": False, "createdAt": now}, now)

    def _new_body(self, given: dict[str, Any]) -> dict[str, Any]:
        for name in ("apiName", "name", "triggerName", "filterName", "primaryAttribute"):
            if not given.get(name):
                raise blank(name)
        if not isinstance(given["apiName"], str) or not _NAME.match(given["apiName"]):
            raise ApiError(1003, f"Invalid value for field 'apiName' and value '{given['apiName']}'")
        for name in ("name", "triggerName", "filterName"):
            if not isinstance(given[name], str):
                raise ApiError(1003, f"Invalid value for field '{name}' and value '{given[name]}'")
        primary = given["primaryAttribute"]
        if not isinstance(primary, dict) or not primary.get("apiName") or not primary.get("name"):
            raise blank("primaryAttribute")
        body = {"apiName": given["apiName"], **{name: given.get(name) for name in _CORE}}
        body["primaryAttribute"] = {
            "apiName": primary["apiName"],
            "name": primary["name"],
            "description": primary.get("description"),
            "dataType": primary.get("dataType", "string"),
        }
        return body | {"attributes": []}

    def _names_free(self, body: dict[str, Any], api_name: str) -> None:
        for row in self._table.values():
            other = row["draft"] or row["approved"]
            if row["deleted"] or other["apiName"] == api_name:
                continue
            for name in ("name", "triggerName", "filterName"):
                if str(other[name]).casefold() == str(body[name]).casefold():
                    raise ApiError(1017, f"Object already exists: {name} '{body[name]}'")

    def change(self, api_name: str, given: dict[str, Any], now: str) -> Type:
        row = self.find(api_name)
        # A change never touches the approved version: it starts or goes on with a draft.
        draft = dict(row["draft"] or row["approved"])
        core = ("name", "triggerName", "filterName", "primaryAttribute")
        if row["approved"] and any(given.get(name, draft[name]) != draft[name] for name in core):
            raise ApiError(1003, "The core fields of an approved type cannot be changed")
        draft.update((name, given[name]) for name in _CORE if name in given)
        if isinstance(given.get("primaryAttribute"), dict):
            draft["primaryAttribute"] = draft["primaryAttribute"] | given["primaryAttribute"]
        self._names_free(draft, draft["apiName"])
        return self._keep({**row, "draft": draft}, now)

    def attributes(self, api_name: str, deed: str, given: Any, now: str) -> Type:
        """`deed` is create, update or delete, as in the path."""
        row = self.find(api_name)
        if not isinstance(given, list) or not given or not all(isinstance(item, dict) for item in given):
            raise blank("attributes")
        draft = dict(row["draft"] or row["approved"])
        found = {item["apiName"].casefold(): item for item in draft["attributes"]}
        for item in given:
            self._attribute(found, deed, item)
        if len(found) > _MOST_ATTRIBUTES:
            raise ApiError(1028, "Max field limit reached")
        return self._keep({**row, "draft": draft | {"attributes": list(found.values())}}, now)

    @staticmethod
    def _attribute(found: dict[str, dict[str, Any]], deed: str, item: dict[str, Any]) -> None:
        name = item.get("apiName")
        if not isinstance(name, str) or not _NAME.match(name):
            raise blank("apiName")
        known = found.get(name.casefold())
        if deed == "create":
            if known:
                raise ApiError(1017, f"Object already exists: attribute '{name}'")
            if not item.get("name"):
                raise blank("name")
            if item.get("dataType", "string") not in KINDS:
                raise ApiError(1003, f"Invalid value for field 'dataType' and value '{item['dataType']}'")
            known = {"apiName": name, "dataType": "string", "description": None}
        elif known is None:
            raise ApiError(1013, f"Object not found: attribute '{name}'")
        if deed == "delete":
            del found[name.casefold()]
            return
        more = {key: item[key] for key in ("name", "description", "dataType") if key in item}
        found[name.casefold()] = known | more

    def approve(self, api_name: str, now: str) -> Type:
        row = self.find(api_name)
        if not row["draft"]:
            raise ApiError(1003, f"Activity type '{api_name}' has no draft")
        return self._keep({**row, "approved": row["draft"], "draft": None}, now)

    def discard(self, api_name: str, now: str) -> Type:
        row = self.find(api_name)
        if not row["draft"] or not row["approved"]:
            raise ApiError(1003, f"Activity type '{api_name}' has no draft that could be discarded")
        return self._keep({**row, "draft": None}, now)

    def delete(self, api_name: str, now: str) -> Type:
        # The row stays, so that its id is never given again.
        return self._keep({**self.find(api_name), "deleted": True}, now)

    def _keep(self, row: Type, now: str) -> Type:
        row = row | {"updatedAt": now}
        body = row["draft"] or row["approved"]
        # Names of types are compared without case, like those of fields.
        self._table[body["apiName"].casefold()] = row
        return row


def status(row: Type) -> str:
    if row["deleted"]:
        return "deleted"
    if row["draft"]:
        return "approved with draft" if row["approved"] else "draft"
    return "approved"


def shown(row: Type, draft: bool = False, attributes: bool = False) -> dict[str, Any]:
    """A type as the answers print it; the approved version unless a draft is asked for or all there is."""
    body = (row["draft"] if draft or not row["approved"] else None) or row["approved"] or row["draft"]
    found = {"id": row["id"], **{key: value for key, value in body.items() if key != "attributes"}}
    found |= {"status": status(row), "createdAt": row["createdAt"], "updatedAt": row["updatedAt"]}
    return found | {"attributes": body["attributes"]} if attributes else found
