"""What may be wrong with the sync as a whole, and since when. Looked at every half minute; told once when it changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from syncadmin.engine.records import Side
from syncadmin.store import budget, options, runs
from syncadmin.store.models import Alarm, Budget, Channel, Connection, Delivery, Failure, PausedPair
from syncadmin.store.options import Options
from syncadmin.store.queries import overview

Facts = Mapping[str, Any]
Standing = dict[str, Facts]

_RATE_OVER = timedelta(hours=1)
# An alarm about a rate ends at half of its limit, so that a rate near the limit does not tell something every minute.
_CALM = 0.5
BAD, HEALED, TEST = "bad", "healed", "test"


def standing(now: datetime, known: frozenset[str] = frozenset()) -> Standing:
    """What is wrong now, by code, with the facts of its sentence. ``known`` were wrong when it was last looked."""
    chosen = options.read()
    found: Standing = {}
    for look in _LOOKS:
        found |= look(chosen, now, known)
    return found


def look(now: datetime) -> list[tuple[str, str]]:
    """Notes what has changed and puts a message into the queue of each active channel; code and state of each."""
    known = {alarm.code: alarm for alarm in Alarm.objects.all()}
    found = standing(now, frozenset(known))
    changed = [(code, BAD, facts) for code, facts in found.items() if code not in known and _begin(code, facts, now)]
    changed += [(code, HEALED, alarm.facts) for code, alarm in known.items() if code not in found and _end(alarm, now)]
    return [(code, state) for code, state, _facts in changed]


@transaction.atomic
def _begin(code: str, facts: Facts, now: datetime) -> bool:
    """False if another process noticed it in the same moment."""
    _alarm, new = Alarm.objects.get_or_create(code=code, defaults={"facts": facts, "since": now})
    if new:
        _queue(code, BAD, facts, now)
    return new


@transaction.atomic
def _end(alarm: Alarm, now: datetime) -> bool:
    gone, _ = Alarm.objects.filter(pk=alarm.pk).delete()
    if gone:
        _queue(alarm.code, HEALED, alarm.facts, now)
    return bool(gone)


def _queue(code: str, state: str, facts: Facts, now: datetime) -> None:
    Delivery.objects.bulk_create(
        Delivery(channel=channel, alarm=code, state=state, facts=facts, made_at=now, next_try_at=now)
        for channel in Channel.objects.filter(active=True).order_by("id")
    )


def _stopped(chosen: Options, now: datetime, known: frozenset[str]) -> Standing:
    """The loop stands still though nobody paused it, or our share of Marketo's calls is used up."""
    found: Standing = {}
    if not chosen.started or chosen.paused:
        return found
    patience = max(overview.SILENCE, 3 * timedelta(seconds=chosen.longest_wait))
    current = runs.current()
    last = max((run.finished_at or run.heartbeat_at for run in runs.last()[:1]), default=None)
    # Resumed a moment ago, the loop has the pause behind it and its next run before it.
    signs = [at for at in (current.heartbeat_at if current else last, overview.begun_at()) if at is not None]
    if signs and now - max(signs) > patience:
        found["standing_still"] = {"minutes": int((now - max(signs)).total_seconds() // 60)}
    share = int(chosen.marketo_quota * chosen.marketo_share)
    today = Budget.objects.filter(side=Side.MARKETO, day=budget.day_of(Side.MARKETO, now)).first()
    if today is not None and today.calls >= share:
        found["out_of_calls"] = {"calls": share}
    return found


def _pairs(chosen: Options, now: datetime, known: frozenset[str]) -> Standing:
    keys = list(PausedPair.objects.order_by("key").values_list("key", flat=True))
    names = [key.partition(":")[2] or key for key in keys]
    return {"pairs_paused": {"number": len(keys), "fields": ", ".join(names[:5])}} if keys else {}


def _credentials(chosen: Options, now: datetime, known: frozenset[str]) -> Standing:
    """A sign-in that is refused, and a secret whose day comes near."""
    refused = Connection.objects.filter(refused_since__isnull=False).order_by("side")
    found: Standing = {f"refused_{row.side}": {"side": row.side, "said": row.message[:500]} for row in refused}
    if chosen.dynamics_secret_until:
        until = date.fromisoformat(chosen.dynamics_secret_until)
        days = (until - now.date()).days
        if days <= chosen.alarm_expiry_days:
            found["expiring"] = {"side": "dynamics", "until": until.isoformat(), "days": days}
    return found


def _failures(chosen: Options, now: datetime, known: frozenset[str]) -> Standing:
    if not chosen.alarm_failures:
        return {}
    limit = int(chosen.alarm_failures * (_CALM if "failures" in known else 1))
    # The newest come first, so that never more than the limit are looked at.
    newest = Failure.objects.order_by("-id").values_list("opened_at", flat=True)[: chosen.alarm_failures + 1]
    number = sum(1 for opened in newest if opened > now - _RATE_OVER)
    return {"failures": {"number": number, "limit": chosen.alarm_failures}} if number > limit else {}


def _backlog(chosen: Options, now: datetime, known: frozenset[str]) -> Standing:
    """A write that waits too long. While somebody has paused the sync it is meant to wait."""
    if not chosen.alarm_backlog or not chosen.started or chosen.paused or chosen.observe_only:
        return {}
    oldest = min((row.oldest for row in overview.waiting({}) if row.oldest), default=None)
    if oldest is None or now - oldest <= timedelta(seconds=chosen.alarm_backlog):
        return {}
    return {"backlog": {"minutes": int((now - oldest).total_seconds() // 60), "limit": chosen.alarm_backlog // 60}}


_LOOKS: tuple[Callable[[Options, datetime, frozenset[str]], Standing], ...] = (
    _stopped,
    _pairs,
    _credentials,
    _failures,
    _backlog,
)
