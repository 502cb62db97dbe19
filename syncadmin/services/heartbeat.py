"""Renews a worker's lease from a thread of its own while the worker is busy."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import DatabaseError, connection

from syncadmin.store import work

# Four beats to a lease: three may be lost.
_EVERY_SECONDS = 2.0


@contextmanager
def beating(worker: str, now: Callable[[], datetime]) -> Iterator[None]:
    """Keeps the worker's lease running while the block does; the lease ends with the block."""
    over = threading.Event()
    work.renew(worker, now())
    thread = threading.Thread(target=_beat, args=(worker, now, over), name=f"heartbeat {worker}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        work.leave(worker)


def _beat(worker: str, now: Callable[[], datetime], over: threading.Event) -> None:
    try:
        while not over.wait(_EVERY_SECONDS):
            try:
                work.renew(worker, now())
            except DatabaseError:
                # The next beat tries a new connection; if none succeeds the lease runs out, as it should.
                connection.close()
    finally:
        connection.close()
