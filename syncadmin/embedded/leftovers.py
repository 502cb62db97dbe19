"""Pid files: what an earlier run that was killed left behind is stopped before a new one starts.

A number alone proves nothing, since the system gives it out again; so the start time is noted beside it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

PATIENCE = 5.0


def note(pid_file: Path, pid: int) -> None:
    pid_file.write_text(f"{pid} {birth(pid)}\n")


def birth(pid: int) -> str:
    """When the process started, in whatever words the system has; empty if it runs no more."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return "" if Path("/proc/self/stat").exists() else _birth_by_ps(pid)
    # The second field is the name in brackets and may hold blanks; then come the state (3) and the start time (22).
    after_name = stat.rpartition(")")[2].split()
    # In a container nobody may ever collect an orphan that has ended.
    return "" if after_name[0] == "Z" else after_name[19]


def _birth_by_ps(pid: int) -> str:
    ps = shutil.which("ps")
    if ps is None:
        return ""
    answer = subprocess.run([ps, "-p", str(pid), "-o", "lstart="], capture_output=True, text=True, check=False)
    return answer.stdout.strip()


def stop_all(pids: Path) -> None:
    """Stops every process the pid files in this folder still tell of."""
    found = [(path, pid) for path in pids.glob("*.pid") if (pid := alive(path))]
    for _, pid in found:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and any(alive(path) for path, _ in found):
        time.sleep(0.05)
    for path, pid in found:
        if alive(path):
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
    for path in pids.glob("*.pid"):
        path.unlink()


def alive(pid_file: Path) -> int | None:
    number, _, born = pid_file.read_text().strip().partition(" ")
    if number.isdigit() and born and birth(int(number)) == born:
        return int(number)
    return None
