"""Which fields collided, who won and by which rule."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from syncadmin.store.queries import columns
from syncadmin.store.queries import conflicts as queries
from syncadmin.web import htmx
from syncadmin.web.access import Right, needs


@needs(Right.READ)
@require_safe
def conflicts(request: HttpRequest) -> HttpResponse:
    state = request.GET.get("state", "")
    state = state if state in queries.STATES else ""
    person = htmx.number(request, "person")
    page = queries.page(state, person, htmx.number(request, "before"))
    kept = {name: value for name, value in (("state", state), ("person", person)) if value}
    context = {
        "page": page,
        "state": state,
        "person": person,
        "first": reverse("conflicts") + (f"?{urlencode(kept)}" if kept else ""),
        "next": f"{reverse('conflicts')}?{urlencode({**kept, 'before': page.older})}" if page.older else "",
        "later_page": "before" in request.GET,
        "labels": columns.catalogue().labels(),
        "now": htmx.now(),
    }
    return htmx.answer(request, "conflicts/page.html", context, part="rows")
