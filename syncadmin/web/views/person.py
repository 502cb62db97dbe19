"""One person: both sides, what was agreed, why it stands so, and everything that ever happened."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from syncadmin.store.queries import columns, history
from syncadmin.store.queries import person as queries
from syncadmin.store.queries.person import PersonDetail
from syncadmin.web import htmx
from syncadmin.web.access import Right, needs


@needs(Right.READ)
@require_safe
def person(request: HttpRequest, link: int) -> HttpResponse:
    book = columns.catalogue()
    return _person(request, queries.of_link(link, book), book)


@needs(Right.READ)
@require_safe
def dynamics_record(request: HttpRequest, guid: UUID) -> HttpResponse:
    link = queries.link_of(dynamics=guid)
    if link:
        return redirect("person", link)
    book = columns.catalogue()
    return _person(request, queries.of_record(book, dynamics=guid), book)


@needs(Right.READ)
@require_safe
def marketo_person(request: HttpRequest, number: int) -> HttpResponse:
    if number >= 2**63:
        raise Http404
    link = queries.link_of(marketo=number)
    if link:
        return redirect("person", link)
    book = columns.catalogue()
    return _person(request, queries.of_record(book, marketo=number), book)


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
