"""Inviting, giving roles, shutting out: by administrators only, and never the last of them."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from syncadmin.services.roles import Role, role_of
from syncadmin.store.models import AuditEntry, SignInLink

INVITATION = {"name": "zoe", "email": "zoe@example.org", "role": "operator"}


def _link(answer: str) -> str:
    found = re.search(r'value="https?://[^/]+(/sign-in/[^"]+)"', answer)
    assert found
    return found[1]


def _audit() -> list[tuple[str, str, str]]:
    return list(AuditEntry.objects.order_by("id").values_list("who", "action", "subject"))


def test_an_invited_person_comes_in_once_chooses_a_password_and_comes_back(ada: Client) -> None:
    answer = ada.post("/settings/users/invite/", INVITATION)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"].startswith("max-age=0")
    assert _audit() == [("ada", "invite", "zoe"), ("ada", "role", "zoe"), ("ada", "sign_in_link", "zoe")]
    assert "invited" in ada.get("/settings/users/").content.decode()

    zoe, stranger, link = Client(), Client(), _link(answer.content.decode())
    assert zoe.post(link).headers["Location"] == "/"
    assert stranger.post(link).headers["Location"] == "/sign-in/"
    assert zoe.post("/pause/").status_code == 302

    new = {"new_password1": "correct horse battery", "new_password2": "correct horse battery"}
    assert zoe.post("/you/password/", new).status_code == 302
    assert zoe.get("/").status_code == 200
    assert stranger.login(username="zoe", password="correct horse battery")


def test_a_name_is_taken_in_any_letters_and_a_strange_one_is_refused(ada: Client) -> None:
    for name, told in (("ADA", "Somebody has this name already."), ("a b", "Enter a valid username"), ("", "required")):
        answer = ada.post("/settings/users/invite/", {**INVITATION, "name": name})
        assert (answer.status_code, told in answer.content.decode()) == (422, True)
    assert User.objects.count() == 1


def test_a_name_in_wide_letters_is_one_to_sign_in_with(ada: Client) -> None:
    zoe, link = Client(), _link(ada.post("/settings/users/invite/", {**INVITATION, "name": "ｚｏｅ"}).content.decode())
    zoe.post(link)
    new = {"new_password1": "correct horse battery", "new_password2": "correct horse battery"}
    assert zoe.post("/you/password/", new).status_code == 302
    sent = {"username": "ｚｏｅ", "password": "correct horse battery"}
    assert Client().post("/sign-in/", sent).headers["Location"] == "/"
    # One such letter can stand for many plain ones.
    assert ada.post("/settings/users/invite/", {**INVITATION, "name": "ﷺ" * 150}).status_code == 422


def test_a_role_is_changed_and_audited(ada: Client, vic: Client) -> None:
    user = User.objects.get(username="vic")
    page = ada.post(f"/settings/users/{user.pk}/role/", {"role": "operator"}, follow=True).content.decode()
    assert "vic is now: Operator." in page
    assert role_of(user) is Role.OPERATOR
    assert AuditEntry.objects.values_list("action", "before", "after").get() == ("role", "viewer", "operator")
    assert ada.post(f"/settings/users/{user.pk}/role/", {"role": "emperor"}).status_code == 404


def test_the_last_administrator_can_be_neither_lowered_nor_closed(ada: Client) -> None:
    user = User.objects.get(username="ada")
    for path, data in (("role", {"role": "viewer"}), ("close", {})):
        page = ada.post(f"/settings/users/{user.pk}/{path}/", data, follow=True).content.decode()
        assert "The last administrator stays one" in page
    user.refresh_from_db()
    assert (role_of(user), user.is_active) == (Role.ADMINISTRATOR, True)
    assert _audit() == []


def test_a_closed_account_is_out_at_once_and_can_be_opened_again(ada: Client, vic: Client) -> None:
    user = User.objects.get(username="vic")
    link = _link(ada.post(f"/settings/users/{user.pk}/link/").content.decode())
    assert "Close the account of vic?" in ada.get(f"/settings/users/{user.pk}/close/").content.decode()
    assert vic.get("/").status_code == 200

    ada.post(f"/settings/users/{user.pk}/close/")
    assert vic.get("/").status_code == 302
    assert not SignInLink.objects.exists()
    assert "open it first" in ada.post(f"/settings/users/{user.pk}/link/", follow=True).content.decode()

    ada.post(f"/settings/users/{user.pk}/reopen/")
    assert Client().get(link).headers["Location"] == "/sign-in/"
    assert vic.get("/").status_code == 302
    actions = [action for _who, action, _subject in _audit()]
    assert actions == ["sign_in_link", "close_account", "reopen_account"]


@pytest.mark.parametrize("path", ["", "invite/", "1/role/", "1/link/", "1/close/", "1/reopen/"])
def test_only_administrators_come_here(oscar: Client, path: str) -> None:
    assert oscar.get(f"/settings/users/{path}").status_code == 403
    assert oscar.post(f"/settings/users/{path}", INVITATION).status_code == 403
    assert User.objects.count() == 1


def test_an_account_nobody_has_is_not_found(ada: Client) -> None:
    assert ada.post("/settings/users/9999/close/").status_code == 404
