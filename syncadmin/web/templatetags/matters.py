"""Values with their difference marked, and the words of conflicts, failures and decisions; no queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from syncadmin.store.queries.conflicts import ConflictRow
from syncadmin.store.queries.decisions import DecisionRow, ShapeCount
from syncadmin.store.queries.failures import CauseCard
from syncadmin.web.templatetags.show import LONGEST, shown
from syncadmin.web.words import causes, conflicts, decisions, terms
from syncadmin.web.words.differences import Piece, near, pieces

register = template.Library()

_LEVELS = {"open": "warn", "chosen": "wait", "applied": "good", "passed": "warn"}


@register.simple_tag
def difference(row: ConflictRow, side: str) -> SafeString | str:
    """One side's value; what only this side has is marked as gone where it lost and as new where it won or is open."""
    here, there = (row.dynamics, row.marketo) if side == "dynamics" else (row.marketo, row.dynamics)
    if _empty(here) or _empty(there):
        return _whole(here, row, side)
    mine, _theirs = pieces(beside(here, there), beside(there, here))
    tag = "del" if row.won and row.won != side else "ins"
    return format_html_join("", "{}", ((_marked(piece, tag, side),) for piece in mine))


@register.filter
def beside(value: Any, other: Any) -> str:
    """A value as text; of a long one that part which the ``other`` does not share."""
    if not isinstance(value, str) or not isinstance(other, str) or not value:
        return shown(value)
    return near(value, other, LONGEST)


def _empty(value: Any) -> bool:
    return value is None or value == ""


def _whole(value: Any, row: ConflictRow, side: str) -> SafeString | str:
    if _empty(value):
        return shown(value)
    tag = "del" if row.won and row.won != side else "ins"
    return _marked(Piece(str(shown(value)), True), tag, side)


def _marked(piece: Piece, tag: str, side: str) -> SafeString:
    if not piece.alone or piece.text.isspace():
        return conditional_escape(piece.text)
    said = _("only in %(side)s:") % {"side": terms.named(terms.SIDES, side)}
    if tag == "del":
        return format_html('<del><span class="unseen"> {} </span>{}</del>', said, piece.text)
    return format_html('<ins><span class="unseen"> {} </span>{}</ins>', said, piece.text)


@register.filter
def outcome(state: str) -> str:
    return conflicts.state(state)


@register.filter
def outcome_level(state: str) -> str:
    return _LEVELS.get(state, "")


@register.filter
def pair_table(key: str) -> str:
    """Leads or contacts, from the beginning of a pair's key."""
    return terms.named(terms.TABLES, key.partition(".")[0])


@register.simple_tag
def trend(opened: Sequence[int]) -> SafeString:
    """Small bars, a day each, today last and darkest; the words beside them say the same."""
    most = max((*opened, 1))
    bars = (
        (11 * place, 36 - height, height, "today" if place == len(opened) - 1 else "")
        for place, number in enumerate(opened)
        for height in (max(1, round(34 * number / most)),)
    )
    drawn = format_html_join("", '<rect x="{}" y="{}" width="8" height="{}" rx="1" class="{}"/>', bars)
    return format_html('<svg viewBox="0 0 88 36" aria-hidden="true" focusable="false">{}</svg>', drawn)


@register.simple_tag
def trend_words(card: CauseCard) -> str:
    facts = {"today": f"{card.today:,}", "before": f"{card.before:,.1f}".removesuffix(".0")}
    return _("%(today)s today; %(before)s a day in the week before") % facts


@register.filter
def fix_name(cause: str) -> str:
    """What the mend for a cause is called on a button."""
    return terms.named(causes.FIXES, cause)


@register.filter
def faces(row: DecisionRow) -> list[tuple[bool, Mapping[str, Any]]]:
    return decisions.faces(row.facts)


@register.simple_tag
def shape_words(each: ShapeCount) -> str:
    """What the questions of a shape have in common; empty where the kind says it all."""
    words = decisions.shape(each.kind, each.shape)
    return "" if words == decisions.title(each.kind) else words
