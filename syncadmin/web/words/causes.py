"""What a cause is called where many failures share it; the full sentences stand in ``engine/remedies.py``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from syncadmin.engine.causes import Cause
from syncadmin.engine.failures import describe
from syncadmin.web.words.terms import Text

TITLES: Mapping[str, Text] = {
    Cause.UNKNOWN_OPTION: gettext_lazy("Unknown option"),
    Cause.TOO_LONG: gettext_lazy("Value too long"),
    Cause.OUT_OF_RANGE: gettext_lazy("Value out of range"),
    Cause.WRONG_TYPE: gettext_lazy("Value of another type"),
    Cause.MALFORMED_EMAIL: gettext_lazy("Malformed e-mail address"),
    Cause.NON_ASCII_EMAIL: gettext_lazy("E-mail address that Marketo does not accept"),
    Cause.ILLEGAL_CHARACTERS: gettext_lazy("Characters that cannot be stored"),
    Cause.REQUIRED_EMPTY: gettext_lazy("Required field would be emptied"),
    Cause.REQUIRED_MISSING: gettext_lazy("Required field without a value"),
    Cause.LAST_NAME_MISSING: gettext_lazy("No last name"),
    Cause.READ_ONLY: gettext_lazy("Field cannot be written"),
    Cause.BAD_STATUS: gettext_lazy("Status refused"),
    Cause.DROPPED_BY_MARKETO: gettext_lazy("Marketo did not store the value"),
    Cause.COMPANY_FIELD: gettext_lazy("Field belongs to a company record"),
    Cause.TWO_AUTOMATIONS: gettext_lazy("Two automations disagree"),
    Cause.OWNER_UNKNOWN: gettext_lazy("Unknown owner"),
    Cause.OWNER_DISABLED: gettext_lazy("Disabled owner"),
    Cause.REFUSED_BY_PLUGIN: gettext_lazy("Refused by your organisation's own logic"),
    Cause.INACTIVE_RECORD: gettext_lazy("Inactive record"),
    Cause.DUPLICATE_FOUND: gettext_lazy("Duplicate found by Dynamics"),
    Cause.KEY_TAKEN: gettext_lazy("Unique key taken"),
    Cause.SEVERAL_MATCHES: gettext_lazy("Several records match"),
    Cause.NOT_FOUND: gettext_lazy("Record no longer there"),
    Cause.PARTITION: gettext_lazy("Partition out of reach"),
    Cause.CRM_MANAGED: gettext_lazy("Owned by Marketo's own CRM sync"),
    Cause.PERMISSION: gettext_lazy("Permission missing"),
    Cause.PERMISSION_RECORD: gettext_lazy("Record may not be changed"),
    Cause.PERMISSION_COLUMN: gettext_lazy("Field kept away by column security"),
    Cause.CREDENTIALS: gettext_lazy("Sign-in refused"),
    Cause.CHANGE_TRACKING_OFF: gettext_lazy("Change tracking switched off"),
    Cause.FEATURE_MISSING: gettext_lazy("Feature not offered"),
    Cause.LIMIT_REACHED: gettext_lazy("Account limit reached"),
    Cause.COLUMN_MISSING: gettext_lazy("Field no longer exists"),
    Cause.COLUMN_RETYPED: gettext_lazy("Field changed its type"),
    Cause.TOO_LARGE: gettext_lazy("Record too large"),
    Cause.THROTTLED: gettext_lazy("Asked to slow down"),
    Cause.QUOTA_SPENT: gettext_lazy("Day's calls used up"),
    Cause.UNAVAILABLE: gettext_lazy("Server unavailable"),
    Cause.NO_ANSWER: gettext_lazy("No answer to a write"),
    Cause.MALFORMED_ANSWER: gettext_lazy("Unreadable answer"),
    Cause.UNKNOWN: gettext_lazy("Refused for another reason"),
}


def title(code: str) -> str:
    """A cause newer than these words is shown by its code."""
    return str(TITLES[code]) if code in TITLES else code.replace("_", " ")


def remedy(code: str) -> str:
    return _(describe(code).remedy) if code in set(Cause) else ""


def sentence(code: str, known: Mapping[str, Any]) -> str:
    """The whole sentence with field, value, limit and message; the title where one of those is not known."""
    if code not in set(Cause):
        return title(code)
    text = _(describe(code).cause_text)
    facts = {name: str(value)[:200] for name, value in known.items() if value not in (None, "")}
    if any("{" + name + "}" in text and name not in facts for name in ("field", "value", "limit", "message")):
        return title(code)
    return text.format_map(facts)
