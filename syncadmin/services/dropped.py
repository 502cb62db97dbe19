"""Updates that nothing will come of any more: what a try of theirs that was not understood may have replaced is told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from syncadmin.engine.records import Side, Values
from syncadmin.services import outcomes, rulebook
from syncadmin.store.models import UNSENT, DynamicsRecord, MarketoPerson, PendingWrite, Run, WriteState


def updates(links: Iterable[int], run: Run | None, now: datetime, sides: Iterable[Side] = tuple(Side)) -> None:
    """Deletes the unsent updates of these links. Runs in the caller's transaction."""
    unsent = PendingWrite.objects.filter(link_id__in=list(links), side__in=list(sides), op="update", state__in=UNSENT)
    for write in unsent.filter(state=WriteState.WAITING, attempts__gt=0):
        side = Side(write.side)
        outcomes.arrived(rulebook.load(), side, write, _stands(side, write.target), run, now)
    unsent.delete()


def _stands(side: Side, target: str) -> Values | None:
    """What the mirror says of the record; None where nobody can say what stands there."""
    if side is Side.DYNAMICS:
        found = DynamicsRecord.objects.filter(guid=target, deleted_at=None, filtered=False).first()
        return None if found is None else dict(found.values)
    person = MarketoPerson.objects.filter(person=int(target), deleted_at=None).first()
    return None if person is None else dict(person.values)
