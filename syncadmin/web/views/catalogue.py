"""Every cause a failure can have, with its remedy: what all other pages quote. Each has an address: #its_code."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from syncadmin.engine.causes import Cause
from syncadmin.engine.failures import describe
from syncadmin.web import htmx
from syncadmin.web.access import Right, needs
from syncadmin.web.words import causes as words


@needs(Right.READ)
@require_safe
def causes(request: HttpRequest) -> HttpResponse:
    groups = [
        (heals_by, text, [entry for entry in _entries() if entry.heals_by == heals_by])
        for heals_by, text in words.HEALS.items()
    ]
    return htmx.answer(request, "failures/causes.html", {"groups": groups})


def _entries() -> list[words.Entry]:
    return [words.entry(cause, describe(cause)) for cause in Cause]
