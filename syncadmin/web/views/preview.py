"""The last two steps of the setup: a dry run to look through, and the start."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from syncadmin.engine.causes import Cause
from syncadmin.engine.records import Side
from syncadmin.services import preview as service
from syncadmin.services import start as starting
from syncadmin.store.queries import columns
from syncadmin.store.queries import preview as queries
from syncadmin.store.queries import preview_lists as lists
from syncadmin.store.queries.preview import ChangeKind, Standing
from syncadmin.store.queries.preview_lists import Wanted
from syncadmin.web import htmx
from syncadmin.web.access import Right, needs
from syncadmin.web.views import setup_steps
from syncadmin.web.words import preview as words


@needs(Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def preview(request: HttpRequest) -> HttpResponse:
    """What the start would do, as far as it is known; POST has it worked out."""
    early = setup_steps.not_yet(request, "preview")
    if early:
        return early
    if request.method == "POST":
        return _ask(request)
    seen = queries.standing()
    labels = columns.catalogue().labels()
    context = {
        **setup_steps.frame("preview"),
        **_numbers(seen),
        "fields": words.field_lines(seen.numbers.fields, labels),
        "now": htmx.now(),
    }
    return htmx.answer(request, "setup/preview.html", context, part="live")


def _ask(request: HttpRequest) -> HttpResponse:
    try:
        service.ask(who=request.user.get_username(), now=htmx.now())
    except service.NotReady as missing:
        messages.error(request, _(str(missing)))
    return redirect("setup-preview")


def _numbers(seen: Standing) -> dict[str, Any]:
    """What both steps show of a plan."""
    numbers = seen.numbers
    stale = seen.plan is not None and not seen.started and service.is_stale(seen.plan)
    return {
        "seen": seen,
        "numbers": numbers,
        "counts": numbers.counts,
        "stale": stale,
        "in_step": numbers.counts.get("matched", 0) - numbers.counts.get("changing", 0),
        "values": {side.value: numbers.values(side) for side in Side},
        "kinds": [
            (kind.value, words.KINDS[kind], numbers.of_kind(kind)) for kind in ChangeKind if numbers.of_kind(kind)
        ],
        "reads": [(words.STREAMS[read.stream], read, _percent(read.share)) for read in seen.reads],
        "collisions": [
            (
                words.OUTCOMES.get(row.winner, row.winner),
                row,
                reverse("setup-preview-unclear") if not row.winner else "",
            )
            for row in numbers.collisions
        ],
    }


def _percent(share: float | None) -> int | None:
    return None if share is None else int(share * 100)


@needs(Right.ADMINISTER)
@require_safe
def changes(request: HttpRequest) -> HttpResponse:
    """Every value that will be written, before and after on both sides."""
    wanted = Wanted(
        side=request.GET.get("side", "") if request.GET.get("side", "") in set(Side) else "",
        key=request.GET.get("field", "").replace("\0", "")[:220],
        kind=request.GET.get("kind", "") if request.GET.get("kind", "") in set(ChangeKind) else "",
        text=request.GET.get("q", "").replace("\0", "").strip()[:200],
    )
    page = lists.changes(wanted, request.GET.get("after", ""))
    labels = columns.catalogue().labels()
    first = reverse("setup-preview-changes")
    kept = wanted.kept()
    context = {
        **setup_steps.frame("preview"),
        "page": page,
        "wanted": wanted,
        "fields": words.field_lines(queries.numbers().fields, labels),
        "labels": labels,
        "kinds": words.KINDS.items(),
        "kind_words": words.KINDS,
        "first": f"{first}?{urlencode(kept)}" if kept else first,
        "next": f"{first}?{urlencode({**kept, 'after': page.following})}" if page.following else "",
        "later_page": bool(request.GET.get("after")),
    }
    return htmx.answer(request, "setup/preview_changes.html", context, part="rows")


@needs(Right.ADMINISTER)
@require_safe
def failures(request: HttpRequest, code: str) -> HttpResponse:
    """Values and records that would fail for one cause."""
    if code not in set(Cause):
        raise Http404
    page = lists.expected(code, htmx.number(request, "before"))
    context = {
        **setup_steps.frame("preview"),
        "cause": code,
        "page": page,
        "labels": columns.catalogue().labels(),
        "next": f"{request.path}?before={page.older}" if page.older else "",
        "first": request.path,
        "later_page": "before" in request.GET,
    }
    return htmx.answer(request, "setup/preview_failures.html", context, part="rows")


@needs(Right.ADMINISTER)
@require_safe
def unclear(request: HttpRequest) -> HttpResponse:
    """Who cannot be matched without somebody's word, and values that somebody has to choose between."""
    page = lists.unclear(htmx.number(request, "before"))
    context = {
        **setup_steps.frame("preview"),
        "page": page,
        "labels": columns.catalogue().labels(),
        "next": f"{request.path}?before={page.older}" if page.older else "",
        "first": request.path,
        "later_page": "before" in request.GET,
        "now": htmx.now(),
    }
    return htmx.answer(request, "setup/preview_unclear.html", context, part="rows")


@needs(Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """What will happen, in numbers; after the start, how far it is."""
    early = setup_steps.not_yet(request, "start")
    if early:
        return early
    if request.method == "POST":
        return _start(request)
    now = htmx.now()
    seen = queries.standing()
    context = {**setup_steps.frame("start"), **_numbers(seen), "going": queries.going(now), "now": now}
    return htmx.answer(request, "setup/start.html", context, part="live")


def _start(request: HttpRequest) -> HttpResponse:
    try:
        starting.as_shown(request.POST.get("shown", ""), who=request.user.get_username(), now=htmx.now())
    except starting.Outdated:
        messages.warning(request, _("The rules or fields changed since this preview was made. Make it again first."))
        return redirect("setup-preview")
    except starting.NotReady as missing:
        messages.error(request, _(str(missing)))
    return redirect("setup-start")
