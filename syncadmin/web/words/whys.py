"""Why a field, a person or a request stands as it does."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from syncadmin.store.queries.search import Sort, State
from syncadmin.web.words.terms import Text, named

WHYS: dict[str, Text] = {
    "same": _("In step."),
    "changed": _("Changed since both last agreed; the next run decides."),
    "first": _("Not compared yet; the next run decides."),
    "unread": _("Not read yet on both sides."),
    "waiting": _("Decided; on its way."),
    "failed": _("Kept here because it failed:"),
    "direction": _("Kept here because this field travels the other way only."),
    "blank": _("Kept here because only filled values travel."),
    "ask": _("Kept here until somebody decides."),
    "failure": _("Kept here because the other side refused this value."),
    "receipt": _("Written; Marketo has not confirmed it yet."),
    "refused": _("The other side refused this record as it is."),
    "paused": _("Kept here because the field pair is paused."),
    "first_blanks": _("Kept here because on first contact only blanks are filled."),
    "company": _("Kept here because the value belongs to a company record."),
    "two_automations": _("Kept here because two automations disagree."),
    "shared_column": _("Waits a run: another pair writes the same field."),
}

LEVELS = {
    "same": "",
    "changed": "wait",
    "first": "wait",
    "unread": "wait",
    "waiting": "wait",
    "receipt": "wait",
    "shared_column": "wait",
    "failed": "bad",
    "failure": "bad",
    "two_automations": "bad",
    "ask": "warn",
    "paused": "warn",
}


@dataclass(frozen=True, slots=True)
class StateWords:
    """How a state is called, which colour it has and what it means."""

    code: str
    label: Text
    level: str
    meaning: Text


STATES: dict[State, StateWords] = {
    words.code: words  # type: ignore[misc]
    for words in (
        StateWords(State.IN_STEP, _("In step"), "good", _("Both sides agree.")),
        StateWords(State.WAITING, _("Waiting"), "wait", _("A change is on its way.")),
        StateWords(State.FAILED, _("Failed"), "bad", _("Something was refused.")),
        StateWords(State.CONFLICT, _("Conflict"), "warn", _("A field waits for somebody to choose.")),
        StateWords(State.DECISION, _("Needs a decision"), "warn", _("Only a person can settle this.")),
        StateWords(State.STOPPED, _("Stopped"), "", _("The filter column in Dynamics says No.")),
        StateWords(State.DELETED, _("Deleted over there"), "warn", _("One of the two records is gone.")),
        StateWords(State.ONLY_DYNAMICS, _("Only in Dynamics"), "", _("Has no partner in Marketo.")),
        StateWords(State.ONLY_MARKETO, _("Only in Marketo"), "", _("Has no partner in Dynamics.")),
    )
}

SORTS: dict[Sort, Text] = {Sort.NAME: _("Name"), Sort.RECENT: _("Last activity")}

DUE: dict[str, Text] = {
    "look_up": _("to be looked up in Marketo by the next run"),
    "pair": _("to be paired by the next run"),
    "waiting": _("waiting for another record with the same e-mail"),
    "decision": _("needs a decision"),
}

# Why two records were linked, or why one waits for another: the engine's reasons of matching, and a few of our own.
LINKED_HOW: dict[str, Text] = {
    "originating_lead": _("the contact continues a linked lead"),
    "parent_contact": _("the lead belongs to a linked contact"),
    "merged": _("they were merged"),
    "stored_id": _("Marketo held the Dynamics id"),
    "email": _("both have the same e-mail address"),
    "own_person": _("it gets a person of its own"),
    "contact_first": _("the contact goes before its leads"),
    "decision": _("a person decided so"),
    "chosen": _("a person decided so"),
    "sync_person": _("Sync Person asked for it"),
}

WAITS: dict[str, Text] = {
    "chosen": _("somebody said that another record with this e-mail goes first"),
    "create": _("waits while a person with this e-mail is being created"),
    "contact_first": _("same e-mail as a contact, which goes first"),
    "email": _("waits for another record with the same e-mail"),
    "several_records": _("several records have this e-mail"),
    "several_people": _("several people in Marketo have this e-mail"),
    "person_taken": _("the person with this e-mail is linked with another record"),
    "set_aside": _("inactive or merged, and another record has this e-mail"),
    "erased": _("erased on request"),
    "no_email": _("has no e-mail address"),
    "no_match": _("nobody fits"),
}

REQUEST_STATUS: dict[str, Text] = {
    "received": _("received"),
    "created": _("created"),
    "exists": _("it exists already"),
    "queued": _("queued"),
    "decision": _("needs a decision"),
    "failed": _("failed"),
}

DIRECTIONS_SHORT: dict[str, Text] = {
    "both": _("both ways"),
    "to_marketo": _("Dynamics → Marketo"),
    "to_dynamics": _("Marketo → Dynamics"),
}


def text(code: str, detail: str = "") -> str:
    """The sentence for a reason, with what is known more closely behind it."""
    sentence = named(WHYS, code)
    return f"{sentence} {detail}" if detail else sentence


def level(code: str) -> str:
    return LEVELS.get(code, "")
