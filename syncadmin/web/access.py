"""Who may do what: every view names the right it needs, and a view that names none is closed to everybody."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import get_resolver, reverse

from syncadmin.services.roles import Role, role_of

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class Right(IntEnum):
    """What a person may do; each right includes the ones before it."""

    NOTHING = 0
    READ = 1
    OPERATE = 2
    ADMINISTER = 3


_OF_ROLE = {Role.VIEWER: Right.READ, Role.OPERATOR: Right.OPERATE, Role.ADMINISTRATOR: Right.ADMINISTER}


def open_to_all(view: View) -> View:
    """Marks the few views that answer without a sign-in."""
    view.needs = Right.NOTHING  # type: ignore[attr-defined]
    return view


def needs(right: Right, posting: Right | None = None) -> Callable[[View], View]:
    """Marks a view with the right it takes; ``posting`` is the right for anything but reading it."""

    def mark(view: View) -> View:
        view.needs = right  # type: ignore[attr-defined]
        view.needs_to_post = right if posting is None else posting  # type: ignore[attr-defined]
        return view

    return mark


def right_of(request: HttpRequest) -> Right:
    """The right of whoever asks, read once per request. A signed-in stranger without a role has none."""
    known = getattr(request, "right", None)
    if known is None:
        role = role_of(request.user) if request.user.is_authenticated else None
        known = Right.NOTHING if role is None else _OF_ROLE[role]
        request.right = known  # type: ignore[attr-defined]
    return cast(Right, known)


def check(request: HttpRequest, view: Callable[..., Any]) -> HttpResponse | None:
    """None lets the request through; anything else is the answer. The one place where access is decided."""
    needed: Right | None = getattr(view, "needs", None)
    if needed is None:
        raise PermissionDenied(f"{view!r} names no right")
    if needed is Right.NOTHING:
        return None
    if not request.user.is_authenticated:
        return _to_sign_in(request)
    if request.method not in ("GET", "HEAD"):
        needed = view.needs_to_post  # type: ignore[attr-defined]
    if right_of(request) < needed:
        raise PermissionDenied(needed.name)
    return None


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """Only the address of a page is kept for afterwards: a form that was sent is not sent again."""
    target = reverse("sign-in")
    if request.headers.get("HX-Request") and not request.headers.get("HX-History-Restore-Request"):
        # A redirect would put the sign-in form into the place of a table; 204 leaves the page and moves on.
        # Going back asks for a whole page, and would show an empty one.
        return HttpResponse(status=204, headers={"HX-Redirect": target})
    if request.method == "GET" and request.path != "/":
        target = f"{target}?{urlencode({'next': request.get_full_path()})}"
    return HttpResponseRedirect(target)


class Gate:
    """Asks ``check`` before every view."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._answer(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        try:
            return check(request, view)
        except PermissionDenied as refusal:
            # Answered here: raised further, each refusal would fill the log with a traceback that tells nothing.
            shown: Callable[..., HttpResponse] = get_resolver().resolve_error_handler(403)
            return shown(request, exception=refusal)
