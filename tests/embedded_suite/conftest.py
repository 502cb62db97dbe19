"""Fixtures for the supervisor's own tests: a data folder with a blank in its name, and free ports."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncadmin.embedded import ports
from syncadmin.embedded.places import PROJECT

# Ours only: what the test run itself was given must not steer the program under test.
STEERED = (
    "DATABASE_URL", "CELERY_BROKER_URL", "SECRET_KEY", "VAULT_KEYS", "SANDBOX", "STATIC_HASHED", "LOG_LEVEL",
    "PYTEST_CURRENT_TEST", "DJANGO_SETTINGS_MODULE", "MAKELEVEL", "MAKEFLAGS", "FRESH", "PORT",
)  # fmt: skip


class Running:
    """`make run` without make, as a person at a terminal has it."""

    def __init__(self, data: Path, **variables: str) -> None:
        self.ports = {name: str(ports.free_port()) for name in ("PORT", "DYNAMICS_PORT", "MARKETO_PORT")}
        environment = {name: value for name, value in os.environ.items() if name not in STEERED}
        self.environment = {**environment, "SYNCADMIN_DATA": str(data), **self.ports, **variables}
        self.data = data
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "syncadmin.embedded", "run"],
            cwd=PROJECT, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                self.lines.append(line.rstrip())

    @property
    def pid(self) -> int:
        return self._process.pid

    def until(self, words: str, seconds: float = 60) -> str:
        """The first line with these words in it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for line in list(self.lines):
                if words in line:
                    return line
            assert self._process.poll() is None, self.lines
            time.sleep(0.05)
        raise AssertionError(f"{words!r} was not said: {self.lines}")

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def ended(self, seconds: float = 10) -> int:
        code = self._process.wait(seconds)
        self._reader.join(5)
        return code

    def children(self) -> dict[str, int]:
        """Name to process id, of all that run now by the pid files."""
        return {file.stem: int(file.read_text().split()[0]) for file in (self.data / "run").glob("*.pid")}

    def all_of_ours(self) -> set[int]:
        """Every process of this run, grandchildren too: their environment names its data folder."""
        mark = f"SYNCADMIN_DATA={self.data}\0".encode()
        return {int(place.name) for place in Path("/proc").glob("[0-9]*") if mark in _environment_of(place)}

    def gone_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.all_of_ours():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(15)


def _environment_of(place: Path) -> bytes:
    try:
        return (place / "environ").read_bytes() + b"\0"
    except OSError:
        return b""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data with a blank"


@pytest.fixture
def opened() -> Iterator[list[Running]]:
    """What is put in here is stopped at the end of the test."""
    running: list[Running] = []
    yield running
    for one in running:
        one.close()
