"""Secrets are sealed by the newest key and opened by any."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from syncadmin.store import vault
from syncadmin.store.models import Connection

AT = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)


def test_a_secret_comes_back_and_does_not_lie_open():
    sealed = vault.seal("sandbox-secret")

    assert vault.unseal(sealed) == "sandbox-secret"
    assert "sandbox-secret" not in sealed
    assert sealed != vault.seal("sandbox-secret")


def test_an_older_key_still_opens_and_a_missing_one_says_so(settings):
    older, newer = vault.new_key(), vault.new_key()
    settings.VAULT_KEYS = [older]
    sealed = vault.seal("secret")

    settings.VAULT_KEYS = [newer, older]
    assert vault.unseal(sealed) == "secret"
    settings.VAULT_KEYS = [newer]
    with pytest.raises(vault.Unopened, match="VAULT_KEYS"):
        vault.unseal(sealed)


@pytest.mark.django_db
def test_rotating_makes_the_old_key_superfluous(settings):
    older, newer = vault.new_key(), vault.new_key()
    settings.VAULT_KEYS = [older]
    for side in ("dynamics", "marketo"):
        Connection.objects.create(side=side, base_url="http://x", sealed=vault.seal(side), connected_at=AT)

    settings.VAULT_KEYS = [newer, older]
    assert vault.rotate() == 2
    settings.VAULT_KEYS = [newer]
    assert {row.side: vault.unseal(row.sealed) for row in Connection.objects.all()} == {
        "dynamics": "dynamics",
        "marketo": "marketo",
    }


@pytest.mark.django_db
def test_rotating_changes_nothing_when_one_secret_cannot_be_opened(settings):
    older = settings.VAULT_KEYS[0]
    sealed = vault.seal("mine")
    Connection.objects.create(side="dynamics", base_url="http://x", sealed=sealed, connected_at=AT)
    Connection.objects.create(side="marketo", base_url="http://x", sealed="nonsense", connected_at=AT)

    settings.VAULT_KEYS = [vault.new_key(), older]
    with pytest.raises(vault.Unopened):
        vault.rotate()
    assert Connection.objects.get(side="dynamics").sealed == sealed


def test_a_fingerprint_is_keyed_and_steady(settings):
    mark = vault.fingerprint("email:ada@example.com")

    assert mark == vault.fingerprint("email:ada@example.com")
    assert len(mark) == 64
    assert mark != vault.fingerprint("email:bob@example.com")
    settings.SECRET_KEY = "another key, another fingerprint, of the same text"
    assert mark != vault.fingerprint("email:ada@example.com")
