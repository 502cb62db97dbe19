"""Metadata goes into the database and comes back the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from syncadmin.engine.records import Side, Table
from syncadmin.engine.schema import Column, DateBehaviour, Kind, Option, Required, Schema
from syncadmin.store import schemas
from syncadmin.store.models import TableSchema

AT = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)

FULL = Column(
    Side.DYNAMICS,
    Table.LEAD,
    "revenue",
    "Revenue 價",
    Kind.MONEY,
    required=Required.APPLICATION,
    max_length=10,
    minimum=Decimal("0.00"),
    maximum=Decimal("100000000000.00"),
    precision=2,
    options=(Option(1, "Hot"), Option(2, "Cold")),
    behaviour=DateBehaviour.ZONE_INDEPENDENT,
    targets=("account", "contact"),
    computed=True,
)
PLAIN = Column(Side.DYNAMICS, Table.LEAD, "subject", "Topic", Kind.TEXT)


def schema(*columns: Column) -> Schema:
    return Schema(Table.LEAD, {column.name: column for column in columns})


@pytest.mark.django_db
def test_every_attribute_comes_back():
    assert schemas.load(Table.LEAD) is None

    assert schemas.save(schema(FULL, PLAIN), AT) is True
    assert schemas.load(Table.LEAD) == schema(FULL, PLAIN)
    assert schemas.load(Table.CONTACT) is None


@pytest.mark.django_db
def test_saving_says_whether_something_changed():
    schemas.save(schema(FULL, PLAIN), AT)

    assert schemas.save(schema(PLAIN, FULL), AT + timedelta(hours=1)) is False
    assert schemas.read_at(Table.LEAD) == AT + timedelta(hours=1)
    assert schemas.save(schema(FULL), AT + timedelta(hours=2)) is True
    assert schemas.load(Table.LEAD) == schema(FULL)


@pytest.mark.django_db
def test_what_a_later_version_stored_is_left_out():
    schemas.save(schema(PLAIN), AT)
    row = TableSchema.objects.get()
    row.columns[0]["colour"] = "red"
    row.save()

    assert schemas.load(Table.LEAD) == schema(PLAIN)
