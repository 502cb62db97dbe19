"""Saving the draft after a look at what it will do; the versions saved before, compared and returned to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from syncadmin.engine.pair_sets import Change, differences
from syncadmin.engine.records import Table
from syncadmin.services import field_drafts
from syncadmin.services.choose_fields import NoMetadata, NoPairs, WrongPairs
from syncadmin.services.field_drafts import Draft
from syncadmin.services.pair_faults import Fault
from syncadmin.store import drafts, fieldsets, schemas
from syncadmin.store.queries import fields as queries
from syncadmin.store.queries.sql import Count
from syncadmin.web import htmx
from syncadmin.web.access import Right, needs
from syncadmin.web.views import fields


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One change with the names people know, who made it and what stands against it."""

    change: Change
    label: str
    field_label: str
    who: str = ""
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """What saving does to the people of a table; ``people`` are those already linked."""

    table: Table
    people: Count
    added: int
    changed: int
    removed: int


@needs(Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, place: str) -> HttpResponse:
    """What saving will do, in numbers; then it is done."""
    early = fields.guard(request, place)
    if early is not None:
        return early
    try:
        if request.method == "POST":
            return _save(request, place)
        return _shown(request, place, field_drafts.read())
    except NoMetadata:
        return htmx.answer(request, "fields/nothing.html", fields.frame(request, place))


@needs(Right.READ)
@require_safe
def versions(request: HttpRequest) -> HttpResponse:
    context = {**fields.frame(request, "settings"), "versions": queries.versions(), "now": htmx.now()}
    return htmx.answer(request, "fields/versions.html", context)


@needs(Right.READ)
@require_safe
def version(request: HttpRequest, version: int) -> HttpResponse:
    """The pairs of one version."""
    pairs = fieldsets.pairs(version) if version < 2**31 else []
    if not pairs:
        raise Http404
    row = next(each for each in queries.versions() if each.version == version)
    rows = _rows(differences((), pairs))
    context = {**fields.frame(request, "settings"), "row": row, "rows": rows, "now": htmx.now()}
    return htmx.answer(request, "fields/version.html", context)


@needs(Right.READ)
@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """What differs between two versions."""
    one, other = htmx.number(request, "from"), htmx.number(request, "to")
    known = {row.version for row in queries.versions()}
    if one not in known or other not in known:
        raise Http404
    assert one is not None
    assert other is not None
    rows = _rows(differences(fieldsets.pairs(one), fieldsets.pairs(other)))
    context = {**fields.frame(request, "settings"), "one": one, "other": other, "rows": rows}
    return htmx.answer(request, "fields/compare.html", context)


@needs(Right.ADMINISTER)
@require_POST
def return_to(request: HttpRequest, version: int) -> HttpResponse:
    """Makes the draft like an older version; what that will do is shown before it is saved."""
    try:
        shown = request.POST.get("shown", "")
        field_drafts.return_to(version, shown, who=request.user.get_username(), now=htmx.now())
    except field_drafts.Moved:
        return fields.lose(request, "settings")
    except LookupError:
        raise Http404 from None
    return redirect("settings-fields-review")


def _save(request: HttpRequest, place: str) -> HttpResponse:
    shown = request.POST.get("shown", "")
    try:
        made = field_drafts.save(shown, who=request.user.get_username(), now=htmx.now())
    except field_drafts.Moved:
        messages.warning(request, _("The draft was edited meanwhile: look at it again before you save."))
        return _shown(request, place, field_drafts.read())
    except WrongPairs:
        messages.error(request, _("Some pairs cannot work. Nothing was saved."))
        return _shown(request, place, field_drafts.read())
    except NoPairs:
        messages.error(request, _("Choose at least one field pair. Nothing was saved."))
        return _shown(request, place, field_drafts.read())
    messages.success(request, _("The fields are in force as version %(version)d.") % {"version": made})
    return redirect("setup-preview" if place == fields.SETUP else "settings-fields")


def _shown(request: HttpRequest, place: str, draft: Draft) -> HttpResponse:
    changes, faults = draft.changes(), draft.faults()
    rows = _rows(changes, draft.edits, faults)
    there = {row.change.after.key for row in rows if row.change.after}
    context = {
        **fields.frame(request, place),
        **fields.summary(draft),
        "rows": rows,
        "others": [fault for key, fault in faults.items() if key not in there],
        "effects": _effects(changes),
        "shown": draft.digest,
        "pairs": len(draft.pairs),
        "blocked": bool(faults) or not draft.pairs,
        "now": htmx.now(),
    }
    return htmx.answer(request, "fields/review.html", context)


def _effects(changes: Iterable[Change]) -> list[Effect]:
    every = list(changes)
    tables = sorted({change.table for change in every}, reverse=True)
    people = queries.linked(tables)
    return [
        Effect(
            table,
            people[table],
            *(sum(1 for each in every if each.table is table and each.kind in kinds) for kinds in _KINDS),
        )
        for table in tables
    ]


_KINDS = (("added",), ("changed", "confirmed"), ("removed",))


def _rows(changes: Iterable[Change], edits: Any = None, faults: dict[str, Fault] | None = None) -> list[ChangeRow]:
    known = schemas.current()
    rows = []
    for change in changes:
        pair = change.after or change.before
        assert pair is not None
        here = known[change.table].columns.get(change.dynamics) if change.table in known else None
        there = known[Table.PERSON].columns.get(pair.marketo) if Table.PERSON in known else None
        edit: drafts.Edit | None = (edits or {}).get((change.table, change.dynamics))
        wrong = (faults or {}).get(change.after.key) if change.after else None
        rows.append(
            ChangeRow(
                change,
                here.label if here else change.dynamics,
                there.label if there else pair.marketo,
                edit.who if edit else "",
                wrong,
            )
        )
    return rows
