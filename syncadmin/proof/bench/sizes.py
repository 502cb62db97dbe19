"""Memory of a worker, and bytes on disk: for each line of history, for each person."""

from __future__ import annotations

from django.db import connection

from syncadmin.proof.bench.changes import edit, in_step
from syncadmin.proof.bench.meter import memory_of
from syncadmin.proof.bench.options import NotMeasured, Options, Result
from syncadmin.proof.bench.stage import stage
from syncadmin.store.models import Activity

_TABLES = ("store_dynamicsrecord", "store_marketoperson", "store_link", "store_activity", "store_receipt")


def memory(wanted: Options) -> Result:
    """The most memory a worker took for the first sync and then for changes of everybody, in MB."""
    if wanted.canned:
        raise NotMeasured("rendered pages are memory too: leave --canned away")
    with stage(wanted) as found:
        begun = memory_of()["rss"]
        in_step(found)
        edit(found, wanted.people, 0)
        found.settle()
        sizes = memory_of()
        told = {"people": wanted.people, "before": round(begun, 1), "peak": round(sizes["peak"], 1)}
        return {**told, "bytes": bytes_of_tables(), "bytes_a_line": bytes_a_line()}


def bytes_a_line() -> int:
    """What a line of history takes on disk, its indexes included."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size('store_activity')")
        size = int(cursor.fetchone()[0])
    return round(size / max(1, Activity.objects.count()))


def bytes_of_tables() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, pg_total_relation_size(name) FROM unnest(%s::text[]) AS name", [list(_TABLES)])
        return dict(cursor.fetchall())
