"""Needs a decision: the questions only a person can settle, answered one by one or together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from syncadmin.services import bulk_answers
from syncadmin.services.answers import Refused
from syncadmin.services.bulk_answers import Which
from syncadmin.store.queries import columns
from syncadmin.store.queries import decisions as queries
from syncadmin.store.queries.decisions import DecisionFilter, DecisionRow
from syncadmin.web import exports, htmx, lists
from syncadmin.web.access import Right, needs
from syncadmin.web.words import decisions as words


@needs(Right.READ)
@require_safe
def decisions(request: HttpRequest) -> HttpResponseBase:
    wanted, sort = _filter(request.GET), lists.sort_of(request, queries.SORTS)
    if request.GET.get("format") == "csv":
        return exports.stream_csv("decisions", words.HEADINGS, _cells(queries.every(wanted, sort)))
    page = queries.page(wanted, sort, lists.number(request.GET, "after"))
    context = {
        "page": page,
        "wanted": wanted,
        "found": queries.count(wanted),
        "shapes": queries.shapes() if wanted.state == "open" else (),
        "kinds": [(kind, words.title(kind)) for kind in words.KINDS],
        "listing": lists.listing(request, reverse("decisions"), _kept(wanted), queries.SORTS, page.following),
        "labels": columns.catalogue().labels(),
        "now": htmx.now(),
        "may_operate": htmx.may_operate(request),
        "back": request.get_full_path(),
    }
    return htmx.answer(request, "decisions/page.html", context, part="decisions")


def _filter(given: QueryDict) -> DecisionFilter:
    return DecisionFilter(
        kind=lists.one_of(given, "kind", words.KINDS),
        shape=given.get("shape", "")[:40].replace("\0", ""),
        state=lists.one_of(given, "state", queries.STATES) or "open",
    )


def _kept(wanted: DecisionFilter) -> dict[str, object]:
    state = "" if wanted.state == "open" else wanted.state
    return {"kind": wanted.kind, "shape": wanted.shape, "state": state}


def _cells(rows: Iterator[DecisionRow]) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        answer = row.answer.get("choice", "") if isinstance(row.answer, dict) else ""
        yield (
            words.title(row.kind),
            row.subject,
            row.name,
            words.shape(row.kind, row.shape),
            "; ".join(
                f"{face.get('name') or face.get('email')} ({face.get('id')})" for _asked, face in words.faces(row.facts)
            ),
            row.opened_at,
            words.choice(row.kind, str(answer), row.facts).label if answer else "",
            row.answered_at,
            row.answered_by,
            row.run,
        )


@needs(Right.READ, posting=Right.OPERATE)
@require_http_methods(["GET", "HEAD", "POST"])
def decision(request: HttpRequest, pk: int) -> HttpResponse:
    row = queries.one(pk)
    if row is None:
        raise Http404
    if request.method == "POST":
        return _answer(request, row)
    context = {
        "decision": row,
        "labels": columns.catalogue().labels(),
        "now": htmx.now(),
        "may_operate": htmx.may_operate(request),
        "back": request.path,
    }
    return htmx.answer(request, "decisions/decision.html", context)


def _answer(request: HttpRequest, row: DecisionRow) -> HttpResponse:
    who, choice = request.user.get_username(), request.POST.get("choice", "")
    double_click = row.answered_by == who and row.answer == {"choice": choice}
    if choice not in row.choices:
        messages.error(request, _("This answer is not one of the choices."))
    elif row.answered_at is not None and not double_click:
        messages.error(request, _("This decision has been settled already."))
    elif double_click or _record(request, Which((row.id,)), choice):
        messages.success(
            request, _("Your answer is recorded; the next run carries it out. Until then it can be taken back.")
        )
    return lists.back(request, reverse("decisions"))


def _record(request: HttpRequest, which: Which, choice: str) -> int:
    try:
        return bulk_answers.answer(which, choice, request.user.get_username(), htmx.now())
    except Refused as refused:
        messages.error(request, _(str(refused)))
        return 0


@needs(Right.OPERATE)
@require_POST
def together(request: HttpRequest) -> HttpResponse:
    """One answer for many: first the choices with the numbers; with ``sure`` and a choice it is recorded."""
    chosen = lists.chosen(request)
    if chosen == ():
        messages.warning(request, _("No question was chosen."))
        return lists.back(request, reverse("decisions"))
    which = Which(chosen, _filter(request.POST) if chosen is None else DecisionFilter())
    choice = request.POST.get("choice", "")
    if "sure" in request.POST and choice:
        done = _record(request, which, choice)
        text = ngettext(
            "%(number)d answer is recorded; the next run carries it out. Until then it can be taken back.",
            "%(number)d answers are recorded; the next run carries them out. Until then they can be taken back.",
            done,
        )
        if done:
            messages.success(request, text % {"number": done})
        return lists.back(request, reverse("decisions"))
    offer = bulk_answers.offer(which)
    context = {
        "offer": offer,
        "choices": [words.choice(offer.kind, code, {}) for code in offer.choices],
        "ids": which.ids,
        "kept": {name: value for name, value in _kept(which.wanted).items() if value},
        "back": lists.place(request, reverse("decisions")),
    }
    return htmx.answer(request, "decisions/together.html", context)


@needs(Right.OPERATE)
@require_POST
def back(request: HttpRequest) -> HttpResponse:
    """Takes answers back that no run has carried out: the chosen ones, or all that wait and fit the filter."""
    chosen = lists.chosen(request)
    which = Which(chosen, replace(_filter(request.POST), state="waiting"))
    done = bulk_answers.take_back(which, request.user.get_username(), htmx.now())
    if done:
        text = ngettext("%(number)d answer is taken back.", "%(number)d answers are taken back.", done)
        messages.success(request, text % {"number": done})
    else:
        messages.warning(request, _("Nothing could be taken back: a run has carried it out already."))
    return lists.back(request, reverse("decisions"))


@needs(Right.READ)
@require_safe
def moved(request: HttpRequest, pk: int) -> HttpResponse:
    """Where a question stood before it had a list of its own."""
    return redirect("decision", pk, permanent=True)
