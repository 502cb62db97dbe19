"""Keeps the list of people true, in small bites: a bite is a transaction of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from syncadmin.store import listing

BITE = 2_000
# What somebody who opens the list may wait for; the loop does the rest.
SIP = 400


def catch_up(now: Callable[[], datetime], within: timedelta) -> int:
    """Looks again at everybody touched, as far as the time goes; how many notes were taken."""
    until = now() + within
    taken = 0
    while bite := listing.catch_up(BITE):
        taken += bite
        if bite < BITE or now() >= until:
            break
    return taken


def glance() -> bool:
    """Before the list is shown: what was touched just now. Whether the list still lags behind."""
    return listing.behind() and listing.catch_up(SIP) >= SIP and listing.behind()
