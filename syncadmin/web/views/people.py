"""The list of people."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from syncadmin.services import listing
from syncadmin.store.queries import people as queries
from syncadmin.store.queries import reading, search
from syncadmin.store.queries.people import PersonRow
from syncadmin.store.queries.search import Asked, Sort, State
from syncadmin.web import exports, htmx
from syncadmin.web.access import Right, needs
from syncadmin.web.words.terms import TABLES, named
from syncadmin.web.words.whys import SORTS, STATES

# A file may take longer than a page, and is to hold what happened before it was asked for.
_PATIENCE = timedelta(seconds=5)


@needs(Right.READ)
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    lags = listing.glance()
    asked, kept = _asked(request)
    page = queries.page(asked, request.GET.get("after", ""), request.GET.get("before", ""))
    address = reverse("people")
    context = {
        "page": page,
        "asked": asked,
        "q": request.GET.get("q", ""),
        "state": asked.state,
        "sort": asked.sort,
        "states": STATES.values(),
        "sorts": SORTS.items(),
        "first": _with(address, kept),
        "next": _with(address, kept, after=page.following) if page.following else "",
        "previous": _with(address, kept, before=page.previous) if page.previous else "",
        "last": _with(address, kept, before=queries.END) if page.following else "",
        "export": _with(reverse("people-csv"), kept),
        "reading": reading.under_way(),
        "lags": lags,
        "now": htmx.now(),
    }
    return htmx.answer(request, "people/page.html", context, part="results")


@needs(Right.READ)
@require_safe
def people_csv(request: HttpRequest) -> HttpResponseBase:
    listing.catch_up(htmx.now, _PATIENCE)
    asked, _kept = _asked(request)
    headings = (
        _("Name"), _("E-mail"), _("Record"), _("Dynamics id"), _("Marketo id"), _("State"), _("Last activity"),
    )  # fmt: skip
    return exports.stream_csv("people", headings, (_cells(row) for row in queries.every(asked)))


def _cells(row: PersonRow) -> tuple[Any, ...]:
    states = "; ".join(str(STATES[state].label) for state in row.states)
    table = named(TABLES, row.table) if row.table else ""
    return row.name, row.email, table, row.dynamics, row.marketo, states, row.last_activity_at


def _asked(request: HttpRequest) -> tuple[Asked, dict[str, str]]:
    """What the address asks for, and the parts of it that other pages of the same list keep."""
    typed, state, sort = (request.GET.get(name, "") for name in ("q", "state", "sort"))
    asked = search.read(
        typed, State(state) if state in set(State) else None, Sort(sort) if sort in set(Sort) else Sort.NAME
    )
    kept = {"q": typed, "state": asked.state or "", "sort": "" if asked.sort is Sort.NAME else asked.sort}
    return asked, {name: str(value) for name, value in kept.items() if value}


def _with(address: str, kept: dict[str, str], **more: str) -> str:
    words = {**kept, **more}
    return f"{address}?{urlencode(words)}" if words else address
