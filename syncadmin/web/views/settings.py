"""What an administrator may change later: connections, fields, how the sync behaves."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from syncadmin.services.wizard import progress
from syncadmin.store.queries import setup as queries
from syncadmin.web import htmx
from syncadmin.web.access import Right, needs


@needs(Right.ADMINISTER)
@require_safe
def settings(request: HttpRequest) -> HttpResponse:
    """What there is to set, each with a sentence."""
    return htmx.answer(request, "settings/page.html", {"state": progress()})


@needs(Right.ADMINISTER)
@require_safe
def connections(request: HttpRequest) -> HttpResponse:
    """Both systems at a glance."""
    pairs = list(zip(("dynamics", "marketo"), queries.connections(), strict=True))
    return htmx.answer(request, "settings/connections.html", {"pairs": pairs, "now": htmx.now()})
