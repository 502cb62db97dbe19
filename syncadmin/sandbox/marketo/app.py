"""The sandbox as a WSGI application: sign-in, limits, ordered troubles, then the route; one call at a time."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from syncadmin.sandbox.faults import Fault, Faults

from . import campaigns, control, identity, pages, routing, seed, troubles, webhooks
from .answers import Answer, ApiError, Payload, PlainError, failure, plain, request_id, success
from .desk import Desk
from .imports import Imports
from .jobs import Jobs
from .limits import Limits
from .requests import Request, check_size, override, read
from .routes import ROUTES
from .state import State

WEBHOOK_URL = "http://127.0.0.1:8000/hooks/marketo/sync-person"


class MarketoSandbox(Desk):
    """One Marketo account. Besides the API it has /_sandbox/ for tests and a web page at /."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        seed: int = 0,
        path: Path | None = None,
        base_url: str = "http://127.0.0.1:8102",
        limits: bool = False,
        sleep: Callable[[float], None] = time.sleep,
        webhook_url: str = WEBHOOK_URL,
        webhook_key: str = "sandbox-secret",
        send: webhooks.Send = webhooks.send,
    ) -> None:
        self.clock, self.sleep, self.send, self.base_url = clock, sleep, send, base_url
        self.lock = threading.RLock()
        self.state = State(clock, random.Random(seed), path)
        # Troubles draw from their own randomness, so ordering one does not change later ids.
        self.faults = Faults(random.Random(seed + 1))
        self.truth = self.state.truth
        self.limits = Limits(self.state, limits)
        self.jobs, self.imports = Jobs(self.state, self.limits), Imports(self.state)
        self._flying = threading.Lock()
        self._stop = threading.Event()
        _furnish(self.state, webhook_url, webhook_key)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = read(environ)
        answer = self.respond(request)
        told = self.clock().astimezone(UTC) + timedelta(seconds=self.state.knobs.clock_ahead)
        headers = [*answer.headers, ("Date", format_datetime(told, usegmt=True))]
        start_response(answer.status, [*headers, ("Content-Length", str(len(answer.body)))])
        return [answer.body]

    def respond(self, request: Request) -> Answer:
        if request.path.startswith("/_sandbox/"):
            # Unguarded by design, hence for this machine only.
            if not request.peer.startswith(("127.", "::1")):
                return plain("403 Forbidden", "403 Forbidden")
            return control.respond(self, request)
        if not request.path.startswith(("/rest/", "/bulk/", "/identity/")):
            return pages.respond(self, request)
        # Counted before the lock: calls that wait for it are being processed, seen from outside.
        with self._flying:
            self.limits.in_flight += 1
        try:
            return self._api(request)
        finally:
            with self._flying:
                self.limits.in_flight -= 1

    def _api(self, request: Request) -> Answer:
        with self.lock:
            request.id = request_id(self.state.chance, self.clock())
            # The rival acts first, so that a trouble can hit the same request afterwards.
            self._rival(request)
            fault = self._call_fault(request)
        # Outside the lock: a slow call is in flight, and others go on meanwhile.
        try:
            answer = troubles.before(fault, request.path, self.sleep)
        except ApiError as error:
            answer = failure(request.id, error.code, error.message)
            with self.lock:
                self.limits.count(identity.user_of("sandbox"), answer.errors)
                self.state.commit()
        if answer is None:
            with self.lock:
                # Saved before the answer leaves: what was acknowledged survives a kill.
                answer = self._handle(request)
                self.state.commit()
        return troubles.after(fault, answer)

    def _call_fault(self, request: Request) -> Fault | None:
        kinds = troubles.CALL_KINDS
        # On the streams "empty" means a page without rows and with more to come.
        if not troubles.is_feed(request.path):
            kinds |= {"empty"}
        return self.faults.take(request.method, unquote(request.uri), kinds)

    def _rival(self, request: Request) -> None:
        fault = self.faults.take(request.method, unquote(request.uri), frozenset({"rival"}))
        if fault is None:
            return
        if callable(fault.value):
            fault.value()
            return
        value = fault.value
        ids = [value["id"]] if "id" in value else self._matching(value["match"])
        for id in ids:
            self.edit("person", id, value["changes"], by=value.get("by", "rival"), campaign=value.get("campaign"))

    def _matching(self, match: dict[str, Any]) -> list[str]:
        (name, value), *more = match.items()
        ids = self.state.find(name, value)
        return [id for id in ids if all(self.state.people[id].get(key) == wanted for key, wanted in more)]

    def partial(self, request: Request) -> Fault | None:
        return self.faults.take(request.method, unquote(request.uri), troubles.ROW_KINDS)

    def feed_fault(self, request: Request) -> Fault | None:
        return self.faults.take(request.method, unquote(request.uri), troubles.FEED_KINDS)

    def _handle(self, request: Request) -> Answer:
        try:
            check_size(request)
            override(request)
            if request.path == "/identity/oauth/token" and request.method in ("GET", "POST"):
                return identity.token(self.state, request)
            if not request.path.endswith(".json"):
                return plain("404 Not Found", "404 Not Found")
            # Refused tokens cost nothing, so they are told before the limits are asked.
            identity.authenticate(self.state, request)
            self.limits.check()
            found, parts = routing.find(ROUTES, request)
            routing.allowed(self, found)
            answer = self._run(found, request, parts)
        except PlainError as error:
            return error.answer
        except ApiError as error:
            answer = failure(request.id, error.code, error.message)
        self.limits.count(request.user, answer.errors)
        return answer

    def _run(self, found: routing.Route, request: Request, parts: dict[str, str]) -> Answer:
        # What an import has done by now shows in whatever is read.
        self.imports.advance()
        made = found.handler(self, request, **parts)
        return success(request.id, made) if isinstance(made, Payload) else made

    def set_limits(self, on: bool, **knobs: Any) -> None:
        """Switch the limits, and set any knob of the account by name; ValueError for an unknown one."""
        with self.lock:
            self.limits.on = on
            self.set_knobs(**knobs)

    def set_knobs(self, **knobs: Any) -> None:
        for name, value in knobs.items():
            if not hasattr(self.state.knobs, name):
                raise ValueError(f"no such knob: {name}")
            kind = type(getattr(self.state.knobs, name))
            setattr(self.state.knobs, name, set(value) if kind is set else value)

    def expire_tokens(self) -> None:
        with self.lock:
            identity.expire(self.state)
            self.state.commit()

    def run_campaigns(self, *, at_once: int = 1) -> int:
        """Take everybody waiting through their trigger campaigns now; returns how many."""
        return campaigns.run(self, at_once=at_once)

    def sync_person(self, id: Any, sync_as: str = "lead", assign_to: str = "") -> webhooks.Outcome | None:
        """The flow step for one person, as a trigger campaign runs it: our webhook is called and logged."""
        row = self.state.campaigns[str(seed.FAST_TRACK)]
        scopes = {"campaign": dict(row), "my": {"syncAs": sync_as, "assignTo": assign_to}}
        return campaigns.call_webhook(self, seed.WEBHOOK, str(id), scopes, row["id"])

    def start_campaigns(self, every: float = 0.5) -> None:
        """Run campaigns in the background until `close`; for a served sandbox, not for tests."""

        def loop() -> None:
            while not self._stop.wait(every):
                self.run_campaigns(at_once=self.state.knobs.webhooks_at_once)

        # A daemon: it holds nothing that a sudden end could lose.
        threading.Thread(target=loop, name="marketo-campaigns", daemon=True).start()

    def close(self) -> None:
        self._stop.set()
        with self.lock:
            self.state.commit()
            self.state.store.close()


def _furnish(state: State, webhook_url: str, webhook_key: str) -> None:
    seed.seed(state, webhook_url, webhook_key)
    state.commit()
