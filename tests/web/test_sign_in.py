from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from syncadmin.services import roles, sign_in, sign_in_limit
from syncadmin.store.models import SignInTry


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    """Dozens of passwords are tried here, and a real one takes a third of a second to look at."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


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


def _tries(client: Client, password: str, name: str = "ada", address: str = "10.0.0.1") -> tuple[int, str]:
    answer = client.post("/sign-in/", {"username": name, "password": password}, REMOTE_ADDR=address)
    return answer.status_code, answer.content.decode()


@pytest.mark.parametrize("name", ["ada", "nobody"])
def test_too_many_tries_are_told_when_to_come_back_whether_or_not_the_name_exists(db: None, name: str) -> None:
    _ada()
    client = Client()
    for _ in range(sign_in_limit.BY_NAME):
        assert _tries(client, "wrong", name)[0] == 422
    for password in ("wrong", "a long enough password"):
        status, page = _tries(client, password, name.upper())
        assert (status, "Try again in 15 minutes" in page) == (429, True)
    assert "_auth_user_id" not in client.session


def test_another_way_to_write_a_name_gives_no_more_tries(db: None) -> None:
    _ada()
    assert _tries(Client(), "a long enough password", "ａｄａ")[0] == 302
    for name in ("ada", "ａda", "aｄa", "adａ", "ａｄａ"):
        assert _tries(Client(), "wrong", name)[0] == 422
    assert _tries(Client(), "wrong", "ａｄa")[0] == 429


def test_strangers_tries_lock_nobody_out_elsewhere(db: None) -> None:
    _ada()
    for _ in range(sign_in_limit.BY_NAME + 1):
        stranger = _tries(Client(), "wrong", address="10.6.6.6")
    assert stranger[0] == 429
    assert _tries(Client(), "a long enough password")[0] == 302


def test_one_address_may_not_try_many_names(db: None) -> None:
    for number in range(sign_in_limit.BY_ADDRESS):
        assert _tries(Client(), "wrong", f"name{number}")[0] == 422
    assert _tries(Client(), "wrong", "another")[0] == 429


def test_a_password_that_fits_clears_the_count_and_time_does_too(db: None) -> None:
    _ada()
    for _ in range(2):
        for _ in range(sign_in_limit.BY_NAME - 1):
            assert _tries(Client(), "wrong")[0] == 422
        assert _tries(Client(), "a long enough password")[0] == 302
    for _ in range(sign_in_limit.BY_NAME):
        _tries(Client(), "wrong")
    SignInTry.objects.update(at=datetime.now(UTC) - sign_in_limit.WINDOW)
    assert _tries(Client(), "a long enough password")[0] == 302


def test_the_sign_in_sends_nobody_to_another_site(db: None) -> None:
    _ada()
    sent = {"username": "ada", "password": "a long enough password"}
    for target in ("https://evil.example/", "//evil.example/", "/\\evil.example"):
        assert Client().post("/sign-in/", {**sent, "next": target}).headers["Location"] == "/"


def test_a_link_lets_in_once(db: None) -> None:
    token = sign_in.token_for(_ada(), who="test", now=datetime.now(UTC))
    client = Client()
    assert client.post(f"/sign-in/{token}").headers["Location"] == "/"
    assert "_auth_user_id" in client.session
    second = Client()
    page = second.get(f"/sign-in/{token}", follow=True).content.decode()
    assert "has been used already or is too old" in page
    assert "_auth_user_id" not in second.session


def test_a_link_from_the_terminal_lets_in_when_it_is_opened(db: None) -> None:
    token = sign_in.token_for(_ada(), who="test", now=datetime.now(UTC), at_once=True)
    client, second = Client(), Client()
    assert client.head(f"/sign-in/{token}").status_code == 200
    assert client.get(f"/sign-in/{token}", headers={"Sec-Purpose": "prefetch;prerender"}).status_code == 200
    assert "_auth_user_id" not in client.session
    assert client.get(f"/sign-in/{token}").headers["Location"] == "/"
    assert "_auth_user_id" in client.session
    assert second.get(f"/sign-in/{token}").headers["Location"] == "/sign-in/"


def test_a_mailed_link_that_is_only_looked_at_is_not_used_up(db: None) -> None:
    token = sign_in.token_for(_ada(), who="test", now=datetime.now(UTC), good_for=sign_in.INVITED_FOR)
    scanner, client = Client(), Client()
    for ask in (scanner.get, scanner.head, scanner.get):
        assert ask(f"/sign-in/{token}").status_code == 200
    assert "_auth_user_id" not in scanner.session
    page = client.get(f"/sign-in/{token}").content.decode()
    assert "This link signs <strong>ada</strong> in" in page and "<button" in page
    assert client.post(f"/sign-in/{token}").headers["Location"] == "/"
    assert scanner.get(f"/sign-in/{token}").headers["Location"] == "/sign-in/"


def test_a_link_made_for_somebody_else_is_not_used_up_by_their_mail_scanner(ada: Client) -> None:
    user = User.objects.create_user("zoe")
    page = ada.post(f"/settings/users/{user.pk}/link/").content.decode()
    link = re.search(r'value="http://[^/]+(/sign-in/[^"]+)"', page)
    assert link
    scanner, zoe = Client(), Client()
    assert scanner.get(link[1]).status_code == 200
    assert "_auth_user_id" not in scanner.session
    assert zoe.post(link[1]).headers["Location"] == "/"


def test_who_forgot_the_password_chooses_another_after_a_link(db: None) -> None:
    viewer, client = _ada(), Client()
    roles.assign(viewer, roles.Role.VIEWER, who="test", now=datetime.now(UTC))
    client.post(f"/sign-in/{sign_in.token_for(viewer, who='test', now=datetime.now(UTC))}")
    assert "Choose a password" in client.get("/you/").content.decode()
    new = {"new_password1": "correct horse battery", "new_password2": "correct horse battery"}
    assert client.post("/you/password/", new).status_code == 302
    viewer.refresh_from_db()
    assert viewer.check_password("correct horse battery")
    # Whoever finds the browser open later has to know it.
    assert "Change your password" in client.get("/you/").content.decode()
    assert client.post("/you/password/", new).status_code == 422


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
