"""Bugs in the engine, caught on the engine floor: plan, merge and receipts over a small modelled world."""

from __future__ import annotations

from functools import partial

from syncadmin.proof.planting import Bug

_merge = partial(Bug, floor="engine", module="syncadmin.engine.merge")
_first = partial(Bug, floor="engine", module="syncadmin.engine.first_contact")
_rules = partial(Bug, floor="engine", module="syncadmin.engine.rules")
_receipts = partial(Bug, floor="engine", module="syncadmin.engine.receipts")
_verdicts = partial(Bug, floor="engine", module="syncadmin.engine.verdicts")
_choices = partial(Bug, floor="engine", module="syncadmin.engine.convert_choices")
_plan = partial(Bug, floor="engine", module="syncadmin.engine.plan")
_fields = partial(Bug, floor="engine", module="syncadmin.engine.fields")

ENGINE = (
    _rules(
        name="collision rule swapped for contacts",
        function="winner",
        old="_BY_TABLE[table]",
        new="Side.MARKETO",
        seed=2,
    ),
    _rules(
        name="collision rule swapped for leads",
        function="winner",
        old="_BY_TABLE[table]",
        new="Side.DYNAMICS",
    ),
    _rules(
        name="the rule of a field is ignored",
        function="winner",
        old="if pair_winner is Winner.TABLE else",
        new="if True else",
        seed=87,
    ),
    _merge(
        name="absent field read as empty",
        function="merge_field",
        old="if not (state.d_known and state.m_known):",
        new="if False:",
        seed=7,
    ),
    _merge(
        name="a paused pair goes on",
        function="merge_field",
        old="if bound.pair.paused:",
        new="if False:",
        seed=5,
    ),
    _merge(
        name="an edit goes the wrong way: the older value overwrites it",
        function="_decide",
        old="Side.DYNAMICS if changed_d else Side.MARKETO",
        new="Side.MARKETO if changed_d else Side.DYNAMICS",
    ),
    _merge(
        name="of two edits of one field Dynamics' travels as if it were alone",
        function="_decide",
        old="if changed_d and changed_m:",
        new="if False:",
    ),
    _merge(
        name="a change in Marketo is compared with what Dynamics agreed to, whatever was edited there",
        function="_decide",
        old="sides.m != state.agreed.m",
        new="sides.m != sides.d",
    ),
    _merge(
        name="a one-way field is written back",
        function="_one",
        old="if to not in allowed:",
        new="if False:",
        seed=10,
    ),
    _merge(
        name="an emptied value empties the other side where only filled ones may travel",
        function="_one",
        old="if sides.blank(source) and not bound.pair.blanks_travel:",
        new="if False:",
        seed=54,
    ),
    _merge(
        name="an emptied value wins a collision where only filled ones may travel",
        function="_winner",
        old="if blank and not bound.pair.blanks_travel:",
        new="if False:",
        seed=389,
    ),
    _merge(
        name="a collision forgets the value that lost",
        function="_both",
        old="return write(bound, sides, wins.other, rule, agreed, collision)",
        new="return replace(write(bound, sides, wins.other, rule, agreed), replaced=sides.value(wins))",
    ),
    _merge(
        name="a value that was dropped is sent again in every run",
        function="_restrained",
        old="side is result.to and refused == result.sent",
        new="False",
        seed=24,
    ),
    _merge(
        name="a dropped write is taken for an edit in Marketo and undoes the one in Dynamics",
        function="_pending",
        old="return m in (receipt.replaced, *receipt.earlier)",
        new="return False",
        seed=24,
    ),
    _first(
        name="on first contact the empty side wins",
        function="meet",
        old="empty[0].other",
        new="empty[0]",
        seed=2,
    ),
    _first(
        name="on first contact the loser's value is not kept",
        function="_settle",
        old="return write(bound, sides, wins.other, rule, None, collision)",
        new="return replace(write(bound, sides, wins.other, rule, None), replaced=sides.value(wins))",
    ),
    _first(
        name="consent is forgotten: a no overwrites a yes",
        function="meet",
        old="if bound.pair.consent and True in (sides.d, sides.m):",
        new="if False:",
        seed=8,
    ),
    _choices(
        name="false filling null",
        function="boolean",
        old="return False if value is None and bound.field.kind is Kind.BOOLEAN else value",
        new="return value",
        seed=6,
    ),
    _receipts(
        name="somebody's line is taken for the confirmation of our write",
        function="settle",
        old="mine = [line for line in lines if line.ours]",
        new="mine = list(lines)",
        seed=61,
    ),
    _merge(
        name="an older receipt undoes an edit that a later write outlived",
        function="_pending",
        old="if agreed is not None and agreed.m != receipt.sent:",
        new="if False:",
        seed=5389,
    ),
    _receipts(
        name="late line ignored",
        function="settle",
        old="if over is not None:",
        new="if False:",
    ),
    _receipts(
        name="agreed set on a dropped Marketo write",
        function="settle",
        old="Settled.STANDS if stands else Settled.DROPPED",
        new="Settled.STANDS",
        seed=10,
    ),
    _receipts(
        name="an overwritten value is told, but not put back where it should have won",
        function="overtaken",
        old="stands=stands and wins is Side.MARKETO",
        new="stands=False",
        seed=126,
    ),
    _verdicts(
        name="both sides are agreed on the value that was replaced",
        function="write",
        old="Agreed(source, out.comparable, n) if to is Side.MARKETO",
        new="Agreed(sides.value(to), out.comparable, n) if to is Side.MARKETO",
        seed=3,
    ),
    _verdicts(
        name="history tells the value sent as the value replaced",
        function="write",
        old="source, sides.value(to), agreed, collision",
        new="source, source, agreed, collision",
    ),
    _plan(
        name="of several fields of a person only the last is written",
        function="plan_link",
        old="writes[result.to][by_key",
        new="writes[result.to] = {}; writes[result.to][by_key",
        seed=2,
    ),
    _fields(
        name="a value goes out empty",
        function="outgoing",
        old="if value is None else",
        new="if value is None or len(str(value)) > 3 else",
    ),
)
