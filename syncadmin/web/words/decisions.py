"""The questions only a person can settle: title, explanation, and what each choice leads to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from syncadmin.web.words.terms import TABLES, Text, named


@dataclass(frozen=True, slots=True)
class Choice:
    """A code that may be answered, how it is called, and what follows from it."""

    code: str
    label: str
    consequence: str


TITLES: dict[str, Text] = {
    "match": gettext_lazy("Which of these is the same person?"),
    "doubles": gettext_lazy("Are these the same person twice?"),
    "dynamics_merge": gettext_lazy("Records were merged in Dynamics. What about the other person in Marketo?"),
    "links_meeting": gettext_lazy("Two links meet in one person. Which one goes on?"),
    "deletes_held": gettext_lazy("Many records were deleted at once. Is that meant?"),
    "ids_missing": gettext_lazy("Marketo no longer answers for these people. Are they gone?"),
    "ask": gettext_lazy("Both sides changed this field. Which value is right?"),
    "failure": gettext_lazy("What about this failure?"),
}

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
        gettext_lazy("None of these"),
        gettext_lazy("A new record of its own is created on the other side and linked."),
    ),
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
    ("", "noted"): (
        gettext_lazy("Seen, I take care of it"),
        gettext_lazy("The entry is closed. Nothing is changed on either side."),
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
    if code.startswith("keep:"):
        label = _("Go on with %(which)s") % {"which": code.partition(":")[2]}
        return Choice(code, label, _("This link goes on; the other one is dissolved. Both records stay."))
    words = _CHOICES.get((kind, code)) or _CHOICES.get(("", code))
    if words is None:
        return Choice(code, code.replace("_", " "), "")
    return Choice(code, str(words[0]), str(words[1]))


def _linking(code: str, facts: Mapping[str, Any]) -> Choice:
    table, _colon, key = code.removeprefix("link:").partition(":")
    name = next((str(c.get("name") or c.get("email") or "") for c in candidates(facts) if str(c.get("id")) == key), "")
    what = {"table": named(TABLES, table), "name": name or key}
    label = _("%(table)s “%(name)s”") % what
    return Choice(code, label, _("The two are linked and compared by the next run, as on first contact."))


def candidates(facts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The records a question is about, whatever its kind calls them."""
    found: list[Mapping[str, Any]] = []
    for name in ("candidates", "records", "people", "links"):
        found += [entry for entry in facts.get(name) or () if isinstance(entry, Mapping)]
    return found
