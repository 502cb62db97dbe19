"""The words of the conflicts screens: outcomes, rules, and what is asked before something is done."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from syncadmin.web.words import terms
from syncadmin.web.words.terms import Text, named

STATES: dict[str, Text] = {
    "decided": _("decided by a rule"),
    "open": _("waiting for a decision"),
    "chosen": _("chosen, carried out by the next run"),
    "applied": _("chosen and carried out"),
    "passed": _("not carried out: a value had changed"),
}

# The rules by which a conflict can have been decided.
RULES: dict[str, Text] = {
    code: terms.RULES[code]
    for code in ("collision_lead", "collision_contact", "collision_field", "blank", "overtaken", "by_itself")
} | {
    "first_rule": terms.RULES["first_rule"],
    "first_dynamics": terms.RULES["first_dynamics"],
    "consent": terms.RULES["consent"],
}

HEADINGS: tuple[Text, ...] = (
    _("Conflict"),
    _("When"),
    _("Person"),
    _("Field"),
    _("Agreed, in Dynamics"),
    _("Agreed, in Marketo"),
    _("Dynamics"),
    _("Marketo"),
    _("Winner"),
    _("Rule"),
    _("Outcome"),
    _("Decided by"),
    _("Run"),
)

_BY_TABLE: dict[str, Text] = {
    "lead": _("by the rule for leads: Marketo wins"),
    "contact": _("by the rule for contacts: Dynamics wins"),
}


def state(code: str) -> str:
    return named(STATES, code)


def rule(code: str) -> str:
    return named(terms.RULES, code)


def winner_of_pair(code: str, table: str) -> str:
    """Who wins a collision of a field pair; the table's own rule is named in full."""
    return named(_BY_TABLE, table) if code == "table" else named(terms.WINNERS_OF_PAIR, code)
