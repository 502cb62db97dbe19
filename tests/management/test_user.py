"""The operators' way to make viewers and operators, before there is a page for it."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from syncadmin.services.roles import Role, role_of
from syncadmin.store.models import AuditEntry

pytestmark = pytest.mark.django_db


def say(*words: str) -> str:
    out = StringIO()
    call_command("user", *words, stdout=out)
    return out.getvalue()


def test_a_viewer_is_made_and_becomes_an_operator() -> None:
    made, hint = say("vic", "--role", "viewer").splitlines()
    assert made == "vic was made viewer."
    assert "--password" in hint
    assert say("vic", "--role", "operator") == "vic is now operator.\n"

    vic = User.objects.get(username="vic")
    assert role_of(vic) is Role.OPERATOR
    assert not vic.has_usable_password()
    assert AuditEntry.objects.filter(action="role", subject="vic").count() == 2


def test_the_last_administrator_stays() -> None:
    say("ada", "--role", "administrator")

    with pytest.raises(CommandError, match="last administrator"):
        say("ada", "--close")
    with pytest.raises(CommandError, match="last administrator"):
        say("ada", "--role", "viewer")
    assert role_of(User.objects.get(username="ada")) is Role.ADMINISTRATOR


def test_a_closed_account_is_listed_as_closed() -> None:
    say("ada", "--role", "administrator")
    say("vic", "--role", "viewer")
    say("vic", "--close")

    assert say() == "ada  administrator\nvic  viewer  (closed)\n"


def test_a_name_nobody_has_cannot_be_closed() -> None:
    with pytest.raises(CommandError, match="no user called zoe"):
        say("zoe", "--close")


def test_nothing_to_do_is_said() -> None:
    with pytest.raises(CommandError, match="Say --role"):
        say("vic")


def test_a_password_is_changed_without_touching_the_role(monkeypatch: pytest.MonkeyPatch) -> None:
    say("vic", "--role", "viewer")
    monkeypatch.setattr("getpass.getpass", lambda prompt: "correct horse battery")

    assert say("vic", "--password") == "vic has a new password.\n"

    vic = User.objects.get(username="vic")
    assert vic.check_password("correct horse battery")
    assert role_of(vic) is Role.VIEWER
    with pytest.raises(CommandError, match="no user called zoe"):
        say("zoe", "--password")


def test_a_weak_password_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    say("vic", "--role", "viewer")
    monkeypatch.setattr("getpass.getpass", lambda prompt: "12345")

    with pytest.raises(CommandError, match="too short"):
        say("vic", "--password")
    assert not User.objects.get(username="vic").has_usable_password()
