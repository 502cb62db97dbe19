"""What the screens say about field pairs: verdicts, kinds, rules, pauses."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from syncadmin.engine.fit import Fit, Fitness
from syncadmin.services.pair_faults import Fault
from syncadmin.store.fieldsets import Pause
from syncadmin.web.words.terms import SIDES, Text, named

KINDS: dict[str, Text] = {
    "text": gettext_lazy("text"),
    "memo": gettext_lazy("long text"),
    "email": gettext_lazy("e-mail"),
    "phone": gettext_lazy("phone"),
    "url": gettext_lazy("web address"),
    "integer": gettext_lazy("whole number"),
    "decimal": gettext_lazy("number"),
    "money": gettext_lazy("money"),
    "boolean": gettext_lazy("yes or no"),
    "date": gettext_lazy("date"),
    "datetime": gettext_lazy("date and time"),
    "choice": gettext_lazy("choice"),
    "multichoice": gettext_lazy("several choices"),
    "state": gettext_lazy("status"),
    "status": gettext_lazy("status reason"),
    "lookup": gettext_lazy("look-up"),
    "owner": gettext_lazy("owner"),
    "customer": gettext_lazy("customer"),
    "guid": gettext_lazy("id"),
    "other": gettext_lazy("of another kind"),
}

RULES: dict[str, Text] = {
    "marketo": gettext_lazy("Marketo field"),
    "direction": gettext_lazy("Direction"),
    "winner": gettext_lazy("Collision rule"),
    "blanks_travel": gettext_lazy("Blanks"),
    "shorten": gettext_lazy("Shortening"),
    "options": gettext_lazy("Option map"),
    "consent": gettext_lazy("Consent"),
    "default": gettext_lazy("Default"),
}

BLANKS: dict[bool, Text] = {
    True: gettext_lazy("an emptied value empties the other side"),
    False: gettext_lazy("only filled values travel"),
}

WINNERS: dict[str, Text] = {
    "dynamics": gettext_lazy("Dynamics wins"),
    "marketo": gettext_lazy("Marketo wins"),
    "ask": gettext_lazy("Somebody is asked each time"),
}

SHOWS: dict[str, Text] = {
    "all": gettext_lazy("All columns"),
    "chosen": gettext_lazy("Chosen only"),
    "problems": gettext_lazy("Problems only"),
    "edited": gettext_lazy("Unsaved edits"),
}

CHANGES: dict[str, Text] = {
    "added": gettext_lazy("New"),
    "removed": gettext_lazy("Taken out"),
    "changed": gettext_lazy("Changed"),
    "confirmed": gettext_lazy("New type confirmed"),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """``level`` is empty, warn or bad; a level makes it a problem."""

    level: str
    text: str


def verdict(found: Fitness) -> Verdict:
    """Whether the two types fit, in a few plain words."""
    facts = {"limit": found.limit, "side": named(SIDES, found.to or "")}
    match found.fit:
        case Fit.FITS:
            return Verdict("", _("fits"))
        case Fit.SHORTENS:
            return Verdict("", _("fits, but shortens to %(limit)s characters") % facts)
        case Fit.LIMITED:
            return Verdict("", _("fits up to %(limit)s characters in %(side)s") % facts)
        case Fit.RANGE:
            return Verdict("", _("fits from %(limit)s in %(side)s") % facts)
        case Fit.PARTLY:
            kind = {"kind": named(KINDS, found.kind), "side": facts["side"]}
            return Verdict("warn", _("fits in part: %(side)s takes %(kind)s only") % kind)
        case Fit.OPTIONS:
            number = len(found.unmatched)
            text = ngettext(
                "needs an option map: %(number)d option is unmatched",
                "needs an option map: %(number)d options are unmatched",
                number,
            )
            return Verdict("warn", text % {"number": number})
        case _:
            return Verdict("bad", _("cannot"))


def fault(found: Fault) -> str:
    """Why a pair cannot work, with the kinds as people call them."""
    kinds = {name: named(KINDS, value) for name, value in found.facts.items() if name.endswith("_kind")}
    return str(Fault(found.code, {**found.facts, **kinds}))


def pause(found: Pause) -> str:
    """Why a pair is left alone."""
    facts = {
        "side": named(SIDES, found.facts.get("side", "")),
        "name": found.facts.get("name", ""),
        "was": _kind(found.facts.get("was", "")),
        "now": _kind(found.facts.get("now", "")),
    }
    match found.code:
        case "gone":
            return _("%(name)s is no longer there in %(side)s, or may not be read.") % facts
        case "retyped":
            return _("%(name)s in %(side)s changed its type from %(was)s to %(now)s.") % facts
        case _:
            return _("%(name)s is back in %(side)s; the pair goes on within the next runs.") % facts


def _kind(stored: str) -> str:
    # A date and time carries how it behaves behind a stroke.
    kind, _stroke, behaviour = stored.partition("/")
    return f"{named(KINDS, kind)} ({behaviour.replace('_', ' ')})" if behaviour else named(KINDS, kind)
