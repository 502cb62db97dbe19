"""Memory of a worker, and bytes on disk: for each line of history, for each person."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

from django.db import connection

from syncadmin.embedded.process import dies_with_us
from syncadmin.proof.bench.changes import edit, in_step
from syncadmin.proof.bench.options import NotMeasured, Options, Result
from syncadmin.proof.bench.stage import Stage, stage
from syncadmin.store.models import Activity

_TABLES = ("store_dynamicsrecord", "store_marketoperson", "store_link", "store_activity", "store_receipt")


def memory(wanted: Options) -> Result:
    """The most memory a worker took for the first sync and then for changes of everybody, in MB, and what it had taken
    ``before`` the first person.

    Each is a process started anew: what this one keeps of everybody is no worker's.
    """
    if wanted.canned:
        raise NotMeasured("this case needs systems that several processes can ask: leave --canned away")
    with stage(wanted) as found:
        first = _worker(found)
        in_step(found)
        edit(found, wanted.people, 0)
        later = _worker(found)
        told: Result = {"people": wanted.people, "before": first["rss"], "peak": max(first["peak"], later["peak"])}
        return {**told, "bytes": bytes_of_tables(), "bytes_a_line": bytes_a_line()}


def _worker(found: Stage) -> dict[str, float]:
    """Lets a worker do all there is to do; its memory in MB."""
    name = str(connection.settings_dict["NAME"])
    command = [*dies_with_us(signal.SIGTERM), sys.executable, "-m", "syncadmin.proof.bench.worker", name]
    # Only its last words are read; what it complains of is seen.
    told = subprocess.run(  # noqa: S603
        [*command, *(["--limits"] if found.wanted.limits else [])], stdout=subprocess.PIPE, check=False
    )
    if told.returncode:
        raise NotMeasured("the worker failed")
    memory: dict[str, float] = json.loads(told.stdout)
    return memory


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
