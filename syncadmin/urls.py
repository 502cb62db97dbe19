"""All addresses are the web package's."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("", include("syncadmin.web.urls"))]
handler403 = "syncadmin.web.views.errors.refused"
handler404 = "syncadmin.web.views.errors.not_found"
