"""The web server's door."""

from __future__ import annotations

import os

from syncadmin.collector import spare_loaded
from syncadmin.environment import stop_on_bad_setting

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "syncadmin.settings")
# More than the 16 threads that `make run` and compose.yaml serve with.
os.environ.setdefault("DATABASE_POOL", "20")

with stop_on_bad_setting():
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()
    # Loaded before the first page asks for it, and then spared: a full collection would be part of somebody's page.
    from django.urls import get_resolver

    _ = get_resolver().url_patterns
    spare_loaded()
