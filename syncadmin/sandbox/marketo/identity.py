"""`/identity/oauth/token`: one token per client until it runs out, with the seconds that are left."""

from __future__ import annotations

import uuid
from typing import Any

from .answers import JSON_HEADERS, Answer, ApiError, PlainError, to_json
from .requests import Request
from .state import State

_NO_STORE = [("Cache-Control", "no-store"), ("Pragma", "no-cache")]
# A token just expired answers 602 for this many seconds, later it is unknown: 601.
_REMEMBERED = 3600


def user_of(client: str) -> str:
    return f"{client}@sandbox.example"


def token(state: State, request: Request) -> Answer:
    client, secret = request.one("client_id") or "", request.one("client_secret") or ""
    if request.one("grant_type") != "client_credentials":
        body = {"error": "unsupported_grant_type", "error_description": "grant_type must be client_credentials"}
        raise PlainError("400 Bad Request", body, _NO_STORE)
    if client not in state.knobs.clients:
        body = {"error": "unauthorized", "error_description": f"No client with requested id: {client}"}
        raise PlainError("401 Unauthorized", body, _NO_STORE)
    if state.knobs.clients[client] != secret:
        body = {"error": "invalid_client", "error_description": "Bad client credentials"}
        raise PlainError("401 Unauthorized", body, _NO_STORE)
    found, left = _current(state, client)
    shown = {"access_token": found, "token_type": "bearer", "expires_in": left, "scope": user_of(client)}
    return Answer("200 OK", [*JSON_HEADERS, *_NO_STORE], to_json(shown))


def _current(state: State, client: str) -> tuple[str, int]:
    now = state.clock().timestamp()
    for text, row in list(state.tokens.items()):
        # Tokens belong to the service: a second worker gets the same one, so refreshing never races.
        if row["client"] == client and row["until"] > now:
            return text, int(row["until"] - now)
        if row["until"] + _REMEMBERED < now:
            del state.tokens[text]
    text = f"{uuid.UUID(int=state.chance.getrandbits(128), version=4)}:sj"
    # Stored like any other state: a restart does not sign anybody out.
    state.tokens[text] = {"client": client, "until": now + state.knobs.token_lifetime}
    # An expiry of a round hour is announced one second short.
    return text, max(0, state.knobs.token_lifetime - 1)


def expire(state: State) -> None:
    """Every token runs out now."""
    now = state.clock().timestamp()
    for text, row in list(state.tokens.items()):
        state.tokens[text] = {**row, "until": min(row["until"], now)}


def authenticate(state: State, request: Request) -> None:
    """Set who calls, or refuse with 601, 602 or 603."""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    # The parameter is being withdrawn by the vendor; it works here only when switched on.
    if scheme.lower() != "bearer":
        text = (request.one("access_token") or "") if state.knobs.token_in_query else ""
    text = text.strip()
    if not text:
        raise ApiError(603, "Access denied")
    row: dict[str, Any] | None = state.tokens.get(text)
    now = state.clock().timestamp()
    if row is None or row["until"] + _REMEMBERED < now:
        raise ApiError(601, "Access token invalid")
    if row["until"] <= now:
        raise ApiError(602, "Access token expired")
    request.client, request.user = row["client"], user_of(row["client"])
