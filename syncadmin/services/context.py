"""What every use case is handed: the clock, randomness, both connectors and the name of this worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from syncadmin.connectors.contract import DynamicsConnector, MarketoConnector


@dataclass(frozen=True, slots=True)
class Context:
    """``now`` answers aware UTC times. ``new_guid`` gives ids for records we create; time-ordered if it can.

    ``border`` is called at each numbered step border with its name; a simulation stops or switches there.
    """

    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    rnd: Callable[[], float]
    new_guid: Callable[[], UUID]
    dynamics: DynamicsConnector
    marketo: MarketoConnector
    worker: str
    border: Callable[[str], None] = lambda name: None
