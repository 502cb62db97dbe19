"""Python's collector of garbage, kept from looking through what stays anyway."""

from __future__ import annotations

import gc

# A page makes some ten thousand objects that hold others, and drops them all at its end without the collector's help.
BATCH = 20_000


def spare_loaded() -> None:
    """What is loaded by now is never looked at again. A full pass over it takes 50 to 80 ms."""
    gc.collect()
    gc.freeze()


def spare_batches(objects: int = BATCH) -> None:
    """For a process that works in batches: besides, it looks only each time so many new objects are there."""
    spare_loaded()
    gc.set_threshold(objects, 20, 20)
