"""Signing in with client credentials: one token for all threads, renewed before it runs out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from syncadmin.connectors import statuses
from syncadmin.connectors.errors import ConnectorError, Malformed, Refused, SignInRefused, Unavailable
from syncadmin.connectors.http import Http, Work
from syncadmin.connectors.marketo import requests, responses
from syncadmin.connectors.marketo.config import MarketoConfig
from syncadmin.connectors.messages import Answer, Request

# Marketo hands out the same token until it ends, with the seconds that remain: it may answer ``expires_in: 4``.
MARGIN = timedelta(seconds=60)
_NO_TOKEN = frozenset({"600", "601", "602"})


@dataclass(frozen=True, slots=True)
class Token:
    """``renew_at`` is when to ask again, ``user`` the API user in whose name our writes stand."""

    text: str
    renew_at: datetime
    user: str


class Tokens:
    """The token of one custom service. Asking while another thread asks waits for that thread's answer."""

    def __init__(self, config: MarketoConfig, http: Http, clock: Callable[[], datetime]) -> None:
        self._config, self._http, self._clock = config, http, clock
        self._lock = threading.Lock()
        self._token: Token | None = None

    def headers(self, work: Work) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.current(work).text}"}

    def expired(self, answer: Answer) -> bool:
        said = responses.fault(answer)
        return said is not None and said.code in _NO_TOKEN

    def renew(self, used: Mapping[str, str], work: Work) -> None:
        with self._lock:
            # Whoever comes second finds the token replaced and uses the new one.
            if self._token is not None and used.get("Authorization") == f"Bearer {self._token.text}":
                self._token = self._ask(work)

    def current(self, work: Work) -> Token:
        """A token that is good for a while. Raises ``SignInRefused``, or what kept us from asking."""
        with self._lock:
            if self._token is None or self._clock() >= self._token.renew_at:
                self._token = self._ask(work)
            return self._token

    def _ask(self, work: Work) -> Token:
        if not self._config.client_id.strip() or not self._config.client_secret.strip():
            raise SignInRefused("The client id or the client secret is missing.", code="credentials")
        asked = requests.token(self._config.client_id.strip(), self._config.client_secret.strip())
        asked_at = self._clock()
        return _token(self._http.for_work(work).send(asked).object(), asked_at)


def judge(request: Request, answer: Answer, now: datetime) -> ConnectorError | None:
    """The identity service answers failures in a form of its own, without an envelope."""
    if answer.status in (400, 401):
        return SignInRefused(f"Marketo refused to sign in: {_reason(answer)}", code=str(answer.status))
    if answer.status == 404:
        return Refused("No Marketo identity service answers at this address.", code="404")
    failed = statuses.judge(request, answer, now)
    if failed is None and answer.body.lstrip()[:1] != b"{":
        return Unavailable("The identity service answered with something that is not JSON.", code=str(answer.status))
    return failed


def _token(body: Mapping[str, Any], asked_at: datetime) -> Token:
    text, seconds = body.get("access_token"), body.get("expires_in")
    if not isinstance(text, str) or not text or not text.isascii() or not text.isprintable():
        raise Malformed("The identity service answered without a token.")
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        raise Malformed("The identity service did not say how long the token is good for.")
    left = timedelta(seconds=seconds)
    # Before its end the same token would come back at every call, so the last minute is used up.
    renew_at = asked_at + (left - MARGIN if left > MARGIN else left)
    return Token(text, renew_at, str(body.get("scope") or ""))


def _reason(answer: Answer) -> str:
    try:
        body = answer.object()
    except Malformed:
        return f"HTTP {answer.status}"
    # The description repeats the client id at most; the secret is never in it.
    return str(body.get("error_description") or body.get("error") or f"HTTP {answer.status}")
