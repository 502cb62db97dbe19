"""Our side's only way to the two sandboxes: numbers every call, loses and delays what it is told to, and keeps count.

A call is a place where a process can die, a rival can act or another worker can run, before it and after it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx

from syncadmin.engine.records import Side
from syncadmin.proof.clock import Clock
from syncadmin.sandbox.faults import Cut

# How long a client waits for an answer that never comes, if the request does not say.
_PATIENCE = 30.0
_MARKETO_WINDOW = timedelta(seconds=20)
_MARKETO_SHARE = 50
_MARKETO_LIMIT = timedelta(seconds=90)


@dataclass(frozen=True, slots=True)
class Call:
    """One call that reached the wire."""

    number: int
    side: Side
    at: datetime
    method: str
    path: str
    status: str


@dataclass(slots=True)
class Wire:
    """What both transports share. ``point`` is told of every call: "before" or "after", and its number."""

    clock: Clock
    latency: float = 0.0
    point: Callable[[str], None] = lambda name: None
    calls: list[Call] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    late: list[tuple[datetime, Callable[[], None]]] = field(default_factory=list)
    delay_next: float = 0.0
    number: int = 0
    _quiet_until: dict[Side, datetime] = field(default_factory=dict)
    _unanswered: dict[str, datetime] = field(default_factory=dict)

    def transport(self, side: Side, app: Any) -> httpx.BaseTransport:
        return _Transport(self, side, httpx.WSGITransport(app=app))

    def deliver(self, everything: bool = False) -> None:
        """Requests that were held up arrive, long after their sender gave up."""
        due = [each for each in self.late if everything or each[0] <= self.clock()]
        self.late = [each for each in self.late if each not in due]
        for _, send in due:
            send()

    def note(self, side: Side, request: httpx.Request, status: str) -> None:
        path = request.url.path
        self.calls.append(Call(self.number, side, self.clock(), request.method, path, status))

    def silence(self, side: Side) -> datetime | None:
        """Until when that side has told us to be silent, as far as anybody of us has heard it."""
        return self._quiet_until.get(side)

    def check_manners(self, side: Side, request: httpx.Request, until: datetime | None) -> None:
        """Our share of Marketo's rate, and every Retry-After, are obeyed; ``until`` is what was known at the start."""
        now, path = self.clock(), request.url.path
        if until is not None and now < until:
            self.broken.append(f"12: {side} was called at {now:%H:%M:%S.%f}, before {until:%H:%M:%S.%f} ({path})")
        if side is Side.MARKETO and "/identity/" not in path:
            window = [
                call
                for call in self.calls
                if call.side is side and now - call.at < _MARKETO_WINDOW and "/identity/" not in call.path
            ]
            if len(window) >= _MARKETO_SHARE:
                self.broken.append(f"12: call {len(window) + 1} to Marketo within 20 seconds ({path})")

    def check_creates(self, request: httpx.Request, *, answered: bool) -> None:
        """A create in Marketo without an answer is not repeated before Marketo itself has given up on it."""
        for guid in _created(request):
            since = self._unanswered.pop(guid, None)
            if not answered and since is not None and self.clock() - since < _MARKETO_LIMIT:
                self.broken.append(f"6: {guid} is created again {self.clock() - since} after a call without an answer")
            if not answered:
                self._unanswered[guid] = self.clock()

    def heed(self, side: Side, response: httpx.Response, at: datetime) -> None:
        after = response.headers.get("Retry-After")
        if response.status_code in (429, 503) and after is not None:
            self._quiet_until[side] = at + timedelta(seconds=float(after))


class _Transport(httpx.BaseTransport):
    def __init__(self, wire: Wire, side: Side, inner: httpx.WSGITransport) -> None:
        self._wire, self._side, self._inner = wire, side, inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        wire = self._wire
        request.read()
        wire.number += 1
        wire.deliver()
        # Who is stopped between being given its turn and sending cannot know what others are told meanwhile.
        until = wire.silence(self._side)
        wire.point("before")
        wire.check_manners(self._side, request, until)
        wire.check_creates(request, answered=False)
        wire.clock.sleep(wire.latency)
        if wire.delay_next and _changes(request):
            self._hold_up(request)
        response = self._answer(request)
        wire.clock.sleep(wire.latency)
        wire.note(self._side, request, str(response.status_code))
        wire.check_creates(request, answered=True)
        # Nobody else knows of it before the one who was answered goes on, and nobody at all if that one dies here.
        at = wire.clock()
        wire.point("after")
        wire.heed(self._side, response, at)
        return response

    def _answer(self, request: httpx.Request) -> httpx.Response:
        try:
            response = self._inner.handle_request(request)
            response.read()
        except Cut as cut:
            if cut.part:
                self._wire.note(self._side, request, "cut")
                raise httpx.RemoteProtocolError("peer closed the connection in the middle of the body") from None
            self._time_out(request)
        return response

    def _time_out(self, request: httpx.Request) -> None:
        self._wire.note(self._side, request, "timeout")
        self._wire.clock.sleep(_patience(request))
        raise httpx.ReadTimeout("no answer", request=request)

    def _hold_up(self, request: httpx.Request) -> None:
        """The request arrives, but only after its sender has given up; Marketo applies nothing after 90 seconds."""
        wire, copy = self._wire, _copy(request)
        when = wire.clock() + timedelta(seconds=wire.delay_next)
        wire.delay_next = 0.0

        def send() -> None:
            try:
                self._inner.handle_request(copy).read()
            except Cut:
                return  # nobody is listening any more

        wire.late.append((when, send))
        self._time_out(request)


def _changes(request: httpx.Request) -> bool:
    return request.method in ("POST", "PATCH") and "/oauth" not in request.url.path and "/token" not in request.url.path


def _created(request: httpx.Request) -> list[str]:
    """Our ids of the people that this call creates in Marketo."""
    if b'"createOnly"' not in request.content:
        return []
    return [str(one["dynPersonGuid"]) for one in json.loads(request.content).get("input", ()) if "dynPersonGuid" in one]


def _copy(request: httpx.Request) -> httpx.Request:
    return httpx.Request(request.method, request.url, headers=request.headers, content=request.content)


def _patience(request: httpx.Request) -> float:
    return float(request.extensions.get("timeout", {}).get("read") or _PATIENCE)
