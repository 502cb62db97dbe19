"""A worker as a process of its own: does all there is to do, and tells in MB what memory that took.

`python -m syncadmin.proof.bench.worker DATABASE [--limits]`, in the environment of the bench that asks.
"""

from __future__ import annotations

import json
import os
import sys

import django


def main(database: str, *, limits: bool) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "syncadmin.settings")
    django.setup()
    from django.db import connection

    from syncadmin.collector import spare_batches
    from syncadmin.proof.bench.meter import memory_of
    from syncadmin.proof.bench.options import Options
    from syncadmin.proof.bench.stage import Stage

    connection.settings_dict["NAME"] = database
    spare_batches()
    before = memory_of()["rss"]
    worker = Stage(Options(limits=limits))
    worker.go_outside()
    worker.settle()
    found = {"rss": before, "peak": memory_of()["peak"]}
    sys.stdout.write(json.dumps({name: round(value, 1) for name, value in found.items()}))


if __name__ == "__main__":
    main(sys.argv[1], limits="--limits" in sys.argv[2:])
