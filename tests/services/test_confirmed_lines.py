"""A receipt is settled with the line that confirms it; all others wait for everything that is told."""

from __future__ import annotations

import pytest

from syncadmin.connectors.contract import Line
from syncadmin.services import own_lines, rulebook
from syncadmin.store.models import PendingWrite, Receipt
from tests.services.test_receipts import PAIR, linked

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def noted():
    """Notes a line of our write Mate to Captain on its receipt; how many were settled, and how the receipt stands."""
    world, guid, person = linked()
    link, sent = world.link_of(guid).pk, world.clock()
    facts = {"link_id": link, "person": int(person), "key": f"lead.{PAIR}", "field": "title", "rule": "one_sided"}
    row = Receipt.objects.create(**facts, replaced="Mate", sent="Captain", request_id="ours#1", at=sent)

    def note(*, old="Mate", request="ours#1", last=False, state=""):
        if state:
            facts = {"link_id": link, "side": "marketo", "op": "update", "table": "person", "target": person}
            PendingWrite.objects.create(**facts, state=state, decided_at=sent)
        line = Line("g1", person, sent, "title", old, "Captain", source="Web service API", request_id=request)
        told = own_lines.note(rulebook.load(), [line], sent, last=last)
        row.refresh_from_db()
        assert [known[4] for known in row.lines] == [True]
        assert (row.settled_at is not None) is (row.how != "")
        return told, row.how

    return note


def test_a_line_of_our_call_settles_its_receipt(noted):
    assert noted() == (1, "a")


def test_a_line_that_replaced_somebodys_value_waits_for_the_rule(noted):
    assert noted(old="Admiral", last=True) == (0, "")


def test_a_line_known_by_its_value_alone_waits_for_the_last_page(noted):
    assert noted(request="") == (0, "")


def test_on_the_last_page_no_other_line_can_fit_better(noted):
    assert noted(request="", last=True) == (1, "a")


def test_a_write_whose_answer_is_out_is_not_settled(noted):
    assert noted(state="sent") == (0, "")


def test_one_that_waits_for_its_turn_holds_back_nothing(noted):
    assert noted(state="waiting") == (1, "a")
