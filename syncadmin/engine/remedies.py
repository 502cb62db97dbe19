"""The sentences behind every cause. Literal texts only: they are message ids of the translation catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from syncadmin.engine.causes import Cause, Description, HealsBy
from syncadmin.engine.causes import gettext_noop as _

_value = partial(Description, transient=False, heals_by=HealsBy.VALUE)
_metadata = partial(Description, transient=False, heals_by=HealsBy.METADATA)
_admin = partial(Description, transient=False, heals_by=HealsBy.ADMINISTRATOR)
_passing = partial(Description, transient=True, heals_by=HealsBy.TIME)

DESCRIPTIONS: Mapping[Cause, Description] = {
    Cause.UNKNOWN_OPTION: _metadata(
        _("“{value}” is not one of the options of {field}."),
        _("Add the option in Dynamics, correct the value in Marketo, or map it in the field's option map."),
    ),
    Cause.TOO_LONG: _value(
        _("The value of {field} is longer than {limit}."),
        _("Shorten the value, or allow shortening for this field under Settings, Fields."),
    ),
    Cause.OUT_OF_RANGE: _value(
        _("“{value}” lies outside the range that {field} allows ({limit})."),
        _("Correct the value, or widen the column's range in Dynamics."),
    ),
    Cause.WRONG_TYPE: _value(
        _("“{value}” cannot be stored in {field}: it is of another type."),
        _("Correct the value, or map the field to one of a matching type."),
    ),
    Cause.MALFORMED_EMAIL: _value(
        _("“{value}” is not a well-formed e-mail address."),
        _("Correct the address. Dynamics' own forms would refuse it too."),
    ),
    Cause.NON_ASCII_EMAIL: _value(
        _("The address “{value}” contains letters that Marketo does not accept in an e-mail address."),
        _("Use an address in plain Latin letters, or keep this address in Dynamics only."),
    ),
    Cause.ILLEGAL_CHARACTERS: _value(
        _("The value of {field} contains control characters that cannot be stored."),
        _("Remove the invisible characters; they usually come from a copied or imported text."),
    ),
    Cause.REQUIRED_EMPTY: _value(
        _("{field} is required in Dynamics and would be emptied."),
        _("Fill the value again in Marketo, or make the column optional in Dynamics."),
    ),
    Cause.REQUIRED_MISSING: _value(
        _("{field} is required in Dynamics and has no value."),
        _(
            "Fill it in Marketo, give the field a default under Settings, Fields, or make the column optional in Dynamics."
        ),
    ),
    Cause.LAST_NAME_MISSING: _value(
        _("The person has no last name, which Dynamics requires."),
        _("Fill in the last name in Marketo; the person is then created by the next run."),
    ),
    Cause.READ_ONLY: _metadata(
        _("{field} cannot be written."),
        _("Set the field's direction so that it is only read there, or make the column writable."),
    ),
    Cause.BAD_STATUS: _value(
        _("Dynamics refused the status: {message}"),
        _("Set the status in Dynamics; syncadmin never writes state or status reason."),
    ),
    Cause.DROPPED_BY_MARKETO: _value(
        _("Marketo accepted the value of {field} but did not store it."),
        _(
            "In Marketo, open Admin, Field Management and see whether updates of this field by Web service API are blocked."
        ),
    ),
    Cause.COMPANY_FIELD: _value(
        _(
            "{field} belongs to the company record this person is attached to in Marketo and cannot be written per person."
        ),
        _("Change it on the company in Marketo, or detach the person from the company record."),
    ),
    Cause.TWO_AUTOMATIONS: _admin(
        _("{field} was written back and forth more than six times within an hour: two automations disagree ({value})."),
        _(
            "Find the Dynamics workflow or plug-in and the Marketo campaign that both set this field, stop one of them, "
            "then release this entry."
        ),
    ),
    Cause.OWNER_UNKNOWN: _value(
        _("No Dynamics user “{value}” was found; the record was created and is owned by the sync user."),
        _("Correct the assignee in the Marketo campaign and assign the record in Dynamics."),
    ),
    Cause.OWNER_DISABLED: _value(
        _("The Dynamics user “{value}” is disabled; the record was created and is owned by the sync user."),
        _("Name an active user in the Marketo campaign and assign the record in Dynamics."),
    ),
    Cause.REFUSED_BY_PLUGIN: _value(
        _("Your Dynamics organisation's own logic refused the record: {message}"),
        _("Correct what the message names, or ask whoever maintains the plug-in or workflow."),
    ),
    Cause.INACTIVE_RECORD: _value(
        _("The Dynamics record is inactive and cannot be changed: {message}"),
        _("Activate the record in Dynamics, then release this entry."),
    ),
    Cause.DUPLICATE_FOUND: _admin(
        _("Dynamics' duplicate detection found a record like this one."),
        _("Open the decision, choose the record it belongs to, or create it anyway."),
    ),
    Cause.KEY_TAKEN: _value(
        _("A unique key in the other system already holds this value: {message}"),
        _("Look up the record that holds the value and correct one of the two."),
    ),
    Cause.SEVERAL_MATCHES: _admin(
        _("Several records match and only a person can tell which is meant."),
        _("Open the decision and choose one."),
    ),
    Cause.NOT_FOUND: _value(
        _("The record no longer exists there."),
        _("Nothing to do: the link is marked as deleted with the next run."),
    ),
    Cause.PARTITION: _admin(
        _("The person lives in a Marketo partition that the API user may not write to, or no partition was named."),
        _("Give the API role access to the partition, or choose the partition for new people under Settings."),
    ),
    Cause.CRM_MANAGED: _admin(
        _("Marketo's own CRM sync owns this record or field."),
        _("Stop the native CRM sync for it, or leave the field to that sync."),
    ),
    Cause.PERMISSION: _admin(
        _("The sync user lacks a permission: {message}"),
        _(
            "Add the named privilege to the security role in Dynamics or the permission to the API role in Marketo, "
            "then release this entry."
        ),
    ),
    Cause.PERMISSION_RECORD: _admin(
        _("The sync user may not change this record: {message}"),
        _("Share the record with the sync user, or raise the access level of its role."),
    ),
    Cause.PERMISSION_COLUMN: _admin(
        _("Column security keeps the sync user away from {field}: {message}"),
        _("Add the sync user to the column security profile, or leave the field out of the sync."),
    ),
    Cause.CREDENTIALS: _admin(
        _("Sign-in was refused: {message}"),
        _("Renew the client secret and enter it under Settings, Connections."),
    ),
    Cause.CHANGE_TRACKING_OFF: _admin(
        _("Change tracking is switched off for the table."),
        _("In Power Apps, open the table's properties and switch on Track changes."),
    ),
    Cause.FEATURE_MISSING: _admin(
        _("Your edition does not offer what this needs: {message}"),
        _("Ask the vendor to enable the feature, or change the setting that asks for it."),
    ),
    Cause.LIMIT_REACHED: _admin(
        _("The account's limit for this kind of object is reached: {message}"),
        _("Remove one that is no longer used, or ask the vendor to raise the limit."),
    ),
    Cause.COLUMN_MISSING: _metadata(
        _("{field} no longer exists, so its pair is paused."),
        _("Restore the column, or choose another one under Settings, Fields."),
    ),
    Cause.COLUMN_RETYPED: _metadata(
        _("{field} has changed its type, so its pair is paused."),
        _("Check the pair under Settings, Fields and confirm it, or choose another column."),
    ),
    Cause.TOO_LARGE: _value(
        _("The record is too large to be sent: {message}"),
        _("Shorten the longest texts of this record."),
    ),
    Cause.THROTTLED: _passing(
        _("The server asked us to slow down."),
        _("Nothing to do: the write is repeated after the pause the server named."),
    ),
    Cause.QUOTA_SPENT: _passing(
        _("The day's calls are used up."),
        _("Nothing to do: it goes on after midnight, US Central time. Raise the quota if this happens daily."),
    ),
    Cause.UNAVAILABLE: _passing(
        _("The server cannot serve at the moment: {message}"),
        _("Nothing to do: the write is repeated with growing pauses."),
    ),
    Cause.NO_ANSWER: _passing(
        _("The write was sent but no answer came, so it is unknown whether it was applied."),
        _("Nothing to do: the record is read again before the write is repeated."),
    ),
    Cause.MALFORMED_ANSWER: _passing(
        _("The answer could not be read: {message}"),
        _("Nothing to do at first. If it stays, see whether a proxy or gateway stands in between."),
    ),
    Cause.UNKNOWN: _value(
        _("The other system refused it: {message}"),
        _("Correct what the message names, then release this entry."),
    ),
}
