"""`python -m syncadmin.embedded run` starts everything; `… exec -- COMMAND` runs a command beside throwaway servers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from syncadmin.embedded import share, throwaway
from syncadmin.embedded.errors import StartError
from syncadmin.embedded.run import run

USAGE = "usage: python -m syncadmin.embedded run | exec -- COMMAND…"


def main(arguments: list[str]) -> int:
    try:
        if arguments == ["run"]:
            return run(os.environ)
        if len(arguments) > 2 and arguments[:2] == ["exec", "--"]:
            return _execute(arguments[2:])
    except StartError as error:
        sys.stderr.write(f"syncadmin: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    sys.stderr.write(f"{USAGE}\n")
    return 2


def _execute(command: list[str]) -> int:
    with throwaway.servers(os.environ, share.settings()) as addresses:
        keys = {"SECRET_KEY": "x" * 50, "VAULT_KEYS": "A" * 43 + "=", "SANDBOX": "True"}
        return _ended(subprocess.Popen(command, env={**keys, **os.environ, **addresses}))


def _ended(command: subprocess.Popen[bytes]) -> int:
    """Its exit code, as a shell tells it. Our servers stay until it is over, whoever asks us to stop."""
    signal.signal(signal.SIGTERM, lambda _number, _frame: command.terminate())
    while True:
        try:
            # Not endlessly: a signal that comes right before the wait would be heard only after it.
            code = command.wait(0.5)
            return code if code >= 0 else 128 - code
        except (KeyboardInterrupt, subprocess.TimeoutExpired):
            # Whoever pressed Ctrl-C told the command as well, and how it ends is its own matter.
            continue


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
