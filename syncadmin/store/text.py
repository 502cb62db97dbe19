"""What PostgreSQL cannot hold, and JSON as it is stored."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import orjson

# PostgreSQL holds neither NUL nor lone surrogates. The stand-in is a non-character that XML forbids as well, so the
# engine's check for illegal characters still stops such a value from travelling.
STAND_IN = "\ufffe"
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(value: Any) -> Any:
    """The value with every character and number that cannot be stored replaced, at any depth."""
    if isinstance(value, str):
        return _UNSTORABLE.sub(STAND_IN, value)
    # No column over there is wider than 64 bits; kept as text, the value is told and cannot pass for a number.
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return str(value)
    if isinstance(value, dict):
        return {storable(key): storable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [storable(inner) for inner in value]
    return value


def dump(value: Any) -> str:
    """Canonical JSON (keys sorted) that a jsonb column accepts."""
    try:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:  # lone surrogates, numbers beyond 64 bits
        text = orjson.dumps(storable(value), option=orjson.OPT_SORT_KEYS).decode()
    if "\\u0000" in text:
        text = orjson.dumps(storable(value), option=orjson.OPT_SORT_KEYS).decode()
    return text


def load(text: str | bytes | None) -> Any:
    """What a jsonb column answered in a raw query; None for NULL."""
    return None if text is None else orjson.loads(text)


def digest(text: str) -> str:
    """A fingerprint for comparing, not for secrecy: MD5 in hex."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
