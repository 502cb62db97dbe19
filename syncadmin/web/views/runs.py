"""Every pass of the loop, and what one of them did."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from syncadmin.store.queries import runs as queries
from syncadmin.web import htmx
from syncadmin.web.access import Right, needs


@needs(Right.READ)
@require_safe
def runs(request: HttpRequest) -> HttpResponse:
    page = queries.page(htmx.number(request, "before"))
    context = {
        "page": page,
        "first": reverse("runs"),
        "next": f"{reverse('runs')}?before={page.older}" if page.older else "",
        "later_page": "before" in request.GET,
        "now": htmx.now(),
    }
    return htmx.answer(request, "runs/page.html", context, part="rows")


@needs(Right.READ)
@require_safe
def run(request: HttpRequest, pk: int) -> HttpResponse:
    detail = queries.detail(pk)
    if detail is None:
        raise Http404
    return htmx.answer(request, "runs/run.html", {"detail": detail, "now": htmx.now()})
