from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from syncadmin.engine.fields import Direction, Winner
from syncadmin.engine.merge import Agreed, FieldState, FirstContact, Held, Rule, Verdict, merge_field
from syncadmin.engine.receipts import LineSeen, SentReceipt, Settled, is_ours, left_ours, overtaken, settle
from syncadmin.engine.records import Side, Table
from syncadmin.engine.schema import Kind
from tests.engine.cast import bind, kinds

AT = datetime(2026, 3, 4, 9, tzinfo=UTC)
PATIENCE = timedelta(minutes=15)
RECEIPT = SentReceipt(sent="new", replaced="old", at=AT)
OURS = LineSeen("1", AT, "old", "new", ours=True)


def line(old, new, ours=False):
    return LineSeen("9", AT, old, new, ours)


@pytest.mark.parametrize(
    ("lines", "current", "minutes", "kind", "value"),
    [
        ([OURS], "new", 1, Settled.CONFIRMED, None),
        ([OURS], "third", 1, Settled.CONFIRMED, None),
        ([line("theirs", "new", ours=True)], "new", 1, Settled.OVERTAKEN, "theirs"),
        ([line("old", "theirs"), line("theirs", "new", ours=True)], "new", 1, Settled.OVERTAKEN, "theirs"),
        ([line(None, "new", ours=True)], "new", 1, Settled.OVERTAKEN, None),
        ([], "new", 14, Settled.OPEN, None),
        ([], "new", 15, Settled.STANDS, None),
        ([], "old", 14, Settled.OPEN, None),
        ([], "old", 15, Settled.DROPPED, None),
        ([], "third", 1, Settled.CHANGED, "third"),
        ([line("old", "third")], "third", 1, Settled.CHANGED, "third"),
        ([line("new", "old")], "old", 1, Settled.CHANGED, "old"),
        ([line("before", "old")], "old", 1, Settled.OPEN, None),
        ([line("before", "old")], "old", 20, Settled.DROPPED, None),
    ],
)
def test_the_five_ways(lines, current, minutes, kind, value):
    for order in (lines, lines[::-1], lines * 2):
        found = settle(RECEIPT, order, current, AT + timedelta(minutes=minutes), PATIENCE)
        assert (found.kind, found.value) == (kind, value)
        assert found.stands == (current == "new")


def test_a_person_not_read_yet_keeps_the_receipt_open_unless_our_line_is_there():
    late = AT + timedelta(hours=1)
    assert settle(RECEIPT, [], None, late, PATIENCE, known=False).kind is Settled.OPEN
    assert settle(RECEIPT, [OURS], None, late, PATIENCE, known=False).kind is Settled.CONFIRMED


def test_only_a_line_away_from_our_value_brings_the_old_one_back():
    assert left_ours(RECEIPT, [line("new", "old")])
    assert not left_ours(RECEIPT, [line("before", "old"), OURS])


@dataclass(frozen=True)
class Marks:
    request_id: str = ""
    source: str = "Web service API"
    campaign: str = ""


@pytest.mark.parametrize(
    ("marks", "request_id", "new", "ours"),
    [
        (Marks(request_id="r1"), "r1", "else", True),
        (Marks(request_id="r2"), "r1", "new", False),
        (Marks(), "r1", "new", True),
        (Marks(source="web service api "), "", "new", True),
        (Marks(), "", "else", False),
        (Marks(campaign="77"), "", "new", False),
        (Marks(source="Web form fillout"), "", "new", False),
    ],
)
def test_whose_line_it_is(marks, request_id, new, ours):
    assert is_ours(marks, "new", request_id, new) is ours


def after_overtaking(table, bound=None, lost="theirs", stands=True):
    return overtaken(bound or bind(), RECEIPT, Agreed("new", "new", 2), lost, stands=stands, table=table)


def test_an_overtaken_lead_gets_marketos_value_back_and_the_next_merge_carries_it_over():
    found = after_overtaking(Table.LEAD)
    assert (found.verdict, found.to, found.raw, found.rule) == (Verdict.WRITE, Side.MARKETO, "theirs", Rule.OVERTAKEN)
    assert (found.collision.d, found.collision.m, found.collision.winner) == ("new", "theirs", Side.MARKETO)
    state = FieldState(bind(), found.agreed, "new", "theirs")
    following = merge_field(state, table=Table.LEAD, first=FirstContact.RULE)
    assert (following.verdict, following.to, following.raw) == (Verdict.WRITE, Side.DYNAMICS, "theirs")


def test_where_dynamics_wins_or_our_value_is_gone_only_the_conflict_is_kept():
    for found in (after_overtaking(Table.CONTACT), after_overtaking(Table.LEAD, stands=False)):
        assert found.verdict is Verdict.NOTHING
        assert found.collision.m == "theirs"
    assert after_overtaking(Table.LEAD, bind(direction=Direction.TO_MARKETO)).collision is None
    assert after_overtaking(Table.LEAD, bind(winner=Winner.ASK)).verdict is Verdict.HELD
    assert after_overtaking(Table.LEAD, bind(blanks_travel=False), None).collision.winner is Side.DYNAMICS


def test_a_text_unknown_to_dynamics_goes_back_letter_for_letter():
    assert after_overtaking(Table.LEAD, kinds(Kind.CHOICE), "Billboard").raw == "Billboard"


@pytest.mark.parametrize("table", [Table.LEAD, Table.CONTACT])
def test_what_a_late_call_replaced_comes_back_whoever_wins(table):
    bound = bind(direction=Direction.TO_MARKETO)
    agreed = Agreed("newer", "newer", 2)
    result = overtaken(bound, RECEIPT, agreed, "theirs", stands=True, table=table, late=True)

    assert (result.verdict, result.to, result.sent) == (Verdict.WRITE, Side.MARKETO, "theirs")
    assert (result.agreed, result.collision) == (agreed, None)
    assert overtaken(bound, RECEIPT, agreed, "theirs", stands=False, table=table, late=True).verdict is Verdict.NOTHING


def test_the_value_of_a_late_call_is_nobodys_edit_until_its_line_has_come():
    bound = bind()
    state = FieldState(bound=bound, agreed=Agreed("newer", "newer", 2), d="newer", m="new", late=("new",))

    held = merge_field(state, table=Table.LEAD, first=FirstContact.RULE)
    assert (held.verdict, held.held) == (Verdict.NOTHING, Held.RECEIPT)

    written = merge_field(replace(state, d="newest"), table=Table.LEAD, first=FirstContact.RULE)
    assert (written.to, written.sent, written.replaced) == (Side.MARKETO, "newest", "new")
    assert written.collision is None

    edited = merge_field(replace(state, m="theirs"), table=Table.LEAD, first=FirstContact.RULE)
    assert (edited.to, edited.sent) == (Side.DYNAMICS, "theirs")
