"""What is said and done about everything that can go wrong with a value, a record or a call.

Texts are plain literals with ``{field}``, ``{value}``, ``{limit}`` and ``{message}`` placeholders; screens translate
them before filling them in. The remedy is written for the administrator who reads it.
"""

from __future__ import annotations

from datetime import timedelta

from syncadmin.engine.causes import Cause, Description, HealsBy
from syncadmin.engine.remedies import DESCRIPTIONS

__all__ = ["Cause", "Description", "HealsBy", "describe", "retry_after"]

# One minute lets a passing fault pass; four hours bound the load of a fault that lasts for days.
_PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))


def retry_after(attempts: int) -> timedelta:
    """The pause after the given number of failed attempts (1 for the first); grows to four hours."""
    return _PAUSES[min(max(attempts, 1), len(_PAUSES)) - 1]


def describe(cause: Cause | str) -> Description:
    """The texts of a cause. Raises ValueError for a code outside the catalogue."""
    return DESCRIPTIONS[Cause(cause)]
