"""Runs: opened one at a time, counted while they go, closed when nothing is left."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from syncadmin.store import staging, text, throughput
from syncadmin.store.models import BudgetUse, Run

_COUNT = """
    UPDATE store_run r SET heartbeat_at = %(now)s, counts = r.counts || (
        SELECT coalesce(jsonb_object_agg(key, value::bigint + coalesce((r.counts ->> key)::bigint, 0)), '{}')
        FROM jsonb_each_text(%(counts)s::jsonb))
    WHERE id = %(id)s
"""
_OPEN = """
    INSERT INTO store_run (started_at, heartbeat_at, counts, calls, complaint, message, failures)
    VALUES (%s, %s, '{}', %s::jsonb, '{}', '', 0) ON CONFLICT DO NOTHING RETURNING id
"""
# Some conflicts are found where people are merged again right before a write, which no step counts.
_CLOSE = """
    UPDATE store_run r SET finished_at = %(now)s, calls = %(calls)s::jsonb,
        failures = (SELECT count(*) FROM store_failure WHERE run_id = r.id),
        counts = r.counts || coalesce((SELECT jsonb_build_object('conflicts', count(*)) FROM store_conflict
                                       WHERE run_id = r.id HAVING count(*) > 0), '{}')
    WHERE id = %(id)s AND finished_at IS NULL
"""


def current() -> Run | None:
    """The open run."""
    return Run.objects.filter(finished_at__isnull=True).first()


def open_one(now: datetime) -> Run | None:
    """Opens a run; None if one is open already."""
    calls = {"before": _calls()}
    rows = staging.query(_OPEN, [now, now, text.dump(calls)])
    return Run(id=rows[0][0], started_at=now, heartbeat_at=now, calls=calls) if rows else None


def last() -> list[Run]:
    """The last few finished runs, newest first."""
    return list(Run.objects.filter(finished_at__isnull=False).order_by("-id")[:8])


def count(run: Run, counts: Mapping[str, int], now: datetime) -> None:
    """Adds to a run's counts, and what was written to the throughput."""
    with transaction.atomic():
        staging.run(_COUNT, {"id": run.pk, "counts": text.dump(dict(counts)), "now": now})
        throughput.note(counts, now)


def close(run: Run, now: datetime) -> bool:
    """Closes a run; False if somebody else did."""
    before = run.calls.get("before", {})
    used = {name: number - before.get(name, 0) for name, number in _calls().items()}
    calls = {name: number for name, number in used.items() if number}
    return staging.run(_CLOSE, {"id": run.pk, "calls": text.dump(calls), "now": now}) == 1


def complain(run: Run, code: str, *, side: str = "", step: str = "", said: str = "") -> None:
    """Notes what stopped the run or a step of it, and what the system itself said; the first complaint is kept."""
    complaint = {"code": code, "side": side, "step": step}
    Run.objects.filter(pk=run.pk, complaint={}).update(complaint=complaint, message=said)


def _calls() -> dict[str, int]:
    """Calls ever counted, by side and purpose."""
    names = BudgetUse._meta.db_table
    rows = staging.query(f"SELECT side || ' ' || purpose, sum(calls) FROM {names} GROUP BY 1")
    return {row[0]: int(row[1]) for row in rows}
