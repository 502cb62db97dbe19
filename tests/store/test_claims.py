"""A claim takes as many writes as there is room for, however PostgreSQL plans it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection

from syncadmin.engine.records import Side
from syncadmin.store import work
from syncadmin.store.models import PendingWrite

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
# What is left is asking for the free ones again for each row of the table, as is planned for an empty one.
OTHER_WAYS = ("hashagg", "hashjoin", "mergejoin", "material", "sort", "indexscan", "bitmapscan")


@pytest.mark.django_db
def test_it_takes_no_more_than_it_was_asked_for() -> None:
    PendingWrite.objects.bulk_create(
        PendingWrite(side="marketo", op="log", table="person", target=str(number), decided_at=NOW)
        for number in range(6)
    )  # fmt: skip
    with connection.cursor() as cursor:
        for name in OTHER_WAYS:
            cursor.execute(f"SET LOCAL enable_{name} = off")
    taken = work.claim_writes(Side.MARKETO, "log", worker="one", now=NOW, limit=2)
    assert [write.target for write in taken] == ["0", "1"]
    sent = work.claim_writes(Side.MARKETO, "log", worker="two", now=NOW, limit=3, send=True)
    # The first worker holds no lease, so what it took is free.
    assert [write.target for write in sent] == ["0", "1", "2"]
    lost = work.lost_writes(Side.MARKETO, "log", now=NOW, sent_before=NOW, worker="three", limit=2)
    assert [write.target for write in lost] == ["0", "1"]
