"""Where and on what the figures were measured; without it they say nothing."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from django.db import connection


def machine() -> dict[str, Any]:
    """Processors, memory, versions, and how busy the machine was with other things before."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        server = str(cursor.fetchone()[0])
    return {
        "processors": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "model": _model(),
        "python": platform.python_version(),
        "postgresql": server,
        "load_before": round(os.getloadavg()[0], 2),
    }


def _model() -> str:
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
