"""Fields that the built-in sync keeps in Marketo and a plain account lacks: offered, and made only when asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from django.utils.translation import gettext

from syncadmin.connectors.contract import NewField, Status
from syncadmin.connectors.errors import ConnectorError
from syncadmin.engine.defaults import OfferedField, offered_fields
from syncadmin.engine.records import Lane, Table
from syncadmin.engine.schema import Column, Kind
from syncadmin.services import connect
from syncadmin.services.choose_fields import known_tables, save_fields
from syncadmin.services.context import Context
from syncadmin.services.metadata import refresh_schema
from syncadmin.store import fieldsets, options

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}", re.ASCII)
_KINDS: Mapping[Kind, str] = {
    Kind.MEMO: "text",
    Kind.EMAIL: "email",
    Kind.PHONE: "phone",
    Kind.URL: "url",
    Kind.INTEGER: "integer",
    Kind.DECIMAL: "float",
    Kind.MONEY: "currency",
    Kind.BOOLEAN: "boolean",
    Kind.DATE: "date",
    Kind.DATETIME: "datetime",
}


class NotMade(Exception):
    """Marketo did not make a field, or nobody offers it; the message says which and why. No pair was saved."""


def offered() -> list[OfferedField]:
    """What can be made: the Dynamics column is there, the pair is not in force. Raises ``NoMetadata``."""
    known = known_tables()
    taken = {pair.key for pair in fieldsets.pairs(options.read().field_version)}
    return [
        field
        for table in (Table.LEAD, Table.CONTACT)
        for field in offered_fields(table)
        if field.pair.dynamics in known[table].columns and field.pair.key not in taken
    ]


def make(ctx: Context, names: Sequence[str], *, who: str) -> int:
    """Creates these fields in Marketo, which is for ever, and puts their pairs in force; answers the version.

    Raises ``NotMade``, and what ``save_fields`` raises.
    """
    wanted = [field for field in offered() if field.name in names]
    unknown = sorted(set(names) - {field.name for field in wanted})
    if unknown:
        raise NotMade(gettext("Not offered: %(names)s.") % {"names": ", ".join(unknown)})
    new = {field.name: NewField(field.name, field.label, field.kind) for field in wanted}
    _create(ctx, list(new.values()))
    pairs = [*fieldsets.pairs(options.read().field_version), *(field.pair for field in wanted)]
    return save_fields(pairs, who=who, now=ctx.now())


def create(ctx: Context, name: str, label: str, column: Column) -> str:
    """Creates one field in Marketo that can hold the column's values, for ever; answers the name it really has.

    A field of that name and family that is there already is taken. Raises ``NotMade``, and the connectors' errors.
    """
    if not _NAME.fullmatch(name):
        raise NotMade(gettext("A name begins with a letter and holds letters, digits and underscores only."))
    (made,) = _create(ctx, [NewField(name, label.strip() or name, marketo_kind(column))])
    return made


def create_now(name: str, label: str, column: Column) -> str:
    """As ``create``, by the stored connections. Raises ``NotMade`` whatever the trouble."""
    try:
        return create(connect.context(), name, label, column)
    except ConnectorError as error:
        raise NotMade(error.message) from error
    except (connect.NotConnected, connect.Unopened) as error:
        raise NotMade(str(error)) from error


def marketo_kind(column: Column) -> str:
    """Marketo's type for what a Dynamics column holds."""
    return _KINDS.get(column.kind, "string")


def _create(ctx: Context, new: Sequence[NewField]) -> list[str]:
    outcomes = ctx.marketo.for_work(Lane.LIVE, "setup").ensure_fields(new)
    for field, outcome in zip(new, outcomes, strict=True):
        if outcome.status not in (Status.CREATED, Status.EXISTS):
            told = {"name": field.name, "message": outcome.message}
            raise NotMade(gettext("Marketo did not make %(name)s: %(message)s") % told)
    refresh_schema(ctx)
    return [outcome.column or field.name for field, outcome in zip(new, outcomes, strict=True)]
