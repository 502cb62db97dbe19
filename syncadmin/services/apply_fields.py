"""Carries a new set of field pairs to everybody who is linked: batch by batch, in the backfill lane.

A pair that is new or has other rules is compared for everyone. Of a pair that was taken out nothing is blanked; its
failures and questions are closed. A pair whose column came back after a pause begins anew with first contact: what was
agreed before says nothing about a column that may have been emptied on its way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction

from syncadmin.engine.fields import FieldPair
from syncadmin.engine.records import Lane, Side, Table
from syncadmin.services import failing
from syncadmin.services.context import Context
from syncadmin.services.rulebook import Rulebook
from syncadmin.services.step import NOTHING, Step, did
from syncadmin.store import cases, fieldsets, mirror, refill, work
from syncadmin.store.fieldsets import HEALING
from syncadmin.store.models import Checkpoint, Run

NAME = "fields.applied"
_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Difference:
    """Pair keys by what has to be done about them."""

    compare: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()
    healing: tuple[str, ...] = ()

    @property
    def tables(self) -> list[Table]:
        keys = (*self.compare, *self.removed, *self.stopped, *self.healing)
        return sorted({Table(key.partition(".")[0]) for key in keys})


def batch(ctx: Context, book: Rulebook, run: Run) -> Step:
    """The next thousand links that a new set of pairs, a pause or its end concerns."""
    found = work.checkpoint(NAME)
    position = found.position
    paused = {key: pause.code for key, pause in fieldsets.paused().items()}
    if position.get("version") != book.options.field_version or position.get("paused") != paused:
        return _begin(ctx, found, book.options.field_version, paused)
    if position.get("state") != "applying":
        return NOTHING
    difference = Difference(**{name: tuple(keys) for name, keys in position["difference"].items()})
    with transaction.atomic():
        links = refill.next_links(difference.tables, int(position["after"]), _BATCH)
        if not links:
            return _over(ctx, found, difference)
        done = {"after": links[-1], "done": int(position["done"]) + len(links)}
        if not work.move(found, "", as_of=None, run=None, position={**position, **done}):
            return did(True)
        _apply(ctx, book, difference, links, run)
    return did(True, refilled_links=len(links))


def _begin(ctx: Context, found: Checkpoint, version: int, paused: Mapping[str, str]) -> Step:
    known = found.position.get("version")
    before = fieldsets.pairs(version if known is None else int(known))
    difference = compare(before, fieldsets.pairs(version), found.position.get("paused") or {}, paused)
    if found.position.get("state") == "applying":
        difference = _together(found.position["difference"], difference)
    position: dict[str, Any] = {"version": version, "paused": dict(paused), "state": "done"}
    if difference.tables:
        position |= {
            "state": "applying",
            "after": 0,
            "done": 0,
            "of": refill.links_of(difference.tables),
            "begun": ctx.now().isoformat(),
            "difference": {name: list(getattr(difference, name)) for name in Difference.__slots__},
        }
    work.move(found, "", as_of=ctx.now(), run=None, position=position)
    return did(True)


def compare(
    before: Sequence[FieldPair], after: Sequence[FieldPair], was: Mapping[str, str], now: Mapping[str, str]
) -> Difference:
    """What differs between two sets, and between what was paused then and is paused now (codes by key)."""
    old = {pair.key: replace(pair, paused="") for pair in before}
    new = {pair.key: replace(pair, paused="") for pair in after}
    resumed = {key for key in was if key not in now and key in new}
    changed = {key for key, pair in new.items() if old.get(key) != pair} | resumed
    return Difference(
        compare=tuple(sorted(changed)),
        removed=tuple(sorted(old.keys() - new.keys())),
        stopped=tuple(sorted(key for key, code in now.items() if code != HEALING and was.get(key) != code)),
        healing=tuple(sorted(key for key, code in now.items() if code == HEALING and was.get(key) != HEALING)),
    )


def _together(stored: Mapping[str, Sequence[str]], fresh: Difference) -> Difference:
    """A set that follows before the last one was applied: what was left to do is done with it, from the first link."""
    back = {*fresh.compare}
    return Difference(
        compare=tuple(sorted({*stored["compare"], *fresh.compare} - {*fresh.removed})),
        removed=tuple(sorted({*stored["removed"], *fresh.removed} - back)),
        stopped=tuple(sorted({*stored["stopped"], *fresh.stopped} - {*fresh.healing})),
        healing=tuple(sorted({*stored["healing"], *fresh.healing} - {*fresh.stopped} - {*fresh.removed})),
    )


def _apply(ctx: Context, book: Rulebook, difference: Difference, links: Sequence[int], run: Run) -> None:
    now, removed = ctx.now(), list(difference.removed)
    _forget_unread(book, [*removed, *difference.stopped], links)
    there = cases.lock(links)
    refill.forget_held(there, removed)
    refill.forget_agreed(there, difference.healing)
    if removed:
        for link, person, key in refill.open_failures(there, removed):
            failing.mend(link, person, list(Side), [key], run, now)
        refill.close_questions(there, removed, now)
    if difference.compare or removed:
        mirror.mark_links(there, Lane.BACKFILL)


def _forget_unread(book: Rulebook, keys: Sequence[str], links: Sequence[int]) -> None:
    for table in book.tables:
        ends = [key.partition(".")[2].partition(":") for key in keys if key.startswith(f"{table}.")]
        asked = set(book.dynamics_columns(table))
        refill.forget_columns(links, table, sorted({column for column, _, _ in ends} - asked))
    read = set(book.person_fields())
    refill.forget_fields(links, sorted({key.partition(":")[2] for key in keys} - read))


def _over(ctx: Context, found: Checkpoint, difference: Difference) -> Step:
    position = {name: found.position[name] for name in ("version", "paused", "of", "begun")}
    if work.move(found, "", as_of=ctx.now(), run=None, position={**position, "state": "done"}):
        refill.close_unlinked(difference.removed, ctx.now())
        # Only now may they take part again: no link remembers a value from before the pause.
        fieldsets.healed(difference.healing)
    return did(True)
