"""Who is told outside the dashboard, of what, and whether it arrived."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from syncadmin.services import notify_channels, setup
from syncadmin.services.notify_channels import WrongChannel
from syncadmin.store import options
from syncadmin.store.queries import notifications as queries
from syncadmin.store.queries.notifications import ChannelRow
from syncadmin.web import htmx
from syncadmin.web.access import Right, needs
from syncadmin.web.forms.notifications import ChannelForm, LimitsForm
from syncadmin.web.words import notifications as words


@needs(Right.ADMINISTER)
@require_safe
def notifications(request: HttpRequest) -> HttpResponse:
    return _page(request)


@needs(Right.ADMINISTER)
@sensitive_post_parameters("secret", "address")
@require_POST
def add(request: HttpRequest) -> HttpResponse:
    form = ChannelForm(request.POST)
    if form.is_valid() and _added(request, form):
        messages.success(request, _("The channel is there. Send a test to see whether it arrives."))
        return redirect("settings-notifications")
    return _page(request, form=form, status=422)


def _added(request: HttpRequest, form: ChannelForm) -> bool:
    try:
        notify_channels.add(**form.cleaned_data, who=request.user.get_username(), now=htmx.now())
    except ValidationError as error:
        form.add_error("address", error)
    except WrongChannel as error:
        form.add_error("header" if error.code == "header" else "address", str(words.WRONG[error.code]))
        if error.code == "address":
            form.add_error("address", str(error))
    return form.is_valid()


@needs(Right.ADMINISTER)
@require_POST
def limits(request: HttpRequest) -> HttpResponse:
    form = LimitsForm(request.POST)
    if not form.is_valid():
        return _page(request, limits=form, status=422)
    for name, value in form.settings().items():
        setup.change(name, value, who=request.user.get_username(), now=htmx.now())
    messages.success(request, _("The limits are saved."))
    return redirect("settings-notifications")


@needs(Right.ADMINISTER)
@require_POST
def test(request: HttpRequest, pk: int) -> HttpResponse:
    row = _found(pk)
    try:
        sent = notify_channels.test(pk, who=request.user.get_username(), now=htmx.now())
    except ObjectDoesNotExist:
        return _gone(request, row)
    if sent.sent_at:
        messages.success(request, _("The test was delivered to %(place)s.") % {"place": row.place})
    else:
        told = {"place": row.place, "said": sent.error.get("said", "")}
        messages.error(request, _("The test did not reach %(place)s: %(said)s") % told)
    return redirect("settings-notifications")


@needs(Right.ADMINISTER)
@require_POST
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    row, active = _found(pk), request.POST.get("active") == "on"
    try:
        notify_channels.switch(pk, active, who=request.user.get_username(), now=htmx.now())
    except ObjectDoesNotExist:
        return _gone(request, row)
    said = _("%(place)s is told again.") if active else _("%(place)s is told nothing for now.")
    messages.success(request, said % {"place": row.place})
    return redirect("settings-notifications")


@needs(Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks first; the second press does it."""
    row = _found(pk)
    if request.method != "POST":
        return htmx.answer(request, "notifications/remove.html", {"row": row})
    try:
        notify_channels.remove(pk, who=request.user.get_username(), now=htmx.now())
    except ObjectDoesNotExist:
        return _gone(request, row)
    messages.success(request, _("%(place)s is taken away.") % {"place": row.place})
    return redirect("settings-notifications")


def _gone(request: HttpRequest, row: ChannelRow) -> HttpResponse:
    """Somebody else took it away between the look and the deed."""
    messages.warning(request, _("%(place)s has been taken away meanwhile.") % {"place": row.place})
    return redirect("settings-notifications")


def _found(pk: int) -> ChannelRow:
    row = queries.channel(pk)
    if row is None:
        raise Http404
    return row


def _page(
    request: HttpRequest, form: ChannelForm | None = None, limits: LimitsForm | None = None, status: int = 200
) -> HttpResponse:
    channels = queries.channels()
    context = {
        "channels": channels,
        "alarms": queries.alarms(),
        "deliveries": queries.deliveries(),
        "places": {row.id: row.place for row in channels},
        "form": form or ChannelForm(),
        "limits": limits or LimitsForm(initial=LimitsForm.of(options.read())),
        "now": htmx.now(),
    }
    return htmx.answer(request, "notifications/page.html", context, status=status)
