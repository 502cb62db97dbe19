"""Failures: a card for each cause, the records behind, and what can be done about them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from syncadmin.engine.causes import Cause
from syncadmin.services import bulk_release, field_rules, quick_fixes, roles
from syncadmin.services.bulk_release import Which
from syncadmin.services.choose_fields import NoMetadata, NoPairs, WrongPairs
from syncadmin.store.queries import columns
from syncadmin.store.queries import failures as queries
from syncadmin.store.queries.failures import FailureFilter, FailureRow
from syncadmin.web import exports, htmx, lists
from syncadmin.web.access import Right, needs, right_of
from syncadmin.web.words import causes as words
from syncadmin.web.words.terms import OPERATIONS, SIDES, TABLES, named


@needs(Right.READ)
@require_safe
def failures(request: HttpRequest) -> HttpResponse:
    now = htmx.now()
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    context = {
        "cards": queries.causes(today),
        "labels": columns.catalogue().labels(),
        "now": now,
        "may_operate": htmx.may_operate(request),
        "fixable": quick_fixes.FIXABLE,
        "back": reverse("failures"),
    }
    return htmx.answer(request, "failures/page.html", context)


@needs(Right.READ)
@require_safe
def records(request: HttpRequest) -> HttpResponseBase:
    wanted, sort = _filter(request.GET), lists.sort_of(request, queries.SORTS)
    book = columns.catalogue()
    if request.GET.get("format") == "csv":
        rows = _cells(queries.every(wanted, sort), book.labels())
        return exports.stream_csv("failures", words.HEADINGS, rows)
    page = queries.page(wanted, sort, lists.number(request.GET, "after"))
    path = reverse("failure-records")
    context = {
        "page": page,
        "wanted": wanted,
        "found": queries.count(wanted),
        "listing": lists.listing(request, path, _kept(wanted), queries.SORTS, page.following),
        "causes": [(cause.value, words.title(cause)) for cause in Cause],
        "states": words.STATES,
        "fixable": quick_fixes.FIXABLE,
        "labels": book.labels(),
        "now": htmx.now(),
        "may_operate": htmx.may_operate(request),
        "back": request.get_full_path(),
    }
    return htmx.answer(request, "failures/records.html", context, part="records")


def _filter(given: QueryDict) -> FailureFilter:
    return FailureFilter(
        cause=lists.one_of(given, "cause", frozenset(Cause)),
        key=given.get("key", "")[:220].replace("\0", ""),
        side=lists.one_of(given, "side", tuple(SIDES)),
        table=lists.one_of(given, "table", tuple(TABLES)),
        state=lists.one_of(given, "state", queries.STATES) or "open",
    )


def _kept(wanted: FailureFilter) -> dict[str, object]:
    state = "" if wanted.state == "open" else wanted.state
    return {"cause": wanted.cause, "key": wanted.key, "side": wanted.side, "table": wanted.table, "state": state}


def _cells(rows: Iterator[FailureRow], labels: dict[str, str]) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        yield (
            row.id,
            words.title(row.cause),
            row.name,
            row.subject,
            named(TABLES, row.table) if row.table else "",
            labels.get(row.key, row.key),
            named(SIDES, row.side),
            named(OPERATIONS, row.operation),
            row.code,
            row.message,
            row.value.get("value") if isinstance(row.value, dict) else row.value,
            row.attempts,
            row.opened_at,
            row.last_at,
            row.next_try_at,
            row.closed_at,
            row.ignored,
            row.run,
        )


@needs(Right.OPERATE)
@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """Release, put aside, take back: many are asked about first, with the number; ``sure`` does it."""
    wish, chosen = request.POST.get("act", ""), lists.chosen(request)
    if wish not in bulk_release.ACTS:
        raise Http404
    if chosen == ():
        messages.warning(request, _("No failure was chosen."))
        return lists.back(request, reverse("failures"))
    which = Which(chosen, _filter(request.POST) if chosen is None else FailureFilter())
    if chosen is None and "sure" not in request.POST:
        context = {
            "act": wish,
            "effect": bulk_release.preview(which, wish),
            "wanted": which.wanted,
            "kept": {name: value for name, value in _kept(which.wanted).items() if value},
            "labels": columns.catalogue().labels(),
            "back": lists.place(request, reverse("failures")),
        }
        return htmx.answer(request, "failures/sure.html", context)
    _do(request, wish, which)
    return lists.back(request, reverse("failures"))


def _do(request: HttpRequest, wish: str, which: Which) -> None:
    done = getattr(bulk_release, wish)(which, request.user.get_username(), htmx.now())
    if not done:
        messages.warning(request, _("Nothing was changed: somebody, or a run, was faster."))
        return
    text = {
        "release": ngettext(
            "%(number)d failure is released; the next run tries again.",
            "%(number)d failures are released; the next run tries again.",
            done,
        ),
        "ignore": ngettext(
            "%(number)d failure is put aside until it changes.",
            "%(number)d failures are put aside until they change.",
            done,
        ),
        "notice": ngettext("%(number)d failure counts again.", "%(number)d failures count again.", done),
    }[wish]
    messages.success(request, text % {"number": done})


@needs(Right.READ, posting=Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def fix(request: HttpRequest, pk: int) -> HttpResponse:
    """A mend that can be made right here: what it changes, how many failures it releases, and the change."""
    row = queries.one(pk)
    if row is None:
        raise Http404
    mend = quick_fixes.offered(row)
    if mend is not None and request.method == "POST" and _apply(request, mend):
        return lists.back(request, reverse("failures"))
    book = columns.catalogue()
    context = {
        "row": row,
        "mend": mend,
        "releases": mend.releases if mend else 0,
        "given": request.POST.get("given", mend.text if mend and mend.kind == "default" else ""),
        "labels": book.labels(),
        "may_administer": right_of(request) >= Right.ADMINISTER,
        "administrators": [user.get_username() for user in roles.administrators()],
        "back": f"{reverse('failure-records')}?cause={row.cause}",
    }
    return htmx.answer(request, "failures/fix.html", context)


def _apply(request: HttpRequest, mend: quick_fixes.Fix) -> bool:
    who = request.user.get_username()
    try:
        released = quick_fixes.apply(mend, request.POST.get("given", ""), who, htmx.now())
    except (quick_fixes.NotFitting, field_rules.UnknownField, NoMetadata, NoPairs, WrongPairs) as refused:
        messages.error(request, _(str(refused)))
        return False
    text = ngettext(
        "The field is changed, and %(number)d failure is released; the next run tries again.",
        "The field is changed, and %(number)d failures are released; the next run tries again.",
        released,
    )
    messages.success(request, text % {"number": released})
    return True
