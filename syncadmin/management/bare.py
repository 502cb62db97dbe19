"""Commands that need no settings and no database: they are run before Django reads either."""

from __future__ import annotations

import os
import signal
import sys
import threading
from argparse import ArgumentParser
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from cryptography.fernet import Fernet

PORTS = {"dynamics": 8101, "marketo": 8102}


def run(arguments: Sequence[str]) -> int | None:
    """The exit code of ``vault new-key``, ``sandbox serve`` or ``sandbox load``; None for any other command."""
    words, rest = tuple(arguments[:2]), list(arguments[2:])
    if words[:1] == ("chaos",) or words in (("bench", "seed"), ("bench", "pages")) or _engine_alone(arguments):
        _without_servers()
    if words == ("vault", "new-key"):
        sys.stdout.write(Fernet.generate_key().decode() + "\n")
        return 0
    if words not in (("sandbox", "serve"), ("sandbox", "load")):
        return None
    # Here and not above: production installs without what the sandbox needs.
    from syncadmin.sandbox import __main__ as sandbox

    if words == ("sandbox", "load"):
        return sandbox.main(["load", *rest, *_served_at(rest)])
    one_side = any(word == "--side" or word.startswith("--side=") for word in rest)
    return sandbox.main(["serve", *rest]) if one_side else _serve_both(rest)


def _engine_alone(arguments: Sequence[str]) -> bool:
    """The simulation of the engine, which asks nobody for anything."""
    named = [word.partition("=")[2] or after for word, after in pairwise([*arguments, ""]) if word[:7] == "--floor"]
    return arguments[:1] == ["simulate"] and named[-1:] == ["engine"]


def _without_servers() -> None:
    """The command starts servers of its own, or needs none; Django only insists that some are named."""
    nowhere = {
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
        "SECRET_KEY": "x" * 50,
        "VAULT_KEYS": Fernet.generate_key().decode(),
        "STATIC_HASHED": "False",
    }
    for name, value in nowhere.items():
        os.environ.setdefault(name, value)


def address(side: str) -> str:
    """Where the sandbox of `make run` listens."""
    port = os.environ.get(f"{side.upper()}_PORT") or PORTS[side]
    return f"http://127.0.0.1:{port}"


def _served_at(rest: Sequence[str]) -> list[str]:
    side = next((rest[place + 1] for place, word in enumerate(rest[:-1]) if word == "--side"), "")
    return [] if side not in PORTS or {"--url", "--data"} & set(rest) else ["--url", address(side)]


def _serve_both(rest: Sequence[str]) -> int:
    from syncadmin.sandbox import __main__ as sandbox

    parser = ArgumentParser(prog="manage.py sandbox serve")
    parser.add_argument("--data", type=Path, default=Path.cwd() / ".sandbox", help="folder that keeps the state")
    parser.add_argument("--sample", action="store_true", help="invent people if there are none")
    parser.add_argument("--tls", action="store_true", help="serve https; trust DATA/tls/ca.pem")
    options = parser.parse_args(list(rest))
    options.data.mkdir(parents=True, exist_ok=True)
    ports = {side: int(os.environ.get(f"{side.upper()}_PORT") or PORTS[side]) for side in PORTS}
    try:
        served = sandbox.serve_both(options.data, ports["dynamics"], ports["marketo"], options.tls, options.sample)
    except OSError as error:
        sys.stderr.write(f"cannot listen on {ports}: {error.strerror or error}\n")
        return 1
    for server, _ in served:
        sys.stdout.write(f"sandbox: {server.url}\n")
    sys.stdout.flush()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    # A signal that comes right before an endless wait would be heard only after it.
    while not stop.wait(0.5):
        continue
    for server, stand_in in served:
        server.close()
        stand_in.close()
    return 0
