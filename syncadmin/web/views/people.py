"""The list of people, and one person."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from syncadmin.store.queries import columns, history, reading
from syncadmin.store.queries import people as queries
from syncadmin.store.queries import person as one
from syncadmin.store.queries.person import PersonDetail
from syncadmin.store.queries.search import State
from syncadmin.web import htmx
from syncadmin.web.access import Right, needs
from syncadmin.web.words.whys import STATES


@needs(Right.READ)
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    typed = request.GET.get("q", "")
    state = State(request.GET["state"]) if request.GET.get("state") in set(State) else None
    page = queries.page(typed, state, request.GET.get("after", ""))
    kept = {name: value for name, value in (("q", typed), ("state", state.value if state else "")) if value}
    context = {
        "page": page,
        "q": typed,
        "state": state,
        "states": STATES.values(),
        "first": reverse("people") + (f"?{urlencode(kept)}" if kept else ""),
        "next": f"{reverse('people')}?{urlencode({**kept, 'after': page.following})}" if page.following else "",
        "later_page": bool(request.GET.get("after")),
        "reading": reading.under_way(),
        "now": htmx.now(),
    }
    return htmx.answer(request, "people/page.html", context, part="results")


@needs(Right.READ)
@require_safe
def person(request: HttpRequest, link: int) -> HttpResponse:
    book = columns.catalogue()
    return _person(request, one.of_link(link, book), book)


@needs(Right.READ)
@require_safe
def dynamics_record(request: HttpRequest, guid: UUID) -> HttpResponse:
    link = one.link_of(dynamics=guid)
    if link:
        return redirect("person", link)
    book = columns.catalogue()
    return _person(request, one.of_record(book, dynamics=guid), book)


@needs(Right.READ)
@require_safe
def marketo_person(request: HttpRequest, number: int) -> HttpResponse:
    if number >= 2**63:
        raise Http404
    link = one.link_of(marketo=number)
    if link:
        return redirect("person", link)
    book = columns.catalogue()
    return _person(request, one.of_record(book, marketo=number), book)


def _person(request: HttpRequest, detail: PersonDetail | None, book: columns.Catalogue) -> HttpResponse:
    if detail is None:
        raise Http404
    guid = UUID(detail.dynamics.id) if detail.dynamics else None
    number = int(detail.marketo.id) if detail.marketo else None
    context: dict[str, Any] = {
        "person": detail,
        "history": history.page(detail.link, guid, number, htmx.number(request, "before")),
        "later_page": "before" in request.GET,
        "labels": book.labels(),
        "now": htmx.now(),
        "may_operate": htmx.may_operate(request),
        "back": request.path,
    }
    return htmx.answer(request, "people/person.html", context, part="history")
