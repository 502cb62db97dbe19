"""What somebody said about records that share an address, applied again: it holds as long as the same ones share it."""

from __future__ import annotations

from collections.abc import Sequence

from syncadmin.engine.candidates import Candidate, Match, MatchKind, Reason
from syncadmin.engine.records import Ref, Table

# Answers that bind records not linked yet. FIRST is followed by a table and an id, as in ``first:lead:<id>``.
FIRST, EACH, WAIT = "first", "each", "wait"


def choices(due: Sequence[Candidate], group: Sequence[Candidate]) -> list[str]:
    """What can be answered about these unlinked records among everybody with their address."""
    linked = any(other.linked_to for other in group if not other.is_person)
    free = _free(group)
    people = any(other.is_person for other in group)
    # Who is to have the person is a question only while the person can be had.
    first = [f"{FIRST}:{one.ref.table}:{one.ref.id}" for one in due] if free or not (people or linked) else []
    return [*first, *([WAIT] if linked else []), EACH]


def settle(choice: str, due: Sequence[Candidate], group: Sequence[Candidate]) -> list[Match] | None:
    """The decisions that an earlier answer leads to; None if it no longer fits what is there."""
    linked = sorted(other.ref for other in group if not other.is_person and other.linked_to)
    if choice == WAIT:
        return _wait(due, linked[0]) if linked else None
    if choice == EACH:
        return _each(due, group)
    leader = _named(choice)
    if leader is None:
        return None
    if leader in linked:
        return _wait(due, leader)
    one = next((one for one in due if one.ref == leader), None)
    taken = [other for other in group if other.is_person and other.linked_to]
    free = _free(group)
    if one is None or taken or len(free) > 1:
        return None
    return [_pair(one, free), *_wait([other for other in due if other is not one], leader)]


def _named(choice: str) -> Ref | None:
    how, _colon, rest = choice.partition(":")
    table, _colon, key = rest.partition(":")
    return Ref(Table(table), key) if how == FIRST and table in set(Table) and key else None


def _free(group: Sequence[Candidate]) -> list[Candidate]:
    return [other for other in group if other.is_person and not other.linked_to]


def _wait(due: Sequence[Candidate], behind: Ref) -> list[Match]:
    return [Match(one.ref, MatchKind.WAIT, Reason.CHOSEN, behind, (behind,)) for one in due]


def _pair(one: Candidate, free: Sequence[Candidate]) -> Match:
    if free:
        return Match(one.ref, MatchKind.LINK, Reason.CHOSEN, free[0].ref)
    return Match(one.ref, MatchKind.CREATE_IN_MARKETO, Reason.CHOSEN)


def _each(due: Sequence[Candidate], group: Sequence[Candidate]) -> list[Match]:
    """A contact, else the first by id, takes the person that is there; every other record gets one of its own."""
    free = _free(group)
    if len(free) > 1:
        free = []
    first = min(due, key=lambda one: (one.ref.table is not Table.CONTACT, one.ref.id), default=None)
    return [
        _pair(one, free)
        if one is first and free
        else Match(one.ref, MatchKind.CREATE_IN_MARKETO, Reason.CHOSEN, by_id=True)
        for one in due
    ]
