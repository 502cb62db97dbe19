"""Every pass of the loop, and what one of them did."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from syncadmin.engine.records import Side
from syncadmin.store.queries import columns, run_lines
from syncadmin.store.queries import runs as queries
from syncadmin.store.queries.columns import Catalogue
from syncadmin.store.queries.run_lines import Wanted
from syncadmin.store.queries.runs import RunDetail
from syncadmin.web import days, htmx
from syncadmin.web.access import Right, needs
from syncadmin.web.words.history import KINDS
from syncadmin.web.words.terms import TABLES, named

# Of a run's conflicts and failures; all of them stand on pages of their own.
_FIRST = 10


@needs(Right.READ)
@require_safe
def runs(request: HttpRequest) -> HttpResponse:
    asked = {name: request.GET.get(name, "") for name in ("show", "from", "to")}
    shown = asked["show"] if asked["show"] in queries.SHOWN else ""
    wanted = queries.Wanted(shown, *days.between(asked["from"], asked["to"]))
    page = queries.page(wanted, htmx.number(request, "before"))
    kept = urlencode({name: word for name, word in asked.items() if word})
    first = f"{reverse('runs')}?{kept}" if kept else reverse("runs")
    context = {
        "page": page,
        "shown": shown,
        "since": asked["from"],
        "until": asked["to"],
        "filtered": bool(kept),
        "first": first,
        "next": f"{first}{'&' if kept else '?'}before={page.older}" if page.older else "",
        "later_page": "before" in request.GET,
        "now": htmx.now(),
    }
    return htmx.answer(request, "runs/page.html", context, part="rows")


@needs(Right.READ)
@require_safe
def run(request: HttpRequest, pk: int) -> HttpResponse:
    detail = queries.detail(pk)
    if detail is None:
        if not queries.forgotten(pk):
            raise Http404
        return htmx.answer(request, "runs/forgotten.html", {"number": pk}, status=404)
    wanted = Wanted(*(request.GET.get(name, "")[:220].replace("\0", "") for name in ("kind", "side", "field")))
    lines = run_lines.lines(pk, wanted, htmx.number(request, "before"))
    digest = hashlib.sha256(repr((detail, lines)).encode()).hexdigest()[:16]
    if htmx.wants_part(request) and request.GET.get("seen") == digest:
        return HttpResponse(status=204)
    context = {
        "detail": detail,
        "lines": lines,
        "wanted": wanted,
        "digest": digest,
        "now": htmx.now(),
        **_words(detail, wanted, columns.catalogue()),
        **_addresses(request, wanted, lines.older),
        **_matters(detail),
    }
    return htmx.answer(request, "runs/run.html", context, part="live")


def _words(detail: RunDetail, wanted: Wanted, book: Catalogue) -> dict[str, Any]:
    """What can be chosen: the kinds this run left lines of, and the fields in force."""
    kinds = dict.fromkeys([kind for kind, _number in detail.by_kind] + ([wanted.kind] if wanted.kind else []))
    labels = book.labels()
    return {
        "kinds": [(kind, KINDS.get(kind, kind)) for kind in kinds],  # type: ignore[call-overload]
        "sides": list(Side),
        "fields": field_choices(labels),
        "labels": labels,
        "options": book.options(),
    }


def field_choices(labels: dict[str, str]) -> list[tuple[str, str]]:
    """The fields by name; one that leads and contacts both have says which of the two it is of."""
    often = Counter(label.casefold() for label in labels.values())
    told = {
        key: f"{label} · {named(TABLES, key.partition('.')[0])}" if often[label.casefold()] > 1 else label
        for key, label in labels.items()
    }
    return sorted(told.items(), key=lambda pair: (pair[1].casefold(), pair[0]))


def _addresses(request: HttpRequest, wanted: Wanted, older: int | None) -> dict[str, Any]:
    told = {"kind": wanted.kind, "side": wanted.side, "field": wanted.field}
    kept = urlencode({name: word for name, word in told.items() if word})
    first = f"{request.path}?{kept}"
    place = request.GET.get("before", "")
    return {
        "first": first,
        "next": f"{first}&before={older}" if older else "",
        "later_page": bool(place),
        "here": f"{first}&before={place}" if htmx.number(request, "before") is not None else first,
    }


def _matters(detail: RunDetail) -> dict[str, Any]:
    found = detail.run.id
    return {
        "conflicts": run_lines.conflicts(found, _FIRST) if detail.conflicts else (),
        "failures": run_lines.failures(found, _FIRST) if detail.failures else (),
    }
