"""The audit log's words for the templates; no queries."""

from __future__ import annotations

from django import template

from syncadmin.web.words import audit

register = template.Library()

register.filter("audit_action", audit.action)
register.simple_tag(audit.differences, name="audit_differences")
