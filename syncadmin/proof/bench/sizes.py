"""Memory of a worker, and bytes on disk: for each line of history, for each person."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection as Pipe

from django.db import connection, connections

from syncadmin.proof.bench.changes import edit, in_step
from syncadmin.proof.bench.meter import memory_of
from syncadmin.proof.bench.options import NotMeasured, Options, Result
from syncadmin.proof.bench.stage import stage
from syncadmin.store.models import Activity

_TABLES = ("store_dynamicsrecord", "store_marketoperson", "store_link", "store_activity", "store_receipt")


def memory(wanted: Options) -> Result:
    """The most memory a worker took for the first sync and then for changes of everybody, in MB.

    Each is a process of its own, and so is whoever edits: what the bench itself keeps of everybody is no worker's.
    """
    if wanted.canned:
        raise NotMeasured("this case needs systems that several processes can ask: leave --canned away")
    with stage(wanted) as found:
        begun = memory_of()["rss"]
        first = _peak_of(lambda: in_step(found))
        _peak_of(lambda: edit(found, wanted.people, 0))
        later = _peak_of(found.settle)
        told: Result = {"people": wanted.people, "before": round(begun, 1), "peak": round(max(first, later), 1)}
        return {**told, "bytes": bytes_of_tables(), "bytes_a_line": bytes_a_line()}


def _peak_of(work: Callable[[], object]) -> float:
    """The most memory that a process of its own took for this, in MB."""
    # A session belongs to one process.
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe(duplex=False)
    child = fork.Process(target=_tell_peak, args=(work, there))
    child.start()
    there.close()
    child.join()
    if child.exitcode:
        raise NotMeasured("the worker failed")
    return float(here.recv())


def _tell_peak(work: Callable[[], object], told: Pipe) -> None:
    work()
    told.send(memory_of()["peak"])
    connections.close_all()


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
