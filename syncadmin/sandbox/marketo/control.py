"""`/_sandbox/`: the truth, the troubles and every deed of the desk, over HTTP for tests outside the process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .answers import Answer, ApiError, PlainError, RowError, plain, to_json
from .requests import Request

if TYPE_CHECKING:
    from .app import MarketoSandbox

Deed = Callable[["MarketoSandbox", Any], Any]


def respond(sandbox: MarketoSandbox, request: Request) -> Answer:
    name = request.path.removeprefix("/_sandbox/").strip("/")
    deed = _READS.get(name) if request.method == "GET" else None
    if request.method == "POST":
        deed = _WRITES.get(name)
    if request.method == "DELETE" and name == "faults":
        sandbox.faults.clear()
        return Answer("204 No Content", [], b"")
    if deed is None:
        return plain("404 Not Found", "no such control")
    given: Any = request if request.method == "GET" else None
    try:
        if given is None:
            given = json.loads(request.body or b"{}")
            if not isinstance(given, dict) and name != "faults":
                raise ValueError("the body must be a JSON object")
        found = deed(sandbox, given)
    except PlainError as error:
        return error.answer
    # A wrong order is answered in words; anything else is a fault of the sandbox and shall be seen.
    except (RowError, ApiError, KeyError, ValueError, TypeError) as error:
        return Answer("400 Bad Request", [("Content-Type", "application/json")], to_json({"error": str(error)}))
    if isinstance(found, Answer):
        return found
    return Answer("200 OK", [("Content-Type", "application/json")], to_json(found))


def _lines(rows: list[dict[str, Any]]) -> Answer:
    body = b"".join(to_json(row) + b"\n" for row in rows)
    return Answer("200 OK", [("Content-Type", "application/x-ndjson")], body)


def _truth(sandbox: MarketoSandbox, request: Request) -> Answer:
    with sandbox.lock:
        return _lines([entry.as_json() for entry in sandbox.truth.since(request.number("since", 0, 2**62, 0))])


def _rows(sandbox: MarketoSandbox, request: Request) -> Answer:
    return _lines(list(sandbox.rows(request.one("entity") or "person")))


def _row(sandbox: MarketoSandbox, request: Request) -> Any:
    return sandbox.get("person", request.one("id"))


def _log(sandbox: MarketoSandbox, request: Request) -> Answer:
    return _lines(sandbox.activities_of(request.one("id")))


def _waiting(sandbox: MarketoSandbox, request: Request) -> Any:
    return [{**asdict(fault), "value": repr(fault.value)} for fault in sandbox.faults.waiting()]


def _faults(sandbox: MarketoSandbox, given: Any) -> Any:
    for order in given if isinstance(given, list) else [given]:
        sandbox.faults.add(order)
    return {"waiting": len(sandbox.faults.waiting())}


def _limits(sandbox: MarketoSandbox, given: dict[str, Any]) -> Any:
    sandbox.set_limits(bool(given.pop("on", True)), **given)
    return {"on": sandbox.limits.on}


def _refused(sandbox: MarketoSandbox, request: Request) -> Any:
    """How many calls of the day ended with which code."""
    return {"on": sandbox.limits.on, "refused": sandbox.limits.used_today()[1]["errors"]}


def _configure(sandbox: MarketoSandbox, given: dict[str, Any]) -> Any:
    sandbox.set_knobs(**given)
    return {"set": sorted(given)}


def _sync(sandbox: MarketoSandbox, given: dict[str, Any]) -> Any:
    outcome = sandbox.sync_person(given["id"], given.get("syncAs", "lead"), given.get("assignTo", ""))
    if outcome is None:
        raise KeyError(f"no person {given['id']}")
    return asdict(outcome)


def _load(sandbox: MarketoSandbox, given: dict[str, Any]) -> Any:
    ago = int(given.get("days_ago", 0))
    return {"ids": sandbox.load(given["entity"], given["rows"], dedupe=bool(given.get("dedupe")), days_ago=ago)}


def _create(sandbox: MarketoSandbox, given: dict[str, Any]) -> Any:
    values = given.get("values", given.get("changes", {}))
    return {"id": sandbox.create(given["entity"], values, by=given.get("by", "person"))}


def _edit(sandbox: MarketoSandbox, given: dict[str, Any]) -> Any:
    by, campaign = given.get("by", "person"), given.get("campaign")
    sandbox.edit(given["entity"], given["id"], given["changes"], by=by, campaign=campaign)
    return {"id": str(given["id"])}


def _calling(name: str, *keys: str) -> Deed:
    """A desk method called with these members of the body."""

    def deed(sandbox: MarketoSandbox, given: dict[str, Any]) -> Any:
        found = getattr(sandbox, name)(**{key: given[key] for key in keys if key in given})
        return {"result": found}

    return deed


_READS: dict[str, Deed] = {
    "truth": _truth,
    "rows": _rows,
    "row": _row,
    "activities": _log,
    "faults": _waiting,
    "limits": _refused,
}
_WRITES: dict[str, Deed] = {
    "faults": _faults,
    "limits": _limits,
    "configure": _configure,
    "load": _load,
    "create": _create,
    "edit": _edit,
    "delete": _calling("delete", "entity", "id", "by"),
    "merge": _calling("merge", "winner", "losers", "by"),
    "list": _calling("add_list", "name"),
    "list/add": _calling("add_to_list", "list_id", "ids", "by"),
    "list/remove": _calling("remove_from_list", "list_id", "ids", "by"),
    "block": _calling("block_field_updates", "field", "source"),
    "unblock": _calling("unblock_field_updates", "field"),
    "field": _calling("add_field", "name", "display", "kind"),
    "field/remove": _calling("remove_field", "name"),
    "company": _calling("link_company", "id", "external_id", "values"),
    "expire-tokens": _calling("expire_tokens"),
    "run-campaigns": _calling("run_campaigns"),
    "sync-person": _sync,
}
