"""The sign-in service: tokens for client credentials, the OpenID documents around them, and the bearer check.

Client ids: `sandbox` is the sync user. `stranger` gets a token but is no member of the organisation, `norole` has no
security role, `disabled` is disabled, `unlicensed` has no licence. The secret is `sandbox-secret` for all; `expired-secret` is one that ran out.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlsplit

from syncadmin.sandbox.storage import Store

from .errors import ApiError
from .settings import Settings
from .wire import Answer, dump

TENANT = "sandbox"
SECRET = "sandbox-secret"  # noqa: S105 - documented, for a pretend system
CLIENTS = ("sandbox", "stranger", "norole", "disabled", "unlicensed")
LIFE = 3599
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
# What `signin_refuses` may order: a request that is in itself good is refused with this number.
_ORDERED = {
    900144: (400, "invalid_request", "The request body lacks a parameter."),
    70011: (400, "invalid_scope", "The scope that was asked for is not valid."),
    1002012: (400, "invalid_scope", "The scope that was asked for is not valid."),
    500011: (400, "invalid_resource", "The resource principal was not found in the tenant."),
    7000218: (401, "invalid_client", "The request body lacks 'client_assertion' or 'client_secret'."),
}
_REFUSED = {
    "stranger": ("0x80072560", "The user is not a member of the organization."),
    "norole": ("0x80042f09", "The user does not have any security role."),
    "unlicensed": ("0x8004d24b", "The user does not have a license that permits access to this organization."),
    "disabled": ("0x80040225", "The specified user is disabled. Consider enabling this user."),
}


@dataclass(frozen=True, slots=True)
class Refusal(Exception):
    """An error answer of the sign-in service."""

    status: int
    error: str
    code: int
    text: str


def origin(url: str) -> tuple[str, int | None]:
    """Host and port of an address; all names of this machine count as one."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return ("loopback" if host in _LOOPBACK else host), port


def _encode(value: Any) -> str:
    return base64.urlsafe_b64encode(dump(value)).rstrip(b"=").decode()


class SignIn:
    """Issues tokens and knows them again. Tokens survive a restart; `expire_all` ends every one given so far."""

    def __init__(self, store: Store, clock: Any, organisation: str, settings: Settings) -> None:
        self._settings = settings
        self._kept, self._clock, self._organisation = store.table("signin"), clock, organisation

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes, host: str) -> Answer | None:
        """The answer of the sign-in service, or None if the path is not its own."""
        tenant, _, rest = path.strip("/").partition("/")
        if rest in ("oauth2/v2.0/token", "oauth2/token") and method == "POST":
            return self._token(tenant, headers, body, host)
        if rest in ("v2.0/.well-known/openid-configuration", ".well-known/openid-configuration"):
            return Answer(200, dump(self._discovery(tenant, host)), type="application/json; charset=utf-8")
        if rest in ("discovery/v2.0/keys", "discovery/keys"):
            return Answer(200, dump({"keys": []}), type="application/json; charset=utf-8")
        if path == "/common/discovery/instance":
            found = {
                "tenant_discovery_endpoint": f"{host}/{TENANT}/v2.0/.well-known/openid-configuration",
                "api-version": "1.1",
                "metadata": [],
            }
            return Answer(200, dump(found), type="application/json; charset=utf-8")
        return None

    def _discovery(self, tenant: str, host: str) -> dict[str, Any]:
        return {
            "issuer": f"{host}/{tenant}/v2.0",
            "authorization_endpoint": f"{host}/{tenant}/oauth2/v2.0/authorize",
            "token_endpoint": f"{host}/{tenant}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "jwks_uri": f"{host}/{tenant}/discovery/v2.0/keys",
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "tenant_region_scope": "EU",
        }

    def _token(self, tenant: str, headers: Mapping[str, str], body: bytes, host: str) -> Answer:
        form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        _basic(headers.get("authorization", ""), form)
        try:
            client, audience = self._checked(tenant, form, host)
        except Refusal as refusal:
            return self._refused(refusal)
        told = {
            "token_type": "Bearer",
            "expires_in": LIFE,
            "ext_expires_in": LIFE,
            "access_token": self._issue(client, audience),
        }
        headers_out = {"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"}
        return Answer(200, dump(told), headers_out, "application/json; charset=utf-8")

    def _checked(self, tenant: str, form: Mapping[str, str], host: str) -> tuple[str, str]:
        if tenant != TENANT:
            raise Refusal(
                400,
                "invalid_request",
                90002,
                f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.",
            )
        for name in ("grant_type", "client_id"):
            if not form.get(name):
                raise Refusal(
                    400, "invalid_request", 900144, f"The request body must contain the following parameter: '{name}'."
                )
        if form["grant_type"] != "client_credentials":
            raise Refusal(
                400,
                "unsupported_grant_type",
                70003,
                f"The app requested an unsupported grant type '{form['grant_type']}'.",
            )
        client = form["client_id"]
        if client not in CLIENTS:
            raise Refusal(
                400,
                "unauthorized_client",
                700016,
                f"Application with identifier '{client}' was not found in the directory 'Sandbox'.",
            )
        self._secret(client, form)
        self._ordered()
        return client, self._audience(form, host)

    def _secret(self, client: str, form: Mapping[str, str]) -> None:
        given = form.get("client_secret")
        if given is None:
            raise Refusal(
                401,
                "invalid_client",
                7000218,
                "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
            )
        if given == "expired-secret":
            raise Refusal(
                401, "invalid_client", 7000222, f"The provided client secret keys for app '{client}' are expired."
            )
        if not hmac.compare_digest(given.encode(), SECRET.encode()):
            text = f"Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{client}'."
            raise Refusal(401, "invalid_client", 7000215, text)

    def _ordered(self) -> None:
        number = int(self._settings["signin_refuses"])
        if number:
            status, error, text = _ORDERED.get(number, (400, "invalid_grant", "Access was refused."))
            raise Refusal(status, error, number, text)

    def _audience(self, form: Mapping[str, str], host: str) -> str:
        resource = form.get("resource")
        if resource is None:
            scope = form.get("scope")
            if not scope:
                raise Refusal(
                    400, "invalid_request", 900144, "The request body must contain the following parameter: 'scope'."
                )
            if not scope.endswith("/.default") or " " in scope.strip():
                raise Refusal(
                    400,
                    "invalid_scope",
                    1002012,
                    f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).",
                )
            resource = scope.removesuffix("/.default")
        # A token is good for one organisation only, whatever name of this machine was used to ask.
        if origin(resource) not in (origin(host), origin(self._organisation)):
            raise Refusal(
                400,
                "invalid_resource",
                500011,
                f"The resource principal named {resource} was not found in the tenant named Sandbox.",
            )
        return resource.rstrip("/")

    def _issue(self, client: str, audience: str) -> str:
        now = int(self._clock().timestamp())
        claims = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{TENANT}/",
            "iat": now,
            "nbf": now,
            "exp": now + LIFE,
            "appid": client,
            "oid": str(uuid.uuid5(uuid.NAMESPACE_DNS, client)),
            "tid": TENANT,
            "ver": "1.0",
            "gen": self._kept.get("generation", 1),
        }
        text = f"{_encode({'typ': 'JWT', 'alg': 'HS256', 'kid': 'sandbox'})}.{_encode(claims)}"
        return f"{text}.{self._sign(text)}"

    @staticmethod
    def _sign(text: str) -> str:
        digest = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def busy(self, status: int, retry_after: str) -> Answer:
        """The service is overloaded or away for a moment."""
        number = 50196 if status == 429 else 90033
        answer = self._refused(
            Refusal(status, "temporarily_unavailable", number, "A transient error has occurred. Please try again.")
        )
        answer.headers["Retry-After"] = retry_after
        return answer

    def _refused(self, refusal: Refusal) -> Answer:
        when: datetime = self._clock()
        stamp = f"{when:%Y-%m-%d %H:%M:%S}Z"
        trace, correlation = (str(uuid.uuid5(uuid.NAMESPACE_OID, f"{kind}{stamp}{refusal.code}")) for kind in "tc")
        told = {
            "error": refusal.error,
            "error_description": f"AADSTS{refusal.code}: {refusal.text}\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {stamp}",
            "error_codes": [refusal.code],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={refusal.code}",
        }
        return Answer(refusal.status, dump(told), type="application/json; charset=utf-8")

    def expire_all(self) -> None:
        self._kept["generation"] = self._kept.get("generation", 1) + 1

    def client(self, authorization: str, host: str) -> str:
        """The client id behind a bearer token; 401 or 403 otherwise."""
        scheme, _, token = authorization.partition(" ")
        claims = self._claims(token.strip()) if scheme.lower() == "bearer" else None
        if claims is None or origin(claims["aud"]) not in (origin(host), origin(self._organisation)):
            raise self.unauthorized(host)
        client: str = claims["appid"]
        if client in _REFUSED:
            raise ApiError(403, *_REFUSED[client])
        return client

    def _claims(self, token: str) -> dict[str, Any] | None:
        text, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._sign(text).encode(), signature.encode("utf-8", "replace")):
            return None
        inner = text.partition(".")[2]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(inner + "=" * (-len(inner) % 4)))
        # `gen` lets a test end all tokens at once; the real service has no such switch.
        alive = claims["exp"] > self._clock().timestamp() and claims["gen"] == self._kept.get("generation", 1)
        return claims if alive else None

    @staticmethod
    def unauthorized(host: str) -> ApiError:
        way = f"Bearer authorization_uri={host}/{TENANT}/oauth2/authorize, resource_id={host}/"
        return ApiError(401, "", "", {"WWW-Authenticate": way})


def _basic(header: str, form: dict[str, str]) -> None:
    """Id and secret may stand in a Basic header instead of the form."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "basic":
        return
    try:
        name, _, secret = base64.b64decode(rest).decode().partition(":")
    except ValueError:
        return
    form.setdefault("client_id", unquote_plus(name))
    form.setdefault("client_secret", unquote_plus(secret))
