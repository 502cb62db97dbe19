"""What a run counts, and what calls are made for."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from syncadmin.web.words.terms import SIDES, Text, named

COUNTS: dict[str, Text] = {
    "read_dynamics": _("read in Dynamics"),
    "read_marketo": _("read in Marketo"),
    "deleted_dynamics": _("deleted in Dynamics"),
    "deleted_marketo": _("deleted in Marketo"),
    "lines": _("lines of Marketo's change feed"),
    "merged": _("people merged in Marketo"),
    "listed": _("people asked for by the list"),
    "extracts": _("extracts started"),
    "looked_up": _("looked up in Marketo"),
    "link": _("linked"),
    "create_in_marketo": _("to be created in Marketo"),
    "adopt": _("taken over by their contact"),
    "wait": _("waiting for another record"),
    "decide": _("records put up for decision"),
    "nothing": _("left as they are"),
    "merged_links": _("people compared"),
    "answers_carried_out": _("answers carried out"),
    "writes_planned": _("writes decided"),
    "conflicts": _("conflicts"),
    "created": _("created"),
    "updated": _("updated"),
    "exists": _("there already"),
    "duplicate": _("duplicates found"),
    "gone": _("gone"),
    "stale": _("changed meanwhile"),
    "refused": _("refused"),
    "later": _("put off"),
    "create_created": _("created in Marketo"),
    "create_exists": _("there already in Marketo"),
    "create_refused": _("creates refused by Marketo"),
    "create_later": _("creates put off"),
    "receipts_a": _("writes confirmed"),
    "receipts_b": _("writes that overtook somebody"),
    "receipts_c": _("writes that stand"),
    "receipts_d": _("writes dropped by Marketo"),
    "receipts_e": _("written values changed since"),
    "requests_created": _("Sync Person: created"),
    "requests_exists": _("Sync Person: there already"),
    "requests_queued": _("Sync Person: queued"),
    "requests_decision": _("Sync Person: needs a decision"),
    "requests_failed": _("Sync Person: failed"),
    "logged": _("activity log entries"),
    "retried": _("failures tried again"),
    "expired": _("cursors that had expired"),
    "swept": _("asked by id"),
    "people_missing": _("people not answered"),
    "taken_over": _("lost writes taken over"),
    "creates_taken_over": _("lost creates taken over"),
    "dynamics_unanswered": _("writes to Dynamics without an answer"),
    "marketo_unanswered": _("writes to Marketo without an answer"),
    "log_unanswered": _("log entries without an answer"),
    "refilled_links": _("people compared anew after a change of fields"),
    "planned_links": _("people planned"),
    "planned_creates": _("creates planned"),
    "planned_requests": _("Sync Person: planned"),
    "plan_discarded": _("planned people thrown away"),
    "plan_dissolved": _("planned writes thrown away"),
    "released_writes": _("planned writes released"),
    "planned_anew": _("people planned anew at the start"),
}

PURPOSES: dict[str, Text] = {
    "changes": _("changes"),
    "sign-in": _("sign-in"),
    "list": _("list"),
    "deletes": _("deletions"),
    "events": _("events"),
    "people": _("people"),
    "by id": _("records by id"),
    "by contact": _("records by contact"),
    "list people": _("people of the list"),
    "full read": _("full read"),
    "extract": _("extract"),
    "sweep": _("sweep"),
    "look up": _("look-ups"),
    "read before write": _("reading before writing"),
    "updates": _("updates"),
    "creates": _("creates"),
    "receipts": _("receipts"),
    "take over": _("lost writes"),
    "activity log": _("activity log"),
    "tokens": _("cursors"),
    "metadata": _("metadata"),
    "setup": _("setup"),
    "doctor": _("checks"),
    "address": _("address"),
    "samples": _("samples for choosing fields"),
    "preview": _("planning the preview"),
    "sync_person": _("Sync Person"),
}


def counted(name: str) -> str:
    """A count, or a side and what became of the writes to it."""
    side, _line, rest = name.partition("_")
    if side in SIDES and name not in COUNTS:
        return f"{named(SIDES, side)}: {named(COUNTS, rest)}"
    return named(COUNTS, name)


def purpose(name: str) -> str:
    """A purpose, or a side and a purpose, as a run keeps its calls."""
    side, _space, rest = name.partition(" ")
    if side in SIDES and rest:
        return f"{named(SIDES, side)}: {named(PURPOSES, rest)}"
    return named(PURPOSES, name)
