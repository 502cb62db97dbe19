"""How each ordered trouble looks at Marketo's side of the wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from syncadmin.sandbox.faults import KINDS, Cut, Fault

from .answers import Answer, ApiError, plain

# These change what one handler does instead of the whole call; the handler asks for them itself.
ROW_KINDS = frozenset({"partial_batch"})
FEED_KINDS = frozenset({"duplicate_events", "late_events", "empty"})
CALL_KINDS = KINDS - ROW_KINDS - FEED_KINDS - {"rival"}
_MESSAGES = {
    "500": "Internal Server error",
    "502": "Bad Gateway",
    "601": "Access token invalid",
    "602": "Access token expired",
    "603": "Access denied",
    "604": "Request timed out",
    "606": "Max rate limit '100' exceeded with in '20' secs",
    "607": "Daily quota reached",
    "608": "API Temporarily Unavailable",
    "611": "System error",
    "614": "Invalid Subscription",
    "615": "Concurrent access limit '10' reached",
    "713": "Transient Error",
}
_CODES = {"rate_limit": "606", "daily_limit": "607", "concurrency": "615"}
_HTML = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center><hr>nginx</body></html>"


def is_feed(path: str) -> bool:
    return path.startswith("/rest/v1/activities") and path.endswith(("activities.json", "changes.json", "leads.json"))


def before(fault: Fault | None, path: str, sleep: Callable[[float], None]) -> Answer | None:
    """The answer instead of the call, or None to let the call happen. Raises Cut or ApiError."""
    if fault is None:
        return None
    # A slow call still happens; only its answer comes late.
    if fault.kind == "slow":
        sleep(float(fault.value or 1))
    elif fault.kind == "timeout_before":
        raise Cut
    elif fault.kind in _CODES:
        raise _error(_CODES[fault.kind])
    elif fault.kind == "expired_token":
        raise _error(fault.value or "602")
    elif fault.kind == "expired_delta" and is_feed(path):
        raise ApiError(1003, "Invalid paging token")
    elif fault.kind in ("error", "unavailable") and fault.value is not None:
        raise _error(fault.value)
    return _gateway(fault)


def _error(code: Any) -> ApiError:
    return ApiError(code, _MESSAGES.get(str(code), "System error"))


def _gateway(fault: Fault) -> Answer | None:
    """What a proxy in between says, in place of Marketo."""
    html = [("Content-Type", "text/html"), ("Server", "nginx")]
    if fault.kind == "error":
        return Answer("500 Internal Server Error", html, _HTML.format("500 Internal Server Error").encode())
    if fault.kind == "unavailable":
        status = "503 Service Temporarily Unavailable"
        return Answer(status, html, _HTML.format(status).encode())
    if fault.kind == "html":
        return Answer("200 OK", html, _HTML.format("Scheduled maintenance").encode())
    if fault.kind == "garbage":
        return Answer("200 OK", [("Content-Type", "application/json;charset=UTF-8")], b'{"requestId":"1#2","result":[{')
    if fault.kind == "empty":
        return plain("200 OK", "")
    return None


def after(fault: Fault | None, answer: Answer) -> Answer:
    """The call has happened; what of its answer arrives."""
    if fault is None or fault.kind not in ("cut", "timeout_after"):
        return answer
    if fault.kind == "timeout_after":
        raise Cut
    # The full length is promised, so the client can tell that the rest is missing.
    headers = [*answer.headers, ("Content-Length", str(len(answer.body)))]
    raise Cut(answer.status, headers, answer.body[: len(answer.body) // 2])
