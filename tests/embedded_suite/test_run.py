"""`make run`, for real: what it says, what it survives, how it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from syncadmin.embedded.places import MARK, PROJECT
from tests.embedded_suite.conftest import Running

ALL = {"postgres", "valkey", "dynamics", "marketo", "web", "worker", "beat"}


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def soon(question, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not question():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def manage(running: Running, *arguments: str) -> str:
    """A command in another terminal: it knows nothing but the data folder."""
    environment = {"SYNCADMIN_DATA": str(running.data), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.heavy
def test_it_starts_everything_restarts_what_dies_and_leaves_nothing_behind(data: Path, opened: list[Running]) -> None:
    first = Running(data)
    opened.append(first)
    ready = first.until("syncadmin is ready: ")
    home = f"http://127.0.0.1:{first.ports['PORT']}"
    assert ready.startswith(f"syncadmin is ready: {home}/")
    assert first.lines.count(ready) == 1
    assert answers(f"{home}/healthz")
    before = first.children()
    assert set(before) == ALL

    passwords = [word for word in (data / "secrets.json").read_text().split('"') if len(word) > 40]
    shown = b"".join((Path("/proc") / str(pid) / "cmdline").read_bytes() for pid in first.all_of_ours())
    assert len(passwords) >= 4
    assert not [word for word in passwords if word.encode() in shown]
    assert (data / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert (data / "environment.json").stat().st_mode & 0o777 == 0o600

    manage(first, "shell", "-c", "from django.contrib.auth.models import Group; Group.objects.create(name='kept')")
    for name in ("worker", "web", "valkey", "postgres"):
        os.kill(before[name], signal.SIGKILL)
        first.until(f"syncadmin: {name} ended (signal SIGKILL), starting it again")
    assert soon(lambda: set(first.children()) == ALL and answers(f"{home}/healthz"))
    assert all(first.children()[name] != before[name] for name in ("worker", "web", "valkey", "postgres"))

    first.signal(signal.SIGINT)
    assert first.ended(10) == 0
    assert first.gone_within(0.5)
    assert not (data / "environment.json").exists()

    second = Running(data)
    opened.append(second)
    second.until("syncadmin is ready: ", seconds=15)
    said = manage(
        second,
        "shell",
        "-v0",
        "-c",
        "from django.contrib.auth.models import Group; print(*Group.objects.values_list('name', flat=True))",
    )
    assert "kept" in said
    started = ("shell", "-v0", "-c", "from syncadmin.services import sandbox_setup as s; print(s.is_set_up())")
    assert manage(second, *started).strip() == "True"

    second.signal(signal.SIGKILL)
    assert second.gone_within(8)

    third = Running(data, FRESH="1")
    opened.append(third)
    third.until("syncadmin is ready: ")
    said = manage(
        third,
        "shell",
        "-v0",
        "-c",
        "from django.contrib.auth.models import Group; print(*Group.objects.values_list('name', flat=True))",
    )
    assert "kept" not in said
    # Empty data asked for is left to the wizard; empty data found was connected at once.
    assert manage(third, *started).strip() == "False"
    third.signal(signal.SIGTERM)
    assert third.ended(10) == 0
    assert third.gone_within(0.5)


@pytest.mark.parametrize("name", ["PORT", "DYNAMICS_PORT", "MARKETO_PORT"])
def test_a_taken_port_is_one_line_that_names_it(name: str, data: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        running = Running(data, **{name: port})
        assert running.ended() == 1
    assert len(running.lines) == 1
    assert f"port {port} is already in use" in running.lines[0]
    assert f"make run {name}=" in running.lines[0]
    assert running.gone_within(1)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"PORT": "http"}, "PORT must be a port from 1 to 65535, not 'http'"),
        ({"FRESH": "yes"}, "FRESH is 1 or nothing, not 'yes'"),
        ({"PG_BINDIR": "/nowhere"}, "PG_BINDIR names /nowhere, where there is no postgres"),
        ({"DATABASE_URL": "postgresql://me:secretword@127.0.0.1:1/x"}, "migrate failed"),
        ({"DATABASE_URL": "mysql://me:secretword@127.0.0.1/x"}, "DATABASE_URL must start with postgresql://"),
        ({"LANGUAGE_CODE": "xx"}, "LANGUAGE_CODE must be one of en, zh-hant, not 'xx'"),
    ],
)
def test_a_step_that_fails_is_one_line_and_leaves_nothing(variables: dict[str, str], words: str, data: Path) -> None:
    running = Running(data, **variables)
    assert running.ended(30) == 1
    assert len(running.lines) == 1
    assert words in running.lines[0]
    assert "secretword" not in running.lines[0]
    assert running.gone_within(1)


def test_two_at_once_with_the_same_data_are_refused(data: Path, opened: list[Running]) -> None:
    first = Running(data, LANGUAGE_CODE="en")
    opened.append(first)
    assert soon(lambda: (data / "postgres").exists())
    second = Running(data)
    assert second.ended() == 1
    assert "another syncadmin runs with the data in" in second.lines[0]
    # And a start that is cut short leaves nothing behind either.
    first.signal(signal.SIGINT)
    assert first.ended() == 0
    assert first.lines == []
    assert first.gone_within(0.5)


def test_fresh_never_empties_a_folder_that_is_not_ours(data: Path) -> None:
    data.mkdir()
    (data / "thesis.txt").write_text("years of work")
    running = Running(data, FRESH="1")
    assert running.ended() == 1
    assert "holds other things than syncadmin's data" in running.lines[0]
    assert [place.name for place in data.iterdir()] == ["thesis.txt"]


def test_fresh_does_not_follow_a_link(data: Path, tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (real / MARK).touch()
    (real / "thesis.txt").write_text("years of work")
    data.symlink_to(real)
    running = Running(data, FRESH="1")
    assert running.ended() == 1
    assert "does not look like syncadmin's data folder" in running.lines[0]
    assert (real / "thesis.txt").read_text() == "years of work"
