"""Times in the viewer's zone: what they chose, else what their browser is in, else the organisation's.

Both are kept in cookies: a person may look from two places, and nobody else's page depends on it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from syncadmin.store import options
from syncadmin.web.access import Right

CHOSEN, BROWSER = "zone", "browser_zone"
# Names nobody lives by.
_NOT_PLACES = ("Etc/", "SystemV/", "US/", "Canada/", "Mexico/", "Brazil/", "Chile/")


class Source(StrEnum):
    CHOSEN = "chosen"
    BROWSER = "browser"
    ORGANISATION = "organisation"


@cache
def known() -> frozenset[str]:
    return frozenset(available_timezones())


@cache
def places() -> tuple[str, ...]:
    """The names to choose from, by name."""
    names = (name for name in known() if "/" in name and not name.startswith(_NOT_PLACES))
    return ("UTC", *sorted(names))


def of(request: HttpRequest) -> tuple[str, Source]:
    """The zone of whoever asks, and why it is that one. A cookie with an unknown name counts as none."""
    for cookie, source in ((CHOSEN, Source.CHOSEN), (BROWSER, Source.BROWSER)):
        name = request.COOKIES.get(cookie, "")
        if name in known():
            return name, source
    return options.read().time_zone, Source.ORGANISATION


class ViewerZone:
    """Makes the viewer's zone the one that templates tell times in, for every view that needs a right."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self._answer(request)
        finally:
            timezone.deactivate()

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]
    ) -> None:
        if getattr(view, "needs", Right.NOTHING) is not Right.NOTHING:
            name, source = of(request)
            timezone.activate(ZoneInfo(name))
            request.zone, request.zone_source = name, source  # type: ignore[attr-defined]
