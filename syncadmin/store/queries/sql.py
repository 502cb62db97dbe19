"""Rows of a statement as frozen values, and counts that stop counting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import connection

Row = TypeVar("Row")

# Counting further would cost time in proportion to the table and tell an administrator nothing more.
MOST = 1_000


@dataclass(frozen=True, slots=True)
class Count:
    """A number up to ``MOST``; ``over`` says that there are more."""

    number: int
    over: bool = False

    def __bool__(self) -> bool:
        return self.number > 0


def bounded(number: int | None) -> Count:
    """``number`` was counted with LIMIT ``MOST`` + 1."""
    return Count(min(number or 0, MOST), (number or 0) > MOST)


def select(row: type[Row], statement: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
    """Runs the statement; each line fills ``row``'s fields by the names of its columns."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        names = [column[0] for column in cursor.description or ()]
        return [row(**dict(zip(names, line, strict=True))) for line in cursor.fetchall()]


def number(statement: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> int:
    """The single number a statement answers."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        line = cursor.fetchone()
        return int(line[0]) if line and line[0] is not None else 0
