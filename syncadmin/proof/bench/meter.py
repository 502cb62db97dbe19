"""What a stretch of work cost: seconds, CPU of this process and of its database session, statements, memory."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Cost:
    """Seconds by the wall and of CPU. ``database_cpu`` is None where PostgreSQL runs on another machine."""

    seconds: float = 0.0
    cpu: float = 0.0
    database_cpu: float | None = None
    statements: int = 0
    sql_seconds: float = 0.0

    def told(self) -> dict[str, Any]:
        found = {
            "seconds": round(self.seconds, 3),
            "cpu": round(self.cpu, 3),
            "database_cpu": None if self.database_cpu is None else round(self.database_cpu, 3),
            "statements": self.statements,
            "sql_seconds": round(self.sql_seconds, 3),
        }
        return {name: value for name, value in found.items() if value is not None}


@contextmanager
def measured() -> Iterator[Cost]:
    """The cost of the block, filled in at its end."""
    cost = Cost()

    def count(execute: Callable[..., Any], sql: Any, params: Any, many: Any, context: Any) -> Any:
        begun = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            cost.statements += 1
            cost.sql_seconds += time.perf_counter() - begun

    session = session_pid()
    wall, cpu, theirs = time.perf_counter(), time.process_time(), cpu_of(session)
    with connection.execute_wrapper(count):
        yield cost
    cost.seconds, cost.cpu = time.perf_counter() - wall, time.process_time() - cpu
    after = cpu_of(session)
    if theirs is not None and after is not None:
        cost.database_cpu = after - theirs


def session_pid() -> int:
    """The process that serves this session, by its number on PostgreSQL's machine."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def cpu_of(pid: int) -> float | None:
    """CPU seconds a process has used; None if there is none of that number here."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The name in brackets may hold blanks.
    fields = told.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory_of(pid: int | None = None) -> dict[str, float]:
    """Resident and highest resident memory of a process, in MB."""
    told = Path(f"/proc/{pid or os.getpid()}/status").read_text()
    sizes = dict(line.split(":", 1) for line in told.splitlines() if line.startswith("Vm"))
    return {name: int(sizes[key].split()[0]) / 1024 for name, key in (("rss", "VmRSS"), ("peak", "VmHWM"))}
