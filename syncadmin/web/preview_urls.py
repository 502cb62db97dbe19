"""Addresses of the preview and the start."""

from __future__ import annotations

from django.urls import path

from syncadmin.web.views import preview

patterns = [
    path("setup/preview/", preview.preview, name="setup-preview"),
    path("setup/preview/changes/", preview.changes, name="setup-preview-changes"),
    path("setup/preview/failures/<slug:code>/", preview.failures, name="setup-preview-failures"),
    path("setup/preview/decisions/", preview.unclear, name="setup-preview-unclear"),
    path("setup/start/", preview.start, name="setup-start"),
]
