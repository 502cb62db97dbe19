"""Checklist 1: tokens with their error bodies, the bearer check, the 401 and 403 variants."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from .conftest import BASE, code


def test_a_token_lives_about_an_hour(api: Any, clock: Any) -> None:
    told = api.token().json()
    assert (told["token_type"], told["expires_in"], told["ext_expires_in"]) == ("Bearer", 3599, 3599)
    claims = json.loads(base64.urlsafe_b64decode(told["access_token"].split(".")[1] + "=="))
    assert (claims["aud"], claims["appid"]) == (BASE, "sandbox")
    clock.forward(seconds=3598)
    assert api.get("WhoAmI").status_code == 200
    clock.forward(seconds=2)
    assert api.get("WhoAmI").status_code == 401


@pytest.mark.parametrize(
    ("form", "status", "error", "number"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_secret": "expired-secret"}, 401, "invalid_client", 7000222),
        ({"client_secret": "-"}, 401, "invalid_client", 7000218),
        ({"client_id": "nobody"}, 400, "unauthorized_client", 700016),
        ({"tenant": "elsewhere"}, 400, "invalid_request", 90002),
        ({"client_id": "-"}, 400, "invalid_request", 900144),
        ({"grant_type": "-"}, 400, "invalid_request", 900144),
        ({"scope": BASE}, 400, "invalid_scope", 1002012),
        ({"scope": "https://wrong.crm4.dynamics.com/.default"}, 400, "invalid_resource", 500011),
    ],
)
def test_refusals_have_the_documented_body(
    api: Any, form: dict[str, str], status: int, error: str, number: int
) -> None:
    answer = api.token(**form)
    told = answer.json()
    assert (answer.status_code, told["error"], told["error_codes"]) == (status, error, [number])
    assert told["error_description"].startswith(f"AADSTS{number}: ")
    assert {"timestamp", "trace_id", "correlation_id", "error_uri"} <= told.keys()


def test_id_and_secret_may_come_as_basic(api: Any) -> None:
    header = base64.b64encode(b"sandbox:sandbox-secret").decode()
    form = {"grant_type": "client_credentials", "scope": f"{BASE}/.default"}
    answer = api.client.post("/sandbox/oauth2/v2.0/token", data=form, headers={"Authorization": f"Basic {header}"})
    assert answer.status_code == 200


def test_the_401_names_tenant_and_resource(api: Any) -> None:
    del api.client.headers["Authorization"]
    answer = api.get("WhoAmI")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == (
        f"Bearer authorization_uri={BASE}/sandbox/oauth2/authorize, resource_id={BASE}/"
    )


def test_a_foreign_or_tampered_token_is_refused(api: Any) -> None:
    good = api.client.headers["Authorization"]
    for bad in ("Bearer abc", good[:-2] + "xx", "Basic abc"):
        api.client.headers["Authorization"] = bad
        assert api.get("WhoAmI").status_code == 401


@pytest.mark.parametrize(
    ("client", "number"), [("stranger", "0x80072560"), ("norole", "0x80042f09"), ("disabled", "0x80040225")]
)
def test_clients_without_rights_are_forbidden(api: Any, client: str, number: str) -> None:
    api.sign_in(client_id=client)
    assert code(api.get("WhoAmI")) == (403, number)


def test_all_tokens_can_be_ended(api: Any, org: Any) -> None:
    org.expire_tokens()
    assert api.get("WhoAmI").status_code == 401
    api.sign_in()
    assert api.get("WhoAmI").status_code == 200


def test_openid_discovery_names_the_token_endpoint(api: Any) -> None:
    told = api.client.get("/sandbox/v2.0/.well-known/openid-configuration").json()
    assert told["token_endpoint"] == f"{BASE}/sandbox/oauth2/v2.0/token"
    assert api.client.get(told["jwks_uri"]).json() == {"keys": []}
