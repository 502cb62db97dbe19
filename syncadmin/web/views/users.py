"""Who may use the dashboard, and as what. A link is shown once, on the answer to the request that made it."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from syncadmin.services import accounts, roles, sign_in
from syncadmin.services.roles import LastAdministrator, Role
from syncadmin.store.queries import users as queries
from syncadmin.store.queries.users import UserRow
from syncadmin.web import htmx
from syncadmin.web.access import Right, needs
from syncadmin.web.forms.users import InviteForm
from syncadmin.web.words.terms import ROLES, ROLES_MEAN


@needs(Right.ADMINISTER)
@require_safe
def users(request: HttpRequest) -> HttpResponse:
    return _page(request, InviteForm())


@needs(Right.ADMINISTER)
@never_cache
@require_POST
def invite(request: HttpRequest) -> HttpResponse:
    form = InviteForm(request.POST)
    if form.is_valid():
        told = form.cleaned_data
        try:
            user, token = accounts.invite(
                told["name"], told["email"], Role(told["role"]), who=request.user.get_username(), now=htmx.now()
            )
        except accounts.NameTaken:
            form.add_error("name", _("Somebody has this name already."))
        else:
            return _show_link(request, user.get_username(), token, invited=True)
    return _page(request, form, status=422)


@needs(Right.ADMINISTER)
@never_cache
@require_POST
def link(request: HttpRequest, pk: int) -> HttpResponse:
    row = _found(pk)
    if not row.is_open:
        messages.error(request, _("A closed account cannot be entered; open it first."))
        return redirect("settings-users")
    token = sign_in.token_for(User.objects.get(pk=pk), who=request.user.get_username(), now=htmx.now())
    return _show_link(request, row.name, token, invited=False)


@needs(Right.ADMINISTER)
@require_POST
def role(request: HttpRequest, pk: int) -> HttpResponse:
    row, wanted = _found(pk), request.POST.get("role", "")
    if wanted not in set(Role):
        raise Http404
    try:
        roles.assign(User.objects.get(pk=pk), Role(wanted), who=request.user.get_username(), now=htmx.now())
    except LastAdministrator:
        messages.error(request, _last())
    else:
        messages.success(request, _("%(name)s is now: %(role)s.") % {"name": row.name, "role": ROLES[wanted]})
    return redirect("settings-users")


@needs(Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def close(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks first; the second press does it."""
    row = _found(pk)
    if request.method != "POST":
        return htmx.answer(request, "users/close.html", {"row": row, "own": row.id == request.user.pk})
    try:
        accounts.close(row.name, who=request.user.get_username(), now=htmx.now())
    except LastAdministrator:
        messages.error(request, _last())
    else:
        messages.success(request, _("%(name)s can no longer sign in.") % {"name": row.name})
    return redirect("settings-users")


@needs(Right.ADMINISTER)
@require_POST
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    row = _found(pk)
    accounts.reopen(row.name, who=request.user.get_username(), now=htmx.now())
    messages.success(request, _("%(name)s can sign in again.") % {"name": row.name})
    return redirect("settings-users")


def _last() -> str:
    return _("The last administrator stays one: make somebody else an administrator first.")


def _found(pk: int) -> UserRow:
    row = queries.one(pk, htmx.now())
    if row is None:
        raise Http404
    return row


def _page(request: HttpRequest, form: InviteForm, status: int = 200) -> HttpResponse:
    now = htmx.now()
    choices = [(code, ROLES[code], ROLES_MEAN[code]) for code in Role]
    context = {"rows": queries.everybody(now), "form": form, "roles": choices, "now": now}
    return htmx.answer(request, "users/page.html", context, status=status)


def _show_link(request: HttpRequest, name: str, token: str, *, invited: bool) -> HttpResponse:
    good_for = sign_in.INVITED_FOR if invited else sign_in.GOOD_FOR
    context = {
        "name": name,
        "address": settings.PUBLIC_URL + reverse("sign-in-link", args=[token]),
        "invited": invited,
        "until": htmx.now() + good_for,
    }
    return htmx.answer(request, "users/link.html", context)
