from __future__ import annotations

import logging

import pytest
from django.db import connection

from syncadmin.proof.world import prepare
from syncadmin.services import rulebook


@pytest.fixture
def emptied(transactional_db, caplog):
    """What a simulation leaves behind is nobody else's."""
    caplog.set_level(logging.CRITICAL)
    # Rules are kept by the number of their field set, and an emptied database counts from one again.
    rulebook._assemble.cache_clear()
    prepare()
    yield
    with connection.cursor() as cursor:
        names = [name for name in connection.introspection.table_names(cursor) if name.startswith("store_")]
        cursor.execute(f"TRUNCATE {', '.join(names)} RESTART IDENTITY CASCADE")
