"""Is it healthy, and does anything need me?"""

from __future__ import annotations

import hashlib

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from syncadmin.services import resolve
from syncadmin.store import options
from syncadmin.store.queries.overview import overview as look
from syncadmin.web import htmx
from syncadmin.web.access import Right, needs, right_of
from syncadmin.web.words.health import health


@needs(Right.READ)
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    chosen = options.read()
    if not chosen.started and right_of(request) is Right.ADMINISTER and not htmx.wants_part(request):
        return redirect("setup")
    now = htmx.now()
    seen = look(chosen, now)
    state = health(seen, now)
    digest = hashlib.sha256(repr((seen, state)).encode()).hexdigest()[:16]
    if htmx.wants_part(request) and request.GET.get("seen") == digest:
        # Nothing new: 204 leaves the page as it stands, focus and selection included.
        return HttpResponse(status=204)
    context = {"seen": seen, "health": state, "now": now, "digest": digest, "may_operate": htmx.may_operate(request)}
    return htmx.answer(request, "overview/page.html", context, part="live")


@needs(Right.OPERATE)
@require_POST
def pause(request: HttpRequest) -> HttpResponse:
    resolve.pause(request.user.get_username(), htmx.now())
    messages.success(request, _("The sync is paused. What is under way is finished."))
    return redirect("overview")


@needs(Right.OPERATE)
@require_POST
def resume(request: HttpRequest) -> HttpResponse:
    resolve.resume(request.user.get_username(), htmx.now())
    messages.success(request, _("The sync goes on with the next run."))
    return redirect("overview")
