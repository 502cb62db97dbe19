"""Where a list goes on: after the id of the last row shown, or after its sort key as one word in the address."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeVar

from django.db.models import Model, QuerySet


class _Numbered(Protocol):
    @property
    def id(self) -> int: ...


Stored = TypeVar("Stored", bound=Model)
Row = TypeVar("Row", bound=_Numbered)
Reader = Callable[[Iterable[Stored]], tuple[Row, ...]]


def by_id(chosen: QuerySet[Stored], sort: str, after: int | None) -> QuerySet[Stored]:
    """The rows behind that id, newest first unless ``sort`` is oldest."""
    if sort == "oldest":
        return (chosen if after is None else chosen.filter(id__gt=after)).order_by("id")
    return (chosen if after is None else chosen.filter(id__lt=after)).order_by("-id")


def page_by_id(
    chosen: QuerySet[Stored], sort: str, after: int | None, read: Reader[Stored, Row], size: int
) -> tuple[tuple[Row, ...], str]:
    """So many rows, and the id of the last one where the next page goes on; empty on the last page."""
    found = read(by_id(chosen, sort, after)[: size + 1])
    return found[:size], str(found[size - 1].id) if len(found) > size else ""


def every_by_id(chosen: QuerySet[Stored], sort: str, read: Reader[Stored, Row], size: int) -> Iterator[Row]:
    """All of them, read so many at a time."""
    after: int | None = None
    while True:
        found = read(by_id(chosen, sort, after)[:size])
        yield from found
        if len(found) < size:
            return
        after = found[-1].id


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
