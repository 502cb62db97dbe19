"""The question every call asks first. The counting is the store's; connectors know only this protocol."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Protocol

from syncadmin.engine.records import Lane, Side


class Budget(Protocol):
    """Shared by all workers."""

    def call(self, side: Side, lane: Lane, purpose: str, deadline: datetime | None) -> AbstractContextManager[None]:
        """Holds one place among the calls at once; waits for it. Raises ``BudgetSpent`` with ``until``."""

    def pause(self, side: Side, until: datetime) -> None:
        """The system asked for silence: nobody calls it before that time."""

    def hint(self, side: Side, at_once: int) -> None:
        """The system advises how many calls at once it likes (``x-ms-dop-hint``)."""


class Unlimited:
    """A budget for tests of builders and readers, and for probing a connection that is not saved yet."""

    def call(self, side: Side, lane: Lane, purpose: str, deadline: datetime | None) -> AbstractContextManager[None]:
        return nullcontext()

    def pause(self, side: Side, until: datetime) -> None:
        return None

    def hint(self, side: Side, at_once: int) -> None:
        return None
