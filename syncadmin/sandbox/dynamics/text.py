"""How the database compares text: case and accents do not count, trailing blanks neither."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Any


def fold(value: Any) -> Any:
    """The comparable form of a text; other values stay as they are."""
    if not isinstance(value, str):
        return value
    if value.isascii():
        return value.rstrip(" ").lower()
    return _fold_wide(value)


@lru_cache(maxsize=65536)
def _fold_wide(value: str) -> str:
    spread = unicodedata.normalize("NFKD", value.lower())
    return "".join(char for char in spread if not unicodedata.combining(char)).rstrip(" ")
