"""Where a list goes on: the sort key of the last row shown, as one word in the address."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any


def pack(*parts: str | int) -> str:
    """URL-safe and reversible; not a secret, since it only names a place in a list anybody here may read."""
    return base64.urlsafe_b64encode(json.dumps(parts, ensure_ascii=False).encode()).decode().rstrip("=")


def unpack(word: str, *kinds: type) -> tuple[Any, ...] | None:
    """The parts, if they are of these kinds; None for anything else, which means the first page."""
    try:
        parts = json.loads(base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    if not isinstance(parts, list) or [type(part) for part in parts] != list(kinds):
        return None
    return tuple(parts) if all(map(_is_storable, parts)) else None


def _is_storable(part: str | int) -> bool:
    """PostgreSQL takes neither a NUL nor half a character nor a number beyond 64 bits."""
    if isinstance(part, int):
        return abs(part) < 2**63
    return not any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in part)
