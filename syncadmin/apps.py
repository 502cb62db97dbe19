"""The application that carries the commands and the tasks."""

from __future__ import annotations

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class SyncadminConfig(AppConfig):
    name = "syncadmin"

    def ready(self) -> None:
        # So that the web server's and the commands' tasks know their broker.
        from syncadmin import celery  # noqa: F401
        from syncadmin.services.roles import ensure_groups

        post_migrate.connect(ensure_groups, sender=apps.get_app_config("auth"), dispatch_uid="roles")
