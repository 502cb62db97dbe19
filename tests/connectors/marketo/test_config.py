from __future__ import annotations

import pytest

from syncadmin.connectors.marketo.config import MarketoConfig, normalised

HOST = "https://811-QXT-402.mktorest.com"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("811-QXT-402", HOST),
        (" 811-qxt-402 ", HOST),
        (HOST, HOST),
        (f"{HOST}/", HOST),
        (f"{HOST}/rest", HOST),
        (f"{HOST}//rest/", HOST),
        (f"{HOST}/rest/v1/leads.json", HOST),
        (f"{HOST}/identity", HOST),
        (f"{HOST}/identity/oauth/token", HOST),
        (f"{HOST}/bulk/v1", HOST),
        ("811-QXT-402.mktorest.com/rest", HOST),
        ("HTTPS://811-QXT-402.mktorest.com/REST", HOST),
        ("http://127.0.0.1:8102", "http://127.0.0.1:8102"),
        ("http://127.0.0.1:8102/rest/", "http://127.0.0.1:8102"),
        ("https://gateway.example/marketo/rest", "https://gateway.example/marketo"),
    ],
)
def test_what_people_paste_becomes_one_address(typed: str, expected: str) -> None:
    assert normalised(typed) == expected


def test_identity_is_on_the_same_host_unless_told_otherwise() -> None:
    assert MarketoConfig(HOST, "a", "b").identity_root == HOST
    assert (
        MarketoConfig(HOST, "a", "b", identity_url="https://id.example/identity").identity_root == "https://id.example"
    )


def test_the_account_is_the_munchkin_id_or_the_host() -> None:
    assert MarketoConfig(HOST.lower(), "a", "b").account == "811-QXT-402"
    assert MarketoConfig("http://127.0.0.1:8102", "a", "b").account == "127.0.0.1:8102"


def test_the_secret_is_not_shown() -> None:
    assert "hush" not in repr(MarketoConfig(HOST, "a", "hush"))
