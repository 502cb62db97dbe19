"""The start: what the preview planned is released, as far as it was decided from what still holds; the rest anew."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from syncadmin.engine.records import Lane
from syncadmin.services import preview_inputs, setup
from syncadmin.services.context import Context
from syncadmin.services.preview import is_stale
from syncadmin.services.rulebook import Rulebook
from syncadmin.services.setup import NotReady
from syncadmin.services.step import NOTHING, Step, did
from syncadmin.store import cases, mirror, planned
from syncadmin.store.cases import Case
from syncadmin.store.planned import Plan

__all__ = ["NotReady", "Outdated", "as_shown", "release"]

_LINKS = 500


class Outdated(NotReady):
    """Rules or fields changed since the preview, so what would start is not what was shown."""


def as_shown(shown: str, *, who: str, now: datetime) -> None:
    """Starts the plan that was ``shown``, named by its rules (empty: none was made). Again, or by a second
    administrator: harmless. Raises ``NotReady``."""
    found = planned.plan()
    if found is not None and found.state != "started" and (found.rules != shown or _is_outdated(found)):
        raise Outdated("The rules or fields changed since this preview was made: make it again first.")
    setup.start(who=who, now=now)


def _is_outdated(found: Plan) -> bool:
    return found.state != "plan" or is_stale(found)


def release(ctx: Context, book: Rulebook) -> Step:
    """Lets go of the planned writes of up to 500 links. What changed in between is merged again, as ever."""
    with transaction.atomic():
        found = cases.load(cases.lock(planned.links(_LINKS)))
        good = [case.id for case in found if _holds(case, book)]
        changed = [case.id for case in found if case.id not in set(good)]
        released = planned.release(good)
        planned.forget(changed)
        planned.release(changed)  # what is left of these: creates, which take their values when they are sent
        mirror.mark_links(changed, Lane.BACKFILL)
        dropped = 0 if found else planned.drop_requests()
    ctx.border("start.release")
    if not found and not dropped:
        return NOTHING
    return did(True, released_writes=released, planned_anew=len(changed))


def _holds(case: Case, book: Rulebook) -> bool:
    """Whether every planned write of this link was decided from what both sides still hold, by rules still in force."""
    now = preview_inputs.of(case, book)
    return all(write.inputs == now for write in case.waiting.values() if write.state == "planned")
