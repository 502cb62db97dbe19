from __future__ import annotations

import random
import threading
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs

import httpx
import pytest

from syncadmin.connectors import errors
from syncadmin.connectors.dynamics.auth import DynamicsAuth, DynamicsConfig, TokenCache
from syncadmin.connectors.dynamics.signin import token_judge
from syncadmin.connectors.http import Http, Work
from syncadmin.connectors.messages import Answer
from syncadmin.engine.records import Side
from tests.connectors.dynamics.tenant import CONFIG, error, ok
from tests.connectors.world import Clock, Network, Remembering


def token(text: str = "token-1", **more: object) -> httpx.Response:
    return ok({"token_type": "Bearer", "expires_in": 3599, "access_token": text, **more})


def signing(
    network: Network, clock: Clock, cache: TokenCache | None = None, config: DynamicsConfig = CONFIG
) -> DynamicsAuth:
    http = Http(
        config.authority,
        side=Side.DYNAMICS,
        budget=Remembering(),
        clock=clock,
        sleep=clock.sleep,
        rnd=random.Random(1),
        transport=network.transport,
        judge=token_judge,
    )
    return DynamicsAuth(config, http, cache or TokenCache())


def refused(code: int, status: int = 401, kind: str = "invalid_client") -> httpx.Response:
    body = {
        "error": kind,
        "error_description": f"AADSTS{code}: hush-hush ...",
        "error_codes": [code],
        "trace_id": "t-1",
    }
    return httpx.Response(status, json=body)


def test_the_token_request_is_a_form_with_the_organisations_scope() -> None:
    network = Network(token())
    headers = signing(network, Clock()).headers(Work())
    assert headers == {"Authorization": "Bearer token-1"}
    assert str(network.asked[0].url) == "https://login.microsoftonline.com/norvik.example/oauth2/v2.0/token"
    assert parse_qs(network.asked[0].content.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["client"],
        "client_secret": ["hush-hush"],
        "scope": ["https://norvik.crm4.dynamics.com/.default"],
    }


def test_one_token_serves_until_five_minutes_before_its_end() -> None:
    clock, network = Clock(), Network(token("a"), token("b"))
    auth = signing(network, clock)
    auth.headers(Work())
    clock.now += timedelta(seconds=3298)
    assert auth.headers(Work())["Authorization"] == "Bearer a"
    clock.now += timedelta(seconds=2)
    assert auth.headers(Work())["Authorization"] == "Bearer b"


def test_a_short_lived_token_is_not_renewed_at_every_call() -> None:
    clock, network = Clock(), Network(token(expires_in=200))
    auth = signing(network, clock)
    auth.headers(Work())
    auth.headers(Work())
    assert len(network.asked) == 1


def test_connectors_of_a_process_share_the_token_but_not_across_secrets() -> None:
    cache, clock, network = TokenCache(), Clock(), Network(token())
    signing(network, clock, cache).headers(Work())
    signing(network, clock, cache).headers(Work())
    assert len(network.asked) == 1
    other = DynamicsConfig(CONFIG.base_url, CONFIG.tenant, CONFIG.client_id, "another")
    signing(network, clock, cache, other).headers(Work())
    assert len(network.asked) == 2
    assert "hush-hush" not in repr(CONFIG) + repr(CONFIG.key)


def test_many_threads_sign_in_once() -> None:
    entered, go = threading.Event(), threading.Event()

    def slowly(request: httpx.Request) -> httpx.Response:
        entered.set()
        assert go.wait(5)
        return token()

    network = Network(slowly)
    auth = signing(network, Clock())
    threads = [threading.Thread(target=auth.headers, args=(Work(),)) for _ in range(5)]
    for thread in threads:
        thread.start()
    assert entered.wait(5)
    go.set()
    for thread in threads:
        thread.join(5)
    assert len(network.asked) == 1


def test_renewing_skips_a_token_somebody_else_replaced() -> None:
    network = Network(token("a"), token("b"), token("c"))
    auth = signing(network, Clock())
    old = auth.headers(Work())
    auth.renew(old, Work())
    auth.renew(old, Work())
    assert auth.headers(Work())["Authorization"] == "Bearer b"
    assert auth.expired(Answer(401, {}, b""))
    assert not auth.expired(Answer(403, {}, b""))


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        (7000215, 401, "secret's value"),
        (7000222, 401, "expired"),
        (7000218, 401, "missing"),
        (700016, 400, "client id"),
        (90002, 400, "tenant"),
        (900144, 400, "incomplete"),
        (70011, 400, "scope"),
        (1002012, 400, "scope"),
        (500011, 400, "environment"),
        (999999, 400, "AADSTS999999"),
    ],
)
def test_a_refused_sign_in_names_its_remedy_and_never_the_secret(code: int, status: int, words: str) -> None:
    network = Network(refused(code, status))
    with pytest.raises(errors.SignInRefused) as caught:
        signing(network, Clock()).headers(Work())
    assert words in caught.value.message
    assert caught.value.code == f"AADSTS{code}"
    assert "hush" not in caught.value.message
    assert len(network.asked) == 1


def test_the_code_is_found_in_the_text_when_the_list_is_missing() -> None:
    body = {"error": "invalid_client", "error_description": "AADSTS7000222: The provided keys are expired."}
    with pytest.raises(errors.SignInRefused, match="expired"):
        signing(Network(httpx.Response(401, json=body)), Clock()).headers(Work())


@pytest.mark.parametrize(
    "busy",
    [
        lambda: refused(90033, 400, "temporarily_unavailable"),
        lambda: refused(50196, 400),
        lambda: error(503, "", ""),
        lambda: httpx.Response(429, headers={"Retry-After": "3"}),
    ],
)
def test_a_busy_authority_is_asked_again(busy: Callable[[], httpx.Response]) -> None:
    clock = Clock()
    assert signing(Network(busy(), token()), clock).headers(Work())["Authorization"] == "Bearer token-1"
    assert len(clock.slept) == 1


@pytest.mark.parametrize(
    "body", [{"expires_in": 3599}, {"access_token": 5}, {"access_token": "a\r\nX: y"}, {"access_token": ""}]
)
def test_an_answer_without_a_token_is_malformed(body: dict[str, object]) -> None:
    with pytest.raises(errors.Malformed):
        signing(Network(ok(body)), Clock()).headers(Work())


def test_a_page_instead_of_json_names_the_status() -> None:
    with pytest.raises(errors.SignInRefused, match="404"):
        signing(Network(httpx.Response(404, text="<html>")), Clock()).headers(Work())
