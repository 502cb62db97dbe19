"""`python -m syncadmin.embedded run` starts everything; `… exec -- COMMAND` runs a command beside throwaway servers."""

from __future__ import annotations

import os
import subprocess
import sys

from syncadmin.embedded import throwaway
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
    sys.stderr.write(f"{USAGE}\n")
    return 2


def _execute(command: list[str]) -> int:
    with throwaway.servers(os.environ) as addresses:
        keys = {"SECRET_KEY": "x" * 50, "VAULT_KEYS": "A" * 43 + "=", "SANDBOX": "True"}
        return subprocess.run(command, env={**keys, **os.environ, **addresses}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
