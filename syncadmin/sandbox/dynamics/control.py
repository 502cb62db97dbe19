"""The sandbox's own addresses: truth log, faults, edits, settings, and the web page."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from .errors import ApiError
from .pages import Pages
from .values import guid
from .wire import Answer

if TYPE_CHECKING:
    from .app import DynamicsSandbox

_LOOPBACK = ("127.0.0.1", "::1", "")
_ROW_VERBS = ("qualify", "merge", "restore", "assign", "deactivate", "reactivate")
_OTHER_VERBS = (
    "expire_delta_tokens", "expire_tokens", "add_column", "remove_column", "retype_column", "configure", "set_expiry",
    "set_messages", "set_tracking",
)  # fmt: skip


class Control:
    """Answers under `/_sandbox/`; from this machine only, no sign-in."""

    def __init__(self, sandbox: DynamicsSandbox) -> None:
        self._sandbox, self._pages = sandbox, Pages(sandbox)

    def answer(self, method: str, path: str, environ: dict[str, Any], body: bytes) -> Answer:
        if environ.get("REMOTE_ADDR", "") not in _LOOPBACK:
            return _json({"error": "this address answers to its own machine only"}, 403)
        query = dict(parse_qsl(environ.get("QUERY_STRING", "")))
        if not path.startswith("/_sandbox"):
            return self._pages.answer(method, path, query, body)
        try:
            sent = json.loads(body) if body else {}
            return self._verb(method, path.removeprefix("/_sandbox").strip("/"), query, sent)
        except ApiError as error:
            return _json({"error": {"code": error.code, "message": error.message}}, error.status)
        except (ValueError, TypeError, KeyError, LookupError) as error:
            return _json({"error": f"{type(error).__name__}: {error}"}, 400)

    def _verb(self, method: str, verb: str, query: dict[str, str], sent: Any) -> Answer:
        sandbox = self._sandbox
        match method, verb:
            case "GET", "truth":
                return _lines(each.as_json() for each in sandbox.truth.since(int(query.get("since", 0))))
            case "GET", "rows":
                return _lines(_jsonable(row) for row in sandbox.rows(query["entity"]))
            case "GET", "settings":
                return _json(sandbox.settings.all())
            case "GET", "faults":
                return _json([{**asdict(fault), "value": repr(fault.value)} for fault in sandbox.faults.waiting()])
            case "POST", "faults":
                for fault in sent if isinstance(sent, list) else [sent]:
                    sandbox.faults.add(fault)
                return _json({"waiting": len(sandbox.faults.waiting())})
            case "DELETE", "faults":
                sandbox.faults.clear()
                return _json({"waiting": 0})
            case "GET", "limits":
                return _json({"enforced": sandbox.limits.enforced, "refused": dict(sandbox.limits.refused)})
            case "POST", "limits":
                sandbox.set_limits(**sent)
                return _json(sandbox.settings["limits"] | {"enforced": sandbox.limits.enforced})
            case "POST", _:
                return self._post(verb, sent)
        return _json({"error": f"no such address: {method} {verb}"}, 404)

    def _post(self, verb: str, sent: dict[str, Any]) -> Answer:
        sandbox = self._sandbox
        by = sent.get("by", "person")
        match verb:
            case "create":
                return _json({"id": sandbox.create(sent["entity"], sent.get("values", sent.get("changes", {})), by=by)})
            case "edit":
                sandbox.edit(sent["entity"], _id(sent), sent["changes"], by=by)
            case "delete":
                sandbox.delete(sent["entity"], _id(sent), by=by)
            case "load":
                age = int(sent.get("days_ago", 0))
                refused = sandbox.load(sent["entity"], sent["rows"], by=sent.get("by", "load"), days_ago=age)
                return _json({"loaded": len(sent["rows"]) - len(refused), "refused": refused})
            case name if name in _ROW_VERBS or name in _OTHER_VERBS:
                return _json({"result": getattr(sandbox, name)(**sent)})
            case other:
                return _json({"error": f"no such verb: {other}"}, 404)
        return _json({"ok": True})


def _id(sent: dict[str, Any]) -> str:
    found = guid(str(sent["id"]))
    if found is None:
        raise ValueError(f"no id: {sent['id']!r}")
    return found


def _jsonable(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value if isinstance(value, str | int | float | bool) or value is None else float(value)
        for name, value in row.items()
    }


def _lines(values: Iterable[Any]) -> Answer:
    return Answer(
        200, "".join(f"{json.dumps(value)}\n" for value in values).encode() or b"\n", type="application/x-ndjson"
    )


def _json(value: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value).encode(), type="application/json")
