"""Channels, alarms and deliveries in words."""

from __future__ import annotations

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from syncadmin.services import notify_words
from syncadmin.store.queries.notifications import AlarmRow, DeliveryRow
from syncadmin.web.words.terms import Text

CHANNELS: dict[str, Text] = {
    "email": gettext_lazy("E-mail"),
    "json": gettext_lazy("Webhook, JSON"),
    "slack": gettext_lazy("Webhook, in Slack's form"),
}

WRONG: dict[str, Text] = {
    "twice": gettext_lazy("This address is there already."),
    "kind": gettext_lazy("Choose a kind."),
    "header": gettext_lazy("A header needs a name of letters, digits and hyphens, and a value without line breaks."),
    "address": gettext_lazy("This address cannot be used."),
}

ERRORS: dict[str, Text] = {
    "mail": gettext_lazy("The mail server did not take it."),
    "webhook": gettext_lazy("The receiver did not take it."),
    "vault": gettext_lazy("Its secret cannot be opened: a key is missing from VAULT_KEYS."),
}


def alarm(row: AlarmRow) -> notify_words.Words:
    return notify_words.words(row.code, "bad", row.facts, get_language() or "en")


def delivery(row: DeliveryRow) -> str:
    """What a message was about."""
    return notify_words.words(row.alarm, row.state, row.facts, get_language() or "en").title


def outcome(row: DeliveryRow) -> tuple[str, str]:
    """How it went: a level and words."""
    if row.sent_at:
        return "good", _("delivered")
    if row.next_try_at:
        return "wait", _("to be tried again") if row.attempts else _("on its way")
    return "bad", str(ERRORS.get(str(row.error.get("code", "")), _("not delivered")))
