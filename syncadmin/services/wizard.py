"""How far the setup has come. Read from what is stored, never from a session: any administrator may go on."""

from __future__ import annotations

from dataclasses import dataclass

from syncadmin.engine.records import Side
from syncadmin.store import options
from syncadmin.store.models import Connection


@dataclass(frozen=True, slots=True)
class Progress:
    """What has been done. A sync that was started, by whatever door, has everything behind it."""

    dynamics: bool = False
    marketo: bool = False
    scope: bool = False
    fields: bool = False
    started: bool = False


def progress() -> Progress:
    """As it stands now; two queries."""
    chosen = options.read()
    connected = set(Connection.objects.values_list("side", flat=True))
    return Progress(
        dynamics=Side.DYNAMICS in connected,
        marketo=Side.MARKETO in connected and (chosen.equipped or chosen.activity_type_id > 0 or chosen.observe_only),
        scope=chosen.scope_chosen or chosen.started,
        fields=chosen.field_version > 0,
        started=chosen.started,
    )
