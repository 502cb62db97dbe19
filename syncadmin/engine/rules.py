"""Who wins, and when to stop: the collision rule, the guard against two automations, the guard on mass deletes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from syncadmin.engine.mapping import Winner
from syncadmin.engine.records import Comparable, Side, Table

# A lead is marketing's until it is qualified; from then on the contact is the sales department's.
_BY_TABLE = {Table.LEAD: Side.MARKETO, Table.CONTACT: Side.DYNAMICS}
_BY_PAIR = {Winner.DYNAMICS: Side.DYNAMICS, Winner.MARKETO: Side.MARKETO, Winner.ASK: None}

# A person who corrects a field does it two or three times in an hour; seven turns are two machines.
_MOST_WRITES = 6
_WINDOW = timedelta(hours=1)


def winner(table: Table, pair_winner: Winner) -> Side | None:
    """The side whose value stands after a collision; None if a person decides."""
    return _BY_TABLE[table] if pair_winner is Winner.TABLE else _BY_PAIR[pair_winner]


def alternating(history: Sequence[tuple[datetime, Side, Comparable]], now: datetime) -> bool:
    """Whether our writes of one field, each (when, to which side, value), go back and forth.

    More than six within the last hour, of which most turn: to the other side, or back to the value before last.
    """
    recent = sorted((entry for entry in history if now - entry[0] <= _WINDOW), key=lambda entry: entry[0])
    if len(recent) <= _MOST_WRITES:
        return False
    # Seven different values one way are a busy person; values or sides that come back are a loop.
    turns = sum(
        1
        for index in range(1, len(recent))
        if recent[index][1] is not recent[index - 1][1] or (index > 1 and recent[index][2] == recent[index - 2][2])
    )
    return turns > len(recent) // 2


def too_many_deletes(count: int, links: int, at_least: int = 50, share: float = 0.01) -> bool:
    """Whether so many deletes at once are to be held: more than ``at_least`` and more than ``share`` of the links."""
    return count > at_least and count > links * share
