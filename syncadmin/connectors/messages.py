"""A request and its answer as plain values, and JSON read without losing a digit.

Builders make a ``Request``, ``http.py`` sends it, readers take the ``Answer``; neither of them knows a socket.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from syncadmin.connectors.errors import Malformed

# A text that PostgreSQL's jsonb cannot hold: NUL, or half of a UTF-16 pair (a name cut inside an emoji).
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_ESCAPED = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
# No character at all: the check for illegal characters stops it, so that a spoilt text never travels as a new one.
_MARK = "\ufffe"


@dataclass(frozen=True, slots=True)
class Request:
    """One call to be made.

    ``path`` is relative to the connection's address, or an absolute URL on its host. ``safe_to_repeat`` says that
    a second execution does no harm; GET is always safe. ``accepts`` are statuses of 400 and up that the caller
    reads as ordinary answers. ``timeout`` is in seconds and bounds the whole attempt. ``signed`` adds the token.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    safe_to_repeat: bool = False
    accepts: frozenset[int] = frozenset()
    purpose: str = ""
    timeout: float = 60.0
    signed: bool = True

    @property
    def repeatable(self) -> bool:
        return self.safe_to_repeat or self.method == "GET"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Header names are lower case; repeated headers are joined by a comma and a blank."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 are marked, a leading byte order mark is dropped."""
        return self.body.decode("utf-8-sig", "replace")

    def json(self) -> Any:
        """The body as JSON; numbers with a fraction or exponent stay text. Raises ``Malformed``."""
        return read_json(self.text(), status=self.status)

    def object(self) -> dict[str, Any]:
        """The body as a JSON object. Raises ``Malformed`` if it is anything else."""
        read = self.json()
        if not isinstance(read, dict):
            raise Malformed(f"The answer is a JSON {type(read).__name__}, not an object.", code=str(self.status))
        return read


def read_json(text: str, *, status: int = 0) -> Any:
    """JSON with exact decimals (as strings). NUL and lone surrogates become U+FFFE. Raises ``Malformed``."""
    try:
        read = json.loads(text, parse_float=str, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        code = str(status) if status else ""
        raise Malformed(f"The answer is not JSON ({type(error).__name__}): {text[:120]!r}", code=code) from error
    return _storable(read) if _ESCAPED.search(text) or "\x00" in text else read


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return _UNSTORABLE.sub(_MARK, value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    return value
