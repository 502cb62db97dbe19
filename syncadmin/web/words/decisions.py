"""The questions only a person can settle: title, explanation, and what each choice leads to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from syncadmin.web.words.terms import SIDES, TABLES, Text, named


@dataclass(frozen=True, slots=True)
class Choice:
    """A code that may be answered, how it is called, and what follows from it."""

    code: str
    label: str
    consequence: str


@dataclass(frozen=True, slots=True)
class Fact:
    """``values`` are (text, what to search for among the people, or nothing)."""

    label: str
    values: tuple[tuple[str, str], ...]


# More ids than these help nobody to decide.
SHOWN_IDS = 20

FACTS: dict[str, Text] = {
    "reason": gettext_lazy("Why it is asked"),
    "side": gettext_lazy("Side"),
    "count": gettext_lazy("How many"),
    "loser": gettext_lazy("Merged away"),
    "master": gettext_lazy("Stays in Dynamics"),
    "winner": gettext_lazy("Stays in Marketo"),
    "loser_person": gettext_lazy("Person of the one merged away"),
    "master_person": gettext_lazy("Person of the one that stays"),
    "loser_record": gettext_lazy("Record of the one merged away"),
    "winner_record": gettext_lazy("Record of the one that stays"),
    "ids": gettext_lazy("Ids, the first ones"),
}

_REASONS: dict[str, Text] = {
    "several_records": gettext_lazy("several records in Dynamics have this e-mail address"),
    "several_people": gettext_lazy("several people in Marketo have this e-mail address"),
    "several": gettext_lazy("several records have this e-mail address"),
    "person_taken": gettext_lazy("the person with this e-mail address is linked with another record"),
    "taken": gettext_lazy("the record with this e-mail address belongs to another person"),
    "duplicate_found": gettext_lazy("Dynamics' duplicate detection found a record like this one"),
}

TITLES: dict[str, Text] = {
    "match": gettext_lazy("Which of these is the same person?"),
    "doubles": gettext_lazy("Are these the same person twice?"),
    "dynamics_merge": gettext_lazy("Records were merged in Dynamics. What about the other person in Marketo?"),
    "links_meeting": gettext_lazy("Two links meet in one person. Which one goes on?"),
    "deletes_held": gettext_lazy("Many records were deleted at once. Is that meant?"),
    "ids_missing": gettext_lazy("Marketo no longer answers for these people. Are they gone?"),
    "ask": gettext_lazy("Both sides changed this field. Which value is right?"),
    "failure": gettext_lazy("What about this failure?"),
    "conflict": gettext_lazy("Which value of the conflict is to stand?"),
}

# What may be open; the other two only stand in a person's history.
KINDS = tuple(kind for kind in TITLES if kind not in ("failure", "conflict"))

HEADINGS: tuple[Text, ...] = (
    gettext_lazy("Question"),
    gettext_lazy("About"),
    gettext_lazy("Person"),
    gettext_lazy("Why it is asked"),
    gettext_lazy("Records"),
    gettext_lazy("Since"),
    gettext_lazy("Answer"),
    gettext_lazy("Answered"),
    gettext_lazy("Answered by"),
    gettext_lazy("Run"),
)

_ABOUT: dict[str, Text] = {
    "match": gettext_lazy("More than one record could be the partner, so none was linked and nothing was created."),
    "doubles": gettext_lazy("The two share an e-mail address. Nothing is held back meanwhile."),
    "dynamics_merge": gettext_lazy(
        "The link follows the record that stayed. The person of the other record is still in Marketo."
    ),
    "links_meeting": gettext_lazy("People were merged in Marketo, and both had a partner in Dynamics."),
    "deletes_held": gettext_lazy("Everything else goes on; these deletions are held until you answer."),
    "ids_missing": gettext_lazy(
        "They may be deleted, or lie in a partition that our user cannot see. Until you answer they stay as they are."
    ),
    "ask": gettext_lazy("This field is set to ask. It stays as it is on both sides until you answer."),
}

# (kind, choice): label, consequence. A kind of "" stands for all.
_CHOICES: dict[tuple[str, str], tuple[Text, Text]] = {
    ("match", "separate"): (
        gettext_lazy("None of these, it gets one of its own"),
        gettext_lazy("A new record of its own is created on the other side and linked."),
    ),
    ("match", "each"): (
        gettext_lazy("They are different people: each gets a person of its own"),
        gettext_lazy(
            "A person who is there already goes to the contact, else to the first record; for the others people are "
            "created although the address is in use."
        ),
    ),
    ("match", "wait"): (
        gettext_lazy("It waits behind the record that is linked"),
        gettext_lazy("Nothing is created. It is paired anew when one of them changes its address, or goes."),
    ),
    ("match", "only_link"): (
        gettext_lazy("Link each with the one candidate it has"),
        gettext_lazy("The two are linked and compared by the next run, as on first contact."),
    ),
    ("match", "contact_first"): (
        gettext_lazy("The contact gets the person, its leads wait"),
        gettext_lazy("The contact is linked, or a person is created for it. The leads wait behind it."),
    ),
    ("conflict", "passed"): (
        gettext_lazy("not carried out, since a value had been changed"),
        gettext_lazy("Nothing was overwritten."),
    ),
    ("failure", "notice"): (gettext_lazy("Counted again"), gettext_lazy("It is no longer put aside.")),
    ("", "back"): (gettext_lazy("Taken back"), gettext_lazy("The question is open again.")),
    ("", "dynamics"): (
        gettext_lazy("Dynamics' value"),
        gettext_lazy("It is written to Marketo by the next run, unless either value has changed since."),
    ),
    ("", "marketo"): (
        gettext_lazy("Marketo's value"),
        gettext_lazy("It is written to Dynamics by the next run, unless either value has changed since."),
    ),
    ("deletes_held", "apply"): (
        gettext_lazy("Yes, they are meant"),
        gettext_lazy("The links are marked as deleted. The records on the other side stay."),
    ),
    ("deletes_held", "refuse"): (
        gettext_lazy("No, leave the links as they are"),
        gettext_lazy("Nothing is marked. Records that come back are followed as before."),
    ),
    ("ids_missing", "apply"): (
        gettext_lazy("Yes, they are gone"),
        gettext_lazy("They are treated as deleted in Marketo. Their Dynamics records stay."),
    ),
    ("ids_missing", "refuse"): (
        gettext_lazy("No, they are only out of sight"),
        gettext_lazy("They stay linked and are asked for again with each full read."),
    ),
    ("failure", "release"): (gettext_lazy("Released"), gettext_lazy("The next run tries again.")),
    ("failure", "ignore"): (gettext_lazy("Put aside"), gettext_lazy("It is no longer counted.")),
    ("dynamics_merge", "done"): (
        gettext_lazy("The two people are merged in Marketo now"),
        gettext_lazy("The entry is closed. The link of the record that stays goes on."),
    ),
    ("dynamics_merge", "keep"): (
        gettext_lazy("Leave the other person as it is"),
        gettext_lazy("That person stays in Marketo and is no longer kept in step."),
    ),
    ("links_meeting", "keep_winner"): (
        gettext_lazy("The record that was linked with the person who stays"),
        gettext_lazy("Its link goes on. The other record stays in Dynamics and is no longer kept in step."),
    ),
    ("links_meeting", "keep_loser"): (
        gettext_lazy("The record of the person who was merged away"),
        gettext_lazy("It is linked with the person who stays, as on first contact. The other record's sync stops."),
    ),
    ("links_meeting", "new_person"): (
        gettext_lazy("Both: make a new person for the record that lost its own"),
        gettext_lazy("A person with its values is created in Marketo by the next run."),
    ),
    ("", "separate"): (
        gettext_lazy("They are two people"),
        gettext_lazy("Both stay as they are, and this pair is not asked about again."),
    ),
    ("", "keep"): (gettext_lazy("Leave it as it is"), gettext_lazy("Nothing is changed on either side.")),
    ("", "withdrawn"): (gettext_lazy("Settled by itself"), gettext_lazy("The question went away.")),
}


def title(kind: str) -> str:
    return named(TITLES, kind)


def about(kind: str) -> str:
    return named(_ABOUT, kind) if kind in _ABOUT else ""


def choice(kind: str, code: str, facts: Mapping[str, Any]) -> Choice:
    """How a choice is called and what follows from it."""
    if code.startswith("link:"):
        return _linking(code, facts)
    if code.startswith("first:"):
        return _first(code, facts)
    if code == "separate" and (name := _subject(facts)):
        label = _("None of these: %(name)s gets one of its own") % {"name": name}
        return Choice(code, label, str(_CHOICES["match", "separate"][1]))
    words = _CHOICES.get((kind, code)) or _CHOICES.get(("", code))
    if words is None:
        return Choice(code, code.replace("_", " "), "")
    return Choice(code, str(words[0]), str(words[1]))


def _linking(code: str, facts: Mapping[str, Any]) -> Choice:
    table, _colon, key = code.removeprefix("link:").partition(":")
    name = next((str(c.get("name") or c.get("email") or "") for c in candidates(facts) if str(c.get("id")) == key), "")
    what = {"table": named(TABLES, table), "name": name or key, "id": key}
    label = _("%(table)s “%(name)s” (%(id)s)") % what
    return Choice(code, label, _("The two are linked and compared by the next run, as on first contact."))


def _first(code: str, facts: Mapping[str, Any]) -> Choice:
    _first, table, key = code.split(":", 2)
    face: Mapping[str, Any] = next((one for one in facts.get("records") or () if str(one.get("id")) == key), {})
    what = {"table": named(TABLES, table), "name": face.get("name") or face.get("email") or key, "id": key[:8]}
    label = _("%(table)s “%(name)s” (%(id)s): this one, the others wait") % what
    return Choice(code, label, _("It is linked with the person, or one is created for it. The others wait behind it."))


def _subject(facts: Mapping[str, Any]) -> str:
    """The record a question is about, as it is called."""
    face = facts.get("record")
    if not isinstance(face, Mapping) or not face.get("id"):
        return ""
    what = {"table": named(TABLES, str(face.get("table") or "")), "name": face.get("name") or face.get("email") or "?"}
    return _("%(table)s “%(name)s”") % what


def shape(kind: str, code: str) -> str:
    """What the questions of one shape have in common."""
    reason, _slash, offered = code.partition("/")
    words = named(_REASONS, reason) if reason in _REASONS else named(SIDES, reason) if reason in SIDES else ""
    more = {
        "only_link": _("one candidate"),
        "contact_first": _("one contact among them"),
        "wait": _("one of them is linked"),
    }
    told = [more[part] for part in offered.split("+") if part in more]
    return "; ".join([*([words] if words else []), *told]) or title(kind)


def faces(facts: Mapping[str, Any]) -> list[tuple[bool, Mapping[str, Any]]]:
    """Everybody a question is about, those it is asked for first (True)."""
    subject = facts.get("record")
    asked = [*(facts.get("records") or ()), *([subject] if isinstance(subject, Mapping) else [])]
    return [(True, face) for face in asked if isinstance(face, Mapping)] + [(False, face) for face in candidates(facts)]


def candidates(facts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The records that could be the partner."""
    return [entry for entry in facts.get("candidates") or () if isinstance(entry, Mapping)]


def plain_facts(facts: Mapping[str, Any]) -> list[Fact]:
    """What is known beside the candidates, in the order of the words above."""
    found = [_fact(name, facts[name]) for name in FACTS if facts.get(name) not in (None, "", [])]
    return [fact for fact in found if fact.values]


def _fact(name: str, value: Any) -> Fact:
    if name == "reason":
        return Fact(str(FACTS[name]), ((named(_REASONS, str(value)), ""),))
    if name == "side":
        return Fact(str(FACTS[name]), ((named(SIDES, str(value)), ""),))
    if name == "count":
        return Fact(str(FACTS[name]), ((f"{value:,}", ""),))
    if name in ("loser_record", "winner_record"):
        return Fact(str(FACTS[name]), ((f"{named(TABLES, value[0])} {value[1]}", value[1]),))
    ids = value if isinstance(value, list) else [value]
    return Fact(str(FACTS[name]), tuple((str(key), str(key)) for key in ids[:SHOWN_IDS]))
