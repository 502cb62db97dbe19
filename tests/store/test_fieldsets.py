"""Sets of field pairs are kept by version; a pause belongs to a pair, not to a version."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from syncadmin.engine.fields import Direction, FieldPair, Winner
from syncadmin.engine.records import Table
from syncadmin.store import fieldsets
from syncadmin.store.fieldsets import Pause
from syncadmin.store.models import FieldSet, PausedPair

AT = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)


def pair(dynamics: str, marketo: str, table: Table = Table.LEAD, **rules: object) -> FieldPair:
    return FieldPair(key=f"{table}.{dynamics}:{marketo}", table=table, dynamics=dynamics, marketo=marketo, **rules)


RULED = pair(
    "subject",
    "title",
    direction=Direction.TO_MARKETO,
    winner=Winner.ASK,
    blanks_travel=False,
    shorten=True,
    options={"1": "Hot"},
    consent=True,
    default="{first name} (Marketo)",
)


@pytest.mark.django_db
def test_a_set_comes_back_in_its_order_and_older_ones_stay():
    first = fieldsets.save([pair("lastname", "lastName"), RULED])
    second = fieldsets.save([RULED])

    assert (first, second) == (1, 2)
    assert fieldsets.pairs(1) == [pair("lastname", "lastName"), RULED]
    assert fieldsets.pairs(2) == [RULED]
    assert fieldsets.pairs(0) == []


@pytest.mark.django_db
def test_a_column_is_in_one_pair_of_its_table_only():
    with pytest.raises(IntegrityError), transaction.atomic():
        fieldsets.save([pair("lastname", "lastName"), pair("lastname", "middleName")])
    with pytest.raises(IntegrityError), transaction.atomic():
        fieldsets.save([pair("lastname", "lastName"), pair("fullname", "lastName")])
    both = [pair("lastname", "lastName"), pair("lastname", "lastName", Table.CONTACT)]
    assert fieldsets.pairs(fieldsets.save(both)) == both


@pytest.mark.django_db
def test_pausing_tells_what_began_and_what_is_about_to_end():
    version = fieldsets.save([pair("lastname", "lastName"), RULED])
    gone, retyped = Pause("gone", {"name": "subject"}), Pause("retyped", {"name": "subject"})

    assert fieldsets.pause({RULED.key: gone}, AT) == ([RULED.key], [])
    assert [each.paused for each in fieldsets.pairs(version)] == ["", "gone"]
    # Another reason, the same pause.
    assert fieldsets.pause({RULED.key: retyped}, AT + timedelta(hours=1)) == ([], [])
    assert PausedPair.objects.values_list("code", "since").get() == ("retyped", AT)
    assert fieldsets.pause({}, AT + timedelta(hours=2)) == ([], [RULED.key])
    assert [each.paused for each in fieldsets.pairs(version)] == ["", "healing"]
    # Told once; it goes on when the links are ready.
    assert fieldsets.pause({}, AT + timedelta(hours=3)) == ([], [])
    fieldsets.healed([RULED.key])
    assert [each.paused for each in fieldsets.pairs(version)] == ["", ""]


@pytest.mark.django_db
def test_a_pair_that_breaks_while_it_heals_stays_paused():
    version = fieldsets.save([RULED])
    fieldsets.pause({RULED.key: Pause("gone")}, AT)
    fieldsets.pause({}, AT)
    fieldsets.pause({RULED.key: Pause("gone")}, AT)
    fieldsets.healed([RULED.key])
    assert [each.paused for each in fieldsets.pairs(version)] == ["gone"]


@pytest.mark.django_db
def test_a_pause_goes_with_the_last_set_that_holds_its_pair():
    fieldsets.save([RULED])
    fieldsets.pause({RULED.key: Pause("gone")}, AT)
    version = fieldsets.save([pair("lastname", "lastName")], who="ada", now=AT, source=1)
    fieldsets.forget_pauses(version)
    assert fieldsets.paused() == {}
    assert FieldSet.objects.values_list("version", "saved_by", "saved_at", "source").get() == (2, "ada", AT, 1)
