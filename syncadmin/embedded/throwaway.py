"""A private PostgreSQL and broker for one test run or one command; nothing of them remains."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from syncadmin.embedded import leftovers, ports
from syncadmin.embedded.errors import StartError
from syncadmin.embedded.places import PROJECT
from syncadmin.embedded.postgres import CARELESS, Postgres
from syncadmin.embedded.process import Child, Program, stop_together
from syncadmin.embedded.valkey import Valkey

PREFIX = "syncadmin-throwaway-"
START_LIMIT = 60.0


@contextmanager
def servers(environ: Mapping[str, str], options: Mapping[str, str] | None = None) -> Iterator[dict[str, str]]:
    """Starts what the environment does not name already; gives the variables that do name it.

    ``options`` are PostgreSQL's: what it is installed with does for tests, which fill no table.
    """
    _remove_forgotten()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    # Nobody, who runs PostgreSQL for root in a container, has to pass through.
    folder.chmod(0o711)
    leftovers.note(folder / "owner.pid", os.getpid())
    children: list[Child] = []
    try:
        given: dict[str, str] = {}
        given["DATABASE_URL"] = environ.get("DATABASE_URL") or _postgres(folder, children, options or {})
        given["CELERY_BROKER_URL"] = environ.get("CELERY_BROKER_URL") or _valkey(folder, children)
        yield given
    finally:
        stop_together(children[::-1])
        shutil.rmtree(folder, ignore_errors=True)


def _postgres(folder: Path, children: list[Child], options: Mapping[str, str]) -> str:
    server = Postgres.at(folder / "postgres", ports.free_port(), secrets.token_hex(16), {**CARELESS, **options})
    server.prepare()
    _start(server.program(os.environ, PROJECT), folder, children)
    return server.url


def _valkey(folder: Path, children: list[Child]) -> str:
    server = Valkey(folder / "valkey", ports.free_port(), secrets.token_hex(16), durable=False)
    server.prepare()
    _start(server.program(os.environ, PROJECT), folder, children)
    return server.url


def _start(program: Program, folder: Path, children: list[Child]) -> None:
    child = Child(program, folder / f"{program.name}.log", folder)
    children.append(child)
    deadline = time.monotonic() + START_LIMIT
    while not program.ready():
        if child.exit_code() is not None or time.monotonic() > deadline:
            said = child.log.read_text(errors="replace").strip().splitlines() or ["nothing"]
            raise StartError(f"{program.name} did not start; it said: {said[-1]}")
        time.sleep(0.02)


def _remove_forgotten() -> None:
    """Folders whose run was killed; its servers went with it, or are stopped now."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = folder / "owner.pid"
        if not os.access(owner, os.W_OK) or leftovers.alive(owner):
            continue
        leftovers.stop_all(folder)
        shutil.rmtree(folder, ignore_errors=True)
