"""`make run` in a folder of its own: its processes, its database, its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from syncadmin.embedded import ports
from syncadmin.embedded.leftovers import alive
from syncadmin.embedded.places import PROJECT, Places

_START_LIMIT = 180.0
# Nobody is asked again sooner while PostgreSQL starts.
_PATIENCE, _AGAIN = 60.0, 0.2
# What the terminal was given must not steer the stack under attack.
_STEERED = (
    "DATABASE_URL", "CELERY_BROKER_URL", "SECRET_KEY", "VAULT_KEYS", "SANDBOX", "STATIC_HASHED", "PUBLIC_URL",
    "STATIC_ROOT", "FRESH", "DJANGO_SETTINGS_MODULE", "MAKELEVEL", "MAKEFLAGS",
)  # fmt: skip


class NotStarted(Exception):
    """The stack did not come up; the message has its last words."""


class Stack:
    """Started by ``start``; ``ask`` reads and writes its database as an outsider would, surviving restarts of it."""

    def __init__(self, folder: Path) -> None:
        self._places = Places(folder)
        self._ports = {name: str(ports.free_port()) for name in ("PORT", "DYNAMICS_PORT", "MARKETO_PORT")}
        self._process: subprocess.Popen[str] | None = None
        self._database = ""
        self.said: list[str] = []

    @property
    def dynamics(self) -> str:
        return f"http://{ports.HOST}:{self._ports['DYNAMICS_PORT']}"

    @property
    def marketo(self) -> str:
        return f"http://{ports.HOST}:{self._ports['MARKETO_PORT']}"

    @property
    def web(self) -> str:
        return f"http://{ports.HOST}:{self._ports['PORT']}"

    def start(self) -> None:
        """Returns once the sync runs. Raises ``NotStarted``."""
        kept = {name: value for name, value in os.environ.items() if name not in _STEERED}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "syncadmin.embedded", "run"],
            cwd=PROJECT, env={**kept, "SYNCADMIN_DATA": str(self._places.root), **self._ports},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
        threading.Thread(target=self._listen, daemon=True).start()
        deadline = time.monotonic() + _START_LIMIT
        while not any("syncadmin is ready" in line for line in list(self.said)):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise NotStarted(" / ".join(self.said[-3:]) or "it said nothing")
            time.sleep(0.1)
        self._database = json.loads(self._places.handover.read_text())["DATABASE_URL"]

    def _listen(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                self.said.append(line.rstrip())

    def stop(self) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()

    # --- its processes ----------------------------------------------------------------------------------------------

    def pid(self, name: str) -> int | None:
        """The process of a program, None while it is being started again."""
        with suppress(OSError, ValueError):
            return alive(self._places.pids / f"{name}.pid")
        return None

    def family(self, name: str) -> list[int]:
        """The process of a program and those it started, itself first."""
        first = self.pid(name)
        return [] if first is None else [first, *_children(first)]

    def send(self, pids: list[int], number: signal.Signals) -> int:
        """How many of the processes were there to hear it."""
        heard = 0
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
                heard += 1
        return heard

    def empty_broker(self) -> None:
        """Kills the broker and what it had written down."""
        self.send(self.family("valkey"), signal.SIGKILL)
        for kept in self._places.valkey.rglob("*"):
            if kept.suffix in (".rdb", ".aof") or "appendonly" in kept.name:
                with suppress(OSError):
                    kept.unlink()

    # --- its database -----------------------------------------------------------------------------------------------

    def ask(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        """Rows of a query, or none of a change; tried again while PostgreSQL is away."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                with psycopg.connect(self._database, autocommit=True, row_factory=dict_row) as session:
                    answer = session.execute(sql, values)
                    return answer.fetchall() if answer.description else []
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_AGAIN)

    def one(self, sql: str, *values: Any) -> Any:
        """The only column of the only row."""
        return next(iter(self.ask(sql, *values)[0].values()))

    @contextmanager
    def held(self, table: str) -> Iterator[None]:
        """Nobody writes to the table meanwhile; readers go on."""
        with psycopg.connect(self._database) as session:
            session.execute(f'LOCK TABLE "{table}" IN EXCLUSIVE MODE')
            yield
            session.rollback()


def _children(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):
            # The name in brackets may hold blanks; state and parent come after it.
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found
