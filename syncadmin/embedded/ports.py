"""TCP ports on this machine's loopback address."""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping

from syncadmin.embedded.errors import StartError

HOST = "127.0.0.1"


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def chosen_port(environ: Mapping[str, str], variable: str, default: int) -> int:
    """The port a variable asks for, checked to be a port and free."""
    text = environ.get(variable, "").strip() or str(default)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise StartError(f"{variable} must be a port from 1 to 65535, not {text!r}")
    port = int(text)
    with socket.socket() as probe:
        # As servers do, so that connections of the last run that still linger do not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise StartError(_why(error, variable, port)) from None
    return port


def _why(error: OSError, variable: str, port: int) -> str:
    if error.errno == errno.EACCES:
        return f"port {port} needs more rights than you have: choose one above 1023, like `make run {variable}={port + 8000}`"
    return f"port {port} is already in use: stop what uses it or choose another, like `make run {variable}={port + 10}`"
