"""Lists of numbers as parameters: always ``bigint``, as our ids are, and packed at once.

psycopg sends the narrowest type that holds them. Where that is not the column's own, PostgreSQL compares each row that
it filters with the whole list, instead of looking the number up in it.
"""

from __future__ import annotations

from itertools import chain, repeat
from struct import Struct, pack
from types import NoneType
from typing import Any

from psycopg import postgres
from psycopg.abc import DumperKey
from psycopg.adapt import PyFormat
from psycopg.types.array import BaseListDumper, ListBinaryDumper

_BIGINT = postgres.types["int8"]
# One dimension, whether a NULL is among them, the elements' type, how many there are, the number of the first.
_HEAD = Struct("!iiIii").pack
_NULL = pack("!i", -1)


class Arrays(ListBinaryDumper):
    """All other lists are psycopg's own matter."""

    def get_key(self, obj: list[Any], format: PyFormat) -> DumperKey:
        return (self.cls, int) if _are_numbers(obj) else super().get_key(obj, format)

    def upgrade(self, obj: list[Any], format: PyFormat) -> BaseListDumper:
        return _Numbers(self.cls, self._tx) if _are_numbers(obj) else super().upgrade(obj, format)


class _Numbers(Arrays):
    oid = _BIGINT.array_oid

    def dump(self, obj: list[Any]) -> bytes:
        if None in obj:
            some = (_NULL if one is None else pack("!iq", 8, one) for one in obj)
            return _HEAD(1, 1, _BIGINT.oid, len(obj), 1) + b"".join(some)
        flat = chain.from_iterable(zip(repeat(8), obj, strict=False))
        return _HEAD(1, 0, _BIGINT.oid, len(obj), 1) + pack("!" + "iq" * len(obj), *flat)


def _are_numbers(obj: list[Any]) -> bool:
    return set(map(type, obj)) - {NoneType} == {int}
