"""How much of the machine the embedded PostgreSQL takes. It shares it with the worker, the sandboxes and whatever else runs.

Its own buffers are private memory that is taken page by page as it is used, not /dev/shm, which containers keep small.
What does not fit there is kept by the system's cache as long as nobody else needs that memory.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_MB = 2**20
# What PostgreSQL is installed with is little for anything but an empty database.
_LEAST, _MOST = 128 * _MB, 1024 * _MB
_PART = 16
# A container's limit, by the second and the first version of control groups.
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def settings(memory: int | None = None) -> dict[str, str]:
    """For a server that serves one installation: a sixteenth of the memory, 128 MB to 1 GB.

    A log of 4 GB before a checkpoint: a first sync writes a gigabyte every few minutes, and after each checkpoint every
    page it touches is written to the log whole.
    """
    total = memory_here() if memory is None else memory
    buffers = min(max(total // _PART, _LEAST), _MOST)
    return {
        "shared_buffers": f"{buffers // _MB}MB",
        "effective_cache_size": f"{max(total // 2, buffers) // _MB}MB",
        "max_wal_size": "4GB",
    }


def memory_here() -> int:
    """Bytes that this machine has, or that its container may use."""
    return min([os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *_limits()])


def _limits() -> Iterator[int]:
    for name in _LIMITS:
        # There is none, it may not be read, or it says `max`.
        with suppress(OSError, ValueError):
            yield int(Path(name).read_text())
