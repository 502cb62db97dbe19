"""The line between the sync and a sandbox, on which a test may spoil an answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import Any

import httpx

from syncadmin.sandbox import Cut


class Wire:
    """A WSGI application in front of another; ``spoil`` changes JSON answers on their way back."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app
        self._spoilt: list[tuple[str, Callable[[Any], None], list[int]]] = []

    def spoil(self, path: str, change: Callable[[Any], None], times: int = -1) -> None:
        """``change`` gets the parsed answer of each request whose path matches, and changes it in place."""
        self._spoilt.append((path, change, [times]))

    def clean(self) -> None:
        self._spoilt.clear()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        kept: list[Any] = []
        try:
            body = b"".join(self._app(environ, lambda status, headers: kept.extend((status, headers))))
        except Cut as cut:
            # What a client sees of a connection that ends without a complete answer.
            raise httpx.RemoteProtocolError(str(cut)) from cut
        status, headers = kept
        for path, change, left in self._spoilt:
            if left[0] and body.startswith(b"{") and fnmatchcase(environ["PATH_INFO"], path):
                left[0] -= 1
                answer = json.loads(body)
                change(answer)
                body = json.dumps(answer).encode()
        headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return [body]
