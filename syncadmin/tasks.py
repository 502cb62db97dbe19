"""Door: the clock and the queue. A message is only a nudge; what there is to do stands in PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime

from celery import shared_task

from syncadmin.services import loop, notify, notify_channels


@shared_task
def beat() -> None:
    """Once a second: opens a run when one is due, and rings for as many workers as it may use."""
    for run in loop.wanted():
        work.apply_async((run,), expires=5)


@shared_task
def tell() -> None:
    """Every half minute: notes what has changed for the worse or the better, and sends what is due."""
    notify.turn(datetime.now(UTC), notify_channels.real_senders())


@shared_task
def work(run: int) -> None:
    """Takes steps of a run for a while. If more is left, the next ring brings it back."""
    loop.take_part(run)
