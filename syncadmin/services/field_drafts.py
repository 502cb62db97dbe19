"""Editing the field pairs: a draft over the set in force, shared by all administrators, until it is saved.

The last edit of a pair stands and keeps who made it. Saving takes all of it, and only what whoever saves was shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from syncadmin.engine.fields import FieldPair
from syncadmin.engine.pair_sets import Change, differences, same
from syncadmin.engine.records import Table
from syncadmin.services.choose_fields import own_names, save_fields, suggested
from syncadmin.services.pair_faults import Fault, faults
from syncadmin.store import drafts, fieldsets, locks, options, schemas
from syncadmin.store.drafts import Edit, Place


class Moved(Exception):
    """Somebody edited the draft, or saved it, after it was shown. Nothing was saved."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The pairs as they would be saved: ``base`` (version ``version``; 0: the suggestion) with ``edits`` over it."""

    version: int
    base: tuple[FieldPair, ...]
    pairs: tuple[FieldPair, ...]
    edits: Mapping[Place, Edit]
    digest: str

    @property
    def by_place(self) -> dict[Place, FieldPair]:
        return {(pair.table, pair.dynamics): pair for pair in self.pairs}

    def changes(self) -> list[Change]:
        """What saving would change. A first set is new altogether."""
        found = differences(self.base if self.version else (), self.pairs)
        return [*found, *(Change(*place, pair, pair, confirmed=True) for place, pair in self.confirmed().items())]

    def confirmed(self) -> dict[Place, FieldPair]:
        """Paused pairs that are to go on with the types their columns have now."""
        paused = {(pair.table, pair.dynamics): pair for pair in self.base if pair.paused}
        edited = {place: edit.pair for place, edit in self.edits.items() if edit.pair is not None}
        return {place: pair for place, pair in edited.items() if same(pair, paused.get(place))}

    def faults(self) -> dict[str, Fault]:
        """Why pairs of the draft cannot be saved, by key."""
        return faults(self.pairs, schemas.current(), own_names())


def read() -> Draft:
    """The draft as it stands now. Raises ``NoMetadata`` while nothing has been chosen and nothing can be suggested."""
    version = options.read().field_version
    base = fieldsets.pairs(version) if version else suggested()
    edits = drafts.read()
    digest = drafts.fingerprint(edits, version, () if version else base)
    return Draft(version, tuple(base), tuple(_laid_over(base, edits)), edits, digest)


def _laid_over(base: Sequence[FieldPair], edits: Mapping[Place, Edit]) -> Iterable[FieldPair]:
    """Pairs keep their places, so that those who look for one find it where it was; new ones come last."""
    for pair in base:
        edit = edits.get((pair.table, pair.dynamics))
        # A pair that joins the same columns stays paused, whatever its rules are to be.
        kept = pair if edit is None else edit.pair
        if kept is not None:
            yield kept
    there = {(pair.table, pair.dynamics) for pair in base}
    yield from (edit.pair for place, edit in edits.items() if place not in there and edit.pair is not None)


def put(wanted: Mapping[Place, FieldPair | None], *, who: str, now: datetime, confirm: bool = False) -> None:
    """Edits pairs; None takes one out. An edit that ends where the set in force stands is none.

    With ``confirm`` it is one where the pair is paused: the pair is to go on with the types of today.
    """
    with transaction.atomic():
        locks.wait_in_transaction(locks.Lock.SETUP)
        base = {(pair.table, pair.dynamics): pair for pair in read().base}
        asked = {place for place, pair in base.items() if pair.paused} if confirm else set()
        back = [place for place, pair in wanted.items() if same(pair, base.get(place)) and place not in asked]
        drafts.drop(back)
        drafts.put({place: pair for place, pair in wanted.items() if place not in set(back)}, who=who, now=now)


def discard(shown: str) -> None:
    """Everything stands as in the set in force again; ``shown`` as for ``save``. Raises ``Moved``."""
    with transaction.atomic():
        locks.wait_in_transaction(locks.Lock.SETUP)
        _may_lose(shown)
        drafts.clear()


def return_to(version: int, shown: str, *, who: str, now: datetime) -> None:
    """Makes the draft equal to an older version; saving it puts that in force. What was edited goes: ``shown`` as for
    ``save``. Raises ``Moved``, LookupError for no such version."""
    target = {(pair.table, pair.dynamics): pair for pair in fieldsets.pairs(version)}
    if not target:
        raise LookupError(version)
    with transaction.atomic():
        locks.wait_in_transaction(locks.Lock.SETUP)
        _may_lose(shown)
        drafts.clear()
        there = {(pair.table, pair.dynamics) for pair in read().base}
        put({place: target.get(place) for place in there | target.keys()}, who=who, now=now)


def _may_lose(shown: str) -> None:
    """Edits go only if whoever throws them away has seen them: they are everybody's."""
    draft = read()
    if draft.edits and draft.digest != shown:
        raise Moved


def save(shown: str, *, who: str, now: datetime) -> int:
    """Puts the draft in force and answers its version; ``shown`` is the digest of what was looked at.

    Raises ``Moved``, ``WrongPairs``, ``NoPairs``, ``NoMetadata``.
    """
    with transaction.atomic():
        locks.wait_in_transaction(locks.Lock.SETUP)
        draft = read()
        if draft.digest != shown:
            raise Moved
        if not draft.changes():
            drafts.clear()
            return draft.version
        source = next((version for version in fieldsets.versions() if _equal(version, draft.pairs)), 0)
        version = save_fields(draft.pairs, who=who, now=now, source=source)
        drafts.clear()
    return version


def _equal(version: int, pairs: Sequence[FieldPair]) -> bool:
    return not differences(fieldsets.pairs(version), pairs)


def tables() -> tuple[Table, ...]:
    """The tables that are synced."""
    chosen = options.read()
    wanted = ((Table.LEAD, chosen.leads), (Table.CONTACT, chosen.contacts))
    return tuple(table for table, on in wanted if on)
