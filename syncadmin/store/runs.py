"""Runs: opened one at a time, counted while they go, closed when nothing is left."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError, transaction

from syncadmin.store import staging
from syncadmin.store.models import BudgetUse, Run


def current() -> Run | None:
    """The open run."""
    return Run.objects.filter(finished_at__isnull=True).first()


def open_one(now: datetime) -> Run | None:
    """Opens a run; None if one is open already."""
    try:
        with transaction.atomic():
            return Run.objects.create(started_at=now, heartbeat_at=now, calls={"before": _calls()})
    except IntegrityError:
        return None


def last() -> list[Run]:
    """The last few finished runs, newest first."""
    return list(Run.objects.filter(finished_at__isnull=False).order_by("-id")[:8])


def count(run: Run, counts: Mapping[str, int], now: datetime) -> None:
    """Adds to a run's counts."""
    with transaction.atomic():
        row = Run.objects.select_for_update().get(pk=run.pk)
        for name, number in counts.items():
            row.counts[name] = row.counts.get(name, 0) + number
        row.heartbeat_at = now
        row.save(update_fields=["counts", "heartbeat_at"])


def close(run: Run, now: datetime, message: str = "") -> bool:
    """Closes a run; False if somebody else did."""
    before = run.calls.get("before", {})
    used = {name: number - before.get(name, 0) for name, number in _calls().items()}
    calls = {name: number for name, number in used.items() if number}
    said = {"message": message} if message else {}  # what a step complained about stays
    return bool(Run.objects.filter(pk=run.pk, finished_at__isnull=True).update(finished_at=now, calls=calls, **said))


def complain(run: Run, message: str) -> None:
    """Notes what stopped a step of the run; the first complaint is kept."""
    Run.objects.filter(pk=run.pk, message="").update(message=message)


def _calls() -> dict[str, int]:
    """Calls ever counted, by side and purpose."""
    names = BudgetUse._meta.db_table
    rows = staging.query(f"SELECT side || ' ' || purpose, sum(calls) FROM {names} GROUP BY 1")
    return {row[0]: int(row[1]) for row in rows}
