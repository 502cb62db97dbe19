"""What a glance settles is what the merge would say; everything else is left to it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from syncadmin.engine.fields import Unconvertible, comparable
from syncadmin.engine.glance import glances, look
from syncadmin.engine.merge import Agreed, FieldState, FirstContact, Verdict, merge_field
from syncadmin.engine.readers import reader
from syncadmin.engine.records import Side, Table
from syncadmin.engine.schema import Kind
from tests.engine.cast import SOURCES, bind, column, kinds
from tests.engine.cast import field as person_field
from tests.properties.laws import ANYTHING, DYNAMICS_KINDS, MARKETO_KINDS, SETTINGS

KEY = "lead.jobtitle:title"


def glance(agreed=None, d="Buyer", m="Buyer", special=(), **rules):
    """The keys left to the merge, and what was agreed on."""
    left, met = look(glances([bind(**rules)]), {"jobtitle": d}, {"title": m}, agreed or {}, special)
    return [bound.pair.key for bound in left], met


def test_equal_first_values_are_agreed_on():
    assert glance(d=" Buyer ") == ([], {KEY: ["Buyer", "Buyer", 1]})


def test_what_was_agreed_and_still_stands_is_nothing():
    assert glance({KEY: ["Buyer", "Buyer", 4]}) == ([], {})


def test_differences_changes_and_lossy_agreements_are_left():
    assert glance(m="Boss") == ([KEY], {})
    assert glance({KEY: ["Chef", "Chef", 1]}) == ([KEY], {})
    assert glance({KEY: ["Buyer", "Buy", 1]}) == ([KEY], {})


def test_a_field_with_more_to_it_is_left():
    assert glance(special={KEY}) == ([KEY], {})
    assert glance(paused="gone") == ([KEY], {})


def test_an_unknown_value_is_left():
    assert look(glances([bind()]), {}, {"title": None}, {}, ())[0] == [bind()]
    assert look(glances([bind()]), {"jobtitle": None}, {}, {}, ())[0] == [bind()]


def test_a_value_that_nobody_can_read_is_left():
    (pair,) = glances([kinds(Kind.DATE, Kind.DATE)])
    assert pair.equal(None, 5, 5) is None


def test_one_and_true_are_told_apart_however_often_they_come():
    read = reader(kinds(Kind.INTEGER, Kind.INTEGER), Side.DYNAMICS)
    assert [read(1), read("1.0"), read(1)] == ["1", "1", "1"]
    for _ in range(2):
        try:
            raise AssertionError(read(True))
        except Unconvertible:
            continue


def test_the_glance_says_what_the_merge_says():
    seen: Counter[str] = Counter()

    @settings(SETTINGS, max_examples=1500)
    @given(DYNAMICS_KINDS, MARKETO_KINDS, ANYTHING, ANYTHING, st.booleans(), st.booleans(), st.booleans())
    def law(here, there, d, other, equal, known, first):
        options = SOURCES if here in (Kind.CHOICE, Kind.MULTICHOICE, Kind.STATE, Kind.STATUS) else ()
        bound = bind(column("c", here, options=options), person_field("f", there))
        m = d if equal else other
        agreed = None
        if known:
            try:
                agreed = Agreed(comparable(bound, Side.DYNAMICS, d), comparable(bound, Side.MARKETO, m), 3)
            except Unconvertible:
                return
        (pair,) = glances([bound])
        found = pair.equal([agreed.d, agreed.m, agreed.n] if agreed else None, d, m)
        seen["settled" if found else "left"] += 1
        if found is None:
            return
        state = FieldState(bound, agreed, d, m)
        result = merge_field(state, table=Table.LEAD, first=FirstContact.BLANKS if first else FirstContact.RULE)
        assert result.held is None
        if agreed is None:
            assert (result.verdict, result.agreed) == (Verdict.AGREE, Agreed(*found, 1))
        else:
            assert result == replace(result, verdict=Verdict.NOTHING, agreed=None)

    law()
    assert min(seen["settled"], seen["left"]) > 200
