"""The sentences behind every cause. Literal texts only: they are message ids of the translation catalogue."""

from __future__ import annotations

from collections.abc import Mapping

from syncadmin.engine.causes import Cause, Description, HealsBy


def _value(cause_text: str, remedy: str) -> Description:
    return Description(cause_text, remedy, transient=False, heals_by=HealsBy.VALUE)


def _metadata(cause_text: str, remedy: str) -> Description:
    return Description(cause_text, remedy, transient=False, heals_by=HealsBy.METADATA)


def _admin(cause_text: str, remedy: str) -> Description:
    return Description(cause_text, remedy, transient=False, heals_by=HealsBy.ADMINISTRATOR)


def _passing(cause_text: str, remedy: str) -> Description:
    return Description(cause_text, remedy, transient=True, heals_by=HealsBy.TIME)


DESCRIPTIONS: Mapping[Cause, Description] = {
    Cause.UNKNOWN_OPTION: _metadata(
        "“{value}” is not one of the options of {field}.",
        "Add the option in Dynamics, correct the value in Marketo, or map it in the field's option map.",
    ),
    Cause.TOO_LONG: _value(
        "The value of {field} is longer than {limit}.",
        "Shorten the value, or allow shortening for this field under Settings, Fields.",
    ),
    Cause.OUT_OF_RANGE: _value(
        "“{value}” lies outside the range that {field} allows ({limit}).",
        "Correct the value, or widen the column's range in Dynamics.",
    ),
    Cause.WRONG_TYPE: _value(
        "“{value}” cannot be stored in {field}: it is of another type.",
        "Correct the value, or map the field to one of a matching type.",
    ),
    Cause.MALFORMED_EMAIL: _value(
        "“{value}” is not a well-formed e-mail address.",
        "Correct the address. Dynamics' own forms would refuse it too.",
    ),
    Cause.NON_ASCII_EMAIL: _value(
        "The address “{value}” contains letters that Marketo does not accept in an e-mail address.",
        "Use an address in plain Latin letters, or keep this address in Dynamics only.",
    ),
    Cause.ILLEGAL_CHARACTERS: _value(
        "The value of {field} contains control characters that cannot be stored.",
        "Remove the invisible characters; they usually come from a copied or imported text.",
    ),
    Cause.REQUIRED_EMPTY: _value(
        "{field} is required in Dynamics and would be emptied.",
        "Fill the value again in Marketo, or make the column optional in Dynamics.",
    ),
    Cause.REQUIRED_MISSING: _value(
        "{field} is required in Dynamics and has no value.",
        "Fill it in Marketo, give the field a default under Settings, Fields, or make the column optional in Dynamics.",
    ),
    Cause.LAST_NAME_MISSING: _value(
        "The person has no last name, which Dynamics requires.",
        "Fill in the last name in Marketo; the person is then created by the next run.",
    ),
    Cause.READ_ONLY: _metadata(
        "{field} cannot be written.",
        "Set the field's direction so that it is only read there, or make the column writable.",
    ),
    Cause.BAD_STATUS: _value(
        "Dynamics refused the status: {message}",
        "Set the status in Dynamics; syncadmin never writes state or status reason.",
    ),
    Cause.DROPPED_BY_MARKETO: _value(
        "Marketo accepted the value of {field} but did not store it.",
        "In Marketo, open Admin, Field Management and see whether updates of this field by Web service API are blocked.",
    ),
    Cause.COMPANY_FIELD: _value(
        "{field} belongs to the company record this person is attached to in Marketo and cannot be written per person.",
        "Change it on the company in Marketo, or detach the person from the company record.",
    ),
    Cause.TWO_AUTOMATIONS: _admin(
        "{field} was written back and forth more than six times within an hour: two automations disagree ({value}).",
        "Find the Dynamics workflow or plug-in and the Marketo campaign that both set this field, stop one of them, "
        "then release this entry.",
    ),
    Cause.OWNER_UNKNOWN: _value(
        "No Dynamics user “{value}” was found; the record was created and is owned by the sync user.",
        "Correct the assignee in the Marketo campaign and assign the record in Dynamics.",
    ),
    Cause.OWNER_DISABLED: _value(
        "The Dynamics user “{value}” is disabled; the record was created and is owned by the sync user.",
        "Name an active user in the Marketo campaign and assign the record in Dynamics.",
    ),
    Cause.REFUSED_BY_PLUGIN: _value(
        "Your Dynamics organisation's own logic refused the record: {message}",
        "Correct what the message names, or ask whoever maintains the plug-in or workflow.",
    ),
    Cause.INACTIVE_RECORD: _value(
        "The Dynamics record is inactive and cannot be changed: {message}",
        "Activate the record in Dynamics, then release this entry.",
    ),
    Cause.DUPLICATE_FOUND: _admin(
        "Dynamics' duplicate detection found a record like this one.",
        "Open the decision, choose the record it belongs to, or create it anyway.",
    ),
    Cause.KEY_TAKEN: _value(
        "A unique key in the other system already holds this value: {message}",
        "Look up the record that holds the value and correct one of the two.",
    ),
    Cause.SEVERAL_MATCHES: _admin(
        "Several records match and only a person can tell which is meant.",
        "Open the decision and choose one.",
    ),
    Cause.NOT_FOUND: _value(
        "The record no longer exists there.",
        "Nothing to do: the link is marked as deleted with the next run.",
    ),
    Cause.PARTITION: _admin(
        "The person lives in a Marketo partition that the API user may not write to, or no partition was named.",
        "Give the API role access to the partition, or choose the partition for new people under Settings.",
    ),
    Cause.CRM_MANAGED: _admin(
        "Marketo's own CRM sync owns this record or field.",
        "Stop the native CRM sync for it, or leave the field to that sync.",
    ),
    Cause.PERMISSION: _admin(
        "The sync user lacks a permission: {message}",
        "Add the named privilege to the security role in Dynamics or the permission to the API role in Marketo, "
        "then release this entry.",
    ),
    Cause.PERMISSION_RECORD: _admin(
        "The sync user may not change this record: {message}",
        "Share the record with the sync user, or raise the access level of its role.",
    ),
    Cause.PERMISSION_COLUMN: _admin(
        "Column security keeps the sync user away from {field}: {message}",
        "Add the sync user to the column security profile, or leave the field out of the sync.",
    ),
    Cause.CREDENTIALS: _admin(
        "Sign-in was refused: {message}",
        "Renew the client secret and enter it under Settings, Connections.",
    ),
    Cause.CHANGE_TRACKING_OFF: _admin(
        "Change tracking is switched off for the table.",
        "In Power Apps, open the table's properties and switch on Track changes.",
    ),
    Cause.FEATURE_MISSING: _admin(
        "Your edition does not offer what this needs: {message}",
        "Ask the vendor to enable the feature, or change the setting that asks for it.",
    ),
    Cause.LIMIT_REACHED: _admin(
        "The account's limit for this kind of object is reached: {message}",
        "Remove one that is no longer used, or ask the vendor to raise the limit.",
    ),
    Cause.COLUMN_MISSING: _metadata(
        "{field} no longer exists, so its pair is paused.",
        "Restore the column, or choose another one under Settings, Fields.",
    ),
    Cause.COLUMN_RETYPED: _metadata(
        "{field} has changed its type, so its pair is paused.",
        "Check the pair under Settings, Fields and confirm it, or choose another column.",
    ),
    Cause.TOO_LARGE: _value(
        "The record is too large to be sent: {message}",
        "Shorten the longest texts of this record.",
    ),
    Cause.THROTTLED: _passing(
        "The server asked us to slow down.",
        "Nothing to do: the write is repeated after the pause the server named.",
    ),
    Cause.QUOTA_SPENT: _passing(
        "The day's calls are used up.",
        "Nothing to do: it goes on after midnight, US Central time. Raise the quota if this happens daily.",
    ),
    Cause.UNAVAILABLE: _passing(
        "The server cannot serve at the moment: {message}",
        "Nothing to do: the write is repeated with growing pauses.",
    ),
    Cause.NO_ANSWER: _passing(
        "The write was sent but no answer came, so it is unknown whether it was applied.",
        "Nothing to do: the record is read again before the write is repeated.",
    ),
    Cause.MALFORMED_ANSWER: _passing(
        "The answer could not be read: {message}",
        "Nothing to do at first. If it stays, see whether a proxy or gateway stands in between.",
    ),
    Cause.UNKNOWN: _value(
        "The other system refused it: {message}",
        "Correct what the message names, then release this entry.",
    ),
}
