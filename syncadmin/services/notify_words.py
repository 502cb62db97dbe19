"""What a notification says: a title and a sentence for each alarm, in the language of the channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

_SIDES = {"dynamics": "Dynamics", "marketo": "Marketo"}

# For each alarm: what it is called, what it says while it stands, and what to do.
TITLES: dict[str, str] = {
    "standing_still": gettext_noop("The sync stands still"),
    "out_of_calls": gettext_noop("Today's calls to Marketo are used up"),
    "pairs_paused": gettext_noop("Fields are paused"),
    "refused_dynamics": gettext_noop("Dynamics refuses our sign-in"),
    "refused_marketo": gettext_noop("Marketo refuses our sign-in"),
    "expiring": gettext_noop("The credentials for Dynamics expire soon"),
    "failures": gettext_noop("Many failures"),
    "backlog": gettext_noop("Changes wait for too long"),
    "test": gettext_noop("This is a test"),
}
SENTENCES: dict[str, str] = {
    "standing_still": gettext_noop(
        "No run has shown a sign of life for %(minutes)s minutes. See whether the worker runs."
    ),
    "out_of_calls": gettext_noop(
        "All %(calls)s calls of our share are made. The sync goes on when Marketo's day begins."
    ),
    "pairs_paused": gettext_noop(
        "Columns disappeared or changed their type, so nothing of these fields travels: %(fields)s"
    ),
    "refused_dynamics": gettext_noop("Nothing travels until the credentials are good again. It said: %(said)s"),
    "refused_marketo": gettext_noop("Nothing travels until the credentials are good again. It said: %(said)s"),
    "expiring": gettext_noop("The client secret is good until %(until)s. Make a new one and enter it in the settings."),
    "failures": gettext_noop("More than %(limit)s failures were opened within an hour."),
    "backlog": gettext_noop("The oldest change has been waiting for %(minutes)s minutes; the limit is %(limit)s."),
    "test": gettext_noop("Notifications of syncadmin arrive here."),
}


@dataclass(frozen=True, slots=True)
class Words:
    title: str
    text: str


def words(alarm: str, state: str, facts: Mapping[str, Any], language: str) -> Words:
    """The message in that language. An alarm that is over names what it was."""
    with translation.override(language):
        title = _(TITLES[alarm])
        if state == "healed":
            return Words(_("Over: %(title)s") % {"title": title}, _("It is all right again."))
        return Words(title, _(SENTENCES[alarm]) % facts)
