"""Words and numbers for the templates; no queries."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from syncadmin.store.queries.overview import PairPaused
from syncadmin.store.queries.sql import Count
from syncadmin.web.words import terms, troubles

register = template.Library()

# A page shows the beginning of a long text and how many characters there are.
LONGEST = 500

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


@register.filter
def count(value: Count | int) -> str:
    """A number with its thousands apart, or "over 1,000"."""
    if isinstance(value, Count):
        shown = f"{value.number:,}"
        return _("over %(number)s") % {"number": shown} if value.over else shown
    return f"{value:,}"


@register.simple_tag
def ago(moment: datetime | None, now: datetime) -> SafeString | str:
    """How long ago, with the exact instant for the mouse and for the script that keeps it fresh."""
    if moment is None:
        return "–"
    # By strftime: a list has a hundred times, and date_format takes ten times as long for the same figures.
    title = timezone.localtime(moment).strftime("%Y-%m-%d %H:%M:%S %Z")
    return format_html(
        '<time datetime="{}" title="{}" data-ago>{}</time>', moment.isoformat(), title, _distance(now - moment)
    )


@register.simple_tag
def exact(moment: datetime | None) -> SafeString | str:
    """The instant itself, in the zone of the viewer."""
    if moment is None:
        return "–"
    local = timezone.localtime(moment)
    title = local.strftime("%Y-%m-%d %H:%M:%S %Z")
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), title, f"{local:%Y-%m-%d %H:%M}")


@register.filter
def clock(moment: datetime) -> str:
    """The time of the day in the zone of the viewer."""
    return f"{timezone.localtime(moment):%H:%M}"


def _distance(passed: timedelta) -> str:
    seconds = int(passed.total_seconds())
    if seconds < 0:
        return _ahead(-seconds)
    for length, unit in _UNITS:
        if seconds >= length:
            return _ago(unit, seconds // length)
    return _("just now") if seconds < 10 else _ago("second", seconds)


def _ago(unit: str, number: int) -> str:
    match unit:
        case "day":
            text = ngettext("%(number)d day ago", "%(number)d days ago", number)
        case "hour":
            text = ngettext("%(number)d hour ago", "%(number)d hours ago", number)
        case "minute":
            text = ngettext("%(number)d minute ago", "%(number)d minutes ago", number)
        case _other:
            text = ngettext("%(number)d second ago", "%(number)d seconds ago", number)
    return text % {"number": number}


def _ahead(seconds: int) -> str:
    if seconds < 90:
        return _("in a moment")
    if seconds < 5_400:
        return ngettext("in %(number)d minute", "in %(number)d minutes", seconds // 60) % {"number": seconds // 60}
    return ngettext("in %(number)d hour", "in %(number)d hours", seconds // 3600) % {"number": seconds // 3600}


@register.filter
def duration(value: timedelta | None) -> str:
    """Seconds with one digit, minutes from two minutes on."""
    if value is None:
        return "–"
    seconds = value.total_seconds()
    if seconds < 120:
        return _("%(seconds)s s") % {"seconds": f"{seconds:.1f}"}
    return _("%(minutes)d min %(seconds)02d s") % {"minutes": seconds // 60, "seconds": seconds % 60}


@register.simple_tag
def icon(name: str) -> SafeString:
    """A picture beside a word that says the same; nothing to a screen reader."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', static("img/icons.svg"), name)


@register.filter
def side(code: str) -> str:
    return terms.named(terms.SIDES, code)


@register.filter
def table(code: str) -> str:
    return terms.named(terms.TABLES, code)


@register.filter
def tables(code: str) -> str:
    return terms.named(terms.TABLES_TOGETHER, code)


@register.filter
def operation(code: str) -> str:
    return terms.named(terms.OPERATIONS, code)


@register.filter
def rule(code: str) -> str:
    return terms.named(terms.RULES, code)


@register.filter
def winner(code: str) -> str:
    return terms.named(terms.WINNERS, code)


@register.filter
def role(code: str) -> str:
    return terms.named(terms.ROLES, code)


@register.filter
def why_paused(pair: PairPaused) -> str:
    return troubles.pause_told(pair.code, pair.facts)


@register.filter
def complaint(told: dict[str, Any]) -> str:
    return troubles.complaint_told(told)


@register.filter
def about_minutes(minutes: int) -> str:
    """A length of time of which only the size is known."""
    if minutes < 90:
        return ngettext("about %(number)d minute", "about %(number)d minutes", minutes) % {"number": minutes}
    hours = round(minutes / 60)
    if hours < 48:
        return ngettext("about %(number)d hour", "about %(number)d hours", hours) % {"number": hours}
    return ngettext("about %(number)d day", "about %(number)d days", hours // 24) % {"number": hours // 24}


@register.filter
def words(code: str) -> str:
    """A code of counts or purposes, readable: dots and underscores become spaces."""
    return str(code).replace(".", " · ").replace("_", " ")


@register.filter
def shown(value: Any) -> SafeString | str:
    """A stored value as text: an empty one says so, a lookup gives its name."""
    if value is None or value == "":
        return format_html('<span class="empty">{}</span>', _("empty"))
    if value is True or value is False:
        return _("yes") if value else _("no")
    if isinstance(value, dict):
        return str(value.get("name") or value.get("id") or "")
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text):,})"
