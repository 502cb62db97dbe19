"""`python3 -m syncadmin.embedded.install REQUIREMENTS`: makes .venv and keeps it at the locked versions.

Runs on whatever Python 3 there is, before anything is installed; so it uses little and says what is missing.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"
LOG = VENV / "install.log"


def main(arguments: list[str]) -> int:
    if sys.version_info < (3, 11):  # noqa: UP036  the one file that an older Python may meet
        return _refuse(
            f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}: try `make PYTHON=python3.12`"
        )
    return _install(PROJECT / arguments[0])


def _install(requirements: Path) -> int:
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    stamp = VENV / f"{requirements.stem}.sha256"
    works = PYTHON.exists() and _run([str(PYTHON), "-c", ""]) == 0
    if works and stamp.exists() and stamp.read_text() == wanted:
        return 0
    sys.stdout.write(f"syncadmin: installing {requirements.name} into .venv (about half a minute, once)\n")
    sys.stdout.flush()
    if not works and not _make_venv():
        # Half a .venv would look whole to the next try.
        shutil.rmtree(VENV, ignore_errors=True)
        return _refuse(
            "making .venv failed: install Python's venv or pip package (Debian: apt-get install python3-venv)"
        )
    if _run([*_pip(), "install", "--quiet", "--no-input", "--disable-pip-version-check", "-r", str(requirements)]):
        return _refuse(f"installing {requirements.name} failed: see {LOG}, and check that a package index is reached")
    stamp.write_text(wanted)
    return 0


def _make_venv() -> bool:
    if VENV.exists() and _run([sys.executable, "-m", "venv", "--clear", str(VENV)]) == 0:
        return True
    VENV.mkdir(exist_ok=True)
    if _run([sys.executable, "-m", "venv", str(VENV)]) == 0:
        return True
    # Debian keeps ensurepip in a package of its own; the system's pip can serve a venv from outside.
    return (
        _run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(VENV)]) == 0
        and _run([*_pip(), "--version"]) == 0
    )


def _pip() -> list[str]:
    if any(VENV.glob("lib/python*/site-packages/pip/__main__.py")):
        return [str(PYTHON), "-m", "pip"]
    return [sys.executable, "-m", "pip", "--python", str(PYTHON)]


def _run(command: list[str]) -> int:
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("a") as log:
        return subprocess.run(
            command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False
        ).returncode


def _refuse(sentence: str) -> int:
    sys.stderr.write(f"syncadmin: {sentence}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
