"""Fields that the built-in sync keeps in Marketo and a plain account lacks: offered, and made only when asked for."""

from __future__ import annotations

from collections.abc import Sequence

from syncadmin.connectors.contract import NewField, Status
from syncadmin.engine.defaults import OfferedField, offered_fields
from syncadmin.engine.records import Lane, Table
from syncadmin.services.choose_fields import known_tables, save_fields
from syncadmin.services.context import Context
from syncadmin.services.metadata import refresh_schema
from syncadmin.store import fieldsets, options


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
        raise NotMade(f"Not offered: {', '.join(unknown)}.")
    new = {field.name: NewField(field.name, field.label, field.kind) for field in wanted}
    outcomes = ctx.marketo.for_work(Lane.LIVE, "setup").ensure_fields(list(new.values()))
    for name, outcome in zip(new, outcomes, strict=True):
        if outcome.status not in (Status.CREATED, Status.EXISTS):
            raise NotMade(f"Marketo did not make {name}: {outcome.message}")
    refresh_schema(ctx)
    pairs = [*fieldsets.pairs(options.read().field_version), *(field.pair for field in wanted)]
    return save_fields(pairs, who=who, now=ctx.now())
