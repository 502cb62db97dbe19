"""One sentence that says whether anybody has to do anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from syncadmin.store.queries.overview import SILENCE, Overview
from syncadmin.web.words.terms import SIDES, named
from syncadmin.web.words.troubles import complaint_told


@dataclass(frozen=True, slots=True)
class Health:
    """``level`` is good, wait, warn or bad; ``advice`` what to do, and ``said`` a system's own words; empty if none."""

    level: str
    sentence: str
    advice: str = ""
    said: str = ""


def health(seen: Overview, now: datetime) -> Health:
    """The worst of what is true comes first."""
    return _not_running(seen) or _standing_still(seen, now) or _running(seen)


def _not_running(seen: Overview) -> Health | None:
    if seen.refused:
        first = seen.refused[0]
        sentence = _("%(side)s refuses our sign-in, so nothing travels.") % {"side": named(SIDES, first.side)}
        advice = _("Give new credentials, or allow the old ones again over there; the sync goes on by itself then.")
        return Health("bad", sentence, advice, first.message)
    if not seen.connected or not seen.options.field_version:
        advice = _("Connect both systems and choose the fields; then the loop begins.")
        return Health("wait", _("Nothing is synced yet: the setup is not finished."), advice)
    if seen.options.paused:
        advice = _("Nothing is lost: what changes meanwhile is read when the sync is resumed.")
        return Health("warn", _("The sync is paused."), advice)
    if not seen.options.started:
        return Health("wait", _("The setup is done; the sync has not been started yet."))
    return None


def _standing_still(seen: Overview, now: datetime) -> Health | None:
    patience = max(SILENCE, 3 * timedelta(seconds=seen.options.longest_wait))
    signs = [run.finished_at or run.heartbeat_at for run in seen.runs[:1]] + [at for at in (seen.begun_at,) if at]
    silence = now - max(signs, default=now)
    if silence > patience:
        return _silent(seen, int(silence.total_seconds() // 60))
    if not seen.runs:
        return Health("wait", _("The sync has been started; the first run begins within a moment."))
    # The newest run is usually under way; the last finished one has told its troubles.
    finished = next((run for run in seen.runs if run.finished_at), None)
    if finished is not None and finished.complaint:
        advice = complaint_told(finished.complaint)
        return Health("warn", _("The last run stopped early."), advice, finished.message)
    return None


def _silent(seen: Overview, minutes: int) -> Health:
    if seen.runs:
        sentence = ngettext(
            "The loop stands still: no run has given a sign for %(number)s minute.",
            "The loop stands still: no run has given a sign for %(number)s minutes.",
            minutes,
        )
    else:
        sentence = ngettext(
            "The sync was started %(number)s minute ago, and no run has begun.",
            "The sync was started %(number)s minutes ago, and no run has begun.",
            minutes,
        )
    advice = _(
        "See whether the worker, the clock (Celery beat) and the broker are running; restart them if not. "
        "Nothing is lost meanwhile, but no notification can be sent either."
    )
    return Health("bad", sentence % {"number": f"{minutes:,}"}, advice)


def _running(seen: Overview) -> Health:
    if seen.open.failures:
        number = seen.open.failures.number
        sentence = ngettext(
            "The sync is running; %(number)s failure needs a look.",
            "The sync is running; %(number)s failures need a look.",
            number,
        ) % {"number": _many(number, seen.open.failures.over)}
        return Health("warn", sentence)
    if seen.pairs:
        sentence = ngettext(
            "The sync is running; %(number)s field is paused.",
            "The sync is running; %(number)s fields are paused.",
            len(seen.pairs),
        ) % {"number": len(seen.pairs)}
        return Health("warn", sentence)
    # Each open conflict is asked about in a question of its own, and one matter.
    asked, opened = seen.open.decisions, seen.open.conflicts
    undecided = max(asked.number, opened.number)
    if undecided:
        sentence = ngettext(
            "The sync is running; %(number)s matter waits for your decision.",
            "The sync is running; %(number)s matters wait for your decision.",
            undecided,
        ) % {"number": _many(undecided, asked.over or opened.over)}
        return Health("warn", sentence)
    # Before the first run has ended, nobody knows how much there is to read.
    if seen.reading or not any(run.finished_at for run in seen.runs):
        return Health("wait", _("The sync is running and still reading what was there before."))
    if seen.to_merge or seen.to_pair or any(row.inserts or row.updates for row in seen.waiting):
        return Health("good", _("The sync is running; changes are on their way."))
    return Health("good", _("Everything is in step."))


def _many(number: int, over: bool) -> str:
    return _("over %(number)s") % {"number": f"{number:,}"} if over else f"{number:,}"
