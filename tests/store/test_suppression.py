"""Erased people are known by hashes only."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from syncadmin.engine.records import Side
from syncadmin.store import suppression
from syncadmin.store.models import Suppression

AT = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)


@pytest.mark.django_db
def test_only_what_was_added_is_found():
    suppression.add([(Side.MARKETO, "40217"), (suppression.EMAIL, "ada@example.com"), (Side.DYNAMICS, "")], AT)
    suppression.add([(Side.MARKETO, "40217")], AT)

    asked = [(Side.MARKETO, "40217"), (Side.DYNAMICS, "40217"), (suppression.EMAIL, "bob@example.com")]
    assert suppression.among(asked) == {(Side.MARKETO, "40217")}
    assert suppression.among([(suppression.EMAIL, "Ada@Example.com")]) == {(suppression.EMAIL, "Ada@Example.com")}
    assert Suppression.objects.count() == 2
    assert not Suppression.objects.filter(key__contains="ada").exists()
