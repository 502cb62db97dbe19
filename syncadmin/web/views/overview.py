"""Is it healthy, and does anything need me?"""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from syncadmin.services import resolve
from syncadmin.store import options
from syncadmin.store.queries import columns
from syncadmin.store.queries.overview import overview as look
from syncadmin.store.queries.pace import Span
from syncadmin.web import htmx
from syncadmin.web.access import Right, needs, right_of
from syncadmin.web.charts import chart
from syncadmin.web.words.health import health

_SPANS: dict[Span, str | Promise] = {
    Span.HOUR: gettext_lazy("Last hour"),
    Span.DAY: gettext_lazy("Last day"),
    Span.WEEK: gettext_lazy("Last week"),
}


@needs(Right.READ)
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    chosen = options.read()
    if not chosen.started and right_of(request) is Right.ADMINISTER and not htmx.wants_part(request):
        return redirect("setup")
    now = htmx.now()
    wanted = request.GET.get("span", "")
    seen = look(chosen, now, Span(wanted) if wanted in set(Span) else Span.DAY)
    state = health(seen, now)
    digest = hashlib.sha256(repr((seen, state)).encode()).hexdigest()[:16]
    if htmx.wants_part(request) and request.GET.get("seen") == digest:
        # Nothing new: 204 leaves the page as it stands, focus and selection included.
        return HttpResponse(status=204)
    context = {
        "seen": seen,
        "health": state,
        "chart": chart(seen.pace),
        "spans": _tabs(),
        "labels": columns.catalogue().labels() if seen.pairs else {},
        "now": now,
        "digest": digest,
        "may_operate": htmx.may_operate(request),
    }
    return htmx.answer(request, "overview/page.html", context, part="live")


def _tabs() -> list[dict[str, Any]]:
    address = reverse("overview")
    return [{"code": span, "words": words, "address": f"{address}?span={span}"} for span, words in _SPANS.items()]


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
