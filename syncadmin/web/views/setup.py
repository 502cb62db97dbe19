"""The door of the wizard: where to go on, and who may."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from syncadmin.services.wizard import progress
from syncadmin.web import htmx
from syncadmin.web.access import Right, needs, right_of
from syncadmin.web.views import setup_steps


@needs(Right.READ)
@require_safe
def setup(request: HttpRequest) -> HttpResponse:
    """The first unfinished step; who may not administer reads a sentence."""
    state = progress()
    if right_of(request) < Right.ADMINISTER:
        return htmx.answer(request, "setup/waiting.html", {"started": state.started})
    return redirect(setup_steps.first_unfinished(state))
