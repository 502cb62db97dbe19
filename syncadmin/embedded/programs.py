"""Our own processes and steps, as commands."""

from __future__ import annotations

import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from syncadmin.embedded.places import PROJECT, Places
from syncadmin.embedded.ports import HOST
from syncadmin.embedded.process import Program
from syncadmin.embedded.supervisor import Step

PYTHON = sys.executable


@dataclass(frozen=True, slots=True)
class Ports:
    web: int
    dynamics: int
    marketo: int


def dynamics(ports: Ports, places: Places, environment: Mapping[str, str]) -> Program:
    return _sandbox("dynamics", ports.dynamics, (), places, environment)


def marketo(ports: Ports, places: Places, environment: Mapping[str, str]) -> Program:
    webhook = f"http://{HOST}:{ports.web}/hooks/marketo/sync-person"
    return _sandbox("marketo", ports.marketo, ("--webhook-url", webhook), places, environment)


def _sandbox(side: str, port: int, more: tuple[str, ...], places: Places, environment: Mapping[str, str]) -> Program:
    command = (PYTHON, "-m", "syncadmin.sandbox", "--side", side, "--port", str(port), "--data", str(places.sandbox))
    return Program(side, (*command, "--sample", *more), environment, PROJECT, ready=_answers(f"http://{HOST}:{port}/"))


def web(port: int, environment: Mapping[str, str]) -> Program:
    command = (PYTHON, "-m", "granian", "--interface", "wsgi", "--http", "1", "--no-ws", "--host", HOST)
    # More threads than the 8 calls of the webhook that may wait for Dynamics at once.
    settings = ("--port", str(port), "--blocking-threads", "16", "--workers-kill-timeout", "2")
    return Program(
        "web",
        (*command, *settings, "syncadmin.wsgi:application"),
        environment,
        PROJECT,
        ready=_answers(f"http://{HOST}:{port}/healthz"),
    )


def worker(places: Places, environment: Mapping[str, str]) -> Program:
    arguments = ("worker", "--concurrency", "2", "--without-gossip", "--without-mingle")
    # It is the broker's only worker, so whatever it finds unfinished is its own from before.
    return _celery("worker", arguments, places, {**environment, "GIVE_BACK_UNFINISHED": "True"}, signal.SIGKILL)


def beat(places: Places, environment: Mapping[str, str]) -> Program:
    return _celery("beat", ("beat", "--pidfile="), places, environment, signal.SIGKILL)


def _celery(
    name: str, arguments: tuple[str, ...], places: Places, environment: Mapping[str, str], orphan: signal.Signals
) -> Program:
    mark = places.pids / f"{name}.ready"
    mark.unlink(missing_ok=True)
    return Program(
        name,
        (PYTHON, "-m", "celery", "-A", "syncadmin.celery", *arguments),
        {**environment, "READY_FILE": str(mark)},
        PROJECT,
        ready=mark.exists,
        orphan_signal=orphan,
    )


def manage(name: str, *arguments: str, environment: Mapping[str, str], remedy: str = "") -> Step:
    return Step(name, (PYTHON, str(PROJECT / "manage.py"), *arguments), environment, remedy)


def _answers(url: str) -> Callable[[], bool]:
    def asked() -> bool:
        try:
            # Not by a proxy the environment may name: it is this machine.
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(url, timeout=5):
                return True
        except urllib.error.HTTPError as error:
            # Sent somewhere or refused is an answer too; 5xx says that it cannot work yet.
            return error.code < 500
        except OSError:
            return False

    return asked
