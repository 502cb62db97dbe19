"""`python -m syncadmin.sandbox` as its own process: served, killed, served again; and CSV files loaded into it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from syncadmin.sandbox.__main__ import main, serve_both

CSV = "first_name,last_name,company_name,email,phone1,zip,shoe\nIda,Solheim,Fjordlift AS,ida@x.example,1,0150,44\n"


@contextmanager
def running(side: str, data: Path, *more: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "syncadmin.sandbox", "--side", side, "--port", "0", "--data", str(data), *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1], process
    finally:
        process.kill()
        process.communicate(timeout=10)


def rows(url: str, entity: str) -> list[dict[str, object]]:
    text = httpx.get(f"{url}/_sandbox/rows", params={"entity": entity}).text
    return [json.loads(line) for line in text.splitlines() if line]


def test_a_killed_server_comes_back_with_everything(tmp_path: Path) -> None:
    with running("dynamics", tmp_path, "--sample") as (url, process):
        before = rows(url, "lead")
        assert len(before) > 10
        body = {"entity": "lead", "values": {"lastname": "Late"}}
        id = httpx.post(f"{url}/_sandbox/create", json=body).json()["id"]
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    with running("dynamics", tmp_path, "--sample") as (url, process):
        after = rows(url, "lead")
        assert len(after) == len(before) + 1
        assert id in {row["leadid"] for row in after}
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_a_file_is_loaded_into_a_running_and_a_resting_sandbox(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, data = tmp_path / "people.csv", tmp_path / "data"
    file.write_text(CSV + f"Too,Long,{'x' * 101},l@x.example,2,1,1\n")
    with running("dynamics", data) as (url, _):
        assert main(["load", "--side", "dynamics", "--url", url, str(file)]) == 0
        assert [row["lastname"] for row in rows(url, "lead")] == ["Solheim"]
    assert main(["load", "--side", "dynamics", "--entity", "contact", "--data", str(data), str(file)]) == 0
    told = capsys.readouterr().out
    assert told.count("row 2 refused: A validation error occurred.") == 1, "a contact has no company name"
    assert told.count("1 rows loaded") + told.count("2 rows loaded") == 2
    assert "shoe" in told
    with running("dynamics", data) as (url, _):
        assert (len(rows(url, "lead")), len(rows(url, "contact"))) == (1, 2)


def test_refusals_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["load", "--side", "dynamics", "--url", "http://127.0.0.1:9", str(tmp_path / "none.csv")]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_both_sides_in_one_process(tmp_path: Path) -> None:
    (dynamics, first), (marketo, second) = serve_both(tmp_path, 0, 0, sample=True)
    try:
        started = time.monotonic()
        assert httpx.get(f"{dynamics.url}/").status_code == httpx.get(f"{marketo.url}/").status_code == 200
        assert len(rows(dynamics.url, "lead")) + len(rows(dynamics.url, "contact")) > 20
        assert len(rows(marketo.url, "person")) > 20
        assert time.monotonic() - started < 5
    finally:
        for server, sandbox in ((dynamics, first), (marketo, second)):
            server.close()
            sandbox.close()
