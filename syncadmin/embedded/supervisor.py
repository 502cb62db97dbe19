"""Starts programs in order, waits until each is ready, restarts what dies, stops all of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from syncadmin.embedded import logfiles
from syncadmin.embedded.errors import StartError, Stopped
from syncadmin.embedded.parent import Parent
from syncadmin.embedded.places import PROJECT, Places
from syncadmin.embedded.process import Child, Program, stop_together

TICK = 0.05
READY_LIMIT = 90.0
STEP_LIMIT = 600.0
# A program that keeps dying is tried again ever more slowly, and never given up. Even then its pause and its start
# together stay well below ten seconds: whoever killed it may long be gone.
FIRST_PAUSE, LONGEST_PAUSE = 0.3, 2.5
STEADY_AFTER = 10.0
FULL_DISK_PAUSE = 15.0
# How our commands end when a setting is wrong; see syncadmin/environment.py.
BAD_SETTING, BAD_SETTING_MARK = 2, "syncadmin: "


@dataclass
class Watched:
    """A program that should run, and the process it runs in now, if any."""

    program: Program
    child: Child | None
    started: float
    pause: float = FIRST_PAUSE
    due: float = 0.0


@dataclass
class Step:
    """A command that runs once. `remedy` completes its error line."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    remedy: str = ""
    process: subprocess.Popen[str] | None = field(default=None, repr=False)
    log: Path | None = None
    log_start: int = 0


class Supervisor:
    def __init__(self, places: Places) -> None:
        self._places = places
        self._watched: list[Watched] = []
        self._steps: list[Step] = []
        self._stop_asked = False
        self._parent = Parent(os.environ)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stop_asked = True

    @property
    def stopping(self) -> bool:
        return self._stop_asked or self._parent.wants_to_stop()

    def _pause(self) -> None:
        if self.stopping:
            raise Stopped
        time.sleep(TICK)

    # --- starting ---------------------------------------------------------------------------------------------------

    def start(self, program: Program) -> None:
        self._watched.append(Watched(program, self._launch(program), time.monotonic()))

    def _launch(self, program: Program) -> Child:
        try:
            return Child(program, self._places.log / f"{program.name}.log", self._places.pids)
        except OSError as error:
            raise StartError(
                f"{program.name} cannot be started ({error}): install again with `make clean run`"
            ) from None

    def wait_until_ready(self, *names: str) -> None:
        """Returns once each of these is ready, or raises with the last words of the one that is not."""
        deadline = time.monotonic() + READY_LIMIT
        waiting = [w for w in self._watched if w.program.name in names]
        while waiting:
            # All of them are looked at, so that one that died is not hidden behind a slow one.
            for watched in waiting:
                assert watched.child is not None
                self._must_go_on(watched.child, deadline)
            waiting = [w for w in waiting if not w.program.ready()]
            self._pause()

    def _must_go_on(self, child: Child, deadline: float) -> None:
        name, said = child.program.name, logfiles.last_words(child.log, child.log_start)
        if child.exit_code() is not None:
            raise StartError(f"{name} ended while starting ({said}): see {child.log}")
        if time.monotonic() > deadline:
            raise StartError(f"{name} was not ready after {READY_LIMIT:.0f} seconds ({said}): see {child.log}")

    def begin(self, step: Step) -> Step:
        """Starts a step; `finish` waits for it."""
        step.log = self._places.log / f"{step.name}.log"
        with step.log.open("ab") as log:
            step.log_start = log.tell()
            step.process = subprocess.Popen(
                step.command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=dict(step.environment),
                cwd=PROJECT,
                start_new_session=True,
            )
        self._steps.append(step)
        return step

    def finish(self, step: Step) -> str:
        """What the step printed."""
        assert step.process is not None and step.log is not None
        deadline = time.monotonic() + STEP_LIMIT
        while True:
            with suppress(subprocess.TimeoutExpired):
                printed, _ = step.process.communicate(timeout=TICK)
                break
            if time.monotonic() > deadline:
                raise StartError(f"{step.name} did not end in {STEP_LIMIT:.0f} seconds: see {step.log}")
            self._pause()
        self._steps.remove(step)
        if step.process.returncode:
            said = logfiles.last_words(step.log, step.log_start)
            if step.process.returncode == BAD_SETTING and said.startswith(BAD_SETTING_MARK):
                raise StartError(said.removeprefix(BAD_SETTING_MARK))
            raise StartError(f"{step.name} failed ({said}): {step.remedy}see {step.log}")
        return printed

    def do(self, step: Step) -> str:
        return self.finish(self.begin(step))

    # --- running ----------------------------------------------------------------------------------------------------

    def watch(self) -> None:
        """Keeps everything running until asked to stop."""
        while not self.stopping:
            for watched in self._watched:
                self._look_after(watched, time.monotonic())
            time.sleep(TICK * 2)

    def _look_after(self, watched: Watched, now: float) -> None:
        name = watched.program.name
        if watched.child is not None:
            code = watched.child.exit_code()
            if code is None:
                return
            watched.child.sweep()
            watched.child = None
            if now - watched.started > STEADY_AFTER:
                watched.pause = FIRST_PAUSE
            watched.due = now + watched.pause
            watched.pause = min(watched.pause * 2, LONGEST_PAUSE)
            _say(f"{name} ended ({_ending(code)}), starting it again; see {self._places.log / name}.log")
        if now >= watched.due:
            self._start_again(watched, now)

    def _start_again(self, watched: Watched, now: float) -> None:
        try:
            watched.child, watched.started = self._launch(watched.program), now
        except StartError as error:
            # A full disk or too many open files may pass; the rest goes on meanwhile.
            watched.due = now + FULL_DISK_PAUSE
            _say(str(error))

    # --- stopping ---------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Stops our processes first and the servers they need last."""
        for step in self._steps:
            assert step.process is not None
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(step.process.pid, signal.SIGKILL)
            step.process.wait()
        for foundation in (False, True):
            running = [w.child for w in self._watched if w.program.foundation is foundation and w.child]
            stop_together(running)
        self._watched.clear()


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"


def _say(line: str) -> None:
    # Whoever read along may have gone (`make run | head`); that stops nothing.
    with suppress(OSError):
        sys.stderr.write(f"syncadmin: {line}\n")
        sys.stderr.flush()
