"""The wizard's first steps and the settings they become."""

from __future__ import annotations

from django.urls import path

from syncadmin.web.views import connections, settings, settings_sync, setup, setup_scope

patterns = [
    path("setup/", setup.setup, name="setup"),
    path("setup/dynamics/", connections.dynamics, name="setup-dynamics"),
    path("setup/marketo/", connections.marketo, name="setup-marketo"),
    path("setup/scope/", setup_scope.scope, name="setup-scope"),
    path("settings/", settings.settings, name="settings"),
    path("settings/connections/", settings.connections, name="settings-connections"),
    path("settings/connections/<slug:side>/", connections.connection, name="settings-connection"),
    path("settings/sync/", settings_sync.sync, name="settings-sync"),
]
