"""What stopped a run, why a field pair is paused, and what a step of a run does, as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from syncadmin.web.words.terms import SIDES, Text, named

COMPLAINTS: dict[str, Text] = {
    "unreachable": gettext_lazy("%(side)s could not be reached."),
    "budget": gettext_lazy("The calls to %(side)s that we may make are used up for now."),
    "not_sent": gettext_lazy("There was no time left for a call to %(side)s."),
    "no_answer": gettext_lazy("%(side)s did not answer."),
    "quota": gettext_lazy("%(side)s says that its calls for the day are used up."),
    "throttled": gettext_lazy("%(side)s asked us to slow down."),
    "unavailable": gettext_lazy("%(side)s cannot serve now."),
    "malformed": gettext_lazy("%(side)s gave an answer nobody can read."),
    "sign_in": gettext_lazy("%(side)s refused our sign-in."),
    "permission": gettext_lazy("%(side)s does not let our user do this."),
    "cursor": gettext_lazy("%(side)s no longer knows the place we had read to."),
    "refused": gettext_lazy("%(side)s refused a call."),
    "fault": gettext_lazy("A step of the sync itself failed; its log has the details."),
    "not_connected": gettext_lazy("There is no connection to %(side)s."),
}

# Names of services/steps.py.
STEPS: dict[str, Text] = {
    "prepare": gettext_lazy("reading metadata and cursors"),
    "pull lead": gettext_lazy("reading changed leads"),
    "pull contact": gettext_lazy("reading changed contacts"),
    "pull changes": gettext_lazy("reading changed people"),
    "pull events": gettext_lazy("reading merges and list additions"),
    "pull deletes": gettext_lazy("reading deleted people"),
    "settle": gettext_lazy("confirming writes to Marketo"),
    "settle old": gettext_lazy("confirming older writes to Marketo"),
    "take over updates": gettext_lazy("taking over lost updates"),
    "take over creates": gettext_lazy("taking over lost creates"),
    "retry": gettext_lazy("trying failures again"),
    "look up": gettext_lazy("looking records up in Marketo"),
    "pair": gettext_lazy("pairing records"),
    "merge": gettext_lazy("comparing people"),
    "write dynamics": gettext_lazy("writing to Dynamics"),
    "create people": gettext_lazy("creating people in Marketo"),
    "write marketo": gettext_lazy("writing to Marketo"),
    "read list": gettext_lazy("reading the Sync Person list"),
    "sync person": gettext_lazy("creating people asked for by Sync Person"),
    "log": gettext_lazy("writing to Marketo's activity log"),
    "read lead": gettext_lazy("reading all leads"),
    "read contact": gettext_lazy("reading all contacts"),
    "read people": gettext_lazy("reading all people"),
    "sweep people": gettext_lazy("looking for people that are missing"),
}

PAUSES: dict[str, Text] = {
    "gone": gettext_lazy("%(side)s no longer has %(name)s."),
    "retyped": gettext_lazy("%(name)s in %(side)s was %(was)s when it was chosen and is %(now)s now."),
    "healing": gettext_lazy("It is back; its values are being compared anew before it goes on."),
}


def step_named(name: str) -> str:
    """A step by its name; those of one kind are told alike whichever lane they work in."""
    known = next((words for word in (name, name.rpartition(" ")[0]) if (words := STEPS.get(word))), None)
    return str(known) if known is not None else name


def complaint_told(complaint: Mapping[str, Any]) -> str:
    """A run's complaint as a sentence, with the step that it stopped; empty without one."""
    if not complaint:
        return ""
    side = named(SIDES, str(complaint.get("side", ""))) if complaint.get("side") else _("A system")
    sentence = named(COMPLAINTS, str(complaint["code"])) % {"side": side}
    if not complaint.get("step"):
        return sentence
    told = {"what": sentence, "step": step_named(str(complaint["step"]))}
    return _("%(what)s It stopped: %(step)s.") % told


def pause_told(code: str, facts: Mapping[str, Any]) -> str:
    """Why a field pair is left alone. A code newer than these words is shown as it stands."""
    if code not in PAUSES:
        return named(PAUSES, code)
    told = {name: str(facts.get(name, "?")) for name in ("name", "was", "now")}
    return str(PAUSES[code]) % {**told, "side": named(SIDES, str(facts.get("side", "")))}
