"""A wrong setting stops the start with one sentence, and no secret in it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from syncadmin.embedded.places import PROJECT

GOOD = {
    "DATABASE_URL": "postgresql://me:p%40ss@db.example.com:6543/people?sslmode=require",
    "CELERY_BROKER_URL": "redis://:word@cache.example.com:6379/0",
    "SECRET_KEY": "s" * 50,
    "VAULT_KEYS": "A" * 43 + "=," + "B" * 42 + "A=",
    "PUBLIC_URL": "https://sync.example.com",
    # So that no `make run` of the same machine lends it what is missing.
    "SYNCADMIN_DATA": "/nonexistent",
}


def start(command: list[str], variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], cwd=PROJECT, env=variables, capture_output=True, text=True, check=False
    )


def settings(variables: dict[str, str], *names: str) -> list[object]:
    code = f"import json; from syncadmin import settings as s; print(json.dumps([getattr(s, n) for n in {names!r}]))"
    done = start(["-c", code], GOOD | variables)
    assert done.returncode == 0, done.stderr
    found: list[object] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("DATABASE_URL", "", "DATABASE_URL is not set: give postgresql://"),
        ("DATABASE_URL", "mysql://u:hush-hush@h/n", "DATABASE_URL must start with postgresql://"),
        ("DATABASE_URL", "postgresql://u:hush-hush@h:port/n", "DATABASE_URL is not an address that can be read"),
        ("DATABASE_URL", "postgresql://u:hush-hush@h", "DATABASE_URL names no database"),
        ("CELERY_BROKER_URL", "", "CELERY_BROKER_URL is not set"),
        ("CELERY_BROKER_URL", "sqs://u:hush-hush@h", "CELERY_BROKER_URL must start with redis://"),
        ("SECRET_KEY", "", "SECRET_KEY is not set"),
        ("SECRET_KEY", "hush-hush", "SECRET_KEY has 9 characters, it needs 32 or more"),
        ("VAULT_KEYS", "", "VAULT_KEYS is not set"),
        ("VAULT_KEYS", "A" * 43 + "=,hush-hush", "VAULT_KEYS: key 2 is not 32 bytes in URL-safe base64"),
        ("SYNC_KEY", "hush-hush", "SYNC_KEY has 9 characters, it needs 14 or more"),
        ("DEBUG", "maybe", "DEBUG must be True or False, not 'maybe'"),
        ("PUBLIC_URL", "http://sync.example.com", "PUBLIC_URL must start with https://"),
        ("PUBLIC_URL", "sync.example.com", "PUBLIC_URL must start with https://"),
        ("PUBLIC_URL", "https://sync.example.com/sub", "PUBLIC_URL must be a scheme, a host and perhaps a port"),
        (
            "CSRF_TRUSTED_ORIGINS",
            "sync.example.com",
            "CSRF_TRUSTED_ORIGINS: 'sync.example.com' must start with https://",
        ),
        ("HSTS_SECONDS", "-1", "HSTS_SECONDS must be a whole number from 0 to 63072000, not '-1'"),
        ("LANGUAGE_CODE", "tlh", "LANGUAGE_CODE must be one of en, zh-hant, not 'tlh'"),
        ("EMAIL_URL", "pigeon://h", "EMAIL_URL must start with smtp:// or smtps:// or console://"),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL must be one of"),
    ],
)
def test_a_bad_value_is_one_sentence(name: str, value: str, words: str) -> None:
    done = start(["manage.py", "check"], GOOD | {name: value})
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"syncadmin: {words}")
    assert done.stderr.count("\n") == 1
    assert "hush-hush" not in done.stderr


@pytest.mark.parametrize(
    "command", [["-m", "celery", "-A", "syncadmin.celery", "report"], ["-c", "import syncadmin.wsgi"]]
)
def test_the_worker_and_the_web_server_refuse_in_the_same_way(command: list[str]) -> None:
    done = start(command, GOOD | {"SECRET_KEY": "short"})
    assert done.returncode == 2
    assert done.stderr.startswith("syncadmin: SECRET_KEY has 5 characters")
    assert done.stderr.count("\n") == 1


def test_an_address_is_taken_apart_and_decoded() -> None:
    [databases] = settings({}, "DATABASES")
    assert isinstance(databases, dict)
    found = databases["default"]
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("db.example.com", "6543", "people")
    assert (found["USER"], found["PASSWORD"]) == ("me", "p@ss")
    assert found["OPTIONS"]["sslmode"] == "require"
    assert "pool" not in found["OPTIONS"]


def test_only_a_pool_that_is_asked_for_is_there() -> None:
    [databases] = settings({"DATABASE_POOL": "7"}, "DATABASES")
    assert isinstance(databases, dict)
    assert databases["default"]["OPTIONS"]["pool"]["max_size"] == 7
    assert databases["default"]["CONN_MAX_AGE"] == 0


def test_https_outside_and_plain_http_on_this_machine_only() -> None:
    names = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS", "DEBUG", "SANDBOX", "SYNC_KEY")
    assert settings({}, *names) == [True, True, 30 * 86_400, False, False, ""]
    here = settings({"PUBLIC_URL": "http://127.0.0.1:8000", "SANDBOX": "True"}, *names)
    assert here == [False, False, 0, False, True, "sandbox-secret"]


def test_a_broker_that_is_no_redis_gets_no_redis_options() -> None:
    assert settings({"CELERY_BROKER_URL": "amqp://u:p@h//"}, "CELERY_BROKER_TRANSPORT_OPTIONS") == [{}]
    [options] = settings({}, "CELERY_BROKER_TRANSPORT_OPTIONS")
    assert isinstance(options, dict)
    assert options["visibility_timeout"] == 900
