"""Makes in Marketo what is ours there (design 4.4): three fields and one custom activity type."""

from __future__ import annotations

from dataclasses import dataclass

from syncadmin.connectors.contract import ActivityType, NewField, Outcome, Status
from syncadmin.connectors.errors import PermissionMissing, Refused
from syncadmin.engine.records import Lane
from syncadmin.services.context import Context
from syncadmin.store import options
from syncadmin.store.options import Options

PURPOSE = "setup"
_OPTIONS = ("guid_field", "type_field", "deleted_field")
_THERE = (Status.CREATED, Status.EXISTS)


@dataclass(frozen=True, slots=True)
class Equipped:
    """What could not be made: (name, why). Empty if all is there."""

    missing: tuple[tuple[str, str], ...] = ()


def wanted_fields(names: Options) -> list[NewField]:
    """Our three fields under the names the settings give them."""
    return [
        NewField(names.guid_field, "Dynamics Person GUID", "string", "Id of the record in Dynamics 365"),
        NewField(names.type_field, "Dynamics Person Type", "string", "Lead or Contact, empty for neither"),
        NewField(names.deleted_field, "Dynamics is Deleted", "boolean", "The record in Dynamics 365 was deleted"),
    ]


def wanted_activity(names: Options) -> ActivityType:
    """The activity type every result of the sync is logged with."""
    return ActivityType(
        api_name=names.activity_type,
        name="Dynamics 365 Sync",
        trigger_name="Is Synced with Dynamics 365",
        filter_name="Was Synced with Dynamics 365",
        primary=("result", "Result"),
        attributes=(
            ("crmEntity", "CRM Entity", "string"),
            ("crmRecordId", "CRM Record ID", "string"),
            ("crmUrl", "CRM URL", "link"),
            ("fields", "Fields", "text"),
            ("errorCode", "Error Code", "string"),
            ("errorMessage", "Error Message", "text"),
            ("runId", "Run ID", "string"),
        ),
        description="What the sync with Dynamics 365 did with this person",
    )


def ensure_marketo(ctx: Context) -> Equipped:
    """Creates what is missing and takes over what is there. An account that forbids it is an answer, not an error."""
    names = options.read()
    marketo = ctx.marketo.for_work(Lane.LIVE, PURPOSE)
    fields = wanted_fields(names)
    try:
        outcomes = marketo.ensure_fields(fields)
    except (PermissionMissing, Refused) as error:
        outcomes = [Outcome(Status.REFUSED, message=error.message) for _ in fields]
    for option, outcome in zip(_OPTIONS, outcomes, strict=True):
        # The field may be there under a name that differs in case.
        if outcome.status in _THERE and outcome.column and outcome.column != getattr(names, option):
            options.write(option, outcome.column)
    missing = [
        (field.name, outcome.message)
        for field, outcome in zip(fields, outcomes, strict=True)
        if outcome.status not in _THERE
    ]
    try:
        options.write("activity_type_id", marketo.ensure_activity_type(wanted_activity(names)))
    except (PermissionMissing, Refused) as error:
        missing.append((names.activity_type, error.message))
    return Equipped(tuple(missing))
