"""The merge keeps its laws, the laws reach every branch, and they notice every planted bug."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from syncadmin.engine.merge import Agreed, FieldResult, Rule, Verdict
from syncadmin.engine.records import Table
from tests.properties.laws import LAWS, history_ends_as_the_rules_say
from tests.properties.world import D, Engine, M, real_merge


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(law):
    law(Engine())


def test_the_history_law_reaches_every_branch_often_enough():
    seen: Counter[str] = Counter()
    history_ends_as_the_rules_say(Engine(), seen)
    floors = {
        Verdict.NOTHING: 1500,
        Verdict.AGREE: 300,
        Verdict.WRITE: 1200,
        Rule.ONE_SIDED: 450,
        Rule.ONE_WAY: 150,
        Rule.COLLISION_LEAD: 30,
        Rule.COLLISION_CONTACT: 30,
        Rule.COLLISION_FIELD: 50,
        Rule.FIRST_FILL: 300,
        Rule.FIRST_RULE: 100,
        "direction": 200,
        "blank": 50,
    }
    assert {name: seen[name] for name, floor in floors.items() if seen[name] < floor} == {}


def one_sided_change_becomes_a_delete(state, table, first, moved):
    result = real_merge(state, table, first, moved)
    return replace(result, raw=None, sent=None) if result.rule is Rule.ONE_SIDED else result


def new_value_is_deleted_instead_of_copied(state, table, first, moved):
    result = real_merge(state, table, first, moved)
    if result.rule is not Rule.FIRST_FILL:
        return result
    return replace(result, to=result.to.other, raw=None, sent=None, agreed=Agreed(None, None))


def conflict_is_written_to_one_side_only(state, table, first, moved):
    result = real_merge(state, table, first, moved)
    if not (result.verdict is Verdict.WRITE and result.collision):
        return result
    return FieldResult(result.key, Verdict.AGREE, agreed=Agreed(result.collision.d, result.collision.m))


def empty_side_guard_is_removed(state, table, first, moved):
    """A blank counts as a value that wins, on first contact and against the blank rule."""
    pair = replace(state.bound.pair, blanks_travel=True)
    state = replace(state, bound=replace(state.bound, pair=pair))
    if state.agreed is None:
        state = replace(state, agreed=Agreed("never", "never"))
    return real_merge(state, table, first, moved)


def changed_is_judged_by_version(state, table, first, moved):
    """Whatever moved has changed, also by our own write coming back."""
    if state.agreed is None:
        return real_merge(state, table, first, moved)
    d = "moved" if D in moved else state.agreed.d
    m = "moved" if M in moved else state.agreed.m
    return real_merge(replace(state, agreed=Agreed(d, m)), table, first, moved)


def changed_is_judged_by_one_value_for_both(state, table, first, moved):
    agreed = state.agreed and Agreed(state.agreed.d, state.agreed.d)
    return real_merge(replace(state, agreed=agreed), table, first, moved)


def the_wrong_side_wins(state, table, first, moved):
    return real_merge(state, Table.CONTACT if table is Table.LEAD else Table.LEAD, first, moved)


def direction_is_ignored(state, table, first, moved):
    pair = replace(state.bound.pair, direction="both")
    return real_merge(replace(state, bound=replace(state.bound, pair=pair)), table, first, moved)


def consent_is_ignored(state, table, first, moved):
    pair = replace(state.bound.pair, consent=False)
    return real_merge(replace(state, bound=replace(state.bound, pair=pair)), table, first, moved)


def a_conflict_forgets_what_was_agreed(state, table, first, moved):
    result = real_merge(state, table, first, moved)
    kept = result.collision and replace(result.collision, agreed_d=None, agreed_m=None)
    return replace(result, collision=kept)


def agreed_is_not_stored_after_a_copy(before, result, accepted):
    return result.agreed if result.verdict is Verdict.AGREE else before


def nothing_is_rolled_back_when_a_write_fails(before, result, accepted):
    return result.agreed or before


BUGS = [
    *(
        Engine(merge=bug)
        for bug in (
            one_sided_change_becomes_a_delete,
            new_value_is_deleted_instead_of_copied,
            conflict_is_written_to_one_side_only,
            empty_side_guard_is_removed,
            changed_is_judged_by_version,
            changed_is_judged_by_one_value_for_both,
            the_wrong_side_wins,
            direction_is_ignored,
            consent_is_ignored,
            a_conflict_forgets_what_was_agreed,
        )
    ),
    Engine(settle=agreed_is_not_stored_after_a_copy),
    Engine(settle=nothing_is_rolled_back_when_a_write_fails),
]


def name_of(engine: Engine) -> str:
    return engine.settle.__name__ if engine.merge is real_merge else engine.merge.__name__


def breaks(law, engine: Engine) -> bool:
    try:
        law(engine)
    except (AssertionError, StopIteration):
        return True
    return False


@pytest.mark.parametrize("engine", BUGS, ids=name_of)
def test_a_planted_bug_is_noticed(engine):
    assert any(breaks(law, engine) for law in LAWS)


def test_nothing_else_is_needed_to_plant_a_bug():
    """The two faithful halves alone break no law: what is noticed above is the bug, not the planting."""
    untouched = Engine(merge=lambda *given: real_merge(*given), settle=Engine().settle)
    assert not any(breaks(law, untouched) for law in LAWS)
