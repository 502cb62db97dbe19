"""One process of ours: started so that it cannot outlive us, stopped with all it started itself."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from syncadmin.embedded import leftovers


def always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Program:
    """What to run and how it ends. `ready` is asked until it says yes; `feed` is written to its standard input."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    ready: Callable[[], bool] = always
    # Comes before everything else in the command; see account.py.
    account: tuple[str, ...] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    # Sent by the kernel when we die without a word.
    orphan_signal: signal.Signals = signal.SIGTERM
    grace: float = 4.0
    feed: bytes | None = None
    # Others need it: it is stopped last.
    foundation: bool = False


class Child:
    """A running program. Start it from the main thread only: Linux ties the orphan signal to the starting thread."""

    def __init__(self, program: Program, log: Path, pids: Path) -> None:
        self.program = program
        self.log = log
        command = [*program.account, *dies_with_us(program.orphan_signal), *program.command]
        with log.open("ab") as output:
            self.log_start = output.tell()
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL if program.feed is None else subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(program.environment),
                cwd=program.folder,
                # A group of its own: Ctrl-C reaches the supervisor alone, which then stops all in order.
                start_new_session=True,
            )
        self.pid = self._process.pid
        self._pid_file = pids / f"{program.name}.pid"
        leftovers.note(self._pid_file, self.pid)
        if program.feed is not None:
            self._write(program.feed)

    def _write(self, feed: bytes) -> None:
        assert self._process.stdin is not None
        # It may be dead already; that shows when it is asked for.
        with suppress(BrokenPipeError):
            self._process.stdin.write(feed)
            self._process.stdin.close()

    def exit_code(self) -> int | None:
        return self._process.poll()

    def ask_to_stop(self) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(self.program.stop_signal)

    def ended_by(self, deadline: float) -> bool:
        """Waits until `time.monotonic()` is at the deadline; True if it is gone by then."""
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        return True

    def sweep(self) -> None:
        """Kills what is left of it and of its own children, and forgets it."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self._pid_file.unlink(missing_ok=True)


def stop_together(children: list[Child]) -> None:
    """Asks all at once, gives each its grace, then kills."""
    begun = time.monotonic()
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.ended_by(begun + child.program.grace)
        child.sweep()


@cache
def _setpriv() -> str | None:
    return shutil.which("setpriv") if sys.platform == "linux" else None


def dies_with_us(orphan_signal: signal.Signals) -> tuple[str, ...]:
    """What to put before a command, so that the kernel sends it the signal when this process dies without a word."""
    # Elsewhere the pid files clean up at the next start.
    tool = _setpriv()
    return (tool, "--pdeathsig", orphan_signal.name.removeprefix("SIG"), "--") if tool else ()
