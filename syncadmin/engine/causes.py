"""The closed list of causes. ``failures.py`` has what is said and done about each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Why something did not pass. The value is what the store keeps."""

    UNKNOWN_OPTION = "unknown_option"
    TOO_LONG = "too_long"
    OUT_OF_RANGE = "out_of_range"
    WRONG_TYPE = "wrong_type"
    MALFORMED_EMAIL = "malformed_email"
    NON_ASCII_EMAIL = "non_ascii_email"
    ILLEGAL_CHARACTERS = "illegal_characters"
    REQUIRED_EMPTY = "required_empty"
    REQUIRED_MISSING = "required_missing"
    LAST_NAME_MISSING = "last_name_missing"
    READ_ONLY = "read_only"
    BAD_STATUS = "bad_status"
    DROPPED_BY_MARKETO = "dropped_by_marketo"
    COMPANY_FIELD = "company_field"
    TWO_AUTOMATIONS = "two_automations"
    OWNER_UNKNOWN = "owner_unknown"
    OWNER_DISABLED = "owner_disabled"
    REFUSED_BY_PLUGIN = "refused_by_plugin"
    INACTIVE_RECORD = "inactive_record"
    DUPLICATE_FOUND = "duplicate_found"
    KEY_TAKEN = "key_taken"
    SEVERAL_MATCHES = "several_matches"
    NOT_FOUND = "not_found"
    PARTITION = "partition"
    CRM_MANAGED = "crm_managed"
    PERMISSION = "permission"
    PERMISSION_RECORD = "permission_record"
    PERMISSION_COLUMN = "permission_column"
    CREDENTIALS = "credentials"
    CHANGE_TRACKING_OFF = "change_tracking_off"
    FEATURE_MISSING = "feature_missing"
    LIMIT_REACHED = "limit_reached"
    COLUMN_MISSING = "column_missing"
    COLUMN_RETYPED = "column_retyped"
    TOO_LARGE = "too_large"
    THROTTLED = "throttled"
    QUOTA_SPENT = "quota_spent"
    UNAVAILABLE = "unavailable"
    NO_ANSWER = "no_answer"
    MALFORMED_ANSWER = "malformed_answer"
    UNKNOWN = "unknown"


class HealsBy(StrEnum):
    """What has to change before the same write is worth another try."""

    VALUE = "value"
    METADATA = "metadata"
    TIME = "time"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Description:
    """What a screen says about a cause. ``transient`` ones are retried after ``retry_after``."""

    cause_text: str
    remedy: str
    transient: bool
    heals_by: HealsBy


def gettext_noop(text: str) -> str:
    """The text itself. The name is the one by which texts are collected for translation; screens translate them."""
    return text
