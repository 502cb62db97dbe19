from __future__ import annotations

import threading
import time
from typing import Any

import httpx
import pytest

from syncadmin.connectors import errors
from syncadmin.connectors.marketo.config import MarketoConfig
from tests.connectors.marketo.world import LEADS, TOKEN, Room, failed, ok, token

PARTITIONS = "/rest/v1/leads/partitions.json"


def test_the_token_goes_into_the_header_and_nowhere_else() -> None:
    room = Room({PARTITIONS: ok()})
    room.marketo.partitions()
    (call,) = room.account.to(PARTITIONS)
    assert call.headers["authorization"] == "Bearer 5d1f-one:sj"
    assert "access_token" not in str(call.url)
    (asked,) = room.account.to(TOKEN)
    assert dict(asked.url.params) == {
        "grant_type": "client_credentials",
        "client_id": "client",
        "client_secret": "very-secret",
    }
    assert "authorization" not in asked.headers


def test_one_token_serves_until_a_minute_before_its_end() -> None:
    room = Room({TOKEN: [token("one", 100), token("two")], PARTITIONS: ok()})
    room.marketo.partitions()
    room.clock.sleep(39)
    room.marketo.partitions()
    room.clock.sleep(1)
    room.marketo.partitions()
    sent = [call.headers["authorization"] for call in room.account.to(PARTITIONS)]
    assert sent == ["Bearer one", "Bearer one", "Bearer two"]


def test_a_token_with_four_seconds_left_is_used_up_instead_of_asking_at_every_call() -> None:
    room = Room({TOKEN: [token("old", 4), token("new")], PARTITIONS: ok()})
    room.marketo.partitions()
    room.clock.sleep(3)
    room.marketo.partitions()
    assert len(room.account.to(TOKEN)) == 1
    room.clock.sleep(1)
    room.marketo.partitions()
    assert room.account.to(PARTITIONS)[-1].headers["authorization"] == "Bearer new"


@pytest.mark.parametrize("code", ["601", "602"])
def test_a_token_that_ran_out_is_renewed_once_and_the_call_repeated(code: str) -> None:
    room = Room({TOKEN: [token("one"), token("two")], PARTITIONS: [failed(code), ok({"name": "Default"})]})
    assert room.marketo.partitions() == ["Default"]
    assert [call.headers["authorization"] for call in room.account.to(PARTITIONS)] == ["Bearer one", "Bearer two"]


def test_a_second_refusal_of_the_token_is_a_refused_sign_in() -> None:
    room = Room({PARTITIONS: failed("601", "Access token invalid")})
    with pytest.raises(errors.SignInRefused) as caught:
        room.marketo.partitions()
    assert caught.value.code == "601"
    assert len(room.account.to(PARTITIONS)) == 2


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, {"error": "unauthorized", "error_description": "No client with requested id: client"}, "No client"),
        (401, {"error": "invalid_client", "error_description": "Bad client credentials"}, "Bad client"),
        (400, {"error": "unsupported_grant_type"}, "unsupported_grant_type"),
    ],
)
def test_wrong_credentials_are_told_in_marketos_words(status: int, body: dict[str, Any], words: str) -> None:
    room = Room({TOKEN: httpx.Response(status, json=body)})
    with pytest.raises(errors.SignInRefused, match=words) as caught:
        room.marketo.identity()
    assert "very-secret" not in str(caught.value)
    assert len(room.account.to(TOKEN)) == 1


def test_an_address_without_an_identity_service_is_refused() -> None:
    with pytest.raises(errors.Refused, match="identity service"):
        Room({TOKEN: httpx.Response(404, text="gone")}).marketo.identity()


@pytest.mark.parametrize(
    "body", [{}, {"access_token": "x"}, {"access_token": "x\n", "expires_in": 4}, {"expires_in": 9}]
)
def test_an_answer_without_a_usable_token_is_malformed(body: dict[str, Any]) -> None:
    with pytest.raises(errors.Malformed):
        Room({TOKEN: body}).marketo.identity()


def test_missing_credentials_are_not_sent() -> None:
    room = Room({}, config=MarketoConfig("811-QXT-402", "client", " "))
    with pytest.raises(errors.SignInRefused):
        room.marketo.identity()
    assert room.account.asked == []


def test_signing_in_is_no_call_of_the_budget() -> None:
    room = Room({PARTITIONS: ok()})
    room.marketo.partitions()
    assert len(room.budget.calls) == 1


def test_threads_that_start_together_ask_for_one_token() -> None:
    def slow(request: httpx.Request) -> dict[str, Any]:
        time.sleep(0.05)
        return token()

    room = Room({TOKEN: slow, PARTITIONS: ok()})
    threads = [threading.Thread(target=room.marketo.partitions) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(room.account.to(TOKEN)) == 1
    assert len(room.account.to(PARTITIONS)) == 8


def test_threads_whose_token_ran_out_together_renew_it_once() -> None:
    barrier = threading.Barrier(4)

    def stale(request: httpx.Request) -> dict[str, Any]:
        if request.headers["authorization"] != "Bearer one":
            return ok({"name": "Default"})
        barrier.wait(timeout=5)
        return failed("602", "Access token expired")

    room = Room({TOKEN: [token("one"), token("two"), token("three")], PARTITIONS: stale})
    names: list[list[str]] = []
    threads = [threading.Thread(target=lambda: names.append(room.marketo.partitions())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names == [["Default"]] * 4
    assert len(room.account.to(TOKEN)) == 2


def test_a_write_is_repeated_after_a_renewal() -> None:
    room = Room({TOKEN: [token("one"), token("two")], LEADS: [failed("602"), ok({"id": 7, "status": "updated"})]})
    from syncadmin.connectors.contract import Status, Update
    from syncadmin.engine.records import Ref, Table

    (outcome,) = room.marketo.update([Update(Ref(Table.PERSON, "7"), {"firstName": "Ines"})])
    assert outcome.status is Status.UPDATED
