"""What became of a write to Marketo, judged from its change lines and the value that stands there now.

Never from the order of lines, only from old and new values in comparable form: lines come late, twice and mixed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from syncadmin.engine.fields import Bound, Unconvertible, comparable, outgoing, travels
from syncadmin.engine.records import Comparable, Raw, Side, Table
from syncadmin.engine.rules import winner
from syncadmin.engine.verdicts import Agreed, Collision, FieldResult, Held, Rule, Verdict

# How Marketo names a write through its REST API in the attributes Source and Reason; a display text.
_API = "web service api"
# The rule of a receipt whose call went out after others had taken the write over: whatever it replaced, nobody wanted that.
LATE = "late"


class Marks(Protocol):
    """What a change line says about its author."""

    @property
    def request_id(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def campaign(self) -> str: ...


@dataclass(frozen=True, slots=True)
class SentReceipt:
    """One value we sent to Marketo: what it replaced as far as we knew, when, and in which call."""

    sent: Comparable
    replaced: Comparable
    at: datetime
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class LineSeen:
    """A change line of the same person and field, values in comparable form; known by its ``guid``."""

    guid: str
    at: datetime
    old: Comparable
    new: Comparable
    ours: bool


class Settled(StrEnum):
    """The five ways a receipt ends, or that it is still open."""

    CONFIRMED = "a"  # our line, and it replaced what we thought
    OVERTAKEN = "b"  # our line, but it overwrote somebody's value
    STANDS = "c"  # no line, the value sent stands
    DROPPED = "d"  # no line, the old value stands: Marketo ignored the write
    CHANGED = "e"  # somebody changed it since; merged as such
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Settlement:
    """``value`` is the overwritten value (b) or the third one (e); ``stands``: the value sent is there now."""

    kind: Settled
    value: Comparable = None
    line: str = ""
    stands: bool = False


def is_ours(line: Marks, sent: Comparable, request_id: str, line_new: Comparable) -> bool:
    """By request id where the account records it, else an API write without a campaign of the very value sent."""
    # Other programs write through the same API, so the source alone says little; the value has to agree.
    if line.request_id and request_id:
        return line.request_id == request_id
    return line.source.strip().casefold() == _API and not line.campaign and line_new == sent


def left_ours(receipt: SentReceipt, lines: Iterable[LineSeen]) -> bool:
    """Whether a line says that somebody changed the value we sent: then the value replaced may stand again."""
    return any(not line.ours and line.old == receipt.sent and line.new != receipt.sent for line in lines)


def settle(
    receipt: SentReceipt,
    lines: Sequence[LineSeen],
    current: Comparable,
    now: datetime,
    patience: timedelta,
    *,
    known: bool = True,
    earlier: Sequence[Comparable] = (),
    earlier_open: bool = False,
) -> Settlement:
    """How the receipt ends, given all lines seen for it and the current value (not ``known``: not read yet).

    ``earlier`` are the values that our own unconfirmed writes before this one sent or replaced; ``earlier_open`` says
    that what became of one of these may still be told.
    """
    before = (receipt.replaced, *earlier)
    stands = known and current == receipt.sent
    mine = [line for line in lines if line.ours]
    # An old value equal to the one sent is our own earlier write of it, not somebody's.
    over = next((line for line in mine if line.old not in (*before, receipt.sent)), None)
    if over is not None:
        return Settlement(Settled.OVERTAKEN, over.old, over.guid, stands)
    # What only an earlier write explains may be somebody's after all: they may have put back what that one replaced.
    if earlier_open and any(line.old not in (receipt.replaced, receipt.sent) for line in mine):
        return Settlement(Settled.OPEN, stands=stands)
    if mine:
        return Settlement(Settled.CONFIRMED, line=mine[0].guid, stands=stands)
    if not known:
        return Settlement(Settled.OPEN)
    # Our line may still come and then counts as (b), so this closes the receipt but not the case.
    if current not in (receipt.sent, *before) or (not stands and left_ours(receipt, lines)):
        return Settlement(Settled.CHANGED, current)
    if now - receipt.at < patience:
        return Settlement(Settled.OPEN, stands=stands)
    return Settlement(Settled.STANDS if stands else Settled.DROPPED, stands=stands)


def confirmed(receipt: SentReceipt, lines: Sequence[LineSeen]) -> bool:
    """Whether the lines alone say that this write replaced what we thought it did, whatever else was written and stands."""
    told = settle(receipt, lines, None, receipt.at, timedelta(), known=False, earlier_open=True)
    return told.kind is Settled.CONFIRMED


def overtaken(
    bound: Bound,
    receipt: SentReceipt,
    agreed: Agreed,
    overwritten: Raw,
    *,
    stands: bool,
    table: Table,
    late: bool = False,
) -> FieldResult:
    """Way (b): the collision between our value and the one it overwrote, settled by the collision rule now.

    Where Marketo wins and our value still stands, the result writes the overwritten value back to Marketo and leaves
    agreed as it is: the next merge then sees a change in Marketo and carries it over, whatever fails in between.
    ``overwritten`` is the line's own text. Raises Unconvertible only for a wrong JSON type. What a ``late`` call replaced
    comes back whoever wins: our value was an old one, and the next merge decides between what it found and Dynamics.
    """
    lost = comparable(bound, Side.MARKETO, overwritten)
    if late:
        return _put_back(bound, receipt, agreed, lost, overwritten, None, stands=stands)
    if len(travels(bound)) < 2:
        return FieldResult(bound.pair.key, Verdict.NOTHING, replaced=lost)
    wins = winner(table, bound.pair.winner)
    # An emptied value may not travel on this pair, so it cannot win either.
    if lost is None and not bound.pair.blanks_travel:
        wins = Side.DYNAMICS
    collision = Collision(agreed.d, receipt.replaced, agreed.d, lost, wins, Rule.OVERTAKEN)
    if wins is None:
        return FieldResult(bound.pair.key, Verdict.HELD, Rule.OVERTAKEN, held=Held.ASK, collision=collision)
    return _put_back(bound, receipt, agreed, lost, overwritten, collision, stands=stands and wins is Side.MARKETO)


def _put_back(
    bound: Bound,
    receipt: SentReceipt,
    agreed: Agreed,
    lost: Comparable,
    overwritten: Raw,
    collision: Collision | None,
    *,
    stands: bool,
) -> FieldResult:
    """The overwritten value goes back where ours still stands, and is only told elsewhere."""
    if not stands:
        return FieldResult(bound.pair.key, Verdict.NOTHING, Rule.OVERTAKEN, replaced=lost, collision=collision)
    return FieldResult(
        bound.pair.key,
        Verdict.WRITE,
        Rule.OVERTAKEN,
        Side.MARKETO,
        raw=_restored(bound, lost, overwritten),
        sent=lost,
        source=lost,
        replaced=receipt.sent,
        agreed=agreed,
        collision=collision,
    )


def _restored(bound: Bound, lost: Comparable, overwritten: Raw) -> Raw:
    """The value as Marketo takes it; a text that means nothing to Dynamics goes back letter for letter."""
    try:
        return outgoing(bound, Side.MARKETO, lost).raw
    except Unconvertible:
        return overwritten
