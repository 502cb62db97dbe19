"""How the sync behaves, in plain words; each change stands in the audit log."""

from __future__ import annotations

from dataclasses import asdict

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from syncadmin.services import setup
from syncadmin.store import options
from syncadmin.store.queries import setup as queries
from syncadmin.web import htmx
from syncadmin.web.access import Right, needs
from syncadmin.web.forms.sync import SyncForm, changed


@needs(Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def sync(request: HttpRequest) -> HttpResponse:
    now = asdict(options.read())
    form = SyncForm(now, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        wanted = form.wanted()
        try:
            setup.change_all(wanted, who=request.user.get_username(), now=htmx.now())
        except setup.WrongSetting as wrong:
            form.add_error(None, _(str(wrong)))
        else:
            messages.success(request, changed(now, wanted))
            return redirect("settings-sync")
    context = {"form": form, "entries": queries.changes(), "now": htmx.now()}
    return htmx.answer(request, "settings/sync.html", context)
