"""Choose fields: every column of a table beside its Marketo field; in the wizard and in the settings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from syncadmin.engine.fields import FieldPair
from syncadmin.engine.records import Table
from syncadmin.engine.suggest import a_pair
from syncadmin.services import field_drafts
from syncadmin.services.choose_fields import NoMetadata, known_tables, own_names
from syncadmin.services.field_drafts import Draft
from syncadmin.store.drafts import Place
from syncadmin.store.queries import fields as queries
from syncadmin.web import htmx
from syncadmin.web.access import Right, needs, right_of
from syncadmin.web.views import fields_rows, setup_steps
from syncadmin.web.views.fields_rows import PAGE, SHOWS, Asked, Row

SETUP = "setup"


@needs(Right.READ)
@require_safe
def page(request: HttpRequest, place: str) -> HttpResponse:
    """The list of one table, narrowed by search and show, a hundred at a time."""
    early = guard(request, place)
    if early is not None:
        return early
    try:
        known = known_tables()
        draft = field_drafts.read()
    except NoMetadata:
        return htmx.answer(request, "fields/nothing.html", frame(request, place))
    table = _table_of(request)
    asked = _asked(request.GET)
    found = [row for row in fields_rows.rows(draft, known, table, draft.faults()) if asked.keeps(row)]
    shown = _from(found, request.GET.get("after", ""))
    kept = {name: value for name, value in (("table", str(table)), ("q", asked.q), ("show", asked.show)) if value}
    here = reverse(f"{place}-fields")
    last = shown[PAGE - 1].column.name if len(shown) > PAGE else ""
    context = {
        **frame(request, place),
        **summary(draft),
        "table": table,
        "tabs": _tabs(here, table, draft),
        "rows": shown[:PAGE],
        "found": len(found),
        "asked": asked,
        "shows": SHOWS,
        "first": f"{here}?{urlencode(kept)}",
        "next": f"{here}?{urlencode({**kept, 'after': last})}" if last else "",
        "later_page": bool(request.GET.get("after")),
        "kept": urlencode(kept),
        "paused": queries.paused(),
        "progress": queries.progress(),
        "now": htmx.now(),
    }
    return htmx.answer(request, "fields/page.html", context, part="rows")


@needs(Right.READ)
@require_safe
def marketo(request: HttpRequest, place: str) -> HttpResponse:
    """Every Marketo field with the columns it is kept in step with."""
    early = guard(request, place)
    if early is not None:
        return early
    try:
        people, draft = known_tables()[Table.PERSON], field_drafts.read()
    except NoMetadata:
        return htmx.answer(request, "fields/nothing.html", frame(request, place))
    q = request.GET.get("q", "")[:100]
    rows = fields_rows.of_marketo(draft, people, own_names(), q)
    context = {**frame(request, place), "rows": rows, "q": q}
    return htmx.answer(request, "fields/marketo.html", context, part="rows")


@needs(Right.READ, posting=Right.ADMINISTER)
@require_POST
def edit(request: HttpRequest, place: str) -> HttpResponse:
    """Chooses a column with its suggested field, takes one out, or does so for all that the list is narrowed to."""
    early = guard(request, place)
    if early is not None:
        return early
    table = table_named(request.POST.get("table", ""))
    try:
        known, draft = known_tables(), field_drafts.read()
    except NoMetadata:
        return htmx.answer(request, "fields/nothing.html", frame(request, place))
    every = fields_rows.rows(draft, known, table, draft.faults())
    if not {request.POST[act] for act in ("choose", "remove") if act in request.POST} <= {r.column.name for r in every}:
        raise Http404
    wanted = _wanted(request, table, every, _asked(request.POST))
    name = request.POST.get("choose", "")
    if name and not wanted:
        # Nothing suggests itself, so somebody has to say which field it is.
        return _elsewhere(request, reverse(f"{place}-fields-pair", args=[table, name]))
    field_drafts.put(wanted, who=request.user.get_username(), now=htmx.now())
    if "choose" not in request.POST and "remove" not in request.POST:
        _tell(request, wanted)
    elif htmx.wants_part(request):
        return row(request, place, table, name or request.POST["remove"])
    return redirect(f"{reverse(f'{place}-fields')}?{_kept(request)}")


@needs(Right.READ, posting=Right.ADMINISTER)
@require_POST
def discard(request: HttpRequest, place: str) -> HttpResponse:
    early = guard(request, place)
    if early is not None:
        return early
    try:
        field_drafts.discard(request.POST.get("shown", ""))
    except field_drafts.Moved:
        return lose(request, place)
    except NoMetadata:
        return htmx.answer(request, "fields/nothing.html", frame(request, place))
    messages.success(request, _("All edits that were not saved are gone."))
    return redirect(f"{place}-fields")


def lose(request: HttpRequest, place: str) -> HttpResponse:
    """Asks whether the edits may go that this request would throw away; yes is sent to the same address."""
    draft = field_drafts.read()
    context = {**frame(request, place), **summary(draft), "shown": draft.digest, "here": request.path}
    return htmx.answer(request, "fields/lose.html", context)


@needs(Right.READ)
@require_safe
def progress(request: HttpRequest, place: str) -> HttpResponse:
    """How far the set in force has come; asked again every few seconds while it is under way."""
    context = {**frame(request, place), "progress": queries.progress()}
    return htmx.answer(request, "fields/progress_page.html", context, part="progress")


def row(request: HttpRequest, place: str, table: Table, name: str) -> HttpResponse:
    """One row as it stands now, with the summary beside it."""
    draft, known = field_drafts.read(), known_tables()
    try:
        found = fields_rows.one(draft, known, table, name, draft.faults())
    except KeyError:
        raise Http404 from None
    context = {**frame(request, place), **summary(draft), "row": found, "table": table, "kept": _kept(request)}
    context["tabs"] = _tabs(reverse(f"{place}-fields"), table, draft)
    return htmx.answer(request, "fields/page.html", context, part="changed")


def guard(request: HttpRequest, place: str) -> HttpResponse | None:
    """In the wizard: administrators only, and only when the step has come."""
    if place != SETUP:
        return None
    if right_of(request) < Right.ADMINISTER:
        raise PermissionDenied(Right.ADMINISTER.name)
    return setup_steps.not_yet(request, "fields")


def frame(request: HttpRequest, place: str) -> dict[str, Any]:
    """Around every page of these: the wizard's frame or the settings', and the names of the addresses."""
    setup = place == SETUP
    return {
        "place": place,
        "outside": "setup/frame.html" if setup else "fields/frame.html",
        "may_administer": right_of(request) >= Right.ADMINISTER,
        "url_list": f"{place}-fields",
        "url_edit": f"{place}-fields-edit",
        "url_pair": f"{place}-fields-pair",
        "url_look": f"{place}-fields-look",
        "url_samples": f"{place}-fields-samples",
        "url_review": f"{place}-fields-review",
        "url_discard": f"{place}-fields-discard",
        "url_progress": f"{place}-fields-progress",
        "url_marketo": f"{place}-fields-marketo",
        **(setup_steps.frame("fields") if setup else {}),
    }


def summary(draft: Draft) -> dict[str, Any]:
    """How many edits wait to be saved, and by whom."""
    return {
        "edits": len(draft.edits),
        "editors": sorted({edit.who for edit in draft.edits.values()}),
        "version": draft.version,
    }


def table_named(word: str) -> Table:
    """Raises 404 for anything that has no pairs."""
    if word not in (Table.LEAD, Table.CONTACT):
        raise Http404
    return Table(word)


def _table_of(request: HttpRequest) -> Table:
    chosen = field_drafts.tables() or (Table.LEAD,)
    word = request.GET.get("table", "")
    return Table(word) if word in chosen else chosen[0]


def _asked(sent: Any) -> Asked:
    show = sent.get("show", "")
    return Asked(sent.get("q", "")[:100].replace("\0", ""), show if show in SHOWS else "all")


def _from(found: list[Row], after: str) -> list[Row]:
    """The page behind the row called ``after``; the first page if that is not in the list any more."""
    at = next((place for place, row in enumerate(found, 1) if row.column.name == after), 0)
    return found[at : at + PAGE + 1]


def _tabs(here: str, table: Table, draft: Draft) -> list[dict[str, Any]]:
    chosen = field_drafts.tables() or (Table.LEAD,)
    return [
        {
            "table": each,
            "url": f"{here}?{urlencode({'table': str(each)})}",
            "here": each is table,
            "chosen": sum(1 for pair in draft.pairs if pair.table is each),
        }
        for each in chosen
    ]


def _wanted(request: HttpRequest, table: Table, every: Iterable[Row], asked: Asked) -> dict[Place, FieldPair | None]:
    if "remove" in request.POST:
        return {(table, request.POST["remove"]): None}
    if "choose" in request.POST:
        found = [row for row in every if row.column.name == request.POST["choose"]]
        return _with_ideas(table, found, ())
    found = [row for row in every if asked.keeps(row)]
    if "remove_all" in request.POST:
        return {(table, row.column.name): None for row in found if row.pair is not None}
    return _with_ideas(table, found, [row.pair.marketo for row in every if row.pair])


def _with_ideas(table: Table, found: Iterable[Row], taken: Iterable[str]) -> dict[Place, FieldPair | None]:
    """Of two columns with one idea the first gets it."""
    used, wanted = set(taken), dict[Place, FieldPair | None]()
    for row in found:
        if row.pair is None and row.suggested is not None and row.suggested.name not in used:
            used.add(row.suggested.name)
            wanted[(table, row.column.name)] = row.idea or a_pair(table, row.column.name, row.suggested.name)
    return wanted


def _tell(request: HttpRequest, wanted: dict[Place, FieldPair | None]) -> None:
    number = len(wanted)
    if "remove_all" in request.POST:
        text = ngettext("%(number)d field is taken out.", "%(number)d fields are taken out.", number)
    else:
        text = ngettext(
            "%(number)d field is chosen; fields without a fitting partner wait for you to pick one.",
            "%(number)d fields are chosen; fields without a fitting partner wait for you to pick one.",
            number,
        )
    messages.success(request, text % {"number": number})


def _kept(request: HttpRequest) -> str:
    sent = request.POST if request.method == "POST" else request.GET
    kept = {name: sent.get(name, "") for name in ("table", "q", "show", "after") if sent.get(name)}
    return urlencode(kept)


def _elsewhere(request: HttpRequest, address: str) -> HttpResponse:
    if htmx.wants_part(request):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return redirect(address)
