"""How log lines look: one line a record, the run it belongs to, no secret in it."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_run: ContextVar[int | None] = ContextVar("run", default=None)

HIDDEN = "[hidden]"
# Too short a value would black out ordinary words.
SHORTEST_SECRET = 8
_NAMED_SECRET = re.compile(
    r"(?i)\b(authorization\W{1,4}(?:bearer|basic)\s+|bearer\s+"
    r"|(?:client_secret|access_token|refresh_token|password|x-sync-key|api_?key)[\"']?\s*[=:]\s*[\"']?)"
    r"[^\s\"'&,;]+"
)
_URL_PASSWORD = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s/@]+@")


@contextmanager
def of_run(run_id: int) -> Iterator[None]:
    """Log lines written inside carry this run's number."""
    token = _run.set(run_id)
    try:
        yield
    finally:
        _run.reset(token)


class OneLine(logging.Formatter):
    """Formats a record as one line; `secrets` are values that must never appear."""

    def __init__(self, secrets: Iterable[str] = (), **options: Any) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s%(run_mark)s %(message)s", **options)
        known = sorted({s for s in secrets if len(s) >= SHORTEST_SECRET}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def format(self, record: logging.LogRecord) -> str:
        run = getattr(record, "run", None) or _run.get()
        record.run_mark = f" run={run}" if run else ""
        return self.redacted(super().format(record)).replace("\r", "\\r").replace("\n", "\\n")

    def redacted(self, text: str) -> str:
        if self._known:
            text = self._known.sub(HIDDEN, text)
        text = _NAMED_SECRET.sub(rf"\1{HIDDEN}", text)
        return _URL_PASSWORD.sub(rf"\1{HIDDEN}@", text)


def configuration(level: str, secrets: Iterable[str]) -> dict[str, Any]:
    """A logging.config dictionary: everything to standard error, libraries quieter than we are."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": OneLine, "secrets": [s for s in secrets if s]}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # A beat tick a second would bury everything else.
            "celery.beat": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            # It logs each request's address; ours are logged, with their budget, where they are made.
            "httpx": {"level": "WARNING"},
        },
    }
