"""pytest plugin (`-p tests.quick_flush`): empties the database between tests without the fifth of a second a flush takes.

Django truncates every table and makes content types, permissions and groups anew. Most tests leave a few rows in a few
tables: those are deleted, big ones truncated, and what a migration makes is left where it is.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

# Made by migrating, the same for every test.
KEPT = ("django_migrations", "django_content_type", "auth_permission", "auth_group", "auth_group_permissions")
# Deleted rows stay in a table's file; from this size (bytes) on a new file is cheaper than reading past them.
_BIG = 1_000_000
# Last: deleting people writes into it.
_TOLD = "store_touched"
_USED = """
    SELECT c.relname, pg_relation_size(c.oid) > %s FROM pg_class c
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND pg_relation_size(c.oid) > 0
      AND NOT c.relname = ANY(%s)
"""


def empty() -> None:
    """Deletes what tests wrote; foreign keys are looked at when all of it is gone."""
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_USED, [_BIG, list(KEPT)])
        used = sorted(cursor.fetchall(), key=lambda row: row[0] == _TOLD)
        if big := [f'"{name}"' for name, is_big in used if is_big]:
            cursor.execute(f"TRUNCATE {', '.join(big)} CASCADE")
        if small := [f'DELETE FROM "{name}"' for name, is_big in used if not is_big]:
            cursor.execute(";".join(small))


@pytest.fixture(scope="session", autouse=True)
def _quick_flush() -> Iterator[None]:
    from django.test import TransactionTestCase

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda self: empty())
        yield
