"""The calls of the day on both sides: used, left, and how many it will be when the day ends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncadmin.engine.records import Side
from syncadmin.store.budget import day_of, tomorrow
from syncadmin.store.models import Budget, BudgetUse
from syncadmin.store.options import Options
from syncadmin.store.queries.sql import select

_LATELY = timedelta(hours=1)
# A rate over less would be a guess from a run or two.
_LEAST = timedelta(minutes=5)
# Keys of a run's calls are "side purpose"; an open run only knows what stood there before it.
_RECENT = """
SELECT split_part(used.key, ' ', 1) AS side, sum(used.value::int)::int AS calls, min(run.started_at) AS since
FROM store_run run, jsonb_each_text(run.calls) used
WHERE run.started_at >= %s AND run.finished_at IS NOT NULL GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class _Recent:
    side: str
    calls: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Purpose:
    """Calls of today for one purpose."""

    purpose: str
    calls: int


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls of one side since its day began.

    ``share`` and ``left`` are None where no daily limit is known, ``forecast`` while the rate is not known yet.
    """

    side: str
    used: int
    backfill: int
    share: int | None
    forecast: int | None
    resets_at: datetime
    paused_until: datetime | None
    purposes: tuple[Purpose, ...]

    @property
    def left(self) -> int | None:
        return None if self.share is None else max(self.share - self.used, 0)

    @property
    def too_many(self) -> bool:
        """Whether the day will end before its calls do, as it goes now."""
        return self.share is not None and (self.forecast or self.used) >= self.share


def today(options: Options, now: datetime) -> tuple[Calls, ...]:
    budgets = {row.side: row for row in Budget.objects.all()}
    purposes = _purposes(now)
    rates = _rates(now)
    return tuple(_calls(side, budgets.get(side), purposes[side], rates.get(side), options, now) for side in Side)


def _calls(
    side: Side, budget: Budget | None, purposes: dict[str, int], rate: float | None, options: Options, now: datetime
) -> Calls:
    # A row of yesterday says nothing about today: it is renewed with the first call.
    current = budget is not None and budget.day == day_of(side, now)
    used = budget.calls if budget and current else 0
    resets_at = tomorrow(side, now)
    to_come = None if rate is None else rate * (resets_at - now).total_seconds()
    pause = budget.paused_until if budget and budget.paused_until and budget.paused_until > now else None
    return Calls(
        side=side,
        used=used,
        backfill=budget.backfill_calls if budget and current else 0,
        share=int(options.marketo_quota * options.marketo_share) if side is Side.MARKETO else None,
        forecast=None if to_come is None else max(used, _about(used + to_come)),
        resets_at=resets_at,
        paused_until=pause,
        purposes=tuple(Purpose(*item) for item in sorted(purposes.items(), key=lambda item: -item[1])),
    )


def _about(number: float) -> int:
    """Two digits are all that a forecast is worth, and they stand still while a page looks at them."""
    return int(round(number, 1 - math.floor(math.log10(number)))) if number >= 1 else 0


def _purposes(now: datetime) -> dict[Side, dict[str, int]]:
    together: dict[Side, dict[str, int]] = {side: {} for side in Side}
    days = {side: day_of(side, now) for side in Side}
    uses = BudgetUse.objects.filter(day__in=set(days.values())).values_list("side", "day", "purpose", "calls")
    for name, day, purpose, calls in uses:
        side = Side(name)
        if day == days[side]:
            together[side][purpose] = together[side].get(purpose, 0) + calls
    return together


def _rates(now: datetime) -> dict[str, float]:
    """Calls a second by side, over the runs of the last hour."""
    lines = select(_Recent, _RECENT, [now - _LATELY])
    since = min((line.since for line in lines), default=now)
    return {} if now - since < _LEAST else {line.side: line.calls / (now - since).total_seconds() for line in lines}
