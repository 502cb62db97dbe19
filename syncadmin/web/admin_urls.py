"""Addresses of what administrators keep: notifications, and the audit log."""

from __future__ import annotations

from django.urls import path

from syncadmin.web.views import audit, notifications

urlpatterns = [
    path("settings/notifications/", notifications.notifications, name="settings-notifications"),
    path("settings/notifications/add/", notifications.add, name="settings-notifications-add"),
    path("settings/notifications/limits/", notifications.limits, name="settings-notifications-limits"),
    path("settings/notifications/<int:pk>/test/", notifications.test, name="settings-notifications-test"),
    path("settings/notifications/<int:pk>/switch/", notifications.switch, name="settings-notifications-switch"),
    path("settings/notifications/<int:pk>/remove/", notifications.remove, name="settings-notifications-remove"),
    path("settings/audit/", audit.audit, name="settings-audit"),
    path("settings/audit/export.csv", audit.audit_csv, name="settings-audit-csv"),
]
