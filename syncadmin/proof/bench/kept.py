"""A PostgreSQL whose data is kept between runs, in a folder of its own: filling it takes longer than measuring it."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from django.core.management import call_command
from django.db import connections

from syncadmin.embedded import ports
from syncadmin.embedded.places import MARK
from syncadmin.embedded.postgres import Postgres
from syncadmin.embedded.process import Child, stop_together
from syncadmin.proof.bench.options import NotMeasured

# What a server of two cores and a few gigabytes is commonly given; the defaults are for a machine of 1998.
SETTINGS = {
    "shared_buffers": "1GB",
    "effective_cache_size": "4GB",
    "maintenance_work_mem": "512MB",
    "work_mem": "16MB",
    "max_wal_size": "8GB",
    "random_page_cost": "1.1",
}
_START_LIMIT = 60.0


@contextmanager
def serving(folder: Path) -> Iterator[None]:
    """While the block runs, Django talks to the server of this folder; its tables are as the models are now.

    Raises ``NotMeasured`` for a folder that cannot be used, or whose database is not of our making.
    """
    _make(folder)
    server = Postgres.at(folder / "postgres", ports.free_port(), _password(folder / "password"), SETTINGS)
    server.prepare()
    child = Child(server.program(os.environ, folder), folder / "postgres.log", folder)
    try:
        _await(child)
        with _pointed_at(server.url):
            call_command("migrate", verbosity=0)
            yield
    finally:
        stop_together([child])


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        foreign = (folder / "postgres").exists() and not (folder / "password").exists()
        if foreign or (folder / MARK).exists():
            raise NotMeasured(f"{folder} holds a database of somebody else: choose another --folder")
        (folder / "password").touch(mode=0o600)
    except OSError as error:
        raise NotMeasured(f"the folder cannot be used ({error}): choose another --folder") from None


def _password(file: Path) -> str:
    if not file.read_text():
        file.write_text(secrets.token_hex(16))
    return file.read_text()


def _await(child: Child) -> None:
    until = time.monotonic() + _START_LIMIT
    while not child.program.ready():
        if child.exit_code() is not None or time.monotonic() > until:
            raise NotMeasured(f"PostgreSQL did not start; {child.log} says why")
        time.sleep(0.05)


@contextmanager
def _pointed_at(url: str) -> Iterator[None]:
    parts = urlsplit(url)
    settings = connections.settings["default"]
    before = dict(settings)
    connections["default"].close()
    del connections["default"]
    settings |= {
        "HOST": parts.hostname,
        "PORT": parts.port,
        "USER": parts.username,
        "PASSWORD": parts.password,
        "NAME": parts.path[1:],
        "CONN_MAX_AGE": None,
        "OPTIONS": {},
    }
    try:
        yield
    finally:
        connections["default"].close()
        del connections["default"]
        settings |= before
