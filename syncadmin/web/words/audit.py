"""What the audit log calls the deeds of people."""

from __future__ import annotations

import json
from typing import Any

from django.utils.translation import gettext_lazy as _

from syncadmin.web.words.terms import ROLES, Text, named

ACTIONS: dict[str, Text] = {
    "pause": _("paused the sync"),
    "resume": _("resumed the sync"),
    "start": _("started the sync"),
    "preview": _("asked for a preview"),
    "setting": _("changed a setting"),
    "scope": _("changed what is synced"),
    "fields": _("saved the fields"),
    "connect": _("connected a system"),
    "disconnect": _("removed a connection"),
    "equip": _("made our fields in Marketo"),
    "answer": _("answered a decision"),
    "take answer back": _("took an answer back"),
    "field rule": _("changed the rule of a field"),
    "release": _("released failures"),
    "ignore": _("put failures aside"),
    "use value": _("used the other value"),
    "take value back": _("took a choice back"),
    "role": _("gave a role"),
    "invite": _("invited somebody"),
    "sign_in_link": _("made a sign-in link"),
    "password": _("changed a password"),
    "close_account": _("closed an account"),
    "reopen_account": _("opened an account again"),
    "channel_added": _("added a channel for notifications"),
    "channel_switched": _("turned a channel on or off"),
    "channel_removed": _("took a channel away"),
    "channel_tested": _("sent a test notification"),
}

_LONGEST = 300


def action(code: str) -> str:
    return named(ACTIONS, code)


def value(stored: Any) -> str:
    """A value before or after as one line of text; empty where there is none."""
    if stored is None:
        return ""
    if isinstance(stored, str):
        return str(ROLES.get(stored, stored))
    text = json.dumps(stored, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
