"""After the calm, collisions whose outcome is known beforehand: the rule, and that different fields both survive.

Everything is edited before the run begins, so the run knows of all of it at its merges, whatever then fails or dies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from syncadmin.engine.fields import Direction, FieldPair, Winner
from syncadmin.proof.events import Event
from syncadmin.proof.oracle import person_of, row_of
from syncadmin.proof.people import BY_COLUMN, FILTER, Form, plain
from syncadmin.proof.world import pairs_in_force
from syncadmin.store.models import Conflict, Link, PendingWrite

if TYPE_CHECKING:
    from syncadmin.proof.drive import Drive

_MOST = 5


@dataclass(frozen=True, slots=True)
class Bet:
    """What must stand in a field of a link on both sides; ``lost`` must be in its conflict."""

    link: int
    pair: FieldPair
    value: str
    lost: str = ""


def collide(drive: Drive) -> list[str]:
    bets = list(_edit(drive))
    if bets:
        drive.meanwhile = lambda: _edit_again(drive, bets)
        _disturb(drive)
        drive.run()
        drive.meanwhile = lambda: None
    broken = drive.calm("after the collisions")
    return [*broken, *(found for bet in bets for found in _check(drive, bet))]


def _edit(drive: Drive) -> Iterator[Bet]:
    pairs = pairs_in_force()
    links = [link for link in Link.objects.order_by("id") if _healthy(drive, link)][:_MOST]
    for number, link in enumerate(links):
        free = [pair for pair in pairs if pair.table == link.table and _usable(link, pair)]
        for position, pair in enumerate(free[number % 3 : number % 3 + 3]):
            yield from _bet(drive, link, pair, position)


def _healthy(drive: Drive, link: Link) -> bool:
    row, person = row_of(drive.world, link), person_of(drive.world, link)
    # The loser of a merge is still there to be edited, and its link is told like that of a deleted record.
    if row is None or person is None or link.stopped or link.dynamics_deleted or row.get(FILTER) is False:
        return False
    whole = any(f"*{side}" in link.held for side in ("dynamics", "marketo"))
    return not whole and not PendingWrite.objects.filter(link=link).exclude(op="log").exists()


def _usable(link: Link, pair: FieldPair) -> bool:
    field = BY_COLUMN[pair.dynamics]
    plain_text = field.form is Form.TEXT and field.edited
    return (
        plain_text
        and not pair.paused
        and pair.direction is Direction.BOTH
        and pair.winner is not Winner.ASK
        and pair.key not in link.held
        and pair.key in link.agreed
    )


def _bet(drive: Drive, link: Link, pair: FieldPair, position: int) -> Iterator[Bet]:
    """First pair: a collision. Second: an edit in Dynamics alone. Third: in Marketo alone."""
    here, there = f"bet d{link.pk}.{position}", f"bet m{link.pk}.{position}"
    if position in (0, 1):
        drive.world.dynamics.edit(link.table, str(link.dynamics), {pair.dynamics: here})
    if position in (0, 2):
        drive.world.marketo.edit("person", str(link.marketo), {pair.marketo: there})
    if position == 0:
        by_table = Winner.MARKETO if link.table == "lead" else Winner.DYNAMICS
        wins = by_table if pair.winner is Winner.TABLE else pair.winner
        won, lost = (there, here) if wins is Winner.MARKETO else (here, there)
        yield Bet(link.pk, pair, won, lost)
    else:
        yield Bet(link.pk, pair, here if position == 1 else there)


def _edit_again(drive: Drive, bets: list[Bet]) -> None:
    """While a worker stands still: what others brought in step is edited again, and then on the other side, unseen.

    The last edit is the only one since both sides agreed, so it must come through.
    """
    alone = [number for number, bet in enumerate(bets) if not bet.lost and _in_step(drive, bet)]
    for number in alone:
        link = Link.objects.get(pk=bets[number].link)
        bets[number] = replace(bets[number], value=f"{bets[number].value} again")
        drive.world.dynamics.edit(link.table, str(link.dynamics), {bets[number].pair.dynamics: bets[number].value})
    drive.world.clock.sleep(10)
    drive.world.run()
    for number in [number for number in alone if _in_step(drive, bets[number])]:
        link = Link.objects.get(pk=bets[number].link)
        bets[number] = replace(bets[number], value=f"{bets[number].value} and there")
        drive.world.marketo.edit("person", str(link.marketo), {bets[number].pair.marketo: bets[number].value})
    drive.world.trace.append(f"  edited again meanwhile: {[bets[number].value for number in alone]}")


def _in_step(drive: Drive, bet: Bet) -> bool:
    """Whether both sides have the value, and the sync is over with it."""
    link = Link.objects.filter(pk=bet.link, dirty=False).first()
    return (
        link is not None
        and not PendingWrite.objects.filter(link=link).exclude(op="log").exists()
        and _stands(drive, bet, link) == (bet.value, bet.value)
    )


def _disturb(drive: Drive) -> None:
    """The same kinds of trouble as before, but nobody edits any more."""
    seed = drive.schedule.seed
    kinds = ("crash", "stall", "second worker", "late write", "")
    kind = kinds[seed % len(kinds)]
    if kind:
        drive._happen(Event(kind, 0, (seed // 5, seed // 10, seed // 7, seed // 15, 0, 0)))
    troubles = ("timeout_after", "timeout_before", "cut", "unavailable", "late_events", "duplicate_events", "")
    trouble = troubles[seed // 5 % len(troubles)]
    if trouble:
        drive._happen(Event("trouble", 0, (seed // 35, seed // 70, seed, 0, seed // 3, 0), trouble))


def _check(drive: Drive, bet: Bet) -> Iterator[str]:
    link = Link.objects.filter(pk=bet.link).first()
    stands = _stands(drive, bet, link) if link else None
    if stands is None:
        yield f"4: link {bet.link} is gone after the collisions"
        return
    if stands != (bet.value, bet.value):
        number = 4 if bet.lost else 5
        yield f"{number}: {bet.pair.key} of link {bet.link} is {stands}, not {bet.value!r} on both sides"
    if bet.lost and not _told(bet):
        yield f"3: no conflict tells that {bet.pair.key} of link {bet.link} lost {bet.lost!r}"


def _stands(drive: Drive, bet: Bet, link: Link) -> tuple[Any, Any] | None:
    """What is in the field, in Dynamics and in Marketo; None if one of the two is gone."""
    row, person = row_of(drive.world, link), person_of(drive.world, link)
    if row is None or person is None:
        return None
    field = BY_COLUMN[bet.pair.dynamics]
    return (
        plain(field, "dynamics", link.table, row.get(bet.pair.dynamics)),
        plain(field, "marketo", link.table, person.get(bet.pair.marketo)),
    )


def _told(bet: Bet) -> bool:
    rows = Conflict.objects.filter(link=bet.link, key=bet.pair.key)
    return any(bet.lost in (row.dynamics_value, row.marketo_value) for row in rows)
