"""The pretend organisation as a WSGI application, and the hands of the people who work in it."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from syncadmin.sandbox.faults import Faults
from syncadmin.sandbox.storage import Store
from syncadmin.sandbox.truth import TruthLog

from . import seed as seeds
from .control import Control
from .door import Door
from .hands import Hands
from .limits import Limits
from .schema import Schema
from .settings import Settings
from .signin import SignIn
from .state import State
from .write import Writer


class DynamicsSandbox(Hands):
    """One organisation. `base_url` without a trailing slash; `path` is the SQLite file, None keeps nothing.

    Thread-safe: requests are handled one at a time; only waiting happens outside the lock.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        seed: int = 0,
        path: Path | None = None,
        base_url: str = "http://127.0.0.1:8101",
        limits: bool = False,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.lock = threading.RLock()
        self.store = Store(path)
        self.truth = TruthLog(self.store)
        self.settings = Settings(self.store)
        self.schema = Schema(self.store)
        self.state = State(self.store, self.schema, self.truth, clock, seed)
        if not self.state.rows("organization"):
            seeds.fill(self.state)
        self.faults = Faults(random.Random(f"faults/{seed}"))
        self.signin = SignIn(self.store, clock, self.base_url, self.settings)
        self.limits = Limits(clock, random.Random(f"servers/{seed}"), limits)
        self._writer = Writer(self.state, self.settings)
        self.door = Door(self, sleep)
        self.control = Control(self)
        self.commit()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return self.door(environ, start_response)

    @property
    def writer(self) -> Writer:
        return self._writer

    def commit(self) -> None:
        self.truth.flush()
        self.store.commit()

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Step out of the open transaction: what was done so far stays whatever happens to the rest."""
        self.state.keep()
        yield
        self.state.begin()

    def close(self) -> None:
        with self.lock:
            self.commit()
            self.store.close()
