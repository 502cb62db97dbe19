"""The calls of both sides, counted for all workers together.

A place among the calls at once is a session's advisory lock: a killed worker gives it back by dying. Rate, day and
pauses stand in one row per side: a call is counted only if that row is still the one it was judged by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Q

from syncadmin.engine.records import Lane, Side
from syncadmin.store import locks, options, staging, text, turns
from syncadmin.store.models import Budget
from syncadmin.store.options import Options

# Marketo counts its day by US Central time.
DAY_ZONE: dict[Side, tzinfo] = {Side.DYNAMICS: UTC, Side.MARKETO: ZoneInfo("America/Chicago")}
PLACES = {Side.DYNAMICS: locks.Lock.DYNAMICS_PLACE, Side.MARKETO: locks.Lock.MARKETO_PLACE}
# Marketo: half of the ten it takes from everybody. Dynamics: until it hints at another number.
AT_ONCE = {Side.DYNAMICS: 4, Side.MARKETO: 5}
MOST_AT_ONCE = 52  # Dataverse's documented limit for one user
SYNC_PERSON = "sync_person"
LOOK_AGAIN = 0.05  # seconds between two looks for a free place
BUSY = timedelta(seconds=5)
OPTIONS_AGE = timedelta(seconds=5)

Spent = Callable[[str, datetime], Exception]


@dataclass(frozen=True, slots=True)
class Turn:
    """The answer to one question: go now, or not before ``at``."""

    at: datetime | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Asking:
    side: Side
    lane: Lane
    purpose: str

    @property
    def kind(self) -> turns.Kind:
        if self.purpose == SYNC_PERSON:
            return turns.Kind.SYNC_PERSON
        return turns.Kind.BACKFILL if self.lane is Lane.BACKFILL else turns.Kind.LOOP


class PgBudget:
    """The budget in PostgreSQL. ``spent`` makes the error that says until when nothing may be called.

    A call waits for its turn up to ``patience`` seconds. Never ask inside a transaction: the row it counts in would be
    locked, and everybody would wait for it. That is a RuntimeError.
    """

    def __init__(
        self, now: Callable[[], datetime], sleep: Callable[[float], None], spent: Spent, patience: float = 20.0
    ) -> None:
        self._now, self._sleep, self._spent, self._patience = now, sleep, spent, patience
        self._options: tuple[datetime, Options] | None = None

    @contextmanager
    def call(self, side: Side, lane: Lane, purpose: str, deadline: datetime | None) -> Iterator[None]:
        place = self._wait(_Asking(side, lane, purpose), deadline)
        try:
            yield
        finally:
            locks.give_back(PLACES[side], place)

    def pause(self, side: Side, until: datetime) -> None:
        _row_exists(side)
        Budget.objects.filter(Q(paused_until=None) | Q(paused_until__lt=until), side=side).update(paused_until=until)

    def hint(self, side: Side, at_once: int) -> None:
        wanted = max(1, min(at_once, MOST_AT_ONCE))
        _row_exists(side)
        Budget.objects.filter(~Q(at_once=wanted) | Q(at_once=None), side=side).update(at_once=wanted)

    def _wait(self, asking: _Asking, deadline: datetime | None) -> int:
        waited = 0.0
        while True:
            place, turn = self._try(asking)
            if place is not None:
                return place
            assert turn.at is not None
            now = self._now()
            busy = not turn.why
            seconds = LOOK_AGAIN if busy else max((turn.at - now).total_seconds(), 0.001)
            too_late = deadline is not None and now + timedelta(seconds=seconds) >= deadline
            if too_late or waited + seconds > self._patience:
                raise self._spent(turn.why or f"All places for calls to {asking.side} are taken.", turn.at)
            self._sleep(seconds)
            waited += seconds

    def _try(self, asking: _Asking) -> tuple[int | None, Turn]:
        """A place that is now ours and its turn has come, or None and when to ask again."""
        blocks = connection.atomic_blocks
        if blocks and not getattr(blocks[-1], "_from_testcase", False):
            raise RuntimeError("A call was asked for inside a transaction.")
        place, row = _take_place(asking)
        if place is None:
            return None, Turn(self._now() + BUSY)
        turn = Turn(self._now(), "asking failed")
        try:
            turn = self._ask(asking, row or _made(asking.side))
        finally:
            if turn.at is not None:
                locks.give_back(PLACES[asking.side], place)
        return (place if turn.at is None else None), turn

    def _ask(self, asking: _Asking, row: _Row) -> Turn:
        limits = self._limits()
        while True:
            now = self._now()
            _new_day(row, now)
            turn = _judge(row, asking, now, limits)
            if turn.at is not None or _count(row, asking, now):
                return turn
            # Somebody else was counted since it was read.
            row = _made(asking.side)

    def _limits(self) -> Options:
        """The settings; read anew every few seconds, so that a call does not cost one query more."""
        now = self._now()
        if self._options is None or not timedelta() <= now - self._options[0] < OPTIONS_AGE:
            self._options = (now, options.read())
        return self._options[1]


_ROW = "b.id, b.xmin::text, b.side, b.recent, b.paused_until, b.at_once, b.day, b.calls, b.backfill_calls"
# From which place to which to look; the last one is Sync Person's alone, where there is more than one. The scan ends
# with the first place that could be locked. The row comes with it: asked before every call, each statement counts.
_PLACE = f"""
    SELECT n, {_ROW}
    FROM (SELECT 1) AS always LEFT JOIN store_budget b ON b.side = %(side)s
        CROSS JOIN LATERAL (SELECT coalesce(b.at_once, %(known)s::int) AS last) AS l
        CROSS JOIN LATERAL generate_series(CASE WHEN %(person)s THEN l.last ELSE 1 END,
                                           CASE WHEN %(person)s THEN 1 ELSE greatest(1, l.last - 1) END,
                                           CASE WHEN %(person)s THEN -1 ELSE 1 END) AS n
    WHERE pg_try_advisory_lock(%(lock)s::int, n) LIMIT 1
"""


@dataclass(slots=True)
class _Row:
    """A side's row of the budget, and the version of it that was read."""

    id: int
    version: str
    side: str
    recent: list[list[Any]]
    paused_until: datetime | None
    at_once: int | None
    day: date | None
    calls: int
    backfill_calls: int


def _take_place(asking: _Asking) -> tuple[int | None, _Row | None]:
    """A place that is ours now, and the side's row, if it was ever written."""
    person = asking.kind is turns.Kind.SYNC_PERSON
    known: dict[str, int | str | bool] = {
        "known": AT_ONCE[asking.side],
        "side": asking.side,
        "person": person,
        "lock": int(PLACES[asking.side]),
    }
    rows = staging.query(_PLACE, known)
    if not rows:
        return None, None
    place, *found = rows[0]
    return int(place), None if found[0] is None else _row(found)


def _row(found: Sequence[Any]) -> _Row:
    id, version, side, recent, *rest = found
    return _Row(id, version, side, text.load(recent), *rest)


def _made(side: Side) -> _Row:
    """The side's row as it is now, made if it was never written."""
    _row_exists(side)
    return _row(staging.query(f"SELECT {_ROW} FROM store_budget b WHERE b.side = %s", [side])[0])


def _row_exists(side: Side) -> None:
    if not staging.query("SELECT 1 FROM store_budget WHERE side = %s", [side]):
        Budget.objects.bulk_create([Budget(side=side)], ignore_conflicts=True)


def day_of(side: Side, now: datetime) -> date:
    """The day a call of this side is counted for."""
    return now.astimezone(DAY_ZONE[side]).date()


def _new_day(row: _Row, now: datetime) -> None:
    today = day_of(Side(row.side), now)
    if row.day != today:
        row.day, row.calls, row.backfill_calls = today, 0, 0


def _judge(row: _Row, asking: _Asking, now: datetime, limits: Options) -> Turn:
    if row.paused_until is not None and row.paused_until > now:
        return Turn(row.paused_until, f"{asking.side} asked for silence.")
    if asking.side is Side.DYNAMICS:
        return Turn()
    day = int(limits.marketo_quota * limits.marketo_share)
    backfill_spent = asking.lane is Lane.BACKFILL and row.backfill_calls >= int(day * limits.backfill_share)
    if row.calls >= day or backfill_spent:
        return Turn(tomorrow(asking.side, now), "Our share of Marketo's calls is used up for today.")
    seconds = now.timestamp()
    turn = turns.next_turn(_recent(row), asking.kind, seconds)
    return (
        Turn() if turn <= seconds else Turn(datetime.fromtimestamp(turn, UTC), "Marketo's calls wait for their turn.")
    )


def tomorrow(side: Side, now: datetime) -> datetime:
    """When this side begins to count anew."""
    return datetime.combine(day_of(side, now) + timedelta(days=1), time(), DAY_ZONE[side]).astimezone(UTC)


def _recent(row: _Row) -> list[turns.Call]:
    return [turns.Call(at, turns.Kind(kind)) for at, kind in row.recent]


def _count(row: _Row, asking: _Asking, now: datetime) -> bool:
    """Counts the call, unless the row is no longer the one that was judged."""
    recent = row.recent
    if asking.side is Side.MARKETO:
        kept = turns.within(_recent(row), now.timestamp())
        recent = [*([call.at, call.kind] for call in kept), [now.timestamp(), asking.kind]]
    backfill = row.backfill_calls + (asking.lane is Lane.BACKFILL)
    counted = staging.run(
        _COUNT,
        [text.dump(recent), row.day, row.calls + 1, backfill, row.id, row.version,
         asking.side, row.day, asking.lane, asking.purpose[:40]],
    )  # fmt: skip
    return counted == 1


_COUNT = """
    WITH counted AS (UPDATE store_budget SET recent = %s::jsonb, day = %s, calls = %s, backfill_calls = %s
                     WHERE id = %s AND xmin = %s::text::xid RETURNING id)
    INSERT INTO store_budgetuse AS u (side, day, lane, purpose, calls)
    SELECT %s, %s::date, %s, %s, 1 FROM counted
    ON CONFLICT (side, day, lane, purpose) DO UPDATE SET calls = u.calls + 1
"""
