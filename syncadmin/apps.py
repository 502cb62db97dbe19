"""The application that carries the commands and the tasks."""

from __future__ import annotations

from django.apps import AppConfig


class SyncadminConfig(AppConfig):
    name = "syncadmin"

    def ready(self) -> None:
        # So that the web server's and the commands' tasks know their broker.
        from syncadmin import celery  # noqa: F401
