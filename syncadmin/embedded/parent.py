"""`make` above us: whoever stops make means all of us.

Ctrl-C in a terminal reaches both. A signal sent to make alone is another matter: on an interrupt or a hang-up it waits for us
without telling us, and when it is killed we would stay behind.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

PR_SET_PDEATHSIG = 1  # from Linux' prctl.h
OUR_SIGNALS = sum(1 << (number - 1) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))


class Parent:
    """The process that started us, watched only if it is make."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._status = Path(f"/proc/{os.getppid()}/status")
        made = "MAKELEVEL" in environ and sys.platform == "linux"
        self._handled = self._handles() if made else 0
        if self._handled:
            ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)

    def wants_to_stop(self) -> bool:
        """True once make got one of our signals: it then gives its own handler for it up, and waits."""
        return bool(self._handled & ~self._handles()) if self._handled else False

    def _handles(self) -> int:
        """The signals make catches now, as a mask; all of them if it is gone, since the kernel tells us that itself."""
        try:
            lines = self._status.read_text().splitlines()
        except OSError:
            return OUR_SIGNALS
        caught = next((line.split()[1] for line in lines if line.startswith("SigCgt:")), "0")
        return int(caught, 16) & OUR_SIGNALS
