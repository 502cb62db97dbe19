from __future__ import annotations

from datetime import UTC, datetime

from django.contrib.auth.models import User
from django.test import Client

from syncadmin.services import sign_in


def _ada() -> User:
    return User.objects.create_user("ada", password="a long enough password")


def test_name_and_password_let_in_and_lead_where_one_wanted_to_go(db: None) -> None:
    _ada()
    sent = {"username": "ada", "password": "a long enough password", "next": "/people/?q=x"}
    client = Client()
    assert client.post("/sign-in/", sent).headers["Location"] == "/people/?q=x"
    assert "_auth_user_id" in client.session


def test_a_wrong_password_is_told_and_lets_nobody_in(db: None) -> None:
    _ada()
    client = Client()
    answer = client.post("/sign-in/", {"username": "ada", "password": "wrong"})
    assert answer.status_code == 422
    assert "Please enter a correct username and password" in answer.content.decode()
    assert "_auth_user_id" not in client.session


def test_the_sign_in_sends_nobody_to_another_site(db: None) -> None:
    _ada()
    sent = {"username": "ada", "password": "a long enough password"}
    for target in ("https://evil.example/", "//evil.example/", "/\\evil.example"):
        assert Client().post("/sign-in/", {**sent, "next": target}).headers["Location"] == "/"


def test_a_link_lets_in_once(db: None) -> None:
    token = sign_in.token_for(_ada(), who="test", now=datetime.now(UTC))
    client = Client()
    assert client.get(f"/sign-in/{token}").headers["Location"] == "/"
    assert "_auth_user_id" in client.session
    second = Client()
    page = second.get(f"/sign-in/{token}", follow=True).content.decode()
    assert "has been used already or is too old" in page
    assert "_auth_user_id" not in second.session


def test_an_invented_link_lets_nobody_in(db: None) -> None:
    client = Client()
    assert client.get("/sign-in/invented").headers["Location"] == "/sign-in/"
    assert "_auth_user_id" not in client.session


def test_leaving_takes_a_form_not_a_link(vic: Client) -> None:
    assert vic.get("/sign-out/").status_code == 405
    vic.post("/sign-out/")
    assert vic.get("/").headers["Location"] == "/sign-in/"


def test_a_form_without_its_token_is_refused(db: None) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/sign-in/", {"username": "ada", "password": "x"})
    assert answer.status_code == 403
    assert "This form is too old" in answer.content.decode()
