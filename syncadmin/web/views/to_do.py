"""The entrance to what needs somebody, and the addresses it had before its two lists stood on their own."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from syncadmin.engine.causes import Cause
from syncadmin.store.queries import counters
from syncadmin.web.access import Right, needs


@needs(Right.READ)
@require_safe
def to_do(request: HttpRequest) -> HttpResponse:
    """To whichever of the two lists has something open; questions hold people back, so they go first."""
    opened = counters.open_matters()
    return redirect("decisions" if opened.decisions and not opened.failures else "failures")


@needs(Right.READ)
@require_safe
def cause(request: HttpRequest, code: str) -> HttpResponse:
    if code not in set(Cause):
        raise Http404
    return redirect(f"{reverse('failure-records')}?{urlencode({'cause': code})}", permanent=True)
