"""Failures whose time has come, or that somebody released: their links are merged again, without the old refusal."""

from __future__ import annotations

from django.db import transaction

from syncadmin.engine.records import Lane
from syncadmin.services.context import Context
from syncadmin.services.step import NOTHING, Step, did
from syncadmin.store import cases, mirror
from syncadmin.store.models import Failure, Run

_BATCH = 300


def due(ctx: Context, run: Run) -> Step:
    """Takes up to 300 due failures of links."""
    with transaction.atomic():
        rows = list(
            Failure.objects.select_for_update(skip_locked=True)
            .filter(next_try_at__lte=ctx.now(), closed_at__isnull=True, link__isnull=False, ignored=False)
            .order_by("next_try_at")[:_BATCH]
        )
        if not rows:
            return NOTHING
        found = {case.id: case for case in cases.load(cases.lock([row.link_id for row in rows if row.link_id]))}
        for row in rows:
            case = found.get(row.link_id or 0)
            if case is not None:
                key = row.key or f"*{row.side}"
                case.held[key] = cases.let_go(case.held.get(key, {}))
                # Whoever releases a field that two automations fought over lets them begin anew.
                case.written.pop(row.key, None)
        cases.store_links(list(found.values()), merged=False)
        Failure.objects.filter(pk__in=[row.pk for row in rows]).update(next_try_at=None)
        mirror.mark_links(list(found), Lane.RETRY)
    return did(len(rows) == _BATCH, retried=len(rows))
