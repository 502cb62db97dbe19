"""The operators' door."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.test import Client

from syncadmin.management import bare
from syncadmin.services import connect, roles
from syncadmin.store import vault
from syncadmin.store.models import Connection, Run, SignInLink
from tests.world import World

PROJECT = Path(__file__).resolve().parents[2]


def printed(*arguments, **options):
    out = StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def world(monkeypatch):
    """The process's own clock and network are the simulated ones."""
    world = World()
    monkeypatch.setattr(connect, "real_world", lambda: world.outside)
    return world


@pytest.mark.django_db
def test_the_sign_in_link_lets_an_administrator_in_once(settings):
    path = printed("signin_link").strip()
    client = Client()

    assert client.post(path).status_code == 302
    assert "_auth_user_id" in client.session
    assert SignInLink.objects.get().used_at is not None
    second = Client()
    second.post(path)
    assert "_auth_user_id" not in second.session
    assert [user.username for user in roles.administrators()] == ["admin"]
    assert printed("signin_link", "--address", "--user", "ada").startswith(settings.PUBLIC_URL + "/sign-in/")


def test_a_new_key_needs_no_settings():
    done = subprocess.run(
        [sys.executable, "manage.py", "vault", "new-key"],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], "SYNCADMIN_DATA": "/nonexistent"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    Fernet(done.stdout.strip())


@pytest.mark.django_db
def test_rotating_the_vault(settings):
    old = settings.VAULT_KEYS[0]
    Connection.objects.create(
        side="dynamics", base_url="http://x", sealed=vault.seal("s"), connected_at="2026-03-04T09:00Z"
    )
    new = printed("vault", "new-key").strip()
    settings.VAULT_KEYS = [new, old]
    assert "1 secrets" in printed("vault", "rotate")
    settings.VAULT_KEYS = [new]
    assert vault.unseal(Connection.objects.get().sealed) == "s"
    settings.VAULT_KEYS = [old]
    with pytest.raises(CommandError, match="VAULT_KEYS"):
        printed("vault", "rotate")


@pytest.mark.django_db(transaction=True)
def test_one_pass_prints_its_counts(world):
    world.dynamics.create("lead", {"lastname": "King", "emailaddress1": "king@example.com"})
    told = json.loads(printed("sync", "once"))

    assert told["run"] == Run.objects.get().pk
    assert told["counts"]["read_dynamics"] >= 1
    assert len(list(world.marketo.rows("person"))) == 1


@pytest.mark.django_db
def test_one_pass_without_connections_says_what_is_missing():
    with pytest.raises(CommandError, match="There is no connection to dynamics yet"):
        printed("sync", "once")


@pytest.mark.django_db(transaction=True)
def test_the_doctor_is_content_and_then_is_not(world):
    text = printed("doctor")
    assert "dynamics  ok" in text
    assert "marketo  ok" in text
    assert "FAIL" not in text

    Connection.objects.filter(side="marketo").update(sealed=vault.seal("changed over there"))
    with pytest.raises(CommandError, match="Something is wrong"):
        printed("doctor")


@pytest.mark.django_db(transaction=True)
def test_the_sandbox_is_not_set_up_twice(world):
    assert "nothing to do" in printed("sandbox", "connect", "--if-new")


def test_a_file_goes_to_the_sandbox_of_make_run(monkeypatch):
    monkeypatch.setenv("MARKETO_PORT", "9102")
    monkeypatch.delenv("DYNAMICS_PORT", raising=False)

    assert (bare.address("dynamics"), bare.address("marketo")) == ("http://127.0.0.1:8101", "http://127.0.0.1:9102")
    assert bare.run(["sync", "once"]) is None
    assert bare.run(["sandbox", "connect"]) is None
