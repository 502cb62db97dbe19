"""The commands of the proof when they are asked for nonsense, stopped, or pointed at what belongs to somebody."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from syncadmin.embedded.places import MARK, PROJECT
from syncadmin.proof import engine_floor, report
from syncadmin.proof.bench import initial
from syncadmin.proof.bench.cases import CASES, SERVED_ONLY
from syncadmin.proof.bench.options import NotMeasured
from syncadmin.proof.bench.served import Served
from syncadmin.store.models import Connection, Setting


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["simulate", "--schedules", "0"], "0 is too few"),
        (["simulate", "--schedules", "-3"], "-3 is too few"),
        (["simulate", "--schedules", "many"], "'many' is no whole number"),
        (["bench", "idle", "--people", "0"], "0 is too few"),
        (["bench", "idle", "--repeat", "0"], "0 is too few"),
        (["bench", "workers", "--workers", "-1"], "-1 is too few"),
        (["bench", "incremental", "--changes", "0"], "0 is too few"),
        (["bench", "pages", "--requests", "0"], "0 is too few"),
        (["chaos", "--minutes", "nan"], "nan will not do"),
        (["chaos", "--rate", "0"], "0 will not do"),
    ],
    ids=" ".join,
)
def test_a_number_that_proves_nothing_is_refused(words, said):
    with pytest.raises(CommandError, match=said):
        call_command(*words)


def test_an_attack_without_a_harm_does_not_start():
    with pytest.raises(CommandError, match="no harm has 'earthquake' in its name"):
        call_command("chaos", only="earthquake")


def test_a_folder_that_cannot_be_one_starts_nothing(tmp_path):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(CommandError, match="the folder cannot be used"):
        call_command("chaos", folder=file)
    with pytest.raises(CommandError, match="the folder cannot be used"):
        call_command("bench", "seed", folder=file)


@pytest.mark.parametrize("case", ["seed", "pages"])
@pytest.mark.parametrize("belongings", [MARK, "postgres"])
def test_the_database_of_somebody_else_is_not_emptied_for_the_screens(tmp_path, case, belongings):
    (tmp_path / belongings).mkdir()
    with pytest.raises(CommandError, match="holds a database of somebody else"):
        call_command("bench", case, folder=tmp_path)
    assert [place.name for place in tmp_path.iterdir()] == [belongings]


def test_a_seed_too_small_for_every_page_is_refused(tmp_path):
    with pytest.raises(CommandError, match="give --people 500 or more"):
        call_command("bench", "seed", people=499, folder=tmp_path)


def connect(address):
    Connection.objects.create(side="dynamics", base_url=address, sealed="", connected_at="2026-03-02T09:00:00Z")


def test_a_database_somebody_signed_in_to_is_refused(db):
    User.objects.create(username="ada")
    with pytest.raises(report.NotHere):
        report.make_room()
    assert not Setting.objects.exists()


def test_our_mark_does_not_give_away_a_system_that_was_connected_later(db):
    report.make_room()
    connect("http://127.0.0.1:8101")
    report.make_room()
    Connection.objects.all().delete()
    connect("https://contoso.crm4.dynamics.com")
    with pytest.raises(report.NotHere):
        report.make_room()


def test_cases_that_need_a_memory_are_refused_before_anything_is_measured():
    assert set(CASES) > SERVED_ONLY
    with pytest.raises(CommandError, match=r"leave --canned away: .* latency must"):
        call_command("bench", "initial", "latency", canned=True)


def test_what_was_measured_is_told_though_a_later_case_fails(db, monkeypatch):
    def fail(wanted):
        raise NotMeasured("3 of 4 people were linked")

    monkeypatch.setattr(
        "syncadmin.management.commands.bench._EVERY", {"idle": lambda wanted: {"cpu": 1}, "storm": fail}
    )
    monkeypatch.setattr(report, "make_room", lambda: None)
    out = StringIO()
    with pytest.raises(CommandError, match="storm: 3 of 4 people were linked"):
        call_command("bench", "idle", "storm", json=True, stdout=out)
    assert json.loads(out.getvalue()) == {"idle": {"cpu": 1}}


def test_a_series_that_is_stopped_tells_what_was_played(monkeypatch):
    def two(seed):
        if seed == 42:
            raise KeyboardInterrupt
        return engine_floor.play(seed)

    monkeypatch.setattr(engine_floor, "attempt", two)
    out = StringIO()
    with pytest.raises(CommandError, match="go on with --seed 42") as stopped:
        call_command("simulate", floor="engine", schedules=50, seed=40, json=True, stdout=out)
    assert stopped.value.returncode == 130
    assert json.loads(out.getvalue())["schedules"] == 2


@pytest.mark.parametrize("words", [["--schedules", "5"], ["--trace"], ["--no-shrink"]], ids=" ".join)
def test_what_means_nothing_for_planted_bugs_is_refused(words):
    with pytest.raises(CommandError, match=f"{words[0]} means nothing with --planted"):
        call_command("simulate", "--planted", "--floor", "engine", *words)


@pytest.mark.parametrize("words", [["--floor", "engine"], ["--floor=engine"]], ids=" ".join)
def test_the_engine_floor_asks_for_no_database(words):
    bare = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    played = subprocess.run(
        [sys.executable, "manage.py", "simulate", *words, "--schedules", "3", "--json"],
        cwd=PROJECT, env=bare, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(played.stdout)["schedules"] == 3


def test_what_the_engine_raises_fails_its_seed_and_not_the_series(monkeypatch):
    def crash(seed):
        raise KeyError("lost")

    monkeypatch.setattr(engine_floor, "play", crash)
    assert [played.broken for played in engine_floor.simulate(1, 2)] == [["0: KeyError: 'lost'"]] * 2


def test_a_sandbox_that_ended_ends_the_case():
    served = Served(limits=False)
    try:
        served.expect()
        served._children[0].kill()
        served._children[0].wait()
        with pytest.raises(NotMeasured, match="the dynamics sandbox has ended"):
            served.expect()
    finally:
        served.close()


def test_the_median_is_that_of_the_round_in_the_middle():
    rounds = [{"seconds": each} for each in (3.0, 1.0, 2.0)]
    told = initial.median_of(rounds)
    assert told == {"seconds": 2.0, "all_seconds": [3.0, 1.0, 2.0], "spread": 0.816}


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_nothing_runs_on_after_a_stop():
    command = [
        sys.executable,
        "-m",
        "syncadmin.embedded",
        "exec",
        "--",
        sys.executable,
        "manage.py",
        "bench",
        "initial",
    ]
    lent = ("DATABASE_URL", "CELERY_BROKER_URL")
    running = subprocess.Popen(
        [*command, "--people", "100000"], cwd=PROJECT, start_new_session=True, stderr=subprocess.PIPE, text=True,
        env={name: value for name, value in os.environ.items() if name not in lent},
    )  # fmt: skip
    born = _wait_for_sandboxes(running.pid)
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=30)
    assert running.returncode == 128 + signal.SIGTERM
    until = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in born) and time.monotonic() < until:
        time.sleep(0.1)
    assert [pid for pid in born if Path(f"/proc/{pid}").exists()] == []


def _wait_for_sandboxes(pid: int) -> set[int]:
    """All it started, once both sandboxes are among them."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        family = _family(pid)
        if sum("syncadmin.sandbox" in words for words in family.values()) == 2:
            return set(family)
        time.sleep(0.1)
    raise AssertionError(f"the sandboxes did not start: {_family(pid)}")


def _family(pid: int) -> dict[int, str]:
    found, news = dict[int, str](), [pid]
    while news:
        parent = news.pop()
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                above = int(stat.read_text().rpartition(")")[2].split()[1])
                words = (stat.parent / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
            except OSError:
                continue
            if above == parent:
                found[int(stat.parent.name)] = words
                news.append(int(stat.parent.name))
    return found
