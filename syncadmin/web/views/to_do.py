"""What needs somebody: failures to be released, decisions to be answered."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from syncadmin.engine.causes import Cause
from syncadmin.services import resolve
from syncadmin.store.queries import columns, decisions, failures
from syncadmin.web import htmx
from syncadmin.web.access import Right, needs


@needs(Right.READ)
@require_safe
def to_do(request: HttpRequest) -> HttpResponse:
    context = {
        "causes": failures.causes(),
        "page": decisions.page(htmx.number(request, "before")),
        "labels": columns.catalogue().labels(),
        "now": htmx.now(),
        "may_operate": htmx.may_operate(request),
        "back": reverse("to-do"),
    }
    return htmx.answer(request, "todo/page.html", context, part="decisions")


@needs(Right.READ)
@require_safe
def cause(request: HttpRequest, code: str) -> HttpResponse:
    if code not in set(Cause):
        raise Http404
    context = {
        "cause": code,
        "page": failures.page(code, htmx.number(request, "before")),
        "labels": columns.catalogue().labels(),
        "now": htmx.now(),
        "may_operate": htmx.may_operate(request),
        "back": request.path,
    }
    return htmx.answer(request, "todo/cause.html", context, part="records")


@needs(Right.OPERATE)
@require_POST
def release(request: HttpRequest) -> HttpResponse:
    """The chosen failures, or all of a cause."""
    who, now = request.user.get_username(), htmx.now()
    if request.POST.get("cause"):
        released = resolve.release_cause(request.POST["cause"], who, now)
    else:
        released = resolve.release(_chosen(request), who, now)
    text = ngettext(
        "%(number)d failure is released; the next run tries again.",
        "%(number)d failures are released; the next run tries again.",
        released,
    )
    messages.success(request, text % {"number": released})
    return _back(request)


@needs(Right.OPERATE)
@require_POST
def ignore(request: HttpRequest) -> HttpResponse:
    ignored = resolve.ignore(_chosen(request), request.user.get_username(), htmx.now())
    text = ngettext(
        "%(number)d failure is put aside until it changes.",
        "%(number)d failures are put aside until they change.",
        ignored,
    )
    messages.success(request, text % {"number": ignored})
    return _back(request)


@needs(Right.READ, posting=Right.OPERATE)
@require_http_methods(["GET", "HEAD", "POST"])
def decision(request: HttpRequest, pk: int) -> HttpResponse:
    row = decisions.one(pk)
    if row is None:
        raise Http404
    if request.method == "POST":
        return _answer(request, pk)
    context = {
        "decision": row,
        "labels": columns.catalogue().labels(),
        "now": htmx.now(),
        "may_operate": htmx.may_operate(request),
        "back": request.path,
    }
    return htmx.answer(request, "todo/decision.html", context)


def _answer(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        resolve.answer(pk, request.POST.get("choice", ""), request.user.get_username(), htmx.now())
    except resolve.Refused as refused:
        messages.error(request, _(str(refused)))
    else:
        messages.success(request, _("Your answer is recorded; the next run carries it out."))
    return _back(request)


def _chosen(request: HttpRequest) -> list[int]:
    return [int(word) for word in request.POST.getlist("failure") if word.isascii() and word.isdigit()]


def _back(request: HttpRequest) -> HttpResponse:
    """To the page the form stood on, if it is one of ours."""
    target = request.POST.get("back", "")
    ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return redirect(target if ours else reverse("to-do"))
