"""No statement of a sync reads a table of people from end to end: what a run costs follows from what changed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from syncadmin.proof.bench import changes
from syncadmin.proof.bench.options import Options
from syncadmin.proof.bench.stage import stage
from syncadmin.services import rulebook

# More than a hundred addresses of a list go by the index only if the statement says itself that none is empty.
PEOPLE = 400
BIG = "activity|dynamicsrecord|link|listedperson|listedword|marketoperson|receipt"
_WRITTEN = re.compile(r"'[^']*'|\d+")


class Plans:
    """Asks PostgreSQL once for the plan of each statement, with the values it is executed with."""

    def __init__(self) -> None:
        self.known: set[str] = set()
        self.scans: list[str] = []

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        kind = _WRITTEN.sub("", str(sql))
        if kind not in self.known and str(sql).split(None, 1)[0].upper() in ("SELECT", "WITH", "UPDATE", "DELETE"):
            self.known.add(kind)
            with transaction.atomic():
                execute("SET LOCAL enable_seqscan = off", None, False, context)
                execute(f"EXPLAIN {sql}", params, False, context)
                plan = "\n".join(row[0] for row in context["cursor"].fetchall())
                execute("SET LOCAL enable_seqscan = on", None, False, context)
            self.scans += [f"{table}: {sql}" for table in re.findall(rf"Seq Scan on store_({BIG})\b", plan)]
        return execute(sql, params, many, context)


@pytest.fixture
def emptied(transactional_db: None) -> Any:
    rulebook._assemble.cache_clear()
    yield
    rulebook._assemble.cache_clear()


def test_no_statement_of_a_sync_reads_a_table_of_people_from_end_to_end(emptied: None) -> None:
    plans = Plans()
    wanted = Options(people=PEOPLE, canned=True, tell=lambda text: None)
    with stage(wanted) as found, connection.execute_wrapper(plans):
        changes.in_step(found)
        changes.edit(found, PEOPLE, 1)
        changes.in_step(found)
    assert len(plans.known) > 80
    assert plans.scans == []
