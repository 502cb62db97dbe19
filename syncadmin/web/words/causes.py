"""What a cause is called where many failures share it; the full sentences stand in ``engine/remedies.py``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from syncadmin.engine.causes import Cause, Description, HealsBy
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


# What the mends are called that a failure's own page offers.
FIXES: dict[str, Text] = {
    Cause.UNKNOWN_OPTION: gettext_lazy("Map it to an option"),
    Cause.TOO_LONG: gettext_lazy("Allow shortening"),
    Cause.REQUIRED_MISSING: gettext_lazy("Give it a default"),
}

STATES: dict[str, Text] = {
    "open": gettext_lazy("open"),
    "ignored": gettext_lazy("put aside"),
    "closed": gettext_lazy("closed"),
}

HEADINGS: tuple[Text, ...] = (
    gettext_lazy("Failure"),
    gettext_lazy("Cause"),
    gettext_lazy("Person"),
    gettext_lazy("Record"),
    gettext_lazy("Table"),
    gettext_lazy("Field"),
    gettext_lazy("Side"),
    gettext_lazy("Operation"),
    gettext_lazy("Code"),
    gettext_lazy("Message"),
    gettext_lazy("Value"),
    gettext_lazy("Attempts"),
    gettext_lazy("Since"),
    gettext_lazy("Last try"),
    gettext_lazy("Next try"),
    gettext_lazy("Closed"),
    gettext_lazy("Put aside"),
    gettext_lazy("Run"),
)

# What has to change before the same write is worth another try: heading, and when it is tried.
HEALS: dict[str, tuple[Text, Text]] = {
    HealsBy.VALUE: (
        gettext_lazy("A value is at fault"),
        gettext_lazy("Tried again when the value, or another value of the record, changes."),
    ),
    HealsBy.METADATA: (
        gettext_lazy("A column or option is at fault"),
        gettext_lazy("Tried again when the metadata changes; it is read hourly."),
    ),
    HealsBy.ADMINISTRATOR: (
        gettext_lazy("An administrator is needed"),
        gettext_lazy("Tried again when you release it; a failed call or sign-in also with the next run."),
    ),
    HealsBy.TIME: (
        gettext_lazy("It passes"),
        gettext_lazy("Tried again by itself after 1, 5, 15, 60, then every 240 minutes."),
    ),
}

_STAND_INS: dict[str, Text] = {
    "field": gettext_lazy("the field"),
    "value": gettext_lazy("the value"),
    "limit": gettext_lazy("what is allowed"),
    "message": gettext_lazy("the other system's own message"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A cause in the catalogue. Its sentence names no particular field or value."""

    code: str
    title: str
    sentence: str
    remedy: str
    heals_by: str


def entry(cause: Cause, told: Description) -> Entry:
    facts = {name: f"({words})" for name, words in _STAND_INS.items()}
    return Entry(cause.value, title(cause), _(told.cause_text).format_map(facts), _(told.remedy), told.heals_by)


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
