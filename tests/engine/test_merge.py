from __future__ import annotations

import pytest

from syncadmin.engine.causes import Cause
from syncadmin.engine.fields import Direction, Winner
from syncadmin.engine.merge import (
    Agreed,
    FieldState,
    FirstContact,
    Held,
    OpenReceipt,
    Rule,
    Verdict,
    merge_field,
    merge_link,
)
from syncadmin.engine.records import Side, Table
from syncadmin.engine.schema import Kind, Required
from tests.engine.cast import bind, column, field, kinds

D, M = Side.DYNAMICS, Side.MARKETO
TEXT = bind()
A = Agreed("a", "a", 3)
FLAG = kinds(Kind.BOOLEAN, Kind.BOOLEAN)
CONSENT = kinds(Kind.BOOLEAN, Kind.BOOLEAN, consent=True)


def merged(d, m, agreed=A, bound=TEXT, table=Table.LEAD, first=FirstContact.RULE, **state):
    return merge_field(FieldState(bound, agreed, d, m, **state), table=table, first=first)


def seen(result):
    return result.verdict, result.to, result.raw, result.rule, result.held


def test_neither_changed_is_nothing():
    assert seen(merged(" a ", "a")) == (Verdict.NOTHING, None, None, None, None)


@pytest.mark.parametrize(
    ("d", "m", "to", "raw"), [("b", "a", M, "b"), ("a", "b", D, "b"), (None, "a", M, None), ("a", "", D, None)]
)
@pytest.mark.parametrize("table", [Table.LEAD, Table.CONTACT])
def test_a_one_sided_change_travels_whatever_the_table(d, m, to, raw, table):
    result = merged(d, m, table=table)
    assert seen(result) == (Verdict.WRITE, to, raw, Rule.ONE_SIDED, None)
    assert (result.replaced, result.source, result.sent) == ("a", raw, raw)
    assert result.agreed == Agreed(raw, raw, 4)
    assert result.collision is None


def test_both_changed_to_equal_values_is_agreed_without_a_conflict():
    result = merged("b", " b")
    assert (result.verdict, result.agreed, result.collision) == (Verdict.AGREE, Agreed("b", "b", 4), None)


@pytest.mark.parametrize(
    ("table", "rule", "winner", "to", "raw", "why"),
    [
        (Table.LEAD, Winner.TABLE, M, D, "c", Rule.COLLISION_LEAD),
        (Table.CONTACT, Winner.TABLE, D, M, "b", Rule.COLLISION_CONTACT),
        (Table.LEAD, Winner.DYNAMICS, D, M, "b", Rule.COLLISION_FIELD),
        (Table.CONTACT, Winner.MARKETO, M, D, "c", Rule.COLLISION_FIELD),
    ],
)
def test_a_collision_goes_by_table_unless_the_pair_says_otherwise(table, rule, winner, to, raw, why):
    result = merged("b", "c", bound=bind(winner=rule), table=table)
    assert seen(result) == (Verdict.WRITE, to, raw, why, None)
    found = result.collision
    assert (found.agreed_d, found.agreed_m, found.d, found.m, found.winner, found.rule) == (
        "a",
        "a",
        "b",
        "c",
        winner,
        why,
    )


def test_ask_holds_the_field_until_someone_chooses():
    bound = bind(winner=Winner.ASK)
    result = merged("b", "c", bound=bound)
    assert (result.verdict, result.held, result.agreed, result.collision.winner) == (Verdict.HELD, Held.ASK, None, None)
    assert seen(merged("b", "c", bound=bound, choice=D, hold="ask")) == (Verdict.WRITE, M, "b", Rule.CHOSEN, None)
    assert merged("c", "c", bound=bound, hold="ask").verdict is Verdict.AGREE


def test_a_blank_that_may_not_travel_is_held_and_loses_a_collision():
    bound = bind(blanks_travel=False)
    assert seen(merged(None, "a", bound=bound)) == (Verdict.HELD, None, None, None, Held.BLANK)
    result = merged(None, "c", bound=bound, table=Table.CONTACT)
    assert seen(result) == (Verdict.WRITE, D, "c", Rule.BLANK, None)
    assert result.collision.winner is M


def test_a_one_way_pair_keeps_the_target_and_replaces_it_when_the_source_changes():
    bound = bind(direction=Direction.TO_MARKETO)
    assert seen(merged("a", "z", bound=bound)) == (Verdict.HELD, None, None, None, Held.DIRECTION)
    result = merged("b", "z", bound=bound)
    assert seen(result) == (Verdict.WRITE, M, "b", Rule.ONE_WAY, None)
    assert (result.replaced, result.collision) == ("z", None)


@pytest.mark.parametrize(
    ("bound", "d", "m", "table", "first", "expected"),
    [
        (TEXT, None, "", Table.LEAD, FirstContact.RULE, (Verdict.AGREE, None, None, None, None)),
        (TEXT, "x", " x", Table.LEAD, FirstContact.RULE, (Verdict.AGREE, None, None, None, None)),
        (TEXT, "x", None, Table.LEAD, FirstContact.BLANKS, (Verdict.WRITE, M, "x", Rule.FIRST_FILL, None)),
        (TEXT, None, "y", Table.CONTACT, FirstContact.DYNAMICS, (Verdict.WRITE, D, "y", Rule.FIRST_FILL, None)),
        (TEXT, "x", "y", Table.LEAD, FirstContact.RULE, (Verdict.WRITE, D, "y", Rule.FIRST_RULE, None)),
        (TEXT, "x", "y", Table.CONTACT, FirstContact.RULE, (Verdict.WRITE, M, "x", Rule.FIRST_RULE, None)),
        (TEXT, "x", "y", Table.LEAD, FirstContact.DYNAMICS, (Verdict.WRITE, M, "x", Rule.FIRST_DYNAMICS, None)),
        (
            TEXT,
            "x",
            "y",
            Table.LEAD,
            FirstContact.BLANKS,
            (Verdict.AGREE, None, None, Rule.FIRST_BLANKS, Held.FIRST_BLANKS),
        ),
        (
            bind(winner=Winner.ASK),
            "x",
            "y",
            Table.LEAD,
            FirstContact.RULE,
            (Verdict.HELD, None, None, Rule.FIRST_RULE, Held.ASK),
        ),
        (FLAG, None, False, Table.LEAD, FirstContact.RULE, (Verdict.AGREE, None, None, None, None)),
        (FLAG, True, False, Table.LEAD, FirstContact.RULE, (Verdict.WRITE, M, True, Rule.FIRST_FILL, None)),
        (FLAG, None, True, Table.CONTACT, FirstContact.RULE, (Verdict.WRITE, D, True, Rule.FIRST_FILL, None)),
        (FLAG, False, True, Table.CONTACT, FirstContact.RULE, (Verdict.WRITE, M, False, Rule.FIRST_RULE, None)),
        (CONSENT, False, True, Table.CONTACT, FirstContact.DYNAMICS, (Verdict.WRITE, D, True, Rule.CONSENT, None)),
        (CONSENT, True, False, Table.LEAD, FirstContact.BLANKS, (Verdict.WRITE, M, True, Rule.CONSENT, None)),
        (
            bind(direction=Direction.TO_MARKETO),
            "x",
            "y",
            Table.LEAD,
            FirstContact.RULE,
            (Verdict.WRITE, M, "x", Rule.ONE_WAY, None),
        ),
        (
            bind(direction=Direction.TO_MARKETO),
            None,
            "y",
            Table.LEAD,
            FirstContact.RULE,
            (Verdict.HELD, None, None, None, Held.DIRECTION),
        ),
        (
            kinds(Kind.BOOLEAN, Kind.BOOLEAN, consent=True, direction=Direction.TO_MARKETO),
            False,
            True,
            Table.LEAD,
            FirstContact.RULE,
            (Verdict.HELD, None, None, None, Held.DIRECTION),
        ),
    ],
)
def test_first_contact(bound, d, m, table, first, expected):
    assert seen(merged(d, m, None, bound, table, first)) == expected


def test_only_blanks_filled_leaves_both_values_and_later_edits_travel():
    met = merged("x", "y", None, first=FirstContact.BLANKS)
    assert met.agreed == Agreed("x", "y", 1)
    assert seen(merged("x", "y", met.agreed)) == (Verdict.NOTHING, None, None, None, Held.FIRST_BLANKS)
    assert seen(merged("x", "z", met.agreed, table=Table.CONTACT)) == (Verdict.WRITE, D, "z", Rule.ONE_SIDED, None)


def test_an_open_receipt_hides_the_value_it_replaced_unless_a_line_shows_it():
    sent = Agreed("b", "b")
    quiet = OpenReceipt(replaced="a", sent="b")
    assert seen(merged("b", "a", sent, receipt=quiet)) == (Verdict.NOTHING, None, None, None, Held.RECEIPT)
    assert seen(merged("c", "a", sent, receipt=quiet)) == (Verdict.WRITE, M, "c", Rule.ONE_SIDED, None)
    assert merged("c", "a", sent, receipt=quiet).replaced == "b"
    assert seen(merged("b", "a", sent, receipt=OpenReceipt("a", "b", line=True)))[:3] == (Verdict.WRITE, D, "a")
    assert seen(merged("b", "z", sent, receipt=quiet))[:3] == (Verdict.WRITE, D, "z")


def test_an_edit_in_dynamics_is_not_undone_by_a_receipt_that_a_later_write_outlived():
    """Emptied in Marketo by a later write of ours, already confirmed: the older receipt's value stands nowhere."""
    older = OpenReceipt(replaced=None, sent="b")
    result = merged("c", None, Agreed(None, None), receipt=older)
    assert seen(result) == (Verdict.WRITE, M, "c", Rule.ONE_SIDED, None)
    assert merged(None, None, Agreed(None, None), receipt=older).verdict is Verdict.NOTHING


def test_a_refused_value_is_not_sent_again_until_it_changes():
    assert seen(merged("b", "a", blocked={M: "b"})) == (Verdict.HELD, M, None, None, Held.FAILURE)
    assert merged("c", "a", blocked={M: "b"}).verdict is Verdict.WRITE
    assert merged("a", "b", blocked={M: "b"}).verdict is Verdict.WRITE
    assert merged("b", None, Agreed("b", "b"), blocked={D: None}).held is Held.FAILURE


@pytest.mark.parametrize(
    ("bound", "d", "m", "to", "code"),
    [
        (kinds(Kind.CHOICE), 1, "Billboard", D, Cause.UNKNOWN_OPTION),
        (kinds(Kind.CHOICE), 9, "Web", M, Cause.UNKNOWN_OPTION),
        (kinds(Kind.CHOICE), True, "Web", M, Cause.WRONG_TYPE),
        (kinds(Kind.TEXT), "web", {"id": "1"}, D, Cause.WRONG_TYPE),
        (bind(column(required=Required.APPLICATION)), "web", None, D, Cause.REQUIRED_EMPTY),
    ],
)
def test_a_value_that_cannot_travel_fails_and_leaves_agreed_alone(bound, d, m, to, code):
    result = merged(d, m, Agreed("web", "web"), bound)
    assert (result.verdict, result.to, result.problem.code, result.agreed) == (Verdict.FAILED, to, code, None)


def test_a_bad_value_on_the_losing_side_is_simply_replaced():
    assert seen(merged(2, "Billboard", Agreed("web", "web"), kinds(Kind.CHOICE), Table.CONTACT))[:3] == (
        Verdict.WRITE,
        M,
        "Trade Show",
    )


def test_holds_stop_writes_only():
    assert merged("b", "a", hold="company").held is Held.COMPANY
    assert merged("b", "b", hold="company").held is Held.COMPANY
    assert merged("b", "a", hold="two_automations").held is Held.TWO_AUTOMATIONS
    assert merged("a", "a", hold="two_automations").verdict is Verdict.NOTHING
    assert merged("b", "b", hold="two_automations").verdict is Verdict.AGREE
    assert merged("b", "a", bound=bind(paused="column_missing")).held is Held.PAUSED
    with pytest.raises(ValueError, match="sideways"):
        merged("b", "a", hold="sideways")


@pytest.mark.parametrize("absent", ["d_known", "m_known"])
def test_an_absent_column_is_left_alone(absent):
    assert merged("b", None, **{absent: False}).verdict is Verdict.NOTHING


def test_a_choice_respects_the_direction():
    assert seen(merged("b", "c", choice=M)) == (Verdict.WRITE, D, "c", Rule.CHOSEN, None)
    assert merged("b", "c", bound=bind(direction=Direction.TO_MARKETO), choice=M).held is Held.DIRECTION


def test_a_shortened_value_neither_ping_pongs_nor_loses():
    bound = bind(column(max_length=9), field(max_length=3), shorten=True)
    first = merged("abcdef", "abc", Agreed("abc", "abc"), bound)
    assert (first.verdict, first.agreed) == (Verdict.AGREE, Agreed("abcdef", "abc", 2))
    assert merged("abcdef", "abc", first.agreed, bound).verdict is Verdict.NOTHING
    assert seen(merged("abcdef", "xyz", first.agreed, bound))[:3] == (Verdict.WRITE, D, "xyz")


def test_of_two_pairs_that_would_write_one_column_the_later_waits():
    topic = bind(there=field("topic"))
    states = [FieldState(TEXT, A, "a", "b"), FieldState(topic, A, "a", "c")]
    results = merge_link(states, table=Table.LEAD, first=FirstContact.RULE)
    assert [(r.verdict, r.held) for r in results] == [(Verdict.WRITE, None), (Verdict.HELD, Held.SHARED_COLUMN)]


def test_different_fields_changed_on_both_sides_both_survive():
    other = bind(column("fax"), field("fax"))
    states = [FieldState(TEXT, A, "b", "a"), FieldState(other, A, "a", "c")]
    results = merge_link(states, table=Table.CONTACT, first=FirstContact.RULE)
    assert [(r.to, r.raw) for r in results] == [(M, "b"), (D, "c")]


def test_an_address_travels_as_typed_and_its_case_is_no_change():
    mail = kinds(Kind.EMAIL, Kind.EMAIL)
    result = merged("Ida@X.example ", None, None, mail)
    assert (result.raw, result.sent) == ("Ida@X.example", "ida@x.example")
    assert merged("IDA@x.example", "Ida@X.example", result.agreed, mail).verdict is Verdict.NOTHING


def test_a_problem_names_the_value_as_typed():
    result = merged(1, " Billboard", Agreed("web", "web"), kinds(Kind.CHOICE))
    assert result.problem.detail == "Billboard"
