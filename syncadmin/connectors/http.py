"""The only socket. It sends requests in one loop and knows no policy: ``retry.py`` says whether to go on.

It keeps no cookies (Dataverse pins a client that does to one web server, which divides its limits), follows no
redirects, talks to the connection's own host only, and never writes a secret to a log or an error.
"""

from __future__ import annotations

import copy
import logging
import random
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Protocol, Self
from urllib.request import getproxies

import httpx

from syncadmin.connectors import addresses, retry, statuses
from syncadmin.connectors.budget import Budget
from syncadmin.connectors.errors import (
    ConnectorError,
    DeadlineOver,
    Malformed,
    NoAnswer,
    Refused,
    Throttled,
    TooLarge,
    Unavailable,
    Unreachable,
)
from syncadmin.connectors.messages import Answer, Request
from syncadmin.engine.records import Lane, Side

log = logging.getLogger(__name__)
# httpx logs whole URLs, and a token request may carry its secret in one.
logging.getLogger("httpx").setLevel(logging.WARNING)

LARGEST_ANSWER = 64 * 1024 * 1024
CONNECT_SECONDS = 10.0
SHORTEST_ATTEMPT = 0.05  # seconds; with less left before a deadline nothing is sent
# When a server throttles and does not say for how long.
UNADVISED_PAUSE = timedelta(seconds=30)

Judge = Callable[[Request, Answer, datetime], ConnectorError | None]
_SECRETS = re.compile(
    r"(?i)\b(bearer\s+|(?:client_secret|access_token|client_assertion|password)[\"']?\s*[=:]\s*[\"']?)[^\s&\"',}]+"
)
_NOT_REACHED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_WRONG_CALL = (httpx.InvalidURL, httpx.LocalProtocolError, httpx.UnsupportedProtocol)


@dataclass(frozen=True, slots=True)
class Work:
    """What a call is made for: its lane, its purpose in the accounts, and when it must be over."""

    lane: Lane = Lane.LIVE
    purpose: str = ""
    deadline: datetime | None = None


class Auth(Protocol):
    """Signing a request, and noticing that the token has run out. Shared by all threads of the process."""

    def headers(self, work: Work) -> Mapping[str, str]:
        """The headers that sign a request; may sign in first. Raises ``SignInRefused``."""

    def expired(self, answer: Answer) -> bool:
        """Whether this answer says that the token is no longer good (Marketo says so inside HTTP 200)."""

    def renew(self, used: Mapping[str, str], work: Work) -> None:
        """Gets a new token, unless another thread has replaced the one in ``used`` already."""


def redacted(text: str) -> str:
    return _SECRETS.sub(r"\1[hidden]", text)


class Http:
    """A connection to one address. Copies made by ``for_work`` share the pool, the budget and the token."""

    def __init__(
        self,
        base_url: str,
        *,
        side: Side,
        budget: Budget,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        rnd: random.Random,
        auth: Auth | None = None,
        transport: httpx.BaseTransport | None = None,
        judge: Judge = statuses.judge,
        allow_private: bool = False,
        id_headers: tuple[str, ...] = ("X-Correlation-Id",),
        largest_answer: int = LARGEST_ANSWER,
        secret_paths: bool = False,
    ) -> None:
        self.base = addresses.checked_base(base_url, allow_private=allow_private)
        self.side = side
        self.clock = clock
        self.work = Work()
        self._budget, self._sleep, self._rnd, self._auth, self._judge = budget, sleep, rnd, auth, judge
        self._id_headers, self._largest_answer, self._secret_paths = id_headers, largest_answer, secret_paths
        # Behind a proxy the proxy connects, and its own address may be private.
        self._watch_peer = not allow_private and transport is None and not getproxies()
        self._client = httpx.Client(
            transport=transport,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            headers={"User-Agent": "syncadmin/0.1", "Accept": "application/json", "Accept-Encoding": "gzip, deflate"},
        )

    def for_work(self, work: Work) -> Self:
        """The same connection, its calls accounted to other work."""
        other = copy.copy(self)
        other.work = work
        return other

    def pause(self, until: datetime) -> None:
        """Tells everybody that the system asked for silence inside an answer that was itself no refusal."""
        self._budget.pause(self.side, until)

    def hint(self, at_once: int) -> None:
        self._budget.hint(self.side, at_once)

    def close(self) -> None:
        self._client.close()

    def send(self, request: Request) -> Answer:
        """One call, repeated as far as that is safe. Raises the errors of ``errors.py``."""
        url = addresses.resolved(self.base, request.path)
        started = self.clock()
        attempt, renewed = 0, False
        while True:
            signature = self._signature(request)
            answer, error = self._attempt(request, url, signature)
            if answer is not None and not renewed and self._is_expired(request, answer):
                renewed = True
                self._renew(signature)
                continue
            if answer is not None and error is None:
                return answer
            attempt += 1
            assert error is not None
            self._wait_or_raise(request, error, attempt, started)

    def _signature(self, request: Request) -> Mapping[str, str]:
        return self._auth.headers(self.work) if self._auth and request.signed else {}

    def _is_expired(self, request: Request, answer: Answer) -> bool:
        return self._auth is not None and request.signed and self._auth.expired(answer)

    def _renew(self, used: Mapping[str, str]) -> None:
        assert self._auth is not None
        self._auth.renew(used, self.work)

    def _attempt(
        self, request: Request, url: str, signature: Mapping[str, str]
    ) -> tuple[Answer | None, ConnectorError | None]:
        purpose = request.purpose or self.work.purpose
        with self._budget.call(self.side, self.work.lane, purpose, self.work.deadline):
            begun = self.clock()
            call_id = str(uuid.UUID(int=self._rnd.getrandbits(128), version=4))
            answer: Answer | None = None
            error: ConnectorError | None
            try:
                answer = self._exchange(request, url, signature, call_id)
                error = self._judge(request, answer, self.clock())
            except ConnectorError as failed:
                error = failed
        self._note(request, purpose, begun, call_id, answer, error)
        return answer, error

    def _exchange(self, request: Request, url: str, signature: Mapping[str, str], call_id: str) -> Answer:
        seconds = self._seconds_left(request)
        extensions: dict[str, Any] = {"trace": _refuse_inside} if self._watch_peer else {}
        try:
            with self._client.stream(
                request.method,
                url,
                headers={**request.headers, **signature, **dict.fromkeys(self._id_headers, call_id)},
                content=request.body or None,
                timeout=httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds)),
                extensions=extensions,
            ) as response:
                body = self._read(request, response, self.clock() + timedelta(seconds=seconds))
                names = {name.lower() for name in response.headers}
                return Answer(response.status_code, {name: response.headers[name] for name in names}, body)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:  # TLS errors while reading come through bare
            raise _translated(request, error) from None

    def _seconds_left(self, request: Request) -> float:
        if self.work.deadline is None:
            return request.timeout
        left = (self.work.deadline - self.clock()).total_seconds()
        if left < SHORTEST_ATTEMPT:
            raise DeadlineOver("There was no time left to send the call.", code="deadline", until=self.work.deadline)
        return min(left, request.timeout)

    def _read(self, request: Request, response: httpx.Response, until: datetime) -> bytes:
        body = bytearray()
        for chunk in response.iter_bytes(64 * 1024):
            body += chunk
            if len(body) > self._largest_answer:
                kind = TooLarge if request.repeatable else NoAnswer
                raise kind(f"The answer is larger than {self._largest_answer} bytes.", code="answer-size")
            if self.clock() > until:  # httpx bounds each read, not their sum: a trickle would never end
                raise NoAnswer("The answer was not complete in time.", code="timeout")
        return bytes(body)

    def _wait_or_raise(self, request: Request, error: ConnectorError, attempt: int, started: datetime) -> None:
        now = self.clock()
        wait = retry.pause(
            attempt,
            error,
            safe_to_repeat=request.repeatable,
            retry_after=(error.until - now).total_seconds() if error.until else None,
            elapsed=(now - started).total_seconds(),
            rnd=self._rnd.random(),
        )
        if isinstance(error, Throttled) and error.until is None:
            error.until = now + (UNADVISED_PAUSE if wait is None else timedelta(seconds=wait))
        if error.until is not None and isinstance(error, Throttled | Unavailable):
            self._budget.pause(self.side, error.until)
        if wait is None or self._outlives_deadline(now, wait):
            raise error
        self._sleep(wait)

    def _outlives_deadline(self, now: datetime, wait: float) -> bool:
        return self.work.deadline is not None and now + timedelta(seconds=wait) >= self.work.deadline

    def _note(
        self,
        request: Request,
        purpose: str,
        begun: datetime,
        call_id: str,
        answer: Answer | None,
        error: ConnectorError | None,
    ) -> None:
        milliseconds = (self.clock() - begun).total_seconds() * 1000
        path = "[hidden]" if self._secret_paths else request.path.partition("?")[0]  # a query holds people's addresses
        result = answer.status if answer else type(error).__name__
        log.debug(
            "%s %s %s -> %s in %.0f ms, %s, call %s",
            self.side,
            request.method,
            path,
            result,
            milliseconds,
            purpose,
            call_id,
        )


def _refuse_inside(event: str, info: Mapping[str, Any]) -> None:
    # Looked at after connecting and before a byte is sent, so that no second look-up of the name can differ.
    if event != "connection.connect_tcp.complete":
        return
    stream = info["return_value"]
    peer = stream.get_extra_info("server_addr")
    if peer and addresses.is_inside(str(peer[0])):
        stream.close()
        raise Refused(
            f"The name leads to {peer[0]}, inside a private network. {addresses.REMEDY}", code=addresses.INSIDE
        )


def _translated(request: Request, error: Exception) -> ConnectorError:
    text = redacted(str(error)) or type(error).__name__
    if isinstance(error, _NOT_REACHED):
        return Unreachable(f"No connection: {text}", code="connect")
    if isinstance(error, _WRONG_CALL):
        return Refused(f"The call cannot be sent: {text}", code="call")
    if isinstance(error, httpx.DecodingError) and request.repeatable:
        return Malformed(f"The answer cannot be decoded: {text}", code="encoding")
    code = "timeout" if isinstance(error, httpx.TimeoutException) else "connection"
    return NoAnswer(f"Sent, but no answer came: {text}", code=code)
