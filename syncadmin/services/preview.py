"""Asks for a dry run, and says whether the one that is there still fits the settings.

The loop does the work (``preview_steps``): it reads both systems as ever and plans by the steps the sync itself takes,
but nothing it decides can be sent.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop

from syncadmin.services import preview_inputs, rulebook
from syncadmin.store import options, planned
from syncadmin.store.models import AuditEntry, Connection
from syncadmin.store.planned import Plan

__all__ = ["NotReady", "Plan", "ask", "is_stale", "make_ready", "wanted"]


class NotReady(Exception):
    """Something is missing before anything can be planned; the message says what."""


def ask(*, who: str, now: datetime) -> None:
    """Has a preview made by the rules in force. Asked again by the same rules, nothing happens. Raises ``NotReady``.

    Harmless once the sync has started: there is nothing to preview then.
    """
    if Connection.objects.count() < 2:
        raise NotReady(gettext_noop("Connect Dynamics and Marketo first."))
    if not options.read().field_version:
        raise NotReady(gettext_noop("Choose the fields first."))
    book = rulebook.load()
    wanted = Plan("plan", preview_inputs.rules(book), preview_inputs.pairing(book), now, who)
    with transaction.atomic():
        planned.alone()
        before = planned.plan()
        if options.read().started or (before and before.rules == wanted.rules):
            return
        if before is not None:
            unfinished = before.state == "discard" or before.pairing != wanted.pairing
            wanted = replace(wanted, state="discard" if unfinished else "replan")
        planned.put(wanted)
        planned.changed()
        AuditEntry.objects.create(at=now, who=who, action="preview", subject="loop")


def wanted() -> bool:
    """Whether the loop has a preview to make, or to keep up with what changes until the start."""
    return planned.plan() is not None


def is_stale(found: Plan) -> bool:
    """Whether rules, fields or columns have changed since this plan was asked for."""
    return found.rules != preview_inputs.rules(rulebook.load())


def make_ready(now: datetime, first_writes: int) -> None:
    """The start takes the plan as it is; one made by other rules goes, and everything is planned anew.

    Runs in the transaction that starts, which holds the planning lock alone.
    """
    found = planned.plan()
    if found is None:
        return
    if found.state != "plan" or is_stale(found):
        planned.clear()
        planned.pair_anew(rulebook.load().tables)
    planned.put(replace(found, state="started", started_at=now, first_writes=first_writes))
