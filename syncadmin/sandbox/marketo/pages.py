"""The web page of the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .answers import Answer, plain
from .requests import Request

if TYPE_CHECKING:
    from .app import MarketoSandbox


def respond(sandbox: MarketoSandbox, request: Request) -> Answer:
    return plain("404 Not Found", "404 Not Found")
