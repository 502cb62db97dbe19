"""The supervisor's parts, each alone."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from syncadmin.embedded import account, handover, keys, leftovers, logfiles, ports, share, throwaway
from syncadmin.embedded.errors import StartError
from syncadmin.embedded.places import MARK, PROJECT, Places
from syncadmin.embedded.postgres import Postgres
from syncadmin.embedded.process import Child, Program, stop_together
from syncadmin.embedded.supervisor import Supervisor
from syncadmin.embedded.valkey import Valkey

SLEEPER = (sys.executable, "-c", "import time; time.sleep(60)")
# Does not care to be asked, and has a child of its own.
STUBBORN = (
    sys.executable,
    "-c",
    "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "print(child.pid, flush=True); time.sleep(60)",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def started(command: tuple[str, ...], folder: Path, grace: float = 4.0) -> Child:
    return Child(Program("one", command, dict(os.environ), folder, grace=grace), folder / "one.log", folder)


@pytest.fixture
def supervisor(folder: Path) -> Iterator[Supervisor]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    places = Places(folder)
    places.log.mkdir()
    places.pids.mkdir()
    found = Supervisor(places)
    yield found
    found.stop()
    for number, handler in kept.items():
        signal.signal(number, handler)


def test_a_program_that_was_killed_nine_times_in_a_minute_is_back_as_soon_as_one_that_was_killed_once(
    supervisor: Supervisor, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    supervisor.start(Program("one", SLEEPER, dict(os.environ), folder))
    (watched,) = supervisor._watched
    now = watched.started
    for _ in range(9):
        assert watched.child is not None
        os.killpg(watched.child.pid, signal.SIGKILL)
        while watched.child.exit_code() is None:
            time.sleep(0.01)
        now += 6
        supervisor._look_after(watched, now)
        supervisor._look_after(watched, now + 3)
        assert watched.child is not None, "three seconds later nobody had started it again"
    assert capsys.readouterr().err.count("one ended (signal SIGKILL)") == 9


def test_stopping_kills_what_does_not_listen_and_its_children(folder: Path) -> None:
    child = started(STUBBORN, folder, grace=0.3)
    deadline = time.monotonic() + 30
    while not (said := child.log.read_text().strip()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    grandchild = int(said)
    begun = time.monotonic()
    stop_together([child])
    assert time.monotonic() - begun < 3
    assert child.exit_code() == -signal.SIGKILL
    deadline = time.monotonic() + 3
    while leftovers.birth(grandchild) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not leftovers.birth(grandchild)
    assert list(folder.glob("*.pid")) == []


def test_what_a_killed_run_left_is_stopped_and_nothing_else(folder: Path) -> None:
    with subprocess.Popen(SLEEPER) as ours, subprocess.Popen(SLEEPER) as stranger:
        leftovers.note(folder / "ours.pid", ours.pid)
        # The number was given out again: same pid, another birth.
        (folder / "reused.pid").write_text(f"{stranger.pid} 1\n")
        (folder / "torn.pid").write_text("")
        begun = time.monotonic()
        leftovers.stop_all(folder)
        assert time.monotonic() - begun < leftovers.PATIENCE
        assert ours.wait(10) == -signal.SIGTERM
        assert stranger.poll() is None
        assert list(folder.glob("*.pid")) == []
        stranger.kill()


def test_keys_are_made_once_for_the_owner_only(folder: Path) -> None:
    file = folder / "secrets.json"
    first = keys.kept(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert keys.kept(file) == first
    assert len(first["SECRET_KEY"]) >= 50
    file.write_text("{")
    with pytest.raises(StartError, match="is damaged"):
        keys.kept(file)
    assert file.read_text() == "{"


def test_long_logs_are_put_aside_and_three_are_kept(folder: Path) -> None:
    for name, size in (("long.log", logfiles.LARGEST + 1), ("short.log", 10)):
        (folder / name).write_bytes(b"x" * size)
    for number in (1, 2, 3):
        (folder / f"long.log.{number}").write_text(str(number))
    logfiles.rotate(folder)
    assert sorted(place.name for place in folder.iterdir()) == ["long.log.1", "long.log.2", "long.log.3", "short.log"]
    assert (folder / "long.log.2").read_text() == "1"
    assert (folder / "long.log.3").read_text() == "2"


def test_last_words_are_of_this_start(folder: Path) -> None:
    log = folder / "x.log"
    log.write_text("an old trouble\n")
    size = log.stat().st_size
    assert logfiles.last_words(log, size) == "it said nothing"
    with log.open("a") as more:
        more.write("a new one\n\n")
    assert logfiles.last_words(log, size) == "a new one"


def test_commands_take_over_the_running_servers_unless_told_otherwise(folder: Path) -> None:
    places = Places(folder)
    handover.leave(places, {"DATABASE_URL": "postgresql://here", "SECRET_KEY": "k"})
    assert stat.S_IMODE(places.handover.stat().st_mode) == 0o600
    bare = {"SYNCADMIN_DATA": str(folder)}
    handover.adopt(bare)
    assert bare["DATABASE_URL"] == "postgresql://here"
    own = {"SYNCADMIN_DATA": str(folder), "DATABASE_URL": "postgresql://mine"}
    handover.adopt(own)
    assert own == {"SYNCADMIN_DATA": str(folder), "DATABASE_URL": "postgresql://mine"}


def test_wiping_spares_the_mark_and_refuses_other_folders(folder: Path) -> None:
    places = Places(folder / "data")
    places.make()
    (places.postgres).mkdir()
    (places.keys).write_text("{}")
    places.wipe()
    assert [place.name for place in places.root.iterdir()] == [MARK]
    for odd in (folder, PROJECT, Path("/")):
        with pytest.raises(StartError, match="does not look like"):
            Places(odd).wipe()


def test_a_port_in_use_is_refused_and_a_free_one_is_not() -> None:
    port = ports.free_port()
    assert ports.chosen_port({"PORT": str(port)}, "PORT", 1) == port
    assert ports.chosen_port({"PORT": " "}, "PORT", port) == port
    for wrong in ("0", "65536", "-1", "1e3", "٣"):
        with pytest.raises(StartError, match="must be a port"):
            ports.chosen_port({"PORT": wrong}, "PORT", 1)


def test_the_database_of_another_version_is_refused(folder: Path) -> None:
    server = Postgres.at(folder / "postgres", ports.free_port(), "x" * 20)
    server.prepare()
    (server.data / "PG_VERSION").write_text("12\n")
    with pytest.raises(StartError, match="was made by PostgreSQL 12"):
        server.prepare()


def test_a_database_left_half_made_is_made_anew(folder: Path) -> None:
    half = folder / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    server = Postgres.at(folder / "postgres", ports.free_port(), "x" * 20)
    server.prepare()
    assert (server.data / "global" / "pg_control").exists()
    assert sorted(place.name for place in folder.iterdir()) == ["postgres"]


def test_nobody_enters_the_broker_without_its_password(folder: Path) -> None:
    server = Valkey(folder / 'with "quotes" and blanks', ports.free_port(), "right-password")
    server.prepare()
    child = Child(server.program(dict(os.environ), folder), folder / "valkey.log", folder)
    try:
        deadline = time.monotonic() + 10
        while not server.answers():
            assert time.monotonic() < deadline, child.log.read_text()
            time.sleep(0.02)
        assert not Valkey(server.data, server.port, "wrong-password").answers()
        assert (server.data / "appendonlydir").is_dir()
    finally:
        stop_together([child])


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that everybody may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def runs(server: Postgres, folder: Path) -> bool:
    server.prepare()
    child = Child(server.program(dict(os.environ), folder), folder / "postgres.log", folder)
    try:
        deadline = time.monotonic() + 20
        while not server.answers() and child.exit_code() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        return server.answers()
    finally:
        stop_together([child])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
@pytest.mark.parametrize("closed", [False, True])
def test_root_without_namespaces_runs_the_database_as_nobody(
    closed: bool, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the data goes along from one way to the other and back."""
    monkeypatch.setattr(account, "STATE_FOLDER", open_folder / "state")
    place = open_folder / "project" / "postgres"
    place.parent.mkdir(mode=0o700 if closed else 0o755)
    assert runs(Postgres.at(place, ports.free_port(), "x" * 20), open_folder)
    here = os.environ["PATH"]

    refuses = open_folder / "unshare"
    refuses.write_text("#!/bin/sh\nexit 1\n")
    refuses.chmod(0o755)
    monkeypatch.setenv("PATH", f"{open_folder}:{here}")
    server = Postgres.at(place, ports.free_port(), "x" * 20)
    assert runs(server, open_folder)
    assert (server.data / "PG_VERSION").stat().st_uid == account.NOBODY
    assert place.exists() is not closed

    monkeypatch.setenv("PATH", here)
    assert runs(Postgres.at(place, ports.free_port(), "x" * 20), open_folder)
    assert place.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere make is not watched")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_to_make_alone_reaches_us(number: signal.Signals, folder: Path) -> None:
    (folder / "waits.py").write_text(
        "import os, time\nfrom syncadmin.embedded.parent import Parent\n"
        "parent = Parent(os.environ)\nprint('up', os.getpid(), flush=True)\n"
        "while not parent.wants_to_stop():\n    time.sleep(0.02)\n"
    )
    (folder / "Makefile").write_text(f"run:\n\t@exec {sys.executable} waits.py\n")
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    # Under nohup, and behind a script's "&", some signals are ignored, and what is ignored is inherited.
    hearing = (
        "import os, signal\n"
        "for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):\n    signal.signal(number, signal.SIG_DFL)\n"
        "os.execvp('make', ['make', '-s', 'run'])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hearing],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as make:
        assert make.stdout is not None
        pid = int(make.stdout.readline().split()[1])
        make.send_signal(number)
        deadline = time.monotonic() + 5
        while (left := leftovers.birth(pid)) and time.monotonic() < deadline:
            time.sleep(0.02)
        if left:
            os.killpg(make.pid, signal.SIGKILL)
        assert not left


def test_throwaway_servers_are_not_started_where_others_are_named() -> None:
    with ExitStack() as stack:
        given = {"DATABASE_URL": "postgresql://mine", "CELERY_BROKER_URL": "redis://mine"}
        assert stack.enter_context(throwaway.servers(given)) == given


@pytest.mark.parametrize(
    ("gigabytes", "buffers", "cache"), [(1, "128MB", "512MB"), (8, "512MB", "4096MB"), (24, "1024MB", "12288MB")]
)
def test_postgresql_takes_a_small_share_of_the_memory(gigabytes: int, buffers: str, cache: str) -> None:
    taken = share.settings(gigabytes * 2**30)
    assert (taken["shared_buffers"], taken["effective_cache_size"]) == (buffers, cache)


def test_a_container_counts_as_large_as_its_limit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "limited").write_text("536870912\n")
    (folder / "free").write_text("max\n")
    whole = share.memory_here()
    monkeypatch.setattr(share, "_LIMITS", (str(folder / "free"), str(folder / "none")))
    assert share.memory_here() >= whole
    monkeypatch.setattr(share, "_LIMITS", (str(folder / "limited"),))
    assert share.memory_here() == 536_870_912
