"""pytest plugin (`-p tests.embedded`): a private PostgreSQL and broker for the test run, there before settings are read.

DATABASE_URL and CELERY_BROKER_URL, where given, are used instead. Under pytest-xdist the controller starts the servers
and its workers inherit the addresses; each worker has a database and a broker number of its own.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from syncadmin.embedded import throwaway
from syncadmin.embedded.errors import StartError

_servers = ExitStack()

FIXED = {
    "SECRET_KEY": "only-for-tests-only-for-tests-only-for-tests",
    "VAULT_KEYS": "b25seS1mb3ItdGVzdHMtb25seS1mb3ItdGVzdHMtISE=",
    "SANDBOX": "True",
    "STATIC_HASHED": "False",
    "LOG_LEVEL": "WARNING",
}
# A person's own settings must not steer the tests.
UNSET = (
    "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "DATABASE_POOL", "DEBUG", "EMAIL_FROM", "EMAIL_URL", "HSTS_SECONDS",
    "LANGUAGE_CODE", "PUBLIC_URL", "READY_FILE", "STATIC_ROOT", "SYNC_KEY", "TRUST_PROXY",
)  # fmt: skip


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    os.environ.update(FIXED)
    for name in UNSET:
        os.environ.pop(name, None)
    if worker:
        os.environ["CELERY_BROKER_URL"] = _broker_of(worker, os.environ["CELERY_BROKER_URL"])
        return
    try:
        os.environ.update(_servers.enter_context(throwaway.servers(os.environ)))
    except StartError as error:
        raise pytest.UsageError(str(error)) from None


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    _servers.close()


def _broker_of(worker: str, url: str) -> str:
    """Number 1 for gw0 and so on; a broker without numbers is shared."""
    parts = urlsplit(url)
    if parts.scheme not in ("redis", "rediss"):
        return url
    return parts._replace(path=f"/{int(worker.removeprefix('gw')) + 1}").geturl()
