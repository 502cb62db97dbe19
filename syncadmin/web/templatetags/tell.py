"""The sentences of the screens, for the templates; no queries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from syncadmin.engine.causes import Cause
from syncadmin.engine.failures import describe
from syncadmin.store.kinds import Kind
from syncadmin.store.queries.columns import FieldRow, by_label
from syncadmin.store.queries.decisions import DecisionRow
from syncadmin.store.queries.failures import FailureRow
from syncadmin.store.queries.history import HistoryLine, LastDone
from syncadmin.store.queries.search import State
from syncadmin.web.templatetags import show
from syncadmin.web.words import causes, counts, decisions, history, terms, whys

register = template.Library()

LONGEST = 200
# Longer values fold, and of those this much is seen.
FOLDED_FROM, FOLDED_TO = 160, 80

# Which history lines carry a colour: those that somebody may have to act on, and those that mended it.
_LEVELS = {Kind.FAILED: "bad", Kind.DROPPED: "bad", Kind.OVERTAKEN: "warn", Kind.CONFLICT: "warn", Kind.MENDED: "good"}


@register.filter
def badge(state: State) -> SafeString:
    words = whys.STATES[state]
    return format_html('<span class="badge {}" title="{}">{}</span>', words.level, words.meaning, words.label)


@register.simple_tag
def sentence(line: HistoryLine, labels: Mapping[str, str]) -> str:
    return history.sentence(line, labels)


@register.filter
def line_level(line: HistoryLine) -> str:
    return _LEVELS.get(Kind(line.kind), "") if line.kind in set(Kind) else ""


@register.simple_tag
def label(key: str, labels: Mapping[str, str]) -> str:
    """What a person calls a field pair; the whole record where there is no key."""
    return labels.get(key) or history.short(key) or _("whole record")


@register.filter
def why(row: FieldRow) -> str:
    return whys.text(row.why, causes.title(row.detail) if row.why == "failed" else "")


@register.filter
def why_level(row: FieldRow) -> str:
    return whys.level(row.why)


@register.filter
def held(code: str) -> str:
    return whys.text(code or "refused")


@register.filter
def due(code: str) -> str:
    """What pairing waits for; behind the colon stands the other record's id."""
    plain = code.partition(":")[0]
    return terms.named(whys.WAITS if plain in whys.WAITS else whys.DUE, plain)


@register.filter
def direction(code: str) -> str:
    return terms.named(whys.DIRECTIONS_SHORT, code)


@register.filter
def pair_winner(code: str) -> str:
    return terms.named(terms.WINNERS_OF_PAIR, code)


@register.simple_tag
def failed(row: FailureRow, labels: Mapping[str, str]) -> str:
    """The cause of one failure with its field, value and message filled in."""
    told = row.value if isinstance(row.value, Mapping) else {"value": row.value}
    facts = {"value": told.get("value"), "limit": told.get("limit"), "message": row.message}
    return causes.sentence(row.cause, {"field": label(row.key, labels), **facts})


@register.filter
def failed_value(row: FailureRow) -> str:
    """The value at fault, cut where it would fill the screen."""
    value = row.value.get("value") if isinstance(row.value, Mapping) else row.value
    text = "" if value is None else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


@register.filter
def cause(code: str) -> str:
    return causes.title(code)


@register.filter
def remedy(code: str) -> str:
    return causes.remedy(code)


@register.filter
def transient(code: str) -> bool:
    return code in set(Cause) and describe(code).transient


@register.filter
def question(kind: str) -> str:
    return decisions.title(kind)


@register.filter
def explanation(kind: str) -> str:
    return decisions.about(kind)


@register.filter
def choices(row: DecisionRow) -> list[decisions.Choice]:
    return [decisions.choice(row.kind, code, row.facts) for code in row.choices]


@register.filter
def plain_facts(row: DecisionRow) -> list[decisions.Fact]:
    return decisions.plain_facts(row.facts)


@register.filter
def answered(row: DecisionRow) -> str:
    code = row.answer.get("choice", "") if isinstance(row.answer, Mapping) else str(row.answer)
    return decisions.choice(row.kind, code, row.facts).label


@register.filter
def counted(name: str) -> str:
    return counts.counted(name)


@register.filter
def purpose(name: str) -> str:
    return counts.purpose(name)


@register.filter
def activity_kind(code: str) -> str:
    return terms.named(terms.ACTIVITIES, code)


@register.filter
def line_kind(line: HistoryLine) -> str:
    return str(history.KINDS[Kind(line.kind)]) if line.kind in set(Kind) else line.kind


@register.filter
def options_of(options: Mapping[str, Mapping[str, str]], key: str) -> Mapping[str, str]:
    return options.get(key, {})


@register.filter
def folded(value: Any, options: Mapping[str, str] | None = None) -> SafeString | str:
    """A value as text, a choice by its label; a long one folds behind its beginning."""
    shown_value = by_label(value, options) if options else value
    text = "" if shown_value is None or isinstance(shown_value, bool | dict) else str(shown_value)
    if len(text) <= FOLDED_FROM:
        return show.shown(shown_value)
    return format_html(
        '<details class="long"><summary>{}…</summary><span class="whole">{}</span></details>', text[:FOLDED_TO], text
    )


@register.filter
def field_done(last: LastDone) -> str:
    """What was last done to a field, in a few words."""
    if last.kind == Kind.AGREED:
        return _("both sides came to it by themselves")
    told = _("written to %(side)s") % {"side": terms.named(terms.SIDES, last.side)}
    return f"{told}: {terms.named(terms.RULES, last.rule)}" if last.rule else told
