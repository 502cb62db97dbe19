"""Words of the preview's pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from math import ceil
from typing import Any

from django import template
from django.utils.translation import gettext as _

from syncadmin.web.templatetags.show import about_minutes
from syncadmin.web.words import preview

register = template.Library()


@register.filter
def word(words: Mapping[str, Any], code: str) -> str:
    return str(words.get(code, code))


@register.simple_tag
def field_label(key: str, labels: Mapping[str, str]) -> str:
    return preview.label(key, labels)


@register.filter
def time_left(value: timedelta) -> str:
    """A guess from a measured rate: no finer than a minute."""
    seconds = value.total_seconds()
    return _("less than a minute") if seconds < 60 else about_minutes(ceil(seconds / 60))
