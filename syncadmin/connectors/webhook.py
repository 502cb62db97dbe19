"""Telling a webhook: one POST, over the same socket and with the same rules for addresses as every other call."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, cast

import httpx

from syncadmin.connectors import addresses
from syncadmin.connectors.budget import Unlimited
from syncadmin.connectors.errors import Refused
from syncadmin.connectors.http import Http, Work
from syncadmin.connectors.messages import Request
from syncadmin.engine.records import Side

PATIENCE = timedelta(seconds=10)
# What it answers is of no interest to us, and a receiver must not fill our memory.
_LARGEST_ANSWER = 64 * 1024
# It stands in the log only: no budget counts these calls.
_NAME = cast(Side, "webhook")


def check(address: str, *, allow_private: bool) -> None:
    """Whether the address may be called at all. Raises ``Refused``."""
    _parts(address, allow_private)


def post(
    address: str,
    told: Mapping[str, Any],
    *,
    headers: Mapping[str, str],
    allow_private: bool,
    clock: Callable[[], datetime],
    sleep: Callable[[float], None],
    transport: httpx.BaseTransport | None = None,
) -> None:
    """Sends JSON, again where that is safe, for ten seconds at most. Raises the errors of ``errors.py``; a redirect is a refusal."""
    origin, path = _parts(address, allow_private)
    http = Http(
        origin,
        side=_NAME,
        budget=Unlimited(),
        clock=clock,
        sleep=sleep,
        rnd=random.SystemRandom(),
        allow_private=allow_private,
        transport=transport,
        largest_answer=_LARGEST_ANSWER,
        secret_paths=True,
    ).for_work(Work(purpose="notification", deadline=clock() + PATIENCE))
    body = json.dumps(told, ensure_ascii=False).encode()
    sent = {"Content-Type": "application/json", **headers}
    try:
        http.send(Request("POST", path, headers=sent, body=body, timeout=PATIENCE.total_seconds()))
    finally:
        http.close()


def _parts(address: str, allow_private: bool) -> tuple[str, str]:
    """The origin, and the path with its query: receivers put their keys into either."""
    whole, _mark, fragment = address.strip().partition("#")
    start, _mark, query = whole.partition("?")
    if fragment or any(character.isspace() or ord(character) < 32 for character in query):
        raise Refused("The address must carry neither a fragment nor blanks.", code="address")
    base = addresses.checked_base(start, allow_private=allow_private)
    return f"{base.scheme}://{base.netloc}", f"{base.path or '/'}{'?' if query else ''}{query}"
