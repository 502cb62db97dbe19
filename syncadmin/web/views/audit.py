"""Every change of a setting and every use of a right: who, when, before, after."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from syncadmin.store.queries import audit as queries
from syncadmin.store.queries.audit import AuditRow, Wanted
from syncadmin.web import days, htmx
from syncadmin.web.access import Right, needs
from syncadmin.web.exports import stream_csv
from syncadmin.web.words import audit as words

_FILTERS = ("who", "action", "from", "to")


@needs(Right.ADMINISTER)
@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    asked = _asked(request)
    page = queries.page(_wanted(asked), htmx.number(request, "before"))
    kept = urlencode({name: word for name, word in asked.items() if word})
    first = f"{reverse('settings-audit')}?{kept}"
    context = {
        "page": page,
        "asked": {**asked, "since": asked["from"]},
        "actions": sorted(((code, str(text)) for code, text in words.ACTIONS.items()), key=lambda pair: pair[1]),
        "first": first,
        "next": f"{first}&before={page.older}" if page.older else "",
        "later_page": "before" in request.GET,
        "export": f"{reverse('settings-audit-csv')}?{kept}",
        "now": htmx.now(),
    }
    return htmx.answer(request, "audit/page.html", context, part="rows")


@needs(Right.ADMINISTER)
@require_safe
def audit_csv(request: HttpRequest) -> StreamingHttpResponse:
    asked = _asked(request)
    headings = (_("When"), _("Who"), _("Action"), _("Subject"), _("Before"), _("After"))
    return stream_csv("audit", headings, map(_cells, queries.every(_wanted(asked))))


def _cells(row: AuditRow) -> tuple[Any, ...]:
    found = words.differences(row.before, row.after)
    told = (words.line(found, side) for side in ("before", "after"))
    return (row.at, row.who, words.action(row.action), row.subject, *told)


def _asked(request: HttpRequest) -> dict[str, str]:
    return {name: request.GET.get(name, "").replace("\0", "").strip()[:200] for name in _FILTERS}


def _wanted(asked: dict[str, str]) -> Wanted:
    return Wanted(asked["who"], asked["action"], *days.between(asked["from"], asked["to"]))
