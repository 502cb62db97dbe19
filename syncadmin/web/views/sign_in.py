"""Coming in, by password or by a link that works once, and leaving."""

from __future__ import annotations

from django.conf import settings
from django.contrib import auth, messages
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from syncadmin.services import sign_in as service
from syncadmin.web import htmx
from syncadmin.web.access import open_to_all

# Named, since several authentication back ends may be installed and a link is not one of them.
BACKEND = "django.contrib.auth.backends.ModelBackend"


@open_to_all
@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    form = AuthenticationForm(request, data=request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        auth.login(request, form.get_user())
        return HttpResponseRedirect(_afterwards(request))
    if request.method != "POST" and request.user.is_authenticated:
        return HttpResponseRedirect(_afterwards(request))
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "next": request.POST.get("next", request.GET.get("next", ""))}
    return htmx.answer(request, "sign_in/page.html", context, status=status)


def _afterwards(request: HttpRequest) -> str:
    target = request.POST.get("next") or request.GET.get("next") or ""
    hosts = {request.get_host()}
    if url_has_allowed_host_and_scheme(target, allowed_hosts=hosts, require_https=request.is_secure()):
        return target
    return settings.LOGIN_REDIRECT_URL


@open_to_all
@never_cache
@require_safe
def by_link(request: HttpRequest, token: str) -> HttpResponse:
    """A used, old or invented token leads to the password form and says so."""
    user = service.redeem(token, htmx.now())
    if user is None:
        messages.error(request, _("This sign-in link has been used already or is too old."))
        return redirect("sign-in")
    auth.login(request, user, backend=BACKEND)
    return redirect(settings.LOGIN_REDIRECT_URL)


@open_to_all
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    auth.logout(request)
    return redirect("sign-in")
