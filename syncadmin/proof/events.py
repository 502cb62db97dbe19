"""What can happen in a schedule, drawn from its seed. Plain data: a schedule without some of its events is a schedule.

``draws`` are free numbers; whoever carries an event out takes them modulo what there is, so every event always means
something, whatever was dropped before it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

_MOST = 1 << 16
# Whoever exists at the start: kind of birth and how often it is drawn beyond the fixed eight.
_BIRTHS = ("lead", "contact", "person", "both", "twins", "doubles", "blank", "filtered")
_EDITS = (
    ("edit dynamics", 10),
    ("edit marketo", 10),
    ("clash", 8),
    ("apart", 6),
    ("agree", 2),
    ("campaign", 3),
    ("blank", 3),
)
_LIVES = (
    ("birth", 3),
    ("delete dynamics", 2),
    ("delete marketo", 2),
    ("restore", 2),
    ("merge dynamics", 2),
    ("merge marketo", 2),
    ("qualify", 3),
    ("close", 2),
    ("reopen", 1),
    ("assign", 1),
    ("filter", 3),
    ("sync person", 4),
    ("list", 3),
)
_ADMINS = (("pair rules", 3), ("pause", 1), ("answer", 3), ("release", 2), ("wait", 3))
_TROUBLES = (
    ("rate_limit", 3),
    ("daily_limit", 1),
    ("concurrency", 2),
    ("unavailable", 3),
    ("error", 2),
    ("cut", 3),
    ("timeout_before", 3),
    ("timeout_after", 4),
    ("expired_token", 2),
    ("expired_delta", 2),
    ("partial_batch", 3),
    ("duplicate_events", 3),
    ("late_events", 4),
    ("html", 1),
    ("garbage", 1),
    ("empty", 1),
)
_MOMENTS = (("crash", 5), ("rival", 6), ("second worker", 4), ("stall", 3), ("late write", 3))


@dataclass(frozen=True, slots=True)
class Event:
    """``kind`` says what, ``draws`` whom and with which values, ``number`` makes its values its own."""

    kind: str
    number: int
    draws: tuple[int, ...]
    name: str = ""

    def as_json(self) -> list[Any]:
        return [self.kind, self.number, list(self.draws), self.name]

    @classmethod
    def from_json(cls, row: Sequence[Any]) -> Event:
        return cls(row[0], row[1], tuple(row[2]), row[3])


@dataclass(frozen=True, slots=True)
class Schedule:
    """Everything a simulation needs to happen again."""

    seed: int
    settings: dict[str, Any]
    knobs: dict[str, Any]
    events: tuple[Event, ...]

    def without(self, start: int, length: int) -> Schedule:
        return replace(self, events=self.events[:start] + self.events[start + length :])


class _Dice:
    def __init__(self, seed: int) -> None:
        self.chance = random.Random(f"schedule/{seed}")
        self.number = 0

    def event(self, kind: str, name: str = "") -> Event:
        self.number += 1
        return Event(kind, self.number, tuple(self.chance.randrange(_MOST) for _ in range(6)), name)

    def one_of(self, weighted: Sequence[tuple[str, int]]) -> str:
        return self.chance.choices([name for name, _ in weighted], [weight for _, weight in weighted])[0]


def schedule(seed: int) -> Schedule:
    """The schedule of a seed."""
    dice = _Dice(seed)
    chance = dice.chance
    settings = {
        "several": chance.choice(["ask", "ask", "contact_first", "each"]),
        "first_contact": chance.choice(["rule", "rule", "dynamics", "blanks"]),
        "list_id": chance.choice(["", "1207"]),
        "detect_duplicates": chance.random() < 0.7,
    }
    knobs = {
        "write_marks": chance.random() < 0.7,
        "empty_fields": chance.random() < 0.9,
        "activity_ids": chance.random() < 0.5,
        "merge_ids_as_list": chance.random() < 0.5,
        "boolean_words": chance.choice([("false", "true"), ("0", "1"), ("False", "True")]),
        "block": chance.choice([4, 20, 500]),
        "page_rows": chance.choice([3, 5000]),
        "latency": chance.choice([0.0, 0.02, 0.3]),
    }
    return Schedule(seed, settings, knobs, tuple(_events(dice)))


def _events(dice: _Dice) -> list[Event]:
    events = [dice.event("birth", kind) for kind in _BIRTHS]
    events += [dice.event("birth", dice.chance.choice(_BIRTHS)) for _ in range(dice.chance.randrange(4))]
    calm = dice.chance.random() < 0.6
    events += [] if calm else _moments(dice)
    events += [dice.event("run") for _ in range(3 if calm else 1)]
    for _ in range(dice.chance.randrange(2, 5)):
        events += _round(dice)
    return events


def _round(dice: _Dice) -> list[Event]:
    chance = dice.chance
    found = [dice.event(dice.one_of(_EDITS)) for _ in range(chance.randrange(2, 6))]
    found += [dice.event(dice.one_of(_LIVES)) for _ in range(chance.randrange(3))]
    found += [dice.event(dice.one_of(_ADMINS)) for _ in range(chance.randrange(2))]
    found = [replace(each, name=chance.choice(_BIRTHS)) if each.kind == "birth" else each for each in found]
    chance.shuffle(found)
    if chance.random() < 0.8:
        found += _moments(dice)
    return [*found, *[dice.event("run") for _ in range(chance.choice([1, 1, 2]))]]


def _moments(dice: _Dice) -> list[Event]:
    """Troubles ordered for the calls to come, and things that happen in the middle of the next run."""
    found = [dice.event("trouble", dice.one_of(_TROUBLES)) for _ in range(dice.chance.randrange(3))]
    for _ in range(dice.chance.randrange(1, 3)):
        kind = dice.one_of(_MOMENTS)
        name = dice.one_of(_EDITS + _LIVES) if kind == "rival" else ""
        found.append(dice.event(kind, name if name != "birth" else "edit marketo"))
    return found
