"""Alarms and deliveries for the templates; no queries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from syncadmin.services.notify_words import Words
from syncadmin.store.queries.notifications import AlarmRow, DeliveryRow
from syncadmin.web.words import notifications, terms

register = template.Library()


@register.filter
def channel_kind(code: str) -> str:
    return terms.named(notifications.CHANNELS, code)


@register.filter
def alarm_words(row: AlarmRow) -> Words:
    return notifications.alarm(row)


@register.filter
def delivery_words(row: DeliveryRow) -> str:
    return notifications.delivery(row)


@register.filter
def arrived(row: DeliveryRow) -> SafeString:
    level, words = notifications.outcome(row)
    return format_html('<span class="badge {}">{}</span>', level, words)


@register.filter
def at(values: Mapping[Any, Any], key: Any) -> Any:
    return values.get(key, "")
