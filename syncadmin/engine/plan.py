"""From decisions to writes: what one link sends to each side, and what a new record starts with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from syncadmin.engine.causes import Cause
from syncadmin.engine.convert_text import shortened
from syncadmin.engine.defaults import fill
from syncadmin.engine.fields import Bound, Unconvertible, comparable, outgoing, travels
from syncadmin.engine.records import Raw, Side, Table, Values
from syncadmin.engine.schema import Column, Problem, Schema, check, missing
from syncadmin.engine.verdicts import Agreed, FieldResult, Verdict

# A create with one of these is not sent at all; any other problem only keeps its own field out.
_STOPS_CREATE = frozenset({Cause.REQUIRED_MISSING, Cause.LAST_NAME_MISSING, Cause.MALFORMED_EMAIL})


@dataclass(frozen=True, slots=True)
class LinkPlan:
    """The results of one link by what has to be done with them; ``writes`` are by side and column name."""

    writes: Mapping[Side, dict[str, FieldResult]]
    agrees: tuple[FieldResult, ...] = ()
    conflicts: tuple[FieldResult, ...] = ()
    held: tuple[FieldResult, ...] = ()
    failures: tuple[FieldResult, ...] = ()

    def values(self, side: Side) -> dict[str, Raw]:
        """Raw values to send to a side, by column."""
        return {name: result.raw for name, result in self.writes[side].items()}


def plan_link(bounds: Iterable[Bound], results: Iterable[FieldResult]) -> LinkPlan:
    """Sorts the results of a merge. ``bounds`` are those the merge was asked about, in any order."""
    by_key = {bound.pair.key: bound for bound in bounds}
    every = list(results)
    writes: dict[Side, dict[str, FieldResult]] = {side: {} for side in Side}
    for result in every:
        if result.verdict is Verdict.WRITE and result.to is not None:
            writes[result.to][by_key[result.key].target(result.to).name] = result
    return LinkPlan(
        writes,
        agrees=tuple(result for result in every if result.verdict is Verdict.AGREE),
        conflicts=tuple(result for result in every if result.collision is not None),
        held=tuple(result for result in every if result.held is not None),
        failures=tuple(result for result in every if result.verdict is Verdict.FAILED),
    )


@dataclass(frozen=True, slots=True)
class CreatePlan:
    """A record to create: raw values by column, what is agreed by pair key once it exists, and what is wrong."""

    values: dict[str, Raw] = field(default_factory=dict)
    agreed: dict[str, Agreed] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @property
    def blocked(self) -> bool:
        """Whether the create may not be sent."""
        return any(problem.code in _STOPS_CREATE for problem in self.problems)


def create_in_dynamics(
    table: Table, person: Values, bounds: Iterable[Bound], schema: Schema, defaults: Mapping[str, str]
) -> CreatePlan:
    """A lead or contact from a Marketo person. ``defaults`` are templates by column; a pair's own default goes first.

    A column that stays empty has nothing agreed: the first merge after the create meets whatever Dynamics put there.
    """
    used = [bound for bound in bounds if bound.pair.table is table]
    plan = _create(Side.DYNAMICS, person, used)
    templates = {**defaults, **{bound.column.name: bound.pair.default for bound in used if bound.pair.default}}
    problems = list(plan.problems)
    for name, template in templates.items():
        column = schema.columns.get(name)
        if column is not None and column.creatable and plan.values.get(name) is None:
            problems += _fill_in(column, fill(template, person), plan.values)
    # Asked last, so that a default or another pair may have filled the column by now.
    problems += missing(schema, plan.values, (bound.pair for bound in used))
    return CreatePlan(plan.values, plan.agreed, tuple(problems))


def _fill_in(column: Column, value: str, values: dict[str, Raw]) -> list[Problem]:
    # A default is our own text, so cutting it to the column's length loses nothing of anybody's.
    raw = shortened(column, value)
    problem = check(column, raw, creating=True) if raw else None
    if raw and problem is None:
        values[column.name] = raw
    return [problem] if problem else []


def create_in_marketo(table: Table, record: Values, bounds: Iterable[Bound]) -> CreatePlan:
    """A Marketo person from a lead or contact; ``record`` carries our synthetic columns as well."""
    return _create(Side.MARKETO, record, [bound for bound in bounds if bound.pair.table is table])


def _create(to: Side, source: Values, bounds: Iterable[Bound]) -> CreatePlan:
    plan, problems = CreatePlan(), []
    for bound in bounds:
        origin = bound.target(to.other).name
        if to not in travels(bound) or bound.pair.paused or source.get(origin) in (None, ""):
            continue
        try:
            _carry(bound, to, source[origin], plan)
        except Unconvertible as error:
            problems.append(error.problem(bound.target(to).name))
    return CreatePlan(plan.values, plan.agreed, tuple(problems))


def _carry(bound: Bound, to: Side, raw: Raw, plan: CreatePlan) -> None:
    value = comparable(bound, to.other, raw)
    name = bound.target(to).name
    # False from Marketo may only mean that nobody ever set it; the organisation's own default applies.
    unset = value is None or (value is False and to is Side.DYNAMICS)
    # Two pairs may share a column; the first one listed fills it, the merge settles the other.
    if unset or name in plan.values:
        return
    out = outgoing(bound, to, value, raw)
    plan.values[name] = out.raw
    pairs = (out.comparable, value) if to is Side.DYNAMICS else (value, out.comparable)
    plan.agreed[bound.pair.key] = Agreed(*pairs)
