"""Addresses, grouped by the thing they hang on."""

from __future__ import annotations

from django.urls import path

from syncadmin.web.views import health

urlpatterns = [path("healthz", health.healthz, name="healthz")]
