"""One address, two sizes: the whole page, or the named part of the same template."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django_htmx.middleware import HtmxDetails

from syncadmin.store.queries import counters
from syncadmin.web import lists
from syncadmin.web.access import Right, right_of


def now() -> datetime:
    """The one clock of this door; a view reads it once and hands it on."""
    return timezone.now()


def wants_part(request: HttpRequest) -> bool:
    """A page restored from the browser's history is asked for by htmx too, but must be whole."""
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.history_restore_request and not htmx.boosted


def answer(
    request: HttpRequest, template: str, context: Mapping[str, Any], part: str = "", status: int = 200
) -> HttpResponse:
    """Renders the page, or its ``part`` when htmx asks for one; ``beside`` then has it bring along what else changes."""
    if part and wants_part(request):
        response = render(request, f"{template}#{part}", {"beside": True, **context}, status=status)
    else:
        response = render(request, template, {**frame(request), **context}, status=status)
    patch_vary_headers(response, ("HX-Request", "HX-History-Restore-Request"))
    return response


def number(request: HttpRequest, name: str) -> int | None:
    """A whole number from the address; anything else counts as absent."""
    return lists.number(request.GET, name)


def may_operate(request: HttpRequest) -> bool:
    """Whether buttons that change something are shown; the gate decides again when they are pressed."""
    return right_of(request) >= Right.OPERATE


def frame(request: HttpRequest) -> dict[str, Any]:
    """What the page's frame shows around any screen."""
    right = right_of(request) if hasattr(request, "user") else Right.NOTHING
    if right is Right.NOTHING:
        return {"right": "", "may_operate": False}
    return {
        "right": right.name.lower(),
        "may_operate": right >= Right.OPERATE,
        "open": counters.open_matters(),
    }
