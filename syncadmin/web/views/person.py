"""One person: both sides, what was agreed, why it stands so, and everything that ever happened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from syncadmin.store.kinds import Kind
from syncadmin.store.queries import columns, history
from syncadmin.store.queries import person as queries
from syncadmin.store.queries.columns import Catalogue
from syncadmin.store.queries.history import Wanted
from syncadmin.store.queries.person import PersonDetail
from syncadmin.web import exports, htmx
from syncadmin.web.access import Right, needs
from syncadmin.web.words import history as words
from syncadmin.web.words.terms import SIDES


@needs(Right.READ)
@require_safe
def person(request: HttpRequest, link: int) -> HttpResponse:
    book = columns.catalogue()
    return _person(request, queries.of_link(link, book), book)


@needs(Right.READ)
@require_safe
def dynamics_record(request: HttpRequest, guid: UUID) -> HttpResponse:
    link = queries.link_of(dynamics=guid)
    if link:
        return redirect("person", link)
    book = columns.catalogue()
    return _person(request, queries.of_record(book, dynamics=guid), book)


@needs(Right.READ)
@require_safe
def marketo_person(request: HttpRequest, number: int) -> HttpResponse:
    _in_range(number)
    link = queries.link_of(marketo=number)
    if link:
        return redirect("person", link)
    book = columns.catalogue()
    return _person(request, queries.of_record(book, marketo=number), book)


@needs(Right.READ)
@require_safe
def history_file(
    request: HttpRequest, form: str, link: int = 0, guid: UUID | None = None, number: int = 0
) -> HttpResponseBase:
    """The complete history as ``csv`` or ``json``, sent while it is read."""
    _in_range(number)
    book = columns.catalogue()
    known = queries.of_link(link, book) if link else queries.of_record(book, guid, number or None)
    if known is None:
        raise Http404
    whole, names = history.every(known.whose), (book.labels(), book.options())
    name = f"history-{known.link or (known.dynamics or known.marketo).id}"  # type: ignore[union-attr]
    if form == "csv":
        return exports.stream_csv(
            name, words.headings(), (cells for line in whole for cells in words.cells(line, *names))
        )
    headers = {"Content-Disposition": f'attachment; filename="{name}.json"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(
        _json(known, (words.as_json(line, *names) for line in whole)), content_type="application/json", headers=headers
    )


def _json(known: PersonDetail, lines: Iterator[dict[str, Any]]) -> Iterator[str]:
    """One object: who it is, then every line, newest first."""
    ids = {side: record.id for side, record in known.both if record}
    head = json.dumps({"name": known.name, "email": known.email, "link": known.link, **ids}, ensure_ascii=False)
    yield f'{{"person": {head}, "history": ['
    between = "\n"
    for line in lines:
        yield between + json.dumps(line, ensure_ascii=False)
        between = ",\n"
    yield "\n]}\n"


def _in_range(number: int) -> None:
    if number >= 2**63:
        raise Http404


def _person(request: HttpRequest, detail: PersonDetail | None, book: Catalogue) -> HttpResponse:
    if detail is None:
        raise Http404
    labels = book.labels()
    wanted = _wanted(request, labels)
    context: dict[str, Any] = {
        "person": detail,
        "history": history.page(detail.whose, htmx.number(request, "before"), wanted),
        "wanted": wanted,
        "kinds": words.KINDS.items(),
        "sides": SIDES.items(),
        "chosen_fields": [(row.key, row.label) for row in detail.fields],
        "later_page": "before" in request.GET,
        "labels": labels,
        "options": book.options(),
        "now": htmx.now(),
        "may_operate": htmx.may_operate(request),
        "back": request.path,
    }
    return htmx.answer(request, "people/person.html", context, part="history")


def _wanted(request: HttpRequest, labels: dict[str, str]) -> Wanted:
    """What the timeline is narrowed to; a word that means nothing narrows nothing."""
    known: dict[str, set[str]] = {"kind": {*Kind}, "field": set(labels), "side": set(SIDES)}
    asked = {name: request.GET.get(name, "") for name in known}
    return Wanted(**{name: word if word in known[name] else "" for name, word in asked.items()})
