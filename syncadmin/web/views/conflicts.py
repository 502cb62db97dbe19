"""Which fields collided, who won and by which rule; and using the other value instead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from syncadmin.engine.mapping import Winner
from syncadmin.services import field_rules, roles, use_other_value
from syncadmin.services.choose_fields import NoMetadata, NoPairs, WrongPairs
from syncadmin.services.use_other_value import Which
from syncadmin.store.queries import columns
from syncadmin.store.queries import conflicts as queries
from syncadmin.store.queries.conflicts import ConflictFilter, ConflictRow
from syncadmin.web import days, exports, htmx, lists
from syncadmin.web.access import Right, needs, right_of
from syncadmin.web.words import conflicts as words
from syncadmin.web.words.terms import SIDES, named

ACTS = (*use_other_value.USES, "back")


@needs(Right.READ)
@require_safe
def conflicts(request: HttpRequest) -> HttpResponseBase:
    wanted, sort = _filter(request.GET), lists.sort_of(request, queries.SORTS)
    book = columns.catalogue()
    if request.GET.get("format") == "csv":
        rows = _cells(queries.every(wanted, sort), book.labels())
        return exports.stream_csv("conflicts", words.HEADINGS, rows)
    page = queries.page(wanted, sort, request.GET.get("after", ""))
    context = {
        "page": page,
        "wanted": wanted,
        "found": queries.count(wanted),
        "listing": lists.listing(
            request, reverse("conflicts"), _kept(request.GET, wanted), queries.SORTS, page.following
        ),
        "states": words.STATES,
        "rules": words.RULES,
        "labels": book.labels(),
        "now": htmx.now(),
        "may_operate": htmx.may_operate(request),
    }
    return htmx.answer(request, "conflicts/page.html", context, part="rows")


def _filter(given: QueryDict) -> ConflictFilter:
    since, until = days.between(given.get("since", ""), given.get("until", ""))
    return ConflictFilter(
        state=lists.one_of(given, "state", queries.STATES),
        key=given.get("key", "")[:220].replace("\0", ""),
        winner=lists.one_of(given, "winner", tuple(SIDES)),
        rule=lists.one_of(given, "rule", tuple(words.RULES)),
        link=lists.number(given, "person"),
        since=since,
        until=until,
    )


def _kept(given: QueryDict, wanted: ConflictFilter) -> dict[str, object]:
    return {
        "state": wanted.state,
        "key": wanted.key,
        "winner": wanted.winner,
        "rule": wanted.rule,
        "person": wanted.link,
        "since": given.get("since", "") if wanted.since else "",
        "until": given.get("until", "") if wanted.until else "",
    }


def _cells(rows: Iterator[ConflictRow], labels: dict[str, str]) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        yield (
            row.id,
            row.at,
            row.name,
            labels.get(row.key, row.key),
            row.agreed_dynamics,
            row.agreed_marketo,
            row.dynamics,
            row.marketo,
            named(SIDES, row.won) if row.won else "",
            words.rule(row.rule),
            words.state(row.state),
            row.decided_by,
            row.run,
        )


@needs(Right.READ)
@require_safe
def conflict(request: HttpRequest, pk: int) -> HttpResponse:
    row, book = queries.one(pk), columns.catalogue()
    if row is None:
        raise Http404
    context = {
        "row": row,
        "stands": queries.stands(row, book),
        "labels": book.labels(),
        "now": htmx.now(),
        "may_operate": htmx.may_operate(request),
        "may_administer": right_of(request) >= Right.ADMINISTER,
        "back": request.path,
    }
    return htmx.answer(request, "conflicts/conflict.html", context)


@needs(Right.OPERATE)
@require_POST
def use(request: HttpRequest) -> HttpResponse:
    """First says what would be done and for how many; with ``sure`` it is done. The next run carries it out."""
    act = request.POST.get("act", "")
    if act not in ACTS:
        raise Http404
    chosen = lists.chosen(request)
    which = Which(chosen, _filter(request.POST) if chosen is None else ConflictFilter())
    if chosen == ():
        messages.warning(request, _("No conflict was chosen."))
        return lists.back(request, reverse("conflicts"))
    if "sure" not in request.POST:
        return _ask(request, act, which)
    who, now = request.user.get_username(), htmx.now()
    if act == "back":
        _tell_taken_back(request, use_other_value.take_back(which, who, now))
    else:
        _tell_used(request, use_other_value.choose(which, act, who, now).together)
    return lists.back(request, reverse("conflicts"))


def _ask(request: HttpRequest, act: str, which: Which) -> HttpResponse:
    wanted = which.wanted
    context = {
        "act": act,
        "effect": use_other_value.waiting(which) if act == "back" else use_other_value.preview(which, act),
        "ids": which.ids,
        "kept": {name: value for name, value in _kept(request.POST, wanted).items() if value},
        "wanted": wanted,
        "back": lists.place(request, reverse("conflicts")),
        "labels": columns.catalogue().labels(),
    }
    return htmx.answer(request, "conflicts/sure.html", context)


def _tell_used(request: HttpRequest, number: int) -> None:
    if not number:
        messages.warning(request, _("Nothing was changed: somebody, or a run, was faster."))
        return
    text = ngettext(
        "%(number)d conflict gets the other value with the next run. Until then it can be taken back.",
        "%(number)d conflicts get the other value with the next run. Until then it can be taken back.",
        number,
    )
    messages.success(request, text % {"number": number})


def _tell_taken_back(request: HttpRequest, taken: use_other_value.TakenBack) -> None:
    if taken.done:
        text = ngettext("%(number)d choice is taken back.", "%(number)d choices are taken back.", taken.done)
        messages.success(request, text % {"number": taken.done})
    elif not taken.late:
        messages.warning(request, _("Nothing could be taken back: a run has carried it out already."))
    if taken.late:
        text = ngettext("%(number)d is being written already.", "%(number)d are being written already.", taken.late)
        messages.warning(request, text % {"number": taken.late})


def _make_rule(request: HttpRequest, row: ConflictRow, winner: Winner) -> HttpResponse:
    try:
        version = field_rules.change(row.key, who=request.user.get_username(), now=htmx.now(), winner=winner)
    except (field_rules.UnknownField, NoMetadata, NoPairs, WrongPairs) as refused:
        messages.error(request, _(str(refused)))
    else:
        text = _("From the next batch on this is the rule of the field (field set, version %(version)d).")
        messages.success(request, text % {"version": version})
    return redirect("conflict", row.id)


@needs(Right.READ, posting=Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def rule(request: HttpRequest, pk: int) -> HttpResponse:
    """Who wins from now on in this field: what would change, and the change."""
    row = queries.one(pk)
    pair = field_rules.pair_of(row.key) if row else None
    if row is None or pair is None:
        raise Http404
    if request.method == "POST":
        winner = lists.one_of(request.POST, "winner", tuple(Winner))
        if not winner:
            raise Http404
        return _make_rule(request, row, Winner(winner))
    context = {
        "row": row,
        "pair": pair,
        "winners": [(winner.value, words.winner_of_pair(winner, pair.table)) for winner in Winner],
        "suggested": row.won or row.winner,
        "standing": queries.count(ConflictFilter(key=row.key, state="open")),
        "past": queries.count(ConflictFilter(key=row.key)),
        "labels": columns.catalogue().labels(),
        "may_administer": right_of(request) >= Right.ADMINISTER,
        "administrators": [user.get_username() for user in roles.administrators()],
    }
    return htmx.answer(request, "conflicts/rule.html", context)
