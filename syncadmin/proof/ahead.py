"""Sync Person is called for somebody whose record stands in Dynamics already, but whom no run has linked yet.

Two people made the same human within minutes, one on each side; only asking Dynamics live finds out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from syncadmin.engine.records import Table
from syncadmin.proof.events import Event
from syncadmin.proof.people import TAG
from syncadmin.services import sync_person
from syncadmin.store.models import Link

if TYPE_CHECKING:
    from syncadmin.proof.drive import Drive

# It costs a calm of its own; not played where metadata is read again, which is in every eighth schedule.
EVERY, OF_THESE = 4, 1
_TROUBLES = ("", "", "timeout_after", "cut", "unavailable", "rate_limit")
_MAIL = "ahead@sim.example"


def ask_first(drive: Drive) -> list[str]:
    """Plays it, and the calm after it; what broke."""
    world, turn = drive.world, drive.schedule.seed // EVERY
    table = (Table.LEAD, Table.CONTACT)[turn % 2]
    person = world.marketo.create("person", {"lastName": "Ahead", "email": _MAIL, TAG[1]: "ahead"})
    there = {"lastname": "Ahead", "emailaddress1": _MAIL.title() if turn % 3 else _MAIL, TAG[0]: "ahead"}
    guid = world.dynamics.create(table, there)
    _disturb(drive, turn)
    asked = sync_person.Asked(person=int(person), sync_as=(Table.LEAD, Table.CONTACT)[turn // 2 % 2])
    answer = world.ask(lambda ctx: sync_person.ask(ctx, asked))
    world.trace.append(f"sync person {person}, who is {table} {guid}: {answer and answer.status}")
    return [*drive.calm("after Sync Person was ahead of the run"), *_check(drive, guid, person)]


def _disturb(drive: Drive, turn: int) -> None:
    trouble = _TROUBLES[turn % len(_TROUBLES)]
    if trouble:
        drive._happen(Event("trouble", 0, (0, 0, turn, 0, turn // 6, 0), trouble))
    elif turn % 5 == 0:
        drive._happen(Event("crash", 0, (turn // 5, turn // 10, 0, 0, 0, 0)))


def _check(drive: Drive, guid: str, person: str) -> Iterator[str]:
    made = [row for _, row in drive.hands.records() if row.get(TAG[0]) == "ahead"]
    if len(made) != 1:
        yield f"6: Sync Person was asked for person {person}, whose record stood there: now there are {len(made)}"
    link = Link.objects.filter(marketo=int(person)).first()
    if link is None or str(link.dynamics) != guid:
        yield f"1: person {person} and the record {guid}, which share an address, are not linked"
