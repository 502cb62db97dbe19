"""Coming in, by password or by a link that works once, and leaving."""

from __future__ import annotations

from math import ceil

from django.conf import settings
from django.contrib import auth, messages
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from syncadmin.services import sign_in as service
from syncadmin.services import sign_in_limit
from syncadmin.web import htmx
from syncadmin.web.access import open_to_all

# Named, since several authentication back ends may be installed and a link is not one of them.
BACKEND = "django.contrib.auth.backends.ModelBackend"
# In the session of whoever came by a link: the old password may be what they do not know.
BY_LINK = "by_link"


@open_to_all
@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    form = AuthenticationForm(request, data=request.POST if request.method == "POST" else None)
    wait = _tried(request) if request.method == "POST" else ""
    if request.method == "POST" and not wait and form.is_valid():
        sign_in_limit.fitted(request.POST.get("username", ""), _address(request))
        auth.login(request, form.get_user())
        return HttpResponseRedirect(_afterwards(request))
    if request.method != "POST" and request.user.is_authenticated:
        return HttpResponseRedirect(_afterwards(request))
    status = (429 if wait else 422) if request.method == "POST" else 200
    # A form that is shown looks at the password; after too many tries it must not.
    shown = AuthenticationForm(request, initial={"username": request.POST.get("username", "")}) if wait else form
    context = {"form": shown, "wait": wait, "next": request.POST.get("next", request.GET.get("next", ""))}
    return htmx.answer(request, "sign_in/page.html", context, status=status)


def _tried(request: HttpRequest) -> str:
    """Counts this try; a sentence if there were too many."""
    try:
        sign_in_limit.begin(request.POST.get("username", ""), _address(request), htmx.now())
    except sign_in_limit.TooMany as refused:
        minutes = max(1, ceil(refused.wait.total_seconds() / 60))
        return ngettext(
            "Too many tries did not fit. Try again in %(minutes)d minute, or use a sign-in link.",
            "Too many tries did not fit. Try again in %(minutes)d minutes, or use a sign-in link.",
            minutes,
        ) % {"minutes": minutes}
    return ""


def _address(request: HttpRequest) -> str:
    """Where the request comes from. Only a trusted proxy's own, last entry is believed: the rest anybody can write."""
    seen: str = request.META.get("REMOTE_ADDR", "")
    if settings.TRUST_PROXY:
        seen = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip() or seen
    return seen[:64]


def _afterwards(request: HttpRequest) -> str:
    target = request.POST.get("next") or request.GET.get("next") or ""
    hosts = {request.get_host()}
    if url_has_allowed_host_and_scheme(target, allowed_hosts=hosts, require_https=request.is_secure()):
        return target
    return settings.LOGIN_REDIRECT_URL


@open_to_all
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def by_link(request: HttpRequest, token: str) -> HttpResponse:
    """A link from the terminal lets in when it is opened. One that was mailed shows a button, which uses it: mail
    scanners open every address they see.

    A used, old or invented token leads to the password form and says so.
    """
    looked_at = request.method == "HEAD" or "prefetch" in request.headers.get("Sec-Purpose", "")
    used = request.method == "POST" or (not looked_at and service.from_terminal(token, htmx.now()))
    user = (service.redeem if used else service.holder)(token, htmx.now())
    if user is not None and not used:
        return htmx.answer(request, "sign_in/link.html", {"name": user.get_username()})
    if user is None:
        messages.error(request, _("This sign-in link has been used already or is too old."))
        return redirect("sign-in")
    auth.login(request, user, backend=BACKEND)
    request.session[BY_LINK] = True
    return redirect(settings.LOGIN_REDIRECT_URL)


@open_to_all
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    auth.logout(request)
    return redirect("sign-in")
