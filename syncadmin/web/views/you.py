"""What somebody sets for themselves: the zone of their times, and their password."""

from __future__ import annotations

from django.contrib import auth, messages
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from syncadmin.services import accounts
from syncadmin.services.roles import role_of
from syncadmin.web import htmx, zones
from syncadmin.web.access import Right, needs
from syncadmin.web.views.sign_in import BY_LINK

_YEAR = 365 * 86_400


@needs(Right.READ)
@require_safe
def you(request: HttpRequest) -> HttpResponse:
    return _page(request, _form(request))


@needs(Right.READ)
@require_POST
def zone(request: HttpRequest) -> HttpResponse:
    name = request.POST.get("zone", "")
    response = redirect("you")
    if name in zones.known():
        response.set_cookie(zones.CHOSEN, name, max_age=_YEAR, samesite="Lax", secure=request.is_secure())
    else:
        response.delete_cookie(zones.CHOSEN, samesite="Lax")
    messages.success(request, _("Times are shown in that zone from now on."))
    return response


@needs(Right.READ)
@sensitive_post_parameters()
@require_POST
def password(request: HttpRequest) -> HttpResponse:
    form = _form(request)
    if not form.is_valid():
        return _page(request, form, status=422)
    user = accounts.change_password(
        request.user.get_username(), form.cleaned_data["new_password1"], who=request.user.get_username(), now=htmx.now()
    )
    # Other sessions of this person end with the old password; this one goes on.
    auth.update_session_auth_hash(request, user)
    request.session.pop(BY_LINK, None)
    messages.success(request, _("Your password is changed. Other browsers you were signed in with are signed out."))
    return redirect("you")


def _form(request: HttpRequest) -> SetPasswordForm[User]:
    user = request.user
    assert isinstance(user, User)
    kind = PasswordChangeForm if _asks_for_the_old_one(request, user) else SetPasswordForm
    return kind(user, request.POST if request.method == "POST" else None)


def _asks_for_the_old_one(request: HttpRequest, user: User) -> bool:
    """Not from who came by a link: it is made for those who have forgotten it."""
    return user.has_usable_password() and BY_LINK not in request.session


def _page(request: HttpRequest, form: SetPasswordForm[User], status: int = 200) -> HttpResponse:
    user = request.user
    assert isinstance(user, User)
    context = {
        "form": form,
        "known": _asks_for_the_old_one(request, user),
        "role": role_of(user),
        "places": zones.places(),
        "chosen": request.COOKIES.get(zones.CHOSEN, ""),
    }
    return htmx.answer(request, "you/page.html", context, status=status)
