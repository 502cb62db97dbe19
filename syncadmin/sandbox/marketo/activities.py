"""The activity log: one ascending sequence for the whole account, read in blocks from a position."""

from __future__ import annotations

import json
from base64 import b32decode, b32encode
from bisect import insort
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from syncadmin.sandbox.storage import Store

from .answers import ApiError, moment, stamp

NEW_PERSON, CHANGE_VALUE, CHANGE_SCORE = 12, 13, 22
ADD_TO_LIST, REMOVE_FROM_LIST, MERGE, DELETE = 24, 25, 32, 37
REQUEST_CAMPAIGN, CHANGE_STATUS, CALL_WEBHOOK = 47, 104, 110
FIRST_CUSTOM_TYPE = 100_001
# Custom activities and everything not listed with another age: 25 months.
_DAYS_KEPT = 761
_FIRST_GUID = 902_113_000
Row = dict[str, Any]


@cache
def standard_types() -> tuple[dict[str, Any], ...]:
    data = json.loads(Path(__file__).with_name("types.json").read_text())
    return tuple(
        {"id": id, "name": name, "primary": primary, "attributes": attributes, "days": days, "description": about}
        for id, name, primary, attributes, days, about in data["types"]
    )


@cache
def _ages() -> dict[int, int]:
    return {kind["id"]: kind["days"] for kind in standard_types()}


class Log:
    """Rows are {"t": type, "l": person, "d": instant, "s": stored when (if later), "p": primary value, "i": its id,
    "c": campaign, "a": attributes, "f": [field name, old, new], "g": GUID number}, under their position from 1."""

    def __init__(self, store: Store) -> None:
        self._rows = store.table("activities")
        self._counters = store.table("counters")
        self._late = store.table("late_activities")
        self._about: dict[int, list[int]] | None = None

    @property
    def last(self) -> int:
        return int(self._counters.get("activity", 0))

    def add(self, kind: int, person: int, at: str, **more: Any) -> int:
        """Append a row and return its GUID number."""
        guid = int(self._counters.get("guid", _FIRST_GUID)) + 1
        self._counters["guid"] = guid
        row = {"t": kind, "l": person, "d": at, "g": guid}
        # Absent keys keep a million rows small.
        row.update((key, value) for key, value in more.items() if value is not None)
        self._append(row)
        return guid

    def _append(self, row: Row) -> None:
        position = self.last + 1
        self._counters["activity"] = position
        self._rows[str(position)] = row
        if self._about is not None:
            self._about.setdefault(row["l"], []).append(position)

    def row(self, position: int) -> Row | None:
        found: Row | None = self._rows.get(str(position))
        return found

    def about(self, person: int) -> Iterator[Row]:
        """All rows of one person, oldest first."""
        for position in list(self._index().get(person, ())):
            row = self.row(position)
            if row is not None:
                yield row

    def _index(self) -> dict[int, list[int]]:
        # Built on first use: most accounts never ask for one person's log.
        if self._about is None:
            self._about = {}
            for key, row in self._rows.items():
                insort(self._about.setdefault(row["l"], []), int(key))
        return self._about

    def move(self, loser: int, winner: int) -> None:
        """A merge hands the loser's history to the winner; positions stay, so no feed repeats it."""
        index = self._index()
        moved = index.pop(loser, [])
        for position in moved:
            row = self._rows.get(str(position))
            # A deletion says which id died; it stays with that id.
            if row is not None and row["t"] != DELETE:
                self._rows[str(position)] = {**row, "l": winner}
        for position in moved:
            insort(index.setdefault(winner, []), position)

    def hold_back(self, positions: list[int], until: datetime) -> None:
        """Rows vanish from the feeds and come again, at the end, once the clock is past `until`."""
        for position in positions:
            self._late[f"{stamp(until)}/{position}"] = self._rows.pop(str(position))

    def deliver_late(self, now: datetime) -> None:
        if not self._late:
            return
        for key in sorted(key for key in self._late if key.split("/")[0] <= stamp(now)):
            # The activity keeps its date and GUID; only its place in the stream is late.
            self._append({**self._late.pop(key), "s": stamp(now)})

    def walk(
        self, position: int, wanted: Callable[[Row], bool], now: datetime, batch: int, block: int
    ) -> tuple[list[tuple[int, Row]], int]:
        """Look at no more than `block` rows after `position`: what fits, and the position reached."""
        found: list[tuple[int, Row]] = []
        end = min(self.last, position + block)
        oldest: dict[int, str] = {}
        while position < end and len(found) < batch:
            position += 1
            row = self.row(position)
            if row is not None and wanted(row) and row["d"] >= self._oldest(row["t"], now, oldest):
                found.append((position, row))
        return found, position

    @staticmethod
    def _oldest(kind: int, now: datetime, known: dict[int, str]) -> str:
        """Rows before this are no longer kept."""
        if kind not in known:
            days = _ages().get(kind, _DAYS_KEPT)
            known[kind] = stamp(now - timedelta(days=days)) if days else ""
        return known[kind]

    def every(self) -> Iterator[Row]:
        for position in range(1, self.last + 1):
            row = self.row(position)
            if row is not None:
                yield row

    def position_of(self, since: datetime) -> int:
        """The position right before the first row stored at or after `since`."""
        wanted, low, high = stamp(since), 0, self.last
        # Storage times ascend along the positions, activity dates need not.
        while low < high:
            middle = (low + high + 1) // 2
            if self._stored(middle) < wanted:
                low = middle
            else:
                high = middle - 1
        return low

    def _stored(self, position: int) -> str:
        """When the row at or before this position was stored; gaps are rows held back."""
        while position > 0:
            row = self.row(position)
            if row is not None:
                return str(row.get("s", row["d"]))
            position -= 1
        return ""


def token(position: int, now: datetime) -> str:
    # Upper-case base 32 of instant and position, like the real ones; clients must not look inside.
    return b32encode(f"{stamp(now)},{position}".encode()).decode()


def position(text: str) -> int:
    """Read a paging token of the activity streams; anything else is refused."""
    try:
        # The instant has no use but to make a mangled token fail.
        when, _, number = b32decode(text).decode().partition(",")
        moment(when)
        return int(number)
    except ValueError:
        raise ApiError(1003, "Invalid paging token") from None
