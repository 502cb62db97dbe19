"""One field pair: its Marketo field and rules, what the types say, values of real people, the option map."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from syncadmin.engine.defaults import CONSENT, templates
from syncadmin.engine.defaults import offered_fields as offered_by
from syncadmin.engine.fields import Bound, Direction, FieldPair, Winner
from syncadmin.engine.records import Table
from syncadmin.engine.schema import Column, Kind
from syncadmin.engine.suggest import a_pair, match_options
from syncadmin.services import field_drafts, field_samples, offered_fields
from syncadmin.services.choose_fields import NoMetadata, known_tables, own_names
from syncadmin.services.field_drafts import Draft
from syncadmin.services.offered_fields import NotMade
from syncadmin.services.pair_faults import Fault, FaultCode, fault
from syncadmin.store import options
from syncadmin.store.queries import columns
from syncadmin.store.queries import fields as queries
from syncadmin.web import htmx
from syncadmin.web.access import Right, needs
from syncadmin.web.forms.fields import has_options, pair_of
from syncadmin.web.views import fields, fields_rows


@dataclass(frozen=True, slots=True)
class OptionRow:
    """One option of the Dynamics column; ``text`` is what the map says, empty means its label."""

    value: int
    label: str
    text: str
    unmatched: bool


@dataclass(frozen=True, slots=True)
class SampleRow:
    name: str
    dynamics: Any
    marketo: Any
    has_person: bool
    to_marketo: Any
    to_dynamics: Any
    fails: tuple[str, ...]


@needs(Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def pair(request: HttpRequest, place: str, table: str, column: str) -> HttpResponse:
    """The form of one pair; what is sent goes into the draft if the pair can work."""
    early = fields.guard(request, place)
    if early is not None:
        return early
    of, here, draft = _here(table, column)
    if request.method == "POST":
        return _posted(request, place, of, here, draft)
    if "row" in request.GET and htmx.wants_part(request):
        return fields.row(request, place, of, column)
    wanted = draft.by_place.get((of, column)) or _idea(of, here, draft)
    return _answer(request, place, here, draft, wanted)


@needs(Right.ADMINISTER)
@require_safe
def look(request: HttpRequest, place: str, table: str, column: str) -> HttpResponse:
    """What the types say about the pair as it is typed, before anything is kept."""
    of, here, draft = _here(table, column)
    wanted = pair_of(request.GET, of, here)
    context = _context(request, place, here, draft, wanted, _fault(draft, wanted) if wanted.marketo else None)
    return htmx.answer(request, "fields/pair.html", context, part="look")


@needs(Right.ADMINISTER)
@require_safe
def samples(request: HttpRequest, place: str, table: str, column: str) -> HttpResponse:
    """Values of a few real people in this pair; asked of both systems once an hour at most."""
    of, here, draft = _here(table, column)
    typed = request.GET.get("marketo", "")
    wanted = pair_of(request.GET, of, here) if typed else draft.by_place.get((of, column)) or _idea(of, here, draft)
    context = {**_context(request, place, here, draft, wanted, None), "trouble": "", "samples": []}
    try:
        found = field_samples.now_or_never(of)
    except field_samples.NoSamples as error:
        context["trouble"] = str(error)
    else:
        context["samples"] = _samples(wanted, here, found)
    return htmx.answer(request, "fields/samples.html", context, part="samples")


def _here(table: str, column: str) -> tuple[Table, Column, Draft]:
    of = fields.table_named(table)
    try:
        here = known_tables()[of].columns.get(column)
    except NoMetadata:
        raise Http404 from None
    if here is None:
        raise Http404
    return of, here, field_drafts.read()


def _idea(table: Table, column: Column, draft: Draft) -> FieldPair:
    """What an unpaired column starts with: the suggestion, if its field is still free."""
    idea = fields_rows.ideas(known_tables(), table).get(column.name)
    taken = {pair.marketo for pair in draft.pairs if pair.table is table}
    return idea if idea is not None and idea.marketo not in taken else a_pair(table, column.name, "")


def _posted(request: HttpRequest, place: str, table: Table, here: Column, draft: Draft) -> HttpResponse:
    wanted = pair_of(request.POST, table, here)
    if "match" in request.POST:
        return _answer(request, place, here, draft, _matched(wanted, here))
    if "create" in request.POST:
        try:
            name = offered_fields.create_now(request.POST.get("new_name", "").strip(), _label(request.POST), here)
        except NotMade as error:
            return _answer(request, place, here, draft, wanted, not_made=str(error))
        messages.success(request, _("%(name)s is there in Marketo now.") % {"name": name})
        # The field's own type decides what fits; whoever asked for it looks at that before it is kept.
        fresh = replace(wanted, key=a_pair(table, here.name, name).key, marketo=name)
        return _answer(request, place, known_tables()[table].columns[here.name], field_drafts.read(), fresh)
    reason = _fault(draft, wanted)
    if reason is not None:
        return _answer(request, place, here, draft, wanted, reason)
    field_drafts.put({(table, here.name): wanted}, who=request.user.get_username(), now=htmx.now(), confirm=True)
    if htmx.wants_part(request):
        return fields.row(request, place, table, here.name)
    messages.success(request, _("%(name)s is kept in the draft.") % {"name": here.label})
    return redirect(f"{reverse(f'{place}-fields')}?{urlencode({'table': str(table), 'show': 'edited'})}")


def _label(sent: QueryDict) -> str:
    return sent.get("new_label", "").strip()[:100]


def _fault(draft: Draft, wanted: FieldPair) -> Fault | None:
    """Why the pair cannot be kept: by itself, or because another column has its field."""
    own = fault(wanted, known_tables(), frozenset(own_names()))
    others = (pair for pair in draft.pairs if pair.table is wanted.table and pair.dynamics != wanted.dynamics)
    taken = any(pair.marketo == wanted.marketo for pair in others)
    return own or (Fault(FaultCode.TAKEN) if taken else None)


def _matched(wanted: FieldPair, here: Column) -> FieldPair:
    return replace(wanted, options=match_options(here, _texts(wanted), wanted.options))


def _texts(wanted: FieldPair) -> list[str]:
    return queries.values_seen(wanted.marketo) if wanted.marketo else []


def _answer(
    request: HttpRequest,
    place: str,
    here: Column,
    draft: Draft,
    wanted: FieldPair,
    reason: Fault | None = None,
    not_made: str = "",
) -> HttpResponse:
    context = {**_context(request, place, here, draft, wanted, reason), "not_made": not_made}
    return htmx.answer(request, "fields/pair.html", context, part="editor")


def _context(
    request: HttpRequest, place: str, here: Column, draft: Draft, wanted: FieldPair, reason: Fault | None
) -> dict[str, Any]:
    known = known_tables()
    people = known[Table.PERSON].columns
    found = fields_rows.fit(wanted, known) if wanted.marketo else None
    lost = {option.value for option in found.unmatched} if found else set()
    texts = _texts(wanted) if has_options(here) else []
    return {
        **fields.frame(request, place),
        "column": here,
        "paused": next((each.pause for each in queries.paused() if each.key == wanted.key), None),
        "table": wanted.table,
        "pair": wanted,
        "chosen": (wanted.table, here.name) in draft.by_place,
        "edit": draft.edits.get((wanted.table, here.name)),
        "field": people.get(wanted.marketo),
        "verdict": fields_rows.judged(wanted, known, reason) if wanted.marketo else None,
        "fault": reason,
        "groups": _groups(wanted, draft),
        "directions": list(Direction),
        "winners": list(Winner),
        "consent": here.name in CONSENT,
        "required": here.required,
        "template": templates(wanted.table).get(here.name, ""),
        "options": _options(here, wanted, lost),
        "texts": texts,
        "strange": _strange(here, wanted, texts),
        "new_kind": offered_fields.marketo_kind(here),
        **_new_field(here),
        "now": htmx.now(),
    }


def _options(here: Column, wanted: FieldPair, lost: set[int]) -> list[OptionRow]:
    if not has_options(here):
        return []
    return [
        OptionRow(option.value, option.label, wanted.options.get(str(option.value), ""), option.value in lost)
        for option in here.options
    ]


def _strange(here: Column, wanted: FieldPair, texts: list[str]) -> list[str]:
    """Texts seen in Marketo that stand for no option."""
    known = {text.strip().casefold() for text in wanted.options.values()}
    known |= {option.label.strip().casefold() for option in here.options if str(option.value) not in wanted.options}
    several = here.kind is Kind.MULTICHOICE
    return [
        text
        for text in texts
        if not {part.strip().casefold() for part in (text.split(";") if several else [text])} <= known
    ]


def _groups(wanted: FieldPair, draft: Draft) -> list[tuple[str, list[Column]]]:
    """Marketo's fields: those that can hold the column's values first, then those that cannot."""
    known, own = known_tables(), frozenset(own_names())
    taken = {pair.marketo for pair in draft.pairs if pair.table is wanted.table and pair.dynamics != wanted.dynamics}
    able, unable, used = [], [], []
    for field in sorted(known[Table.PERSON].columns.values(), key=lambda one: one.label.casefold()):
        reason = fault(replace(wanted, marketo=field.name, default=""), known, own)
        if field.name in taken:
            used.append(field)
        elif reason is None or reason.code is FaultCode.OPTIONS:
            able.append(field)
        else:
            unable.append(field)
    return [(_("Fields that fit"), able), (_("In another pair"), used), (_("Fields that cannot hold it"), unable)]


def _new_field(here: Column) -> dict[str, str]:
    """A name for a field made for this column: the one offered for it, else its label in Marketo's way of writing."""
    offered = next((each for each in offered_by(here.table) if each.pair.dynamics == here.name), None)
    if offered is not None:
        return {"new_name": offered.name, "new_label": offered.label}
    words = "".join(letter if letter.isalnum() and letter.isascii() else " " for letter in here.label).split()
    joined = "".join(word.capitalize() for word in words) or here.name.replace("_", "").capitalize()
    return {"new_name": f"dyn{joined}"[:60], "new_label": here.label}


def _samples(wanted: FieldPair, here: Column, found: list[field_samples.Person]) -> list[SampleRow]:
    field = known_tables()[Table.PERSON].columns.get(wanted.marketo)
    if field is None:
        return [
            SampleRow(
                p.name, columns.shown(here, p.dynamics.get(here.name)), None, p.marketo is not None, None, None, ()
            )
            for p in found
        ]
    bound = Bound(wanted, here, field, ZoneInfo(options.read().time_zone))
    return [
        SampleRow(
            sample.name,
            columns.shown(here, sample.dynamics),
            sample.marketo,
            sample.has_person,
            sample.arrives.get("marketo"),
            columns.shown(here, sample.arrives.get("dynamics")),
            tuple(sample.fails.values()),
        )
        for sample in field_samples.of_pair(bound, found)
    ]
