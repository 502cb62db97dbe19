"""A field goes or changes its type, and is as before again: its pairs pause with a message, nothing is blanked.

Played where metadata is read again, which is in every eighth schedule: it costs more than all the rest of a run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from syncadmin.proof.people import TEXTS
from syncadmin.proof.world import METADATA_EVERY, pairs_in_force
from syncadmin.sandbox.marketo import MarketoSandbox
from syncadmin.store.models import Link

if TYPE_CHECKING:
    from syncadmin.proof.drive import Drive

_OURS = "api:sandbox"
_FIELD = next(field for field in TEXTS if field.column == "description")
# Metadata is an hour old at most.
_LONGER = timedelta(minutes=61)


def change_and_return(drive: Drive) -> list[str]:
    """Plays it, and the calm after it; what broke."""
    world = drive.world
    before = world.dynamics.truth.last_id, world.marketo.truth.last_id
    bring_back = _spoil(world.marketo, drive.schedule.seed // METADATA_EVERY)
    # Somebody goes on working on the side where the column is still there.
    link = Link.objects.filter(stopped=False, dynamics_deleted=False, marketo_deleted=False).order_by("id").first()
    if link is not None and link.dynamics and world.dynamics.get(link.table, str(link.dynamics)) is not None:
        world.dynamics.edit(link.table, str(link.dynamics), {_FIELD.column: f"Meanwhile {link.pk}"})
    for _ in range(2):
        world.clock.sleep(_LONGER.total_seconds())
        drive.witness.run()
    broken = [*_written(drive, before), *_untold()]
    bring_back()
    world.clock.sleep(_LONGER.total_seconds())
    drive.witness.run()
    return [*broken, *drive.calm("after a field was as before")]


def _spoil(marketo: MarketoSandbox, number: int) -> Callable[[], object]:
    """Every fourth time the field goes, else it changes its type; what makes it as it was."""
    fields = marketo.state.fields
    field = fields.get(_FIELD.field)
    if field is None:
        raise KeyError(f"Marketo has no field {_FIELD.field}")
    if number % 4 == 2:
        marketo.remove_field(field.name)
    else:
        marketo.change_field(field.name, kind=("integer", "boolean", "date")[number % 3])
    return lambda: fields.change(field)


def _written(drive: Drive, before: tuple[int, int]) -> Iterator[str]:
    world = drive.world
    for log, since in zip((world.dynamics.truth, world.marketo.truth), before, strict=True):
        for entry in log.since(since):
            if entry.who == _OURS and entry.action == "update" and entry.field in (_FIELD.column, _FIELD.field):
                yield f"13: {entry.field} of {entry.record} was written while it was gone or of another type: {entry.old!r} -> {entry.new!r}"


def _untold() -> Iterator[str]:
    for pair in pairs_in_force():
        if pair.dynamics == _FIELD.column and not pair.paused:
            yield f"13: {pair.key} is not paused although {_FIELD.field} is gone or of another type"
