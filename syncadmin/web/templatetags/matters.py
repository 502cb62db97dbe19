"""Values with their difference marked, and the words of conflicts, failures and decisions; no queries."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from syncadmin.store.queries.conflicts import ConflictRow
from syncadmin.web.templatetags.show import shown
from syncadmin.web.words import conflicts, terms
from syncadmin.web.words.differences import Piece, pieces

register = template.Library()

_LEVELS = {"open": "warn", "chosen": "wait", "applied": "good", "passed": "warn"}


@register.simple_tag
def difference(row: ConflictRow, side: str) -> SafeString | str:
    """One side's value; what only this side has is marked as gone where it lost and as new where it won or is open."""
    here, there = (row.dynamics, row.marketo) if side == "dynamics" else (row.marketo, row.dynamics)
    if _empty(here) or _empty(there):
        return _whole(here, row, side)
    mine, _theirs = pieces(str(shown(here)), str(shown(there)))
    tag = "del" if row.won and row.won != side else "ins"
    return format_html_join("", "{}", ((_marked(piece, tag, side),) for piece in mine))


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
def other_side(side: str) -> str:
    return {"dynamics": "marketo", "marketo": "dynamics"}.get(side, "")


@register.filter
def pair_table(key: str) -> str:
    """Leads or contacts, from the beginning of a pair's key."""
    return terms.named(terms.TABLES, key.partition(".")[0])
