"""Rendered rows in a file of their own: a million of them would take the memory that PostgreSQL's tables need.

A row is found by its place. What was written to it since lies in memory, as the bytes that follow the rendered row: a
name that comes twice in JSON means its last value.
"""

from __future__ import annotations

import os
import tempfile
from array import array
from collections.abc import Mapping
from typing import Any

import orjson


class Rows:
    """JSON objects in the order in which they were added; the file is gone with ``close``."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="syncadmin-rows-")  # noqa: SIM115
        self._starts = array("Q", [0])
        self._since: dict[int, bytes] = {}

    def add(self, row: bytes) -> None:
        self._file.write(row + b",")
        self._starts.append(self._starts[-1] + len(row) + 1)

    def finish(self) -> None:
        """All rows are added: from now on they can be read."""
        self._file.flush()

    def __len__(self) -> int:
        return len(self._starts) - 1

    def rendered(self, first: int, last: int) -> bytes:
        """The rows from ``first`` to before ``last`` as they were added, joined by commas."""
        first, last = min(first, len(self)), min(last, len(self))
        # By position, so that forked workers, who share the file, do not move it under each other.
        return os.pread(self._file.fileno(), max(0, self._starts[last] - self._starts[first] - 1), self._starts[first])

    def row(self, place: int) -> bytes:
        """As it is now."""
        row, since = self.rendered(place, place + 1), self._since.get(place)
        return row[:-1] + b"," + since if since else row

    def write(self, place: int, values: Mapping[str, Any]) -> None:
        """These values stand in the row from now on."""
        since = self._since.get(place)
        known = orjson.loads(b"{" + since) if since else {}
        # Without its first character it is a copy of its own length: what orjson answers keeps the room of its buffer, 4 KB.
        self._since[place] = orjson.dumps({**known, **values})[1:]

    def forget(self) -> None:
        """Every row is again as it was added."""
        self._since.clear()

    def close(self) -> None:
        self._file.close()
