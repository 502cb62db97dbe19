"""The words of the field screens, for the templates; no queries."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.translation import gettext as _

from syncadmin.engine.causes import Cause
from syncadmin.engine.pair_sets import Change
from syncadmin.services.pair_faults import Fault
from syncadmin.store.fieldsets import Pause
from syncadmin.web.words import causes, terms
from syncadmin.web.words import fields as words

register = template.Library()


@register.filter
def kind(code: str) -> str:
    return terms.named(words.KINDS, code)


@register.filter
def told(found: Fault) -> str:
    return words.fault(found)


@register.filter
def paused_because(found: Pause) -> str:
    return words.pause(found)


@register.filter
def direction_name(code: str) -> str:
    return terms.named(terms.DIRECTIONS, code)


@register.filter
def winner_name(code: str, table: str) -> str:
    """What the collision rule means for this table."""
    if code == "table":
        return _("Marketo wins (the rule for leads)") if table == "lead" else _("Dynamics wins (the rule for contacts)")
    return terms.named(words.WINNERS, code)


@register.filter
def change_name(code: str) -> str:
    return terms.named(words.CHANGES, code)


@register.filter
def show_name(code: str) -> str:
    return terms.named(words.SHOWS, code)


@register.filter
def refused(code: str) -> str:
    """Why a value would not pass."""
    return causes.title(code) if code in set(Cause) else code


@register.filter
def rules_changed(change: Change) -> list[tuple[str, str, str]]:
    """(rule, before, after) of each rule that differs."""
    return [
        (terms.named(words.RULES, name), _told(change, name, "before"), _told(change, name, "after"))
        for name in change.rules
    ]


def _told(change: Change, name: str, when: str) -> str:
    value: Any = getattr(getattr(change, when), name)
    match name:
        case "direction":
            return direction_name(value)
        case "winner":
            return winner_name(value, change.table)
        case "blanks_travel":
            return str(words.BLANKS[value])
        case "options":
            return "; ".join(f"{option} = {text}" for option, text in sorted(value.items())) or _("by label")
        case "shorten" | "consent":
            return _("yes") if value else _("no")
        case _:
            return str(value) or _("none")
