"""What is shown instead of a page; always whole, so that a part of a page is never replaced by it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from syncadmin.web import htmx


def refused(request: HttpRequest, exception: Exception) -> HttpResponse:
    return htmx.answer(request, "errors/403.html", {}, status=403)


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    return htmx.answer(request, "errors/403.html", {"stale": True}, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return htmx.answer(request, "errors/404.html", {}, status=404)
