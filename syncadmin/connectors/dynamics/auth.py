"""Signing in to Dataverse: client credentials at Microsoft Entra ID, one token for the whole process."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from syncadmin.connectors.dynamics.address import PUBLIC_CLOUD
from syncadmin.connectors.dynamics.requests import token_request
from syncadmin.connectors.errors import DeadlineOver, Malformed
from syncadmin.connectors.http import Http, Work
from syncadmin.connectors.messages import Answer

# Entra tokens live about an hour; renewing this early keeps a long page from outliving its token.
RENEW_EARLY = timedelta(minutes=5)
LONGEST_SIGN_IN = 120.0  # seconds a thread waits for the one that is signing in

__all__ = ["PROCESS_TOKENS", "PUBLIC_CLOUD", "DynamicsAuth", "DynamicsConfig", "TokenCache"]


@dataclass(frozen=True, slots=True)
class DynamicsConfig:
    """Where and as whom to connect.

    ``base_url`` is the organisation's address; ``authority`` differs in sovereign clouds and in the sandbox.
    ``allow_private`` lets both addresses lie on this machine or in a private network.
    """

    base_url: str
    tenant: str
    client_id: str
    client_secret: str = field(repr=False)
    authority: str = PUBLIC_CLOUD
    allow_private: bool = False

    @property
    def scope(self) -> str:
        return self.base_url.strip().rstrip("/") + "/.default"

    @property
    def key(self) -> tuple[str, ...]:
        """What a token is good for; the secret only as a digest."""
        secret = hashlib.sha256(self.client_secret.encode()).hexdigest()
        return self.authority.rstrip("/"), self.tenant, self.client_id, self.scope, secret


@dataclass(slots=True)
class _Slot:
    lock: threading.Lock = field(default_factory=threading.Lock)
    token: str = ""
    renew_at: datetime | None = None


class TokenCache:
    """Tokens of this process by what they are good for. Whoever holds a slot's lock is the one who signs in."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._slots: dict[tuple[str, ...], _Slot] = {}

    def slot(self, key: tuple[str, ...]) -> _Slot:
        with self._lock:
            return self._slots.setdefault(key, _Slot())


PROCESS_TOKENS = TokenCache()


class DynamicsAuth:
    """The token of one connection. ``http`` is connected to the authority, not to the organisation."""

    def __init__(self, config: DynamicsConfig, http: Http, cache: TokenCache = PROCESS_TOKENS) -> None:
        self._config = config
        self._http = http
        self._slot = cache.slot(config.key)

    def headers(self, work: Work) -> Mapping[str, str]:
        with self._held(work):
            if not self._slot.token or self._is_due():
                self._sign_in(work)
            return {"Authorization": f"Bearer {self._slot.token}"}

    def sign_in(self, work: Work) -> None:
        """Asks for a new token even if the old one is still good: the secret behind it may not be."""
        with self._held(work):
            self._sign_in(work)

    def expired(self, answer: Answer) -> bool:
        return answer.status == 401

    def renew(self, used: Mapping[str, str], work: Work) -> None:
        with self._held(work):
            # Many threads see the same 401; only the first one's token is still the current one.
            if used.get("Authorization") == f"Bearer {self._slot.token}":
                self._sign_in(work)

    @contextmanager
    def _held(self, work: Work) -> Iterator[None]:
        left = (work.deadline - self._http.clock()).total_seconds() if work.deadline else LONGEST_SIGN_IN
        if not self._slot.lock.acquire(timeout=max(left, 0.0)):
            raise DeadlineOver("Another sign-in took too long to wait for.", code="sign-in")
        try:
            yield
        finally:
            self._slot.lock.release()

    def _is_due(self) -> bool:
        return self._slot.renew_at is None or self._http.clock() >= self._slot.renew_at

    def _sign_in(self, work: Work) -> None:
        self._slot.token = ""  # a refused sign-in must not leave the old token behind
        http = self._http.for_work(Work(work.lane, "sign-in", work.deadline))
        config = self._config
        asked_at = http.clock()
        answer = http.send(token_request(config.tenant, config.client_id, config.client_secret, config.scope)).object()
        token, seconds = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
            raise Malformed("The sign-in answer holds no token.", code="token")
        life = timedelta(seconds=int(str(seconds))) if str(seconds).isdigit() else RENEW_EARLY
        self._slot.token, self._slot.renew_at = token, asked_at + max(life - RENEW_EARLY, life / 2)
