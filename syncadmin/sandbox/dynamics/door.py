"""From WSGI to the API and back: faults, sign-in, limits, response headers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from syncadmin.sandbox.faults import KINDS, Cut, Fault

from . import errors, seed
from .api import Api
from .state import Actor
from .wire import Answer, Request, refusal

if TYPE_CHECKING:
    from .app import DynamicsSandbox

_API = ("/api/data/v9.0", "/api/data/v9.1", "/api/data/v9.2")
_LONGEST_URL = 32_768
_LONGEST_BODY = 128 * 1024 * 1024
_PAGE = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
StartResponse = Callable[..., Any]


class Door:
    """Handles one HTTP request after the other; `sleep` is called outside the lock."""

    def __init__(self, sandbox: DynamicsSandbox, sleep: Callable[[float], None]) -> None:
        self._sandbox, self._sleep = sandbox, sleep
        self._api = Api(sandbox.writer, self._inner_fault)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)) if "wsgi.input" in environ else b""
        if path in ("/", "", "/record") or path.startswith("/_sandbox/"):
            answer = self._sandbox.control.answer(method, path, environ, body)
        else:
            answer = self._remote(method, path, environ, body)
        start_response(answer.line, answer.lines() if path.startswith("/api/") else _plain(answer))
        return [] if method == "HEAD" else [answer.body]

    def _remote(self, method: str, path: str, environ: dict[str, Any], body: bytes) -> Answer:
        """An answer of the remote system, with whatever trouble was ordered for this request."""
        query = environ.get("QUERY_STRING", "")
        target = unquote(path + (f"?{query}" if query else ""))
        fault = self._sandbox.faults.take(method, target, _fitting(path, target))
        early = self._before(fault, path)
        if early is not None:
            return early
        headers = {
            name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")
        }
        headers["content-type"] = environ.get("CONTENT_TYPE", "")
        host = self._host(environ)
        if not path.startswith("/api/data/"):
            answer = self._signin(method, path, headers, body, host)
        else:
            raw = environ.get("RAW_URI", "").partition("?")[0] or quote(path.encode("iso-8859-1"), safe="/()'$=,@*!:;")
            target = raw + (f"?{query}" if query else "")
            answer = self._limited(method, target, headers, body, host, fault)
        return self._after(fault, answer)

    def _host(self, environ: dict[str, Any]) -> str:
        name = environ.get("HTTP_HOST")
        return f"{environ.get('wsgi.url_scheme', 'http')}://{name}" if name else self._sandbox.base_url

    # -- faults

    def _before(self, fault: Fault | None, path: str) -> Answer | None:
        """Trouble that keeps the request from being handled."""
        match fault.kind if fault else "":
            case "timeout_before":
                raise Cut
            case "rate_limit" | "concurrency" | "unavailable" | "error" if not path.startswith("/api/data/"):
                return self._sandbox.signin.busy(
                    429 if fault and fault.kind == "rate_limit" else 503, _seconds(fault, 5)
                )
            case "slow":
                self._sleep(float(fault.value or 1.0) if fault else 0.0)
            case "rate_limit":
                return refusal(_throttled(fault.value if fault else None))
            case "concurrency":
                text = "Number of concurrent requests exceeded the limit of 52."
                return refusal(errors.ApiError(429, "0x80072326", text, {"Retry-After": _seconds(fault, 1)}))
            case "unavailable":
                return Answer(503, b"", {"Retry-After": _seconds(fault, 5)})
            case "error":
                code = str(fault.value) if fault and fault.value else "0x80040216"
                return refusal(errors.ApiError(500, code, "An unexpected error occurred."))
            case "html":
                return Answer(502, _PAGE, type="text/html")
            case "expired_token":
                return refusal(self._sandbox.signin.unauthorized(self._sandbox.base_url))
            case "expired_delta":
                return refusal(errors.token_expired())
            case "rival":
                self._rival(fault.value if fault else None)
        return None

    def _rival(self, value: Any) -> None:
        if callable(value):
            value()
            return
        changes, entity = value["changes"], value["entity"]
        self._sandbox.edit(entity, value.get("id") or self._match(entity, value["match"]), changes, by="rival")

    def _match(self, entity: str, match: dict[str, Any]) -> str:
        for row in self._sandbox.rows(entity):
            if all(row.get(name) == value for name, value in match.items()):
                return str(row[self._sandbox.schema.tables[entity].id])
        raise LookupError(f"no {entity} matches {match}")

    def _after(self, fault: Fault | None, answer: Answer) -> Answer:
        """Trouble with the answer of a request that was handled."""
        match fault.kind if fault else "":
            case "timeout_after":
                raise Cut
            case "cut":
                headers = [*answer.lines(), ("Content-Length", str(len(answer.body)))]
                raise Cut(answer.line, headers, answer.body[: len(answer.body) // 2])
            case "garbage":
                return Answer(answer.status if answer.body else 200, b'{"value":[{"@odata.etag":', answer.headers)
            case "empty":
                return Answer(answer.status, b"", answer.headers)
        return answer

    def _inner_fault(self, request: Request) -> None:
        """Trouble for one operation inside a batch: only orders that name a path."""
        path = f"/api/data/v9.2/{unquote(request.target)}"
        fault = self._sandbox.faults.take(request.method, path, named=True)
        match fault.kind if fault else "":
            case "rate_limit":
                raise _throttled(fault.value if fault else None)
            case "unavailable":
                raise errors.ApiError(
                    503, "0x80072323", "SQL resource limits were reached.", {"Retry-After": _seconds(fault, 5)}
                )
            case "error":
                raise errors.unexpected()
            case "rival":
                self._rival_inside(fault.value if fault else None)

    def _rival_inside(self, value: Any) -> None:
        # The batch's own transaction is open; the rival's change becomes part of what is committed.
        with self._sandbox.suspended():
            self._rival(value)

    # -- the request itself

    def _signin(self, method: str, path: str, headers: dict[str, str], body: bytes, host: str) -> Answer:
        with self._sandbox.lock:
            answer = self._sandbox.signin.answer(method, path, headers, body, host)
        return answer or Answer(404, b"<!DOCTYPE html><title>404</title><h1>Not found</h1>", type="text/html")

    def _limited(
        self, method: str, target: str, headers: dict[str, str], body: bytes, host: str, fault: Fault | None
    ) -> Answer:
        """Sign-in, then the limits, then the request; 429 counts as an answer like any other."""
        sandbox, started = self._sandbox, self._sandbox.state.clock()
        facts, server, user = sandbox.settings["limits"], 0, ""
        try:
            with sandbox.lock:
                client = sandbox.signin.client(headers.get("authorization", ""), host)
                server, user = sandbox.limits.server(headers, facts), seed.SYNC
                sandbox.limits.enter(user, server, facts)
        except errors.ApiError as error:
            return self._dressed(refusal(error), user, server, headers)
        # Plug-ins and the database cost time per row; it counts towards the execution limit even if nobody sleeps.
        latency = float(sandbox.settings["latency"])
        try:
            answer, rows = self._handled(method, target, headers, body, host, Actor(f"api:{client}", user), fault)
            latency += rows * float(sandbox.settings["latency_per_row"])
            if latency:
                self._sleep(latency)
        finally:
            with sandbox.lock:
                sandbox.limits.leave(user, server, max(latency, (sandbox.state.clock() - started).total_seconds()))
        return self._dressed(answer, user, server, headers)

    def _handled(
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        body: bytes,
        host: str,
        actor: Actor,
        fault: Fault | None,
    ) -> tuple[Answer, int]:
        root = next(
            (prefix for prefix in _API if target == prefix or target.startswith((f"{prefix}/", f"{prefix}?"))), None
        )
        annotate = "*" in headers.get("prefer", "")
        failing = int(fault.value or 1) if fault and fault.kind == "partial_batch" else None
        with self._sandbox.lock:
            before = self._sandbox.state.version
            try:
                if root is None:
                    raise errors.no_segment(target)
                if len(body) > _LONGEST_BODY:
                    raise errors.ApiError(413, "0x8004418a", "Request message length is too large.")
                if len(target) > _LONGEST_URL:
                    return Answer(400, b"<html><body>Bad Request - Invalid URL</body></html>", type="text/html"), 0
                if "callerobjectid" in headers or "mscrmcallerid" in headers:
                    raise errors.not_implemented("Impersonation")
                request = Request(method, target[len(root) :].lstrip("/"), headers, body, f"{host}{root}/", actor)
                answer = self._api.answer(request, failing)
            except errors.ApiError as error:
                answer = refusal(error, annotate)
            except BaseException:
                self._sandbox.state.rollback()
                raise
            self._sandbox.commit()
            return answer, self._sandbox.state.version - before

    def _dressed(self, answer: Answer, user: str, server: int, headers: dict[str, str]) -> Answer:
        """The headers that every answer of the API carries."""
        sandbox = self._sandbox
        with sandbox.lock:
            facts = sandbox.settings["limits"]
            id = sandbox.state.new_id()
            answer.headers |= {
                "Cache-Control": "no-cache",
                "Expires": "-1",
                "REQ_ID": id,
                "x-ms-service-request-id": f"{id},{sandbox.state.new_id()}",
                "AuthActivityId": sandbox.state.new_id(),
                "x-ms-dop-hint": str(facts["dop"]),
                "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
                **sandbox.limits.headers(user, server, facts),
            }
        if ahead := float(sandbox.settings["clock_ahead"]):
            told = sandbox.state.clock().astimezone(UTC) + timedelta(seconds=ahead)
            answer.headers["Date"] = format_datetime(told, usegmt=True)
        if "ARRAffinity" not in headers.get("cookie", ""):
            answer.headers["Set-Cookie"] = f"ARRAffinity=server{server}; path=/; HttpOnly"
        return answer


def _fitting(path: str, target: str) -> frozenset[str]:
    """The kinds of trouble that make sense for a request."""
    unfit = {"daily_limit", "duplicate_events", "late_events"}
    if "deltatoken" not in target and 'istracking="True"' not in target:
        unfit.add("expired_delta")
    if not path.endswith(("$batch", "Multiple")):
        unfit.add("partial_batch")
    if not path.startswith("/api/data/"):
        unfit |= {"expired_token", "rival"}
    return KINDS - unfit


def _seconds(fault: Fault | None, default: int) -> str:
    return str(fault.value if fault and fault.value is not None else default)


def _throttled(value: Any) -> errors.ApiError:
    text = "Number of requests exceeded the limit of 6000 over time window of 300 seconds."
    return errors.ApiError(429, "0x80072322", text, {"Retry-After": str(5 if value is None else value)})


def _plain(answer: Answer) -> list[tuple[str, str]]:
    return [("Content-Type", answer.type), *answer.headers.items()] if answer.body else list(answer.headers.items())
