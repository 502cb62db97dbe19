"""The rows of the field list: every readable column of a table with its pair, its verdict and who edited it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _

from syncadmin.engine.defaults import templates
from syncadmin.engine.fields import Bound, Direction, FieldPair
from syncadmin.engine.fit import Fit, Fitness, fitness
from syncadmin.engine.records import Side, Table
from syncadmin.engine.schema import MANDATORY, SELF_FILLED, Column, Kind, Schema
from syncadmin.engine.suggest import suggestions
from syncadmin.services.field_drafts import Draft
from syncadmin.services.pair_faults import Fault, FaultCode, fault
from syncadmin.web.words import fields as words
from syncadmin.web.words.fields import Verdict

PAGE = 100
SHOWS = ("all", "chosen", "problems", "edited")


@dataclass(frozen=True, slots=True)
class Row:
    """``suggested`` is the field an unpaired column would get, by the pair ``idea``; ``filled_in`` the default of a
    required column."""

    column: Column
    pair: FieldPair | None
    field: Column | None
    verdict: Verdict
    suggested: Column | None = None
    idea: FieldPair | None = None
    edited_by: str = ""
    required: bool = False
    filled_in: str = ""

    @property
    def problem(self) -> bool:
        return self.pair is not None and bool(self.verdict.level)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the list is narrowed to."""

    q: str = ""
    show: str = "all"

    def keeps(self, row: Row) -> bool:
        shown = {"all": True, "chosen": row.pair is not None, "problems": row.problem, "edited": bool(row.edited_by)}
        return shown[self.show] and self._found(row)

    def _found(self, row: Row) -> bool:
        wanted = self.q.strip().casefold()
        there = [row.column.label, row.column.name]
        there += [row.field.label, row.field.name] if row.field else []
        return not wanted or any(wanted in text.casefold() for text in there)


def rows(draft: Draft, known: Mapping[Table, Schema], table: Table, broken: Mapping[str, Fault]) -> list[Row]:
    """All readable columns of the table and chosen ones that are gone, by their labels."""
    pairs = {pair.dynamics: pair for pair in draft.pairs if pair.table is table}
    taken = {pair.marketo for pair in pairs.values()}
    proposed = ideas(known, table)
    made = [
        _row(draft, known, column, pairs.get(column.name), broken, proposed.get(column.name), taken)
        for column in known[table].columns.values()
        if column.readable or column.name in pairs
    ]
    gone = [pair for name, pair in pairs.items() if name not in known[table].columns]
    made += [_lost(draft, known, pair, broken) for pair in gone]
    return sorted(made, key=lambda row: (row.column.label.casefold(), row.column.name))


def one(draft: Draft, known: Mapping[Table, Schema], table: Table, name: str, broken: Mapping[str, Fault]) -> Row:
    """The row of one column. Raises KeyError for a column that is neither there nor chosen."""
    pair = draft.by_place.get((table, name))
    column = known[table].columns.get(name)
    if column is None:
        if pair is None:
            raise KeyError(name)
        return _lost(draft, known, pair, broken)
    taken = {each.marketo for each in draft.pairs if each.table is table}
    return _row(draft, known, column, pair, broken, ideas(known, table).get(name), taken)


def judged(pair: FieldPair, known: Mapping[Table, Schema], reason: Fault | None) -> Verdict:
    """A pair's verdict: why it cannot be saved, else how well its types fit."""
    if pair.paused:
        return Verdict("warn", _("paused"))
    if reason is not None and reason.code is not FaultCode.OPTIONS:
        return Verdict("bad", words.fault(reason))
    found = words.verdict(fit(pair, known))
    return found if reason is None else Verdict("bad", found.text)


def fit(pair: FieldPair, known: Mapping[Table, Schema]) -> Fitness:
    """How well the types of a pair fit."""
    column, field = known[pair.table].columns.get(pair.dynamics), known[Table.PERSON].columns.get(pair.marketo)
    if column is None or field is None:
        return Fitness(Fit.CANNOT)
    options = tuple(sorted(pair.options.items()))
    return _fit(_Same(column), _Same(field), pair.direction, pair.shorten, options)


class _Same:
    """Tables and columns are shared and never changed, so that being the same object is being equal."""

    __slots__ = ("it",)

    def __init__(self, it: Any) -> None:
        self.it = it

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.it is other.it

    def __hash__(self) -> int:
        return id(self.it)


@lru_cache(maxsize=4096)
def _fit(
    column: _Same, field: _Same, direction: Direction, shorten: bool, options: tuple[tuple[str, str], ...]
) -> Fitness:
    table, names = column.it.table, (column.it.name, field.it.name)
    pair = FieldPair("", table, *names, direction=direction, shorten=shorten, options=dict(options))
    # The zone plays no part in what fits.
    return fitness(Bound(pair, column.it, field.it, UTC))


@lru_cache(maxsize=8)
def _ideas_of(table: Table, here: _Same, people: _Same) -> Mapping[str, FieldPair]:
    known = {table: here.it, Table.PERSON: people.it}
    return {name: pair for name, pair in suggestions(table, here.it, people.it).items() if fault(pair, known) is None}


def _row(
    draft: Draft,
    known: Mapping[Table, Schema],
    column: Column,
    pair: FieldPair | None,
    broken: Mapping[str, Fault],
    idea: FieldPair | None,
    taken: Iterable[str],
) -> Row:
    people = known[Table.PERSON].columns
    edit = draft.edits.get((column.table, column.name))
    free = idea is not None and idea.marketo not in taken
    required = column.required in MANDATORY and column.creatable and column.kind not in SELF_FILLED
    default = (pair.default if pair else "") or templates(column.table).get(column.name, "")
    return Row(
        column,
        pair,
        people.get(pair.marketo) if pair else None,
        judged(pair, known, broken.get(pair.key)) if pair else Verdict("", ""),
        people.get(idea.marketo) if idea and free and pair is None else None,
        idea if free and pair is None else None,
        edit.who if edit else "",
        required,
        default if required else "",
    )


def _lost(draft: Draft, known: Mapping[Table, Schema], pair: FieldPair, broken: Mapping[str, Fault]) -> Row:
    column = Column(Side.DYNAMICS, pair.table, pair.dynamics, pair.dynamics, Kind.OTHER, readable=False)
    edit = draft.edits.get((pair.table, pair.dynamics))
    field = known[Table.PERSON].columns.get(pair.marketo)
    return Row(column, pair, field, judged(pair, known, broken.get(pair.key)), edited_by=edit.who if edit else "")


def ideas(known: Mapping[Table, Schema], table: Table) -> Mapping[str, FieldPair]:
    """By column, the pair it would get."""
    return _ideas_of(table, _Same(known[table]), _Same(known[Table.PERSON]))


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A Marketo field and the columns it is kept in step with; ``own`` is kept by the sync itself."""

    field: Column
    pairs: tuple[FieldPair, ...]
    own: bool


def of_marketo(draft: Draft, people: Schema, own: Iterable[str], q: str) -> list[FieldRow]:
    """Every readable Marketo field that the search finds, by label."""
    ours, wanted = frozenset(own), q.strip().casefold()
    by_field: dict[str, list[FieldPair]] = {}
    for pair in draft.pairs:
        by_field.setdefault(pair.marketo, []).append(pair)
    found = [
        FieldRow(field, tuple(by_field.get(field.name, ())), field.name in ours)
        for field in people.columns.values()
        if field.readable and (wanted in field.label.casefold() or wanted in field.name.casefold())
    ]
    return sorted(found, key=lambda row: (row.field.label.casefold(), row.field.name))
