"""What the audit log calls the deeds of people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from syncadmin.web.words.terms import ROLES, TABLES, Text, named

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
    "notice": _("counted failures again"),
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

PARTS: dict[str, Text] = {
    "base_url": _("Address"),
    "account": _("Account"),
    "user": _("User"),
    "secret": _("Secret"),
    "client_id": _("Client id"),
    "tenant": _("Tenant"),
    "version": _("Version"),
    "pairs": _("Fields"),
    "missing": _("Missing before"),
    "direction": _("Direction"),
    "winner": _("Winner"),
    "empties": _("Emptied values"),
    "options": _("Choices"),
    "default": _("Default"),
    "shorten": _("Shortening"),
}

_LONGEST = 300
# More names than these fill a line without telling more; the versions of the field set compare them all.
_NAMES = 12


@dataclass(frozen=True, slots=True)
class Difference:
    """One part of what changed, as text; an empty ``name`` means the whole. Empty texts: there was, or is, nothing."""

    name: str
    before: str
    after: str


def action(code: str) -> str:
    return named(ACTIONS, code)


def differences(before: Any, after: Any) -> list[Difference]:
    """What an entry changed, part by part; parts that stayed as they were are left out."""
    if not isinstance(before, Mapping) and not isinstance(after, Mapping):
        return [Difference("", value(before), value(after))]
    old, new = (_parts(stored) for stored in (before, after))
    names = [name for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name)]
    return [Difference(_part(name), *_both(old.get(name), new.get(name))) for name in names]


def line(found: Sequence[Difference], side: str) -> str:
    """All that was (``before``) or is (``after``), on one line."""
    told = [(each.name, getattr(each, side)) for each in found]
    return "; ".join(f"{name}: {text}" if name else text for name, text in told if text)


def _parts(stored: Any) -> Mapping[str, Any]:
    if stored is None:
        return {}
    return stored if isinstance(stored, Mapping) else {"": stored}


def _part(name: str) -> str:
    return str(PARTS[name]) if name in PARTS else name.replace("_", " ").capitalize()


def _both(old: Any, new: Any) -> tuple[str, str]:
    """Of two lists only what one of them has alone."""
    if isinstance(old or [], list) and isinstance(new or [], list):
        gone = [each for each in old or [] if each not in (new or [])]
        come = [each for each in new or [] if each not in (old or [])]
        return _listed(gone), _listed(come)
    return value(old), value(new)


def _listed(names: list[Any]) -> str:
    text = ", ".join(_named(each) for each in names[:_NAMES])
    more = len(names) - _NAMES
    if more <= 0:
        return text
    return f"{text} {ngettext('and %(number)d more', 'and %(number)d more', more) % {'number': more}}"


def _named(each: Any) -> str:
    """A field pair's key (table.column:field) reads as what it joins."""
    table, dot, joined = str(each).partition(".")
    if not dot or table not in TABLES or ":" not in joined:
        return value(each)
    return f"{joined.replace(':', ' · ', 1)} ({named(TABLES, table)})"


def value(stored: Any) -> str:
    """A value before or after as one line of text; empty where there is none."""
    if stored is None:
        return ""
    if isinstance(stored, bool):
        return gettext("yes") if stored else gettext("no")
    if isinstance(stored, Mapping):
        text = ", ".join(f"{_part(str(name))}: {value(each)}" for name, each in stored.items())
    elif isinstance(stored, list):
        text = _listed(stored)
    else:
        text = str(ROLES.get(stored, stored)) if isinstance(stored, str) else json.dumps(stored)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
