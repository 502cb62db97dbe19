"""What to sync: the third step of the wizard, and later a page of the settings."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from syncadmin.services import connecting, setup
from syncadmin.services import scope as service
from syncadmin.store import options
from syncadmin.web import htmx
from syncadmin.web.access import Right, needs
from syncadmin.web.forms.scope import FIRST_CONTACT, SEVERAL, ScopeForm
from syncadmin.web.views import setup_steps

TEMPLATE = "setup/scope.html"


@needs(Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def scope(request: HttpRequest) -> HttpResponse:
    early = setup_steps.not_yet(request, "scope")
    if early is not None:
        return early
    if request.method == "POST":
        return _save(request)
    if htmx.wants_part(request) and "filter_column" in request.GET:
        return _counts(request)
    if htmx.wants_part(request) and "list" in request.GET:
        offers = service.offers(_words(request))
        context = _lists(request, offers, request.GET.get("list_id", ""))
        return htmx.answer(request, TEMPLATE, context, part="lists")
    return _page(request)


def _page(request: HttpRequest, form: ScopeForm | None = None) -> HttpResponse:
    trouble = connecting.learn()
    offers = service.offers(_words(request))
    form = form or _form(offers)
    count_now = "count" in request.GET
    context = {
        "form": form,
        "several": SEVERAL,
        "first_contact": FIRST_CONTACT,
        "zones": service.zones(),
        "trouble": trouble,
        **(_counted(str(form["filter_column"].value() or "")) if count_now else {}),
        **_lists(request, offers, str(form["list_id"].value() or "")),
        **setup_steps.frame("scope"),
    }
    return htmx.answer(request, TEMPLATE, context)


def _form(offers: service.MarketoOffers, data: Any = None) -> ScopeForm:
    chosen = options.read()
    initial = {name: value for name, value in asdict(chosen).items() if name in service.NAMES}
    columns = [(each.name, _column(each)) for each in service.filter_columns()]
    if not chosen.scope_chosen and not chosen.started:
        # A first answer to look at: the viewer's zone, and no filter where its usual column is missing.
        initial["time_zone"] = timezone.get_current_timezone_name()
        if initial["filter_column"] not in dict(columns):
            initial["filter_column"] = ""
    return ScopeForm(data, initial=initial, columns=columns, partitions=offers.partitions)


def _column(column: service.FilterColumn) -> str:
    if len(column.tables) == 2:
        return f"{column.label} ({column.name})"
    only = _("leads only") if column.tables[0] == "lead" else _("contacts only")
    return f"{column.label} ({column.name}, {only})"


def _words(request: HttpRequest) -> str:
    return request.GET.get("list", "")[:200]


def _lists(request: HttpRequest, offers: service.MarketoOffers, chosen: str) -> dict[str, Any]:
    """The lists that fit the search; the one chosen before stays among them, or the search would unchoose it."""
    kept = "" if any(each.id == chosen for each in offers.lists) else chosen[:20]
    return {
        "offers": offers,
        "list_query": _words(request),
        "chosen_list": chosen,
        "kept_list": kept,
        "kept_name": service.list_name(kept),
    }


def _counted(column: str) -> dict[str, Any]:
    divided, trouble = service.count(column)
    return {"divided": divided, "count_trouble": trouble, "counted": True}


def _counts(request: HttpRequest) -> HttpResponse:
    return htmx.answer(request, TEMPLATE, _counted(request.GET["filter_column"][:100]), part="counts")


def _save(request: HttpRequest) -> HttpResponse:
    form = _form(service.offers(), request.POST)
    if not form.is_valid():
        return _page(request, form)
    chosen = options.read()
    # The first answers are all new, also those that were only proposed.
    kept = {name: getattr(chosen, name) for name in service.NAMES} if chosen.scope_chosen or chosen.started else {}
    answers = {**kept, **form.touched()} if kept else form.cleaned_data
    try:
        service.choose(answers, who=request.user.get_username(), now=htmx.now())
    except setup.WrongSetting as wrong:
        form.add_error("time_zone" if "time_zone" in str(wrong) else None, _(str(wrong)))
        return _page(request, form)
    messages.success(request, _("Saved."))
    return redirect("setup-scope" if chosen.started else setup_steps.first_unfinished())
